"""What a collector gives and gets: the words that all platforms share.

A collector turns a target into pages of documents. It is an async generator, driven by a job, resumable from the
cursor that is saved with each page.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Platform = Literal["twitter", "youtube", "reddit", "web", "files"]

MAX_ID_BYTES = 2000
"""Of a target or an external id, as UTF-8: what an index holds beside its other columns (a B-tree's row: 2,704)."""

Cursor = Mapping[str, Any]
"""JSON. Opaque to all but the collector that made it."""

Validators = Mapping[str, Any]
"""JSON kept with a document that makes looking again cheap: etag, last_modified, size, mtime_ns."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document's text that a chunk should not be cut across lightly.

    `text[start:end]`, in code points; ascending, apart, none empty. `level` is a heading's (1 to 6), else 0.
    """

    start: int
    end: int
    kind: Literal["heading", "paragraph"] = "paragraph"
    level: int = 0


@dataclass(frozen=True, slots=True)
class Anchor:
    """From `offset` on, the text stands at this place of the original: a page, a second, a comment's own address."""

    offset: int
    page: int | None = None
    seconds: float | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The bytes as fetched."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Collected:
    """One document as a collector found it."""

    platform: Platform
    external_id: str
    text: str
    format: Literal["text", "markdown", "html"] = "text"
    blocks: Sequence[Block] = ()
    anchors: Sequence[Anchor] = ()
    title: str = ""
    author: str | None = None
    url: str | None = None
    canonical_url: str | None = None
    published_at: datetime | None = None
    language: str | None = None
    capture: Capture | None = None
    screenshot: Capture | None = None
    """How a browser showed it: WebP."""
    validators: Validators = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be had, and why. `code` is for programs, `detail` for people."""

    target: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """What is saved at once, with the cursor after it. Its parts may be empty."""

    documents: Sequence[Collected] = ()
    unchanged: Sequence[str] = ()
    """External ids of documents that were looked at and had not changed (304, same size and mtime)."""
    gone: Sequence[str] = ()
    """External ids of documents that are no more at their source."""
    failures: Sequence[Failure] = ()
    cursor: Cursor | None = None
    memos: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON to be found again in a later run, by name (see `Known.memo`)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a person typed, understood. `canonical` is equal for all spellings of one target."""

    platform: Platform
    canonical: str
    typed: str


class Known(Protocol):
    """What the library already holds, for conditional requests and for finding what is gone."""

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        """Those of the given documents that exist."""
        ...

    async def external_ids(self, prefix: str) -> Sequence[str]:
        """All documents of this platform whose external id starts with `prefix`, and that are not gone."""
        ...

    async def memo(self, name: str) -> Any:
        """What a page last left under this name; None if nothing, or if it is lost."""
        ...


class Suspect(Protocol):
    async def __call__(self, target: str) -> None:
        """Note the document about to be worked on, so that one that kills its worker can be named and set aside."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a collector: what to collect, from where on, and what it may ask."""

    target: Target
    limit: int
    """At most this many documents."""
    cursor: Cursor | None
    known: Known
    suspect: Suspect
    set_aside: frozenset[str] = frozenset()
    """Targets that killed their worker five times: report them as failed with code `poisonous`, do not touch them."""


class Collector(Protocol):
    """The code for one platform. Made once per worker process; must be safe to run several at once."""

    def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """Yield pages until done or `run.limit` is reached. Raises BackendError for what ends the whole job."""
        ...
