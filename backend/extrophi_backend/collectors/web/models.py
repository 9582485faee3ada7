"""The words of the web slice."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from extrophi_backend.collectors.models import Collected, Failure, Validators
from extrophi_backend.fetch.client import Fetched
from extrophi_backend.fetch.errors import FailureCode

Asks = Callable[[str], Awaitable[Validators]]
"""Gives what is known of an address, so that it is asked for conditionally."""

Understood = Collected | Failure | Literal["unchanged", "gone"]
"""What an answer comes to."""


class Answers(Protocol):
    """Who takes what comes of looking at a page."""

    async def validators(self, url: str) -> Validators:
        """What is known of an address; nothing, if all of the page is wanted."""
        ...

    async def answered(self, entry: "Entry", fetched: Fetched, *, typed: bool = False) -> None:
        """Raises FetchFailed and Wait, about what the page leads to: at a person's word as well, if it was typed."""
        ...

    async def missed(self, entry: "Entry", failure: Failure) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that is listed.

    `content` is HTML that the feed holds itself: all there is where the entry leads to no page of its own (`linked` is
    false, and `url` names it within its feed), else what is left where that page cannot be had.
    `problem` says why nothing can be fetched from `url`.
    """

    url: str
    title: str = ""
    author: str | None = None
    published_at: datetime | None = None
    content: str | None = None
    linked: bool = True
    problem: FailureCode | None = None
    changed: str | None = None
    """When its page last changed, as the listing writes it: compared with what it wrote before, and never read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed or sitemap holds, in its order: pages, or further sitemaps."""

    kind: Literal["feed", "sitemap"]
    entries: Sequence[Entry] = ()
    sitemaps: Sequence[str] = ()
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    """When those sitemaps last changed, as far as the listing says so."""
