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

    @property
    def any(self) -> bool:
        lists = (self.platforms, self.collections, self.source_ids, self.job_ids, self.authors, self.languages)
        return any(lists) or self.published_after is not None or self.published_before is not None


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
