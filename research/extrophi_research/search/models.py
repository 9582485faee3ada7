"""The words of the search slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Mode = Literal["hybrid", "keyword", "vector"]
Group = Literal["document", "none"]


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty means: no such filter."""

    platforms: Sequence[str] = ()
    collections: Sequence[str] = ()
    source_ids: Sequence[UUID] = ()
    job_ids: Sequence[UUID] = ()
    authors: Sequence[str] = ()
    languages: Sequence[str] = ()
    published_after: datetime | None = None
    published_before: datetime | None = None
    collected_by: datetime | None = None
    """Their newest version was there at that moment."""

    @property
    def any(self) -> bool:
        lists = (self.platforms, self.collections, self.source_ids, self.job_ids, self.authors, self.languages)
        moments = (self.published_after, self.published_before, self.collected_by)
        return any(lists) or any(moment is not None for moment in moments)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with what a citation needs of its document."""

    chunk_id: UUID
    document_id: UUID
    version: int
    start: int
    end: int
    text: str
    platform: str
    external_id: str
    title: str
    author: str | None
    published_at: datetime | None
    url: str | None
    anchors: Sequence[tuple[int, Mapping[str, Any]]]
    """Those that hold for some of the chunk, ascending."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A hit as a reader sees it. `document(version).text[quote_start:quote_end] == quote`, always."""

    document_id: UUID
    version: int
    platform: str
    external_id: str
    title: str
    author: str | None
    published_at: datetime | None
    url: str | None
    deep_link: str | None
    quote: str
    quote_start: int
    quote_end: int


@dataclass(frozen=True, slots=True)
class Hit:
    document_id: UUID
    version: int
    chunk_id: UUID
    score: float
    text: str
    start: int
    end: int
    citation: Citation
    also: Sequence[Citation] = ()
    """The same text elsewhere."""


@dataclass(frozen=True, slots=True)
class Found:
    items: Sequence[Hit] = field(default=())
    degraded: str | None = None
    relaxed: bool = False
    earlier: Mapping[UUID, Chunk] = field(default_factory=dict[UUID, Chunk])
    """Chunks of older versions, which are in no table."""
