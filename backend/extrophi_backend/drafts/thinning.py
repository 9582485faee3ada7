"""Which revisions of a draft go as they grow old: fewer and fewer are kept the longer ago they were saved."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Saved:
    """What is to be known of a revision."""

    revision: int
    saved_at: datetime
    is_marked: bool


def thin(saved: Sequence[Saved], now: datetime) -> list[int]:
    """The revisions that go.

    All of the last ten minutes stay; of older ones the newest of each minute for an hour, of each ten minutes for a
    day, of each hour for a week, of each day for a year, of each month for ever. The first and the newest stay, those
    that are marked, and the one before each of these: what was there before a restoring or merging is not lost.

    Spans are those of the calendar in UTC, each made of whole shorter ones. So it does not matter how often this is
    done: whatever went has a later one in its span that stayed.

    Args:
        saved: All that there are, ascending.
        now: Whatever is later counts as of now.
    """
    newest: dict[Hashable, int] = {}
    kept = {saved[0].revision, saved[-1].revision} if saved else set[int]()
    before: Saved | None = None
    for one in saved:
        newest[_span(one, now)] = one.revision
        if one.is_marked:
            kept.add(one.revision)
            if before is not None:
                kept.add(before.revision)
        before = one
    kept.update(newest.values())
    return [one.revision for one in saved if one.revision not in kept]


def _span(one: Saved, now: datetime) -> Hashable:
    """What it is the only one of that stays, if it is the newest there."""
    age, at = now - one.saved_at, one.saved_at
    if age <= timedelta(minutes=10):
        return one.revision
    if age <= timedelta(hours=1):
        return at.replace(second=0, microsecond=0), "minute"
    if age <= timedelta(days=1):
        return at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0), "ten minutes"
    if age <= timedelta(days=7):
        return at.replace(minute=0, second=0, microsecond=0), "hour"
    if age <= timedelta(days=365):
        return at.date(), "day"
    return at.year, at.month
