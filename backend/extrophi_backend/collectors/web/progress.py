"""How far a job has come, and the page that it is making."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from extrophi_backend.collectors.models import Address, Collected, Cursor, Failure, Page, Validators
from extrophi_backend.collectors.web.waiting import Patience

_PAGE_DOCUMENTS = 10
_PAGE_BYTES = 8 * 2**20
_PAGE_SECONDS = 2.0
"""A page is given when it has this many documents or bytes, or has been in the making this long."""
_MORE_FAILURES = 20


@dataclass(slots=True)
class Draft:
    """A page in the making."""

    documents: list[Collected] = field(default_factory=list[Collected])
    unchanged: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    memos: dict[str, Any] = field(default_factory=dict[str, Any])
    noted: dict[str, Validators] = field(default_factory=dict[str, Validators])
    reached: list[str] = field(default_factory=list[str])
    met: list[Address] = field(default_factory=list[Address])
    settled: list[Address] = field(default_factory=list[Address])
    patterns: dict[str, Any] = field(default_factory=dict[str, Any])
    typed: list[str] = field(default_factory=list[str])
    known: int = 0
    size: int = 0
    is_due: bool = False
    """It is to be given now: what comes next reads what it holds."""
    begun: float = field(default_factory=monotonic)

    @property
    def had(self) -> int:
        return len(self.documents) + len(self.unchanged)

    @property
    def missed(self) -> int:
        return len(self.failures) + len(self.gone)

    def is_full(self) -> bool:
        return (
            self.is_due
            or len(self.documents) >= _PAGE_DOCUMENTS
            or self.size >= _PAGE_BYTES
            or monotonic() - self.begun > _PAGE_SECONDS
        )

    def page(self, cursor: Cursor) -> Page:
        return Page(
            tuple(self.documents),
            tuple(self.unchanged),
            tuple(self.gone),
            tuple(self.failures),
            cursor,
            self.memos,
            self.noted,
            tuple(self.reached),
            tuple(self.met),
            tuple(self.settled),
            self.patterns,
            tuple(self.typed),
            self.known,
        )


class Progress:
    """Where a job is. `cursor` is JSON, and another run goes on from it."""

    def __init__(self, cursor: Cursor) -> None:
        self.path: Sequence[str] = cursor.get("path", [])
        """Addresses of the listings that lead to where it is, from the target on. All of them were read."""
        self.after: str | None = cursor.get("after")
        """The entry of the last of them up to which all were handled or put aside."""
        self.aside: list[str] = cursor.get("aside", [])
        """Entries of that listing whose hosts asked to wait, while others were gone on with."""
        self.is_over: bool = cursor.get("over", False)
        """Nothing more is to come of that listing."""
        self.handled: int = cursor.get("handled", 0)
        self.failed: int = cursor.get("failed", 0)
        self.patience = Patience(cursor.get("waits", {}))
        self.site: dict[str, Any] = dict(cursor.get("site", {}))
        """How far the collecting of a whole site has come (see site.py)."""

    @property
    def cursor(self) -> Cursor:
        return {
            "path": list(self.path),
            "after": self.after,
            "aside": list(self.aside),
            "over": self.is_over,
            "handled": self.handled,
            "failed": self.failed,
            "waits": self.patience.hosts,
        } | ({"site": dict(self.site)} if self.site else {})

    def enter(self, path: Sequence[str]) -> None:
        self.path, self.after, self.aside, self.is_over = path, None, [], False

    def leave(self, path: Sequence[str]) -> None:
        self.enter(path)
        self.is_over = True

    def is_enough(self, limit: int) -> bool:
        """As many documents as asked for. Failures have a limit of their own: dead links first hide nothing."""
        return self.handled >= limit or self.failed >= limit + _MORE_FAILURES
