"""How often a host is asked: never twice within its delay, and not before the time it named."""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

import httpx

from extrophi_backend.fetch.addresses import host_of
from extrophi_backend.fetch.errors import Wait

DELAY = 1.0
"""Seconds between two requests to one host."""
LONGEST_HOLD = 3600.0
"""Who says “come back tomorrow” is asked again in an hour, and given up sooner (collectors/web/waiting.py)."""
PATIENCE = 5.0
"""Seconds for which a worker waits in its slot."""
_MOST_HOSTS = 10_000


class Pace:
    """Of one process. Times are the event loop's, in seconds. Where others ask as well: budgets/service.py."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._free_at: dict[str, float] = {}
        self._clock = clock or (lambda: asyncio.get_running_loop().time())

    async def turn(self, host: str, delay: float) -> None:
        """Wait until `host` may be asked, and take that turn.

        Args:
            host: Its name, whatever scheme and port it is asked by.
            delay: Seconds until the next turn.

        Raises:
            Wait: it would take longer than PATIENCE.
        """
        now = self._clock()
        at = max(now, self._free_at.get(host, now))
        if at - now > PATIENCE:
            raise Wait(host, at - now)
        self._free_at[host] = at + delay
        if len(self._free_at) > _MOST_HOSTS:
            self._free_at = {name: free for name, free in self._free_at.items() if free > now}
        await asyncio.sleep(at - now)

    async def again(self, host: str, delay: float) -> None:
        """Another request of a fetch that has had its turn: a redirect, a second try.

        It never gives up what the turn was for: where the host's delay is long, it comes a second later, and the next
        fetch `delay` after it.
        """
        now = self._clock()
        at = max(now, self._free_at.get(host, now))
        if at - now > PATIENCE:
            at = now + min(DELAY, delay)
        self._free_at[host] = max(at + delay, self._free_at.get(host, at))
        await asyncio.sleep(at - now)

    async def hold(self, host: str, seconds: float, longest: float = LONGEST_HOLD) -> None:
        """Leave `host` alone for so long."""
        until = self._clock() + min(seconds, longest)
        self._free_at[host] = max(until, self._free_at.get(host, 0.0))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3); None where it says nothing readable.

    Args:
        value: The header's value: seconds, or a date.
        now: As a Unix time.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_HOLD)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now), LONGEST_HOLD)
    except (ValueError, TypeError, OverflowError):
        return None


def pace_name(url: httpx.URL) -> str:
    """What shares a pace: a host, whatever scheme and port; on this machine each port is another site."""
    host = host_of(url).lower()
    return f"{host}:{url.port}" if _is_loopback(host) else host


def plain_delay(url: httpx.URL) -> float:
    """Seconds between two requests to who asks for none."""
    return 0.0 if _is_loopback(host_of(url)) else DELAY


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
