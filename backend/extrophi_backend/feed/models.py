"""The words of the feed slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a feed tells of; what is empty filters nothing. `allowed`: the collections that a token opens."""

    platforms: Sequence[str] = ()
    collections: Sequence[str] = ()
    source_ids: Sequence[UUID] = ()
    allowed: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a feed tells of it. `beginning` is that of its text."""

    id: UUID
    platform: str
    external_id: str
    url: str | None
    title: str
    author: str | None
    published_at: datetime | None
    collected_at: datetime
    language: str | None
    beginning: str
    collections: Sequence[str]


@dataclass(frozen=True, slots=True)
class FeedToken:
    id: UUID
    name: str
    collections: Sequence[str] | None
    created_at: datetime
    last_used_at: datetime | None
