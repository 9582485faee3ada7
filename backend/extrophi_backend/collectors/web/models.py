"""The words of the web slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from extrophi_backend.fetch.errors import FailureCode


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


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed or sitemap holds, in its order: pages, or further sitemaps."""

    kind: Literal["feed", "sitemap"]
    entries: Sequence[Entry] = ()
    sitemaps: Sequence[str] = ()
