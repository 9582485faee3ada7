"""How often one may ask: a token bucket for each key, or each address that has none."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from extrophi_orchestrator.errors import RateLimited

_MOST = 10_000  # buckets that are kept; the one asked for longest ago goes first, and is full again by then


class Rates:
    """A minute's worth at once, then one by one as they come back."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._per_second = per_minute / 60
        self._now = now
        self._buckets: OrderedDict[bytes | str, tuple[float, float]] = OrderedDict()

    def take(self, who: bytes | str) -> None:
        """Count a request. Raises RateLimited."""
        if self._capacity == 0:
            return
        now = self._now()
        left, since = self._buckets.get(who, (self._capacity, now))
        left = min(self._capacity, left + (now - since) * self._per_second)
        if left < 1:
            wait = (1 - left) / self._per_second
            raise RateLimited(
                f"More than {self._capacity:.0f} requests a minute.",
                hint=f"Ask again in {math.ceil(wait)} s; EXTROPHI_RATE_LIMIT is the limit.",
                retry_after=wait,
            )
        self._buckets[who] = (left - 1, now)
        self._buckets.move_to_end(who)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)


def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6, the /64 that one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return address
