"""How far a job has come, and which videos are to be looked at once more."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from extrophi_backend.collectors.models import Cursor, Known, Validators
from extrophi_backend.collectors.youtube.target import video_url
from extrophi_backend.collectors.youtube.writing import CAPTIONS, COMMENTS, LATER
from extrophi_backend.jobs.misses import is_passing

_MORE_FAILURES = 20
_MOST_PENDING = 1000
_PENDING = "pending"


@dataclass(slots=True)
class Progress:
    """Where a job is. Its cursor is JSON, and another run goes on from it."""

    channel: str = ""
    """Whose uploads are listed, where that had to be asked for."""
    listed: int = 0
    """Entries of the list that were gone through; `met` of them were put into the job's frontier."""
    met: int = 0
    is_listed: bool = False
    """There is nothing more to list."""
    is_cut_off: bool = False
    """It could not be listed to its end."""
    has_gap: bool = False
    """An earlier run left out some of a channel's uploads."""
    may_leave_gap: bool = False
    """So will this one, if it ends now."""
    handled: int = 0
    failed: int = 0
    after: str = ""
    """The last document that was looked at again."""

    @classmethod
    def of(cls, cursor: Cursor | None) -> Self:
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in (cursor or {}).items() if name in known})

    @property
    def cursor(self) -> dict[str, Any]:
        return asdict(self)

    def is_enough(self, limit: int) -> bool:
        """As many documents as asked for. Failures have a limit of their own: those that come first hide nothing."""
        return self.handled >= limit or self.failed >= limit + _MORE_FAILURES

    def lists_first(self, limit: int) -> bool:
        """Whether more is to be listed before any of it is looked at."""
        return not (self.is_listed or self.handled or self.failed) and self.met < limit + _MORE_FAILURES


def part_size(limit: int, most: int) -> int:
    """Videos that are listed at once: no more than a run with this limit looks at, if few of them fail."""
    return min(limit + _MORE_FAILURES, most)


def memo_name(what: str, list_address: str, source: str) -> str:
    """Of what is kept about a list from run to run.

    Args:
        what: Is kept.
        list_address: Of the list.
        source: Whose runs they are. Another source of the same list has brought other videos, and has its own.
    """
    return " ".join(filter(None, [what, source, list_address]))


class Pending:
    """Videos of a list that are to be looked at once more, though newer ones may have pushed them out of sight.

    Kept in a memo from run to run. If that is lost, those that the list shows first are still found.
    """

    def __init__(self, name: str, ids: Sequence[str]) -> None:
        self._name = name
        self._ids = dict.fromkeys(ids)

    @classmethod
    async def of(cls, known: Known, list_address: str, source: str) -> Self:
        name = memo_name(_PENDING, list_address, source)
        memo = await known.memo(name)
        return cls(name, [one for one in memo if isinstance(one, str)] if isinstance(memo, list) else [])

    async def due(self, known: Known) -> Sequence[str]:
        """Those that are to be looked at now, known or not: what is there of them may lack what failed."""
        not_due = await known.not_due([video_url(one) for one in self._ids])
        return [one for one in self._ids if video_url(one) not in not_due]

    def note(self, external_id: str, codes: Sequence[str]) -> Mapping[str, Any]:
        """What is to be kept after a video was looked at: it stays until it was had, or failed for good.

        Args:
            external_id: The video's.
            codes: What it failed with, if it did.

        Returns:
            The memo; nothing, if that is as before.
        """
        is_pending = any(map(is_passing, codes))
        if is_pending == (external_id in self._ids):
            return {}
        if is_pending:
            self._ids[external_id] = None
        else:
            del self._ids[external_id]
        return {self._name: list(self._ids)[-_MOST_PENDING:]}


@dataclass(frozen=True, slots=True)
class Sorted:
    """Of a part of a list: `fresh` ones that a run looks at, and how many it passes over since they are known."""

    fresh: Sequence[str]
    passed: int = 0
    knows_some: bool = False


async def sort_out(known: Known, ids: Sequence[str], *, comments: bool = False) -> Sorted:
    """What a run for what is new looks at: what its source has not brought, or what lacks what may be there now.

    Args:
        known: What is known of them.
        ids: Of the videos.
        comments: They are wanted, too.
    """
    held = await known.collected(ids)
    wanted = [one for one in ids if one not in held or _lacks_some(held[one], comments=comments)]
    not_due = await known.not_due([video_url(one) for one in wanted])
    fresh = [one for one in wanted if video_url(one) not in not_due]
    return Sorted(fresh, len(held.keys() - set(fresh)), bool(held))


def _lacks_some(validators: Validators, *, comments: bool) -> bool:
    return validators.get(CAPTIONS) == LATER or (comments and validators.get(COMMENTS) is not True)
