"""The one way out: every request to a collected address goes through `Fetcher.fetch`.

It is guarded (guard.py), polite (pace.py, robots.py), and bounded in redirects, time, bytes and decompression.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import linked, parse
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.exchange import MOVED, Exchange
from extrophi_backend.fetch.pace import LONGEST_HOLD, PATIENCE, Pace, pace_name, plain_delay, retry_after
from extrophi_backend.fetch.robots import AGENT, MAX_BYTES, Answered, Robots
from extrophi_backend.tls import trusted

MAX_REDIRECTS = 10
_ROBOTS_REDIRECTS = 5  # RFC 9309, 2.3.1.2: at least
_ATTEMPTS = 3
_BACKOFF_SECONDS = 0.5
_WAIT_UNSAID = 60.0
"""What a 429 without Retry-After is taken to ask for, and a robots.txt that cannot be read."""
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5"
_DAY = 86_400.0
_BUSY = frozenset({429, 503})
_WORTH_AGAIN = frozenset({500, 502, 503, 504})

Validators = Mapping[str, Any]
OwnCookies = Callable[[str], Awaitable[str]]
"""The header `Cookie` of the person's own for an address; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status. `url` is the address that gave it, after redirects."""

    url: str
    status: int
    media_type: str
    """As declared, parameters and all; empty when not declared."""
    body: bytes
    etag: str | None
    last_modified: str | None
    robots: tuple[str, ...] = ()
    """Its headers `X-Robots-Tag`."""

    @property
    def not_modified(self) -> bool:
        return self.status == 304

    @property
    def validators(self) -> dict[str, Any]:
        """What makes asking again cheap (RFC 9110, 13.1); empty where the server sent none."""
        found = {"etag": self.etag, "last_modified": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a platform's API may be asked, by all of us together.

    `spacing`: seconds between two requests; none on this machine. `told`: seconds from now for which an answer says to
    leave it alone (its own rate headers); None where it says nothing of the kind.
    """

    name: str
    spacing: float
    told: Callable[[httpx.Response], float | None]


@dataclass(slots=True)
class _Visit:
    """One fetch: its cookies (many a redirect wants to see its own again), and the hosts that it had a turn at.

    A body of more than `most` bytes is refused, or with `cut` read as far as that.
    """

    most: int
    cut: bool = False
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    hosts: set[str] = field(default_factory=set[str])


async def _none(_: str) -> Validators:
    return {}


class Fetcher:
    """One per worker process: its pool of connections, paces and robots.txt are shared by all jobs.

    Args:
        allow: Private networks that may be reached all the same.
        max_bytes: Of an answer, as sent and as unpacked.
        seconds: One fetch may take, redirects and waiting for turns included.
        resolve: Gives a name's addresses.
        verify: For TLS; by default the system's and certifi's authorities.
        pace: How often a host is asked; by default for this process alone.
    """

    def __init__(
        self,
        *,
        allow: Sequence[guard.Network] = (),
        max_bytes: int,
        seconds: float,
        resolve: guard.Resolve = guard.resolve,
        verify: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._exchange = Exchange(agent=agent(), allow=allow, resolve=resolve, verify=verify or trusted())
        self._pace = pace or Pace()
        self._robots = Robots(self._ask_robots)
        self._own_cookies: OwnCookies | None = None

    def use_cookies(self, own: OwnCookies) -> None:
        """Send cookies of the person's own with what is fetched from now on."""
        self._own_cookies = own

    async def close(self) -> None:
        await self._exchange.close()

    async def fetch(
        self,
        url: str,
        *,
        typed: bool,
        crawl_delay: bool = True,
        validators: Callable[[str], Awaitable[Validators]] = _none,
        accept: str = _ACCEPT,
    ) -> Fetched:
        """Ask for `url`, following redirects.

        Args:
            url: http or https.
            typed: A person typed it: it is fetched at their word, whatever robots.txt says of it.
            crawl_delay: Leave the host alone afterwards for as long as its robots.txt asks.
            validators: What is known of an address, asked for each that is met; makes the request conditional.
            accept: The header's value.

        Raises:
            FetchFailed: no answer was to be had.
            Wait: the host is to be asked later than a worker should wait.
        """

        async def delay(hop: httpx.URL) -> float:
            asked = 0.0 if typed else await self._allowed(hop)
            return max(plain_delay(hop), asked if crawl_delay else 0.0)

        visit = _Visit(self._max_bytes)

        async def headers(hop: str) -> dict[str, str]:
            own = await self._own_cookies(hop) if self._own_cookies else ""
            cookies = {"Cookie": _with_own(own, visit.cookies, hop)} if own else {}
            return {"Accept": accept} | cookies | _conditions(await validators(hop))

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                answer = await self._follow(url, visit, delay, headers, MAX_REDIRECTS)
        except TimeoutError as error:
            if not limit.expired():  # what is known of the address could not be read: no fault of the site
                raise
            raise FetchFailed("timeout", f"The answer took longer than {self._seconds:g} s.") from error
        if answer is None:
            raise FetchFailed("too_many_redirects", f"It redirects more than {MAX_REDIRECTS} times.")
        return _fetched(answer)

    async def call(
        self, url: str, headers: Mapping[str, str], *, method: str = "GET", content: bytes | None = None
    ) -> httpx.Response:
        """One request with headers of the caller's, to a platform that the person has credentials of.

        No redirect is followed, so that what the headers hold goes nowhere else; robots.txt is not asked.

        Raises:
            FetchFailed: no answer was to be had.
            Wait: the host is to be asked later than a worker should wait.
        """
        parsed = parse(url)
        try:
            async with asyncio.timeout(self._seconds):
                await self._pace.turn(pace_name(parsed), plain_delay(parsed))
                return await self._exchange.ask(
                    parsed, dict(headers), httpx.Cookies(), self._max_bytes, method=method, content=content
                )
        except TimeoutError as error:
            raise FetchFailed("timeout", f"The answer took longer than {self._seconds:g} s.") from error

    async def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        budget: Budget,
        *,
        method: str = "GET",
        content: bytes | None = None,
        most: int | None = None,
    ) -> httpx.Response:
        """One request to a platform's API, in the turns of its budget, and again where a second try may help.

        Nothing of it changes anything there, whatever its method: so it may be sent twice. No redirect is followed;
        robots.txt is not asked, since it speaks of pages.

        Args:
            url: http or https.
            headers: The caller's; they may hold credentials.
            budget: Whose turns are taken, and who is left alone when an answer says so.
            method: GET or POST.
            content: A POST's body.
            most: Bytes of the answer, if other than of a page.

        Raises:
            FetchFailed: no answer was to be had.
            Wait: it is to be asked later than a worker should wait.
        """
        parsed = parse(url)
        delay = budget.spacing if plain_delay(parsed) else 0.0
        # Waiting for a turn is no part of it: that is PATIENCE at most, and no fault of the platform's.
        for attempt in range(1, _ATTEMPTS + 1):
            await (self._pace.turn(budget.name, delay) if attempt == 1 else self._pace.again(budget.name, delay))
            last = attempt == _ATTEMPTS
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await self._exchange.ask(
                        parsed, dict(headers), httpx.Cookies(), most or self._max_bytes, method=method, content=content
                    )
            except TimeoutError as error:
                raise FetchFailed("timeout", f"The answer took longer than {self._seconds:g} s.") from error
            except FetchFailed as failure:
                if last or failure.code not in {"connection_failed", "broken_answer"}:
                    raise
            else:
                told = budget.told(answer)
                asked = _asked_to_wait(answer, told)
                if asked is None and told is not None:
                    await self._pace.hold(budget.name, told, _DAY)
                if asked is not None:
                    if asked > PATIENCE or last:
                        await self._pace.hold(budget.name, asked, _DAY)
                        failure = FetchFailed("rate_limited", _limited(answer.status_code))
                        raise Wait(budget.name, min(asked, _DAY), failure)
                    await asyncio.sleep(asked)
                    continue
                if last or answer.status_code not in _WORTH_AGAIN:
                    return answer
            await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
        raise AssertionError

    async def next_hop(self, url: str) -> str | Fetched:
        """Where `url` redirects to, which is not asked; its answer, if it does not redirect. A person typed it.

        Raises:
            FetchFailed, Wait: as `fetch`.
        """
        parsed = parse(url)
        answer = await self._patiently(parsed, {"Accept": _ACCEPT}, _Visit(self._max_bytes), plain_delay(parsed))
        location = answer.headers.get("location")
        return linked(url, location) if answer.status_code in MOVED and location else _fetched(answer)

    async def sitemaps(self, url: str) -> list[str]:
        """Sitemaps that the robots.txt of the site of `url` names.

        Raises:
            FetchFailed: why the site cannot be reached.
            Wait: it has its rules, and cannot tell them just now.
        """
        rules = await self._robots.rules(_site(parse(url)))
        return rules.sitemaps

    async def turn(self, url: str, *, typed: bool, budget: str = "") -> None:
        """Wait for a turn at a host that has just been asked, for a request that another makes: a browser.

        Args:
            url: http or https.
            typed: A person typed it: nobody asks its robots.txt.
            budget: Name of what may be on `hold` besides.

        Raises:
            FetchFailed: robots_disallowed, if nobody typed the address; what `parse` raises.
            Wait: its robots.txt cannot be read just now; its budget is on hold for longer than a worker should wait.
        """
        parsed = parse(url)
        if budget:
            await self._pace.turn(budget, plain_delay(parsed))
        asked = 0.0 if typed else await self._allowed(parsed)
        await self._pace.again(pace_name(parsed), max(plain_delay(parsed), asked))

    async def hold(self, budget: str, seconds: float) -> None:
        """Take no turn of a budget for so long, a day at most: what a browser was told by whom it asked."""
        await self._pace.hold(budget, seconds, _DAY)

    async def _follow(
        self,
        url: str,
        visit: _Visit,
        delay: Callable[[httpx.URL], Awaitable[float]],
        headers: Callable[[str], Awaitable[dict[str, str]]],
        redirects: int,
    ) -> httpx.Response | None:
        """The answer that is no redirect; None where that is too far away."""
        for _ in range(redirects + 1):
            parsed = parse(url)
            said, wait = await headers(url), await delay(parsed)  # who does not want to go there asks no robots.txt
            answer = await self._patiently(parsed, said, visit, wait)
            if answer.status_code == 304 and not said.keys() & {"If-None-Match", "If-Modified-Since"}:
                raise FetchFailed("broken_answer", "The server says that nothing changed, and was not asked that.")
            location = answer.headers.get("location")
            if answer.status_code not in MOVED or not location:
                return answer
            try:
                url = linked(str(answer.url), location)
            except FetchFailed as failure:
                raise FetchFailed(failure.code, f"It redirects elsewhere. {failure.detail}") from failure
        return None

    async def _patiently(self, url: httpx.URL, headers: dict[str, str], visit: _Visit, delay: float) -> httpx.Response:
        """One hop: in turn, and again where a second try may help."""
        host = pace_name(url)
        for attempt in range(1, _ATTEMPTS + 1):
            if host in visit.hosts:
                await self._pace.again(host, delay)
            else:
                await self._pace.turn(host, delay)
                visit.hosts.add(host)
            last = attempt == _ATTEMPTS
            try:
                answer = await self._exchange.ask(url, headers, visit.cookies, visit.most, cut=visit.cut)
            except FetchFailed as failure:
                if last or failure.code not in {"connection_failed", "broken_answer"}:
                    raise
            else:
                asked = _asked_to_wait(answer)
                if asked is not None:
                    if asked > PATIENCE or last:
                        raise await self._held(host, asked, FetchFailed("rate_limited", _limited(answer.status_code)))
                    await asyncio.sleep(asked)
                    continue
                if last or answer.status_code not in _WORTH_AGAIN:
                    return answer
            await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
        raise AssertionError

    async def _held(self, host: str, seconds: float, failure: FetchFailed) -> Wait:
        await self._pace.hold(host, seconds)
        return Wait(host, min(seconds, LONGEST_HOLD), failure)

    async def _allowed(self, url: httpx.URL) -> float:
        """The delay that the site asks for, if it allows `url`.

        Raises:
            FetchFailed: robots_disallowed; why the site cannot be reached.
            Wait: it has its rules, and cannot tell them just now.
        """
        rules = await self._robots.rules(_site(url))
        if not rules.allows(str(url)):
            raise FetchFailed("robots_disallowed", "The site's robots.txt asks programs not to fetch it.")
        return rules.delay

    async def _ask_robots(self, url: str) -> Answered:
        async def delay(hop: httpx.URL) -> float:
            return plain_delay(hop)

        async def headers(_: str) -> dict[str, str]:
            return {"Accept": "text/plain,*/*;q=0.1"}

        try:
            # A limit of its own: whoever waits for it may give up, and others still wait.
            async with asyncio.timeout(self._seconds):
                visit = _Visit(MAX_BYTES + 1, cut=True)  # by the one byte more it is seen to go on
                answer = await self._follow(url, visit, delay, headers, _ROBOTS_REDIRECTS)
        except TimeoutError as error:
            raise FetchFailed("timeout", f"robots.txt took longer than {self._seconds:g} s.") from error
        except Wait as wait:
            raise Wait(wait.host, wait.seconds, _unreachable(429) if wait.failure else None) from wait
        if answer is None:
            return Answered(404)
        if answer.status_code >= 500:  # RFC 9309, 2.3.1.4: all is disallowed, for now
            raise await self._held(pace_name(parse(url)), _WAIT_UNSAID, _unreachable(answer.status_code))
        return Answered(answer.status_code, answer.content)


