"""What a site asks of programs (RFC 9309), read by protego."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from protego import Protego

AGENT = "Extrophi"
MAX_BYTES = 512 * 1024  # RFC 9309, 2.5: at least 500 KiB must be read
_KEPT_SECONDS = 3600.0  # RFC 9309, 2.4: no longer than a day
_MOST_SITES = 1000
_LONGEST_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What asking for robots.txt came to: any status but 429 and those of errors that may pass."""

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one site."""

    parsed: Protego

    def allows(self, url: str) -> bool:
        return self.parsed.can_fetch(url, AGENT)

    @property
    def sitemaps(self) -> list[str]:
        """Addresses that the site names as its sitemaps, as it wrote them."""
        return list(self.parsed.sitemaps)

    @property
    def delay(self) -> float:
        """Seconds between two requests that the site asks for; 0 when it asks for none."""
        return min(float(self.parsed.crawl_delay(AGENT) or 0.0), _LONGEST_DELAY)


class Robots:
    """The rules of sites, each asked for once an hour at most, and once at a time.

    What `ask` raises is for everybody who waits for it, and is not remembered.
    """

    def __init__(self, ask: Callable[[str], Awaitable[Answered]]) -> None:
        self._ask = ask
        self._known: OrderedDict[str, tuple[float, asyncio.Task[Rules]]] = OrderedDict()

    async def rules(self, site: str) -> Rules:
        """Of a site, given as `https://host:port`."""
        until, asking = self._known.get(site, (0.0, None))
        if asking is None or until < monotonic() or (asking.done() and (asking.cancelled() or asking.exception())):
            asking = asyncio.create_task(self._read(site))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # also if all stopped waiting
            self._known[site] = (monotonic() + _KEPT_SECONDS, asking)
            while len(self._known) > _MOST_SITES:
                self._known.popitem(last=False)
        return await asyncio.shield(asking)

    async def _read(self, site: str) -> Rules:
        answered = await self._ask(f"{site}/robots.txt")
        if 200 <= answered.status < 300:
            return Rules(Protego.parse(_whole_lines(answered.body).decode("utf-8-sig", "replace")))
        return Rules(Protego.parse(""))  # RFC 9309, 2.3.1.3: unavailable, so nothing is disallowed


def _whole_lines(body: bytes) -> bytes:
    """As much as is read; half a line would say something else (`Disallow: /` of `/private`), and is left out."""
    if len(body) <= MAX_BYTES:
        return body
    body = body[:MAX_BYTES]
    return body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
