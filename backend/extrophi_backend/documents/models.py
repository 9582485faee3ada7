"""The words of the documents slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from extrophi_backend.captures.store import Place
from extrophi_backend.collectors.models import Collected
from extrophi_backend.index.chunking import ChunkSpan

DEFAULT_COLLECTION = UUID("00000000-0000-7000-8000-000000000000")

Status = Literal["created", "updated", "unchanged"]
AnchorJSON = tuple[int, Mapping[str, Any]]
"""An offset, and what is said of the place."""
Outcome = Literal["created", "updated", "unchanged", "gone"]
"""What a look at a document came to."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Since when another library had a version that comes from there, and when that one's source lost it."""

    collected_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """A document pushed in. `kept` where it comes from another library."""

    collected: Collected
    collections: Sequence[str]
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be written: hashed, cut, its captures kept. `chunks` is empty where nothing changed."""

    collected: Collected
    content_hash: bytes
    chunks: Sequence[ChunkSpan]
    capture: Place | None = None
    anchors: Sequence[AnchorJSON] = ()
    """As they are stored; with the chunks."""
    kept: Kept | None = None
    screenshot_key: str | None = None


@dataclass(frozen=True, slots=True)
class Existing:
    """What a write has to know of a document that is there."""

    id: UUID
    version: int
    content_hash: bytes
    collected_at: datetime
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """What a written document belongs to."""

    collection_id: UUID | None = DEFAULT_COLLECTION
    source_id: UUID | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """External ids of a platform's documents that were looked at and had not changed, or are gone at their source.

    `noted` are validators of unchanged ones, where they are other than before.
    """

    platform: str = ""
    unchanged: Sequence[str] = ()
    gone: Sequence[str] = ()
    noted: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Saved:
    """What writing a document came to."""

    id: UUID
    external_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class Visit:
    """A document that is to be looked at again, and a collection that it is in."""

    external_id: str
    platform: str
    collection_id: UUID


Sort = Literal["collected", "published", "title", "author"]


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted. What has nothing to be sorted by comes last, either way."""

    sort: Sort = "collected"
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list, after this document. `key` is what it is sorted by, None where it has nothing of it."""

    key: datetime | str | None
    id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents a list holds: those for which all of this is true."""

    platform: str | None = None
    collection: str | None = None
    states: Sequence[str] = ()
    author: str | None = None
    language: str | None = None
    source_id: UUID | None = None
    highlighted: bool | None = None
    collected_after: datetime | None = None
    collected_before: datetime | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document in one of its versions. `text` is None in lists."""

    id: UUID
    version: int
    platform: str
    external_id: str
    url: str | None
    canonical_url: str | None
    title: str
    author: str | None
    published_at: datetime | None
    collected_at: datetime
    language: str | None
    format: str
    state: str
    gone_at: datetime | None
    reason: Mapping[str, str] | None
    seen_at: datetime
    next_visit_at: datetime | None
    cited_at: datetime | None
    collections: Sequence[str]
    has_screenshot: bool = False
    title_key: str | None = None
    author_key: str | None = None
    text: str | None = None
    anchors: Sequence[tuple[int, Mapping[str, Any]]] = ()
    blocks: Sequence[tuple[int, int, int]] = ()
    highlights: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    title: str
    collected_at: datetime
    characters: int
    bytes: int


@dataclass(frozen=True, slots=True)
class KeptCapture:
    place: Place
    media_type: str