def _with_own(own: str, met: httpx.Cookies, url: str) -> str:
    """The header `Cookie` for an address: one's own, and what was met on the way, which goes before it."""
    parsed = parse(url)
    asking = httpx.Request("GET", parsed, headers={"Host": parsed.netloc.decode("ascii")})  # see Exchange.ask
    met.set_cookie_header(asking)
    fresh = asking.headers.get("cookie", "")
    names = {part.partition("=")[0] for part in fresh.split("; ")}
    kept = [part for part in own.split("; ") if part.partition("=")[0] not in names]
    return "; ".join([*kept, fresh] if fresh else kept)


def _site(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _asked_to_wait(answer: httpx.Response, told: float | None = None) -> float | None:
    if answer.status_code not in _BUSY:
        return None
    asked = told if told is not None else retry_after(answer.headers.get("retry-after"), time.time())
    if asked is None and answer.status_code == 429:
        return _WAIT_UNSAID
    return asked  # a 503 that names no time is an error like others


def _limited(status: int) -> str:
    return f"The server answers {status} whenever it is asked, and to come back later."


def _unreachable(status: int) -> FetchFailed:
    detail = f"The site's robots.txt answers {status}, so nothing is fetched that nobody typed."
    return FetchFailed("robots_unreachable", detail)


def _conditions(known: Validators) -> dict[str, str]:
    headers: dict[str, str] = {}
    if etag := known.get("etag"):
        headers["If-None-Match"] = str(etag)
    if last_modified := known.get("last_modified"):
        headers["If-Modified-Since"] = str(last_modified)
    return headers


def _fetched(answer: httpx.Response) -> Fetched:
    def header(name: str) -> str | None:
        value = answer.headers.get(name)
        # Kept to be sent back: only what a header may hold, and of a sensible length.
        return value if value and len(value) <= 500 and value.isascii() and value.isprintable() else None

    return Fetched(
        url=str(answer.url),
        status=answer.status_code,
        media_type=(answer.headers.get("content-type") or "")[:200],
        body=answer.content,
        etag=header("etag"),
        last_modified=header("last-modified"),
        robots=tuple(value[:1000] for value in answer.headers.get_list("x-robots-tag")[:20]),
    )


def agent() -> str:
    """Who we say that we are."""
    return f"{AGENT}/{_version()} (self-hosted reader; obeys robots.txt)"


def _version() -> str:
    try:
        return version("extrophi-backend")
    except PackageNotFoundError:  # run from its folder, as in the container
        return "0.1"


__all__ = ["FetchFailed", "Fetched", "Fetcher", "Wait"]
