"""The words of rendering: what a page may take, and what it comes to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from extrophi_backend.accounts.cookies import Cookie

MayVisit = Callable[[str], Awaitable[None]]
"""Asked before the page goes to another address; raises FetchFailed or Wait where it may not."""

OwnCookies = Callable[[str], Awaitable[Sequence[Cookie]]]
"""The person's own that belong to an address's host."""


Wanted = Callable[[str], bool]
"""Whether what an address answers to a page is of interest."""


async def anywhere(_: str) -> None:
    """A page may go to any address."""


async def no_cookies(_: str) -> Sequence[Cookie]:
    """Of a person who has none."""
    return ()


class BrowserFailed(Exception):
    """The browser itself: all that was open in it is lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one page."""

    seconds: float
    html_bytes: int
    """Of the page as read out. A longer one is refused."""
    traffic_bytes: int
    """Sent and received, by all that it loads."""
    memory: int
    """Bytes, of the page's process."""
    connections: int = 500
    nodes: int = 500_000
    screenshot_height: int = 3_000
    """Pixels. The rest of a longer page is not on it; with 0, none is taken."""
    screenshot_bytes: int = 4_000_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as it looks once its scripts have run. `url` is where it was led to, `status` what was answered there."""

    url: str
    status: int
    html: bytes
    """In UTF-8."""
    screenshot: bytes | None
    """WebP; None if there was none to be had."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a page was answered. `headers` in lower case; `body` is empty where it did not come whole."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
