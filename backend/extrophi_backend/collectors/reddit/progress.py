"""How far a run has come, and the page that it is making."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from extrophi_backend.collectors.models import Collected, Cursor, Failure, Page
from extrophi_backend.collectors.reddit.models import Way
from extrophi_backend.collectors.reddit.parse import as_object

_PAGE_DOCUMENTS = 50
_PAGE_BYTES = 2 * 2**20
_PAGE_OTHERS = 200
_PAGE_SECONDS = 2.0
"""A page is given when it has this many documents, bytes or other entries, or has been in the making this long."""
_MORE_FAILURES = 20


@dataclass(slots=True)
class Draft:
    """A page in the making."""

    documents: list[Collected] = field(default_factory=list[Collected])
    unchanged: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    memos: dict[str, Any] = field(default_factory=dict[str, Any])
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Memos of some megabytes, each: they are saved one by one, and before the page that tells of them."""
    reached: list[str] = field(default_factory=list[str])
    known: int = 0
    size: int = 0
    begun: float = field(default_factory=monotonic)

    def take(self, document: Collected, address: str) -> None:
        self.documents.append(document)
        self.reached.append(address)
        self.size += len(document.text) + (len(document.capture.body) if document.capture else 0)

    def fail(self, target: str, code: str, detail: str) -> None:
        self.failures.append(Failure(target, code, detail))

    def is_full(self) -> bool:
        return (
            len(self.documents) >= _PAGE_DOCUMENTS
            or self.size >= _PAGE_BYTES
            or len(self.unchanged) + len(self.failures) + len(self.gone) + self.known >= _PAGE_OTHERS
            or monotonic() - self.begun > _PAGE_SECONDS
        )

    def is_empty(self) -> bool:
        lists = (self.documents, self.unchanged, self.gone, self.failures, self.memos, self.parts, self.reached)
        return not (any(lists) or self.known)

    def last_pages(self, cursor: Cursor, saved: Cursor | None) -> Iterator[Page]:
        """What is left when a run cannot go on, if anything is.

        Args:
            cursor: Where the run is.
            saved: The cursor of the page before: until all parts are there, the run goes on from that.
        """
        for name, part in self.parts.items():
            yield Page(memos={name: part}, cursor=saved)
        if not self.is_empty():
            yield self.page(cursor)

    def page(self, cursor: Cursor) -> Page:
        return Page(
            documents=tuple(self.documents),
            unchanged=tuple(self.unchanged),
            gone=tuple(self.gone),
            failures=tuple(self.failures),
            cursor=cursor,
            memos=self.memos,
            reached=tuple(self.reached),
            known=self.known,
        )


class Progress:
    """Where a run is. `cursor` is JSON, and another run goes on from it; one by another way begins anew."""

    def __init__(self, cursor: Mapping[str, Any], way: Way) -> None:
        ours = cursor if cursor.get("way") == way else {}
        self._way: Way = way
        self.after: str | None = ours.get("after")
        """What Reddit was asked with for the present page of the list."""
        self.last: str | None = ours.get("last")
        """The post of that page up to which all were handled."""
        self.pages: int = ours.get("pages", 0)
        self.handled: int = ours.get("handled", 0)
        self.failed: int = ours.get("failed", 0)
        self.is_whole: bool | None = ours.get("whole")
        """Of a run for what is new: it goes on past what is known, since an earlier one left a gap. None: not asked."""
        self.is_retried: bool = ours.get("retried", False)
        """Of a run for what is new: posts that an earlier run failed to have were asked for again."""
        self.tree: Mapping[str, Any] | None = as_object(ours.get("tree")) or None
        """Where the answers so far are, of the post whose comments were being asked for when Reddit asked to wait."""
        self.troubles: int = ours.get("troubles", 0)
        """Of feeds: posts in a row that were not to be had."""

    @property
    def cursor(self) -> Cursor:
        return {
            "way": self._way,
            "after": self.after,
            "last": self.last,
            "pages": self.pages,
            "handled": self.handled,
            "failed": self.failed,
            "whole": self.is_whole,
            "retried": self.is_retried,
            "tree": self.tree,
            "troubles": self.troubles,
        }

    def turn(self, after: str) -> None:
        """Go on with the next page of the list."""
        self.after, self.last, self.pages = after, None, self.pages + 1

    def is_enough(self, limit: int) -> bool:
        """As many documents as asked for. Failures have a limit of their own: lost posts first hide nothing."""
        return self.handled >= limit or self.failed >= limit + _MORE_FAILURES


class ExportProgress:
    """Where a run through a data export is. `cursor` is JSON, and another run goes on from it."""

    def __init__(self, cursor: Mapping[str, Any]) -> None:
        self.last: str | None = cursor.get("last")
        """The post up to which all that the person wrote in any was handled."""
        self.is_own_done: bool = cursor.get("own_done", False)
        self.tried: int = cursor.get("tried", 0)
        """Saved posts that were asked for before those in `batch`."""
        self.batch: Sequence[str] = cursor.get("batch", ())
        """Ids of the saved posts that are being asked for."""
        self.asking: Cursor | None = cursor.get("asking")
        """Where the asking for them is."""
        self.handled: int = cursor.get("handled", 0)
        self.failed: int = cursor.get("failed", 0)

    @property
    def cursor(self) -> Cursor:
        return {
            "way": "archive",
            "last": self.last,
            "own_done": self.is_own_done,
            "tried": self.tried,
            "batch": [*self.batch],
            "asking": self.asking,
            "handled": self.handled,
            "failed": self.failed,
        }

    def note(self, page: Page) -> None:
        """Count what became of saved posts."""
        self.handled += len(page.documents) + len(page.unchanged)
        self.failed += len(page.gone) + len({one.target for one in page.failures} - {*page.reached})

    def end_batch(self) -> None:
        """All of it was asked for."""
        self.tried, self.batch, self.asking = self.tried + len(self.batch), (), None

    def is_enough(self, limit: int) -> bool:
        """As Progress."""
        return self.handled >= limit or self.failed >= limit + _MORE_FAILURES
