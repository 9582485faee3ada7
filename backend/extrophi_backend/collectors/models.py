"""What a collector gives and gets: the words that all platforms share.

A collector turns a target into pages of documents. It is an async generator, driven by a job, resumable from the
cursor that is saved with each page.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Platform = Literal["twitter", "youtube", "reddit", "web", "files"]

Purpose = Literal["all", "new", "revisit"]
"""What a run looks at: all that is listed, only what is not known yet, or known documents that are due."""

MAX_ID_BYTES = 2000
"""Of a target or an external id, as UTF-8: what an index holds beside its other columns (a B-tree's row: 2,704)."""

Cursor = Mapping[str, Any]
"""JSON. Opaque to all but the collector that made it."""

Scope = Literal["page", "site"]
"""How far a target reaches: a page, or what a feed or sitemap lists; or the whole site that a page is the front of."""

MAX_DEPTH = 20
DEFAULT_DEPTH = 5
"""Steps from a site's front to its pages that are gone, unless another number was asked for."""

Validators = Mapping[str, Any]
"""JSON kept with a document that makes looking again cheap: etag, last_modified, size, mtime_ns."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document's text that a chunk should not be cut across lightly.

    `text[start:end]`, in code points; ascending, apart, none empty. `level` is a heading's (1 to 6), else 0. Where
    `begins`, no chunk goes over its start: its words are somebody else's than those before.
    """

    start: int
    end: int
    kind: Literal["heading", "paragraph"] = "paragraph"
    level: int = 0
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """From `offset` on, the text stands at this place of the original: a page, a second, a comment's own address.

    The rest says whose words they are, where they are not the document's author's, or of another day.
    """

    offset: int
    page: int | None = None
    seconds: float | None = None
    url: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    depth: int | None = None
    """Of a comment: 0 answers the document itself."""
    score: int | None = None
    """As it was when this version was collected."""
    state: Literal["deleted", "removed"] | None = None
    """By its author, or by somebody else: the text is what stands in its place."""


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
    based_on: int | None = None
    """Version that it was made from with what came since (0: there was none); None: it stands for itself.

    Where another version came in between, it is not written, and the job goes back to its cursor.
    """


@dataclass(frozen=True, slots=True)
class Head:
    """A document that the library holds: its newest version's number, and the validators kept with it."""

    version: int
    validators: Validators


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be had, and why. `code` is for programs, `detail` for people."""

    target: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a job's frontier: an address that was met, and what became of it.

    `key` is equal for all spellings of one address. Those that wait are taken by `rank`, then by `position`.
    """

    key: bytes
    url: str
    rank: int
    position: int
    depth: int = 0
    entry: Any = None
    """JSON: what listed it said of it."""
    state: str = "waiting"


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
    """JSON to be found again in a later run, by name (see `Known.memos`)."""
    noted: Mapping[str, Validators] = field(default_factory=dict[str, Validators])
    """Validators of documents in `unchanged` that are other than before, by external id."""
    reached: Sequence[str] = ()
    """Targets that gave what they should: whatever they failed with before is over."""
    met: Sequence[Address] = ()
    """Addresses to be put into the job's frontier; one that is there stays, unless this one has a smaller rank."""
    settled: Sequence[Address] = ()
    """Addresses of the frontier, or new in it, that are not to be taken again (`state` says why), or at this rank."""
    patterns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON about kinds of addresses of the frontier, by name (see `Known.patterns`)."""
    typed: Sequence[str] = ()
    """External ids of documents, or of none, to which an address leads that a person typed."""
    known: int = 0
    """Documents that are listed, and that a run for what is new passed over: unchanged, as far as that tells."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a person typed, understood. `canonical` is equal for all spellings of one target."""

    platform: Platform
    canonical: str
    typed: str
    scope: Scope = "page"
    """What a source of it reaches to, unless said otherwise."""


class Known(Protocol):
    """What the library already holds, for conditional requests and for finding what is gone."""

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        """Those of the given documents that exist."""
        ...

    async def heads(self, external_ids: Sequence[str]) -> Mapping[str, Head]:
        """Those of the given documents that exist, for one that is to be made from what is there (`based_on`)."""
        ...

    async def collected(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        """Those of the given documents that this source has brought, if it is one's run: it need not ask for them.

        Another's are known all the same (`validators`), and are this one's as well once it has looked at them.
        """
        ...

    async def typed(self, external_ids: Sequence[str]) -> Collection[str]:
        """Those of the given documents whose address a person typed, whenever that was."""
        ...

    async def external_ids(self, prefix: str) -> Sequence[str]:
        """All documents of this platform whose external id starts with `prefix`, and that are not gone."""
        ...

    async def memo(self, name: str) -> Any:
        """What a page last left under this name; None if nothing, or if it is lost."""
        ...

    async def memos(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Those of the given memos that there are."""
        ...

    async def not_due(self, targets: Sequence[str]) -> Collection[str]:
        """Targets that failed in an earlier job of this source, and are not to be tried again yet."""
        ...

    async def waiting(self, most: int, *, beyond: int | None = None) -> Sequence[Address]:
        """The next of this job's frontier, all of one rank; of a larger one than `beyond`, where that is given."""
        ...

    async def met(self, keys: Sequence[bytes]) -> Mapping[bytes, Address]:
        """Those that are in this job's frontier, whatever their state."""
        ...

    async def patterns(self, names: Sequence[str]) -> Mapping[str, Any]:
        """What this job's pages left about these kinds of addresses."""
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
    purpose: Purpose = "all"
    revisit: Sequence[str] = ()
    """External ids of the documents to look at, where that is the purpose: nothing else is asked for."""
    scope: Scope = "page"
    depth: int | None = None
    """Steps from a site's front that are gone at most; DEFAULT_DEPTH if None."""
    source: str = ""
    """The source's id; empty where the job is none's: what is remembered under it is the source's own."""


class Collector(Protocol):
    """The code for one platform. Made once per worker process; must be safe to run several at once."""

    def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """Yield pages until done or `run.limit` is reached. Raises BackendError for what ends the whole job."""
        ...
