"""Where a quote of one text stands in a later one, and what became of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from extrophi_backend.citations.models import AROUND, LONGEST_SHOWN, Checked, State
from extrophi_backend.diffing.sequences import Change
from extrophi_backend.diffing.texts import Budget, Op, TooManyLines, diff

_LEAST_LEFT = 0.1
"""Of the letters and digits of a quote: where fewer stand now, it has vanished."""


class Pair:
    """Two versions of one text, which are compared once, and only if a quote cannot be found without."""

    def __init__(self, then: str, now: str, budget: Budget) -> None:
        self._then = then
        self._now = now
        self._budget = budget

    def check(self, start: int, end: int) -> Checked:
        """What became of the span of the older text. One that its text does not hold is unknown."""
        if end > len(self._then):
            return Checked("unknown")
        quote = self._then[start:end]
        if self._now[start:end] == quote:
            return self._checked("same", (start, end), (start, end))
        place = self._place(quote, start, end)
        if place is not None:
            return self._checked("moved", (start, end), (place, place + len(quote)))
        at = self._mapped(start, end)
        there = self._now[at[0] : at[1]]
        if not there.strip() or _letters(there) < _LEAST_LEFT * _letters(quote):
            return self._checked("vanished", (start, end), None)
        return self._checked("changed", (start, end), at)

    def _place(self, quote: str, start: int, end: int) -> int | None:
        """Where the very quote stands; of several places, the one nearest to where the comparison has it."""
        first = self._now.find(quote)
        if first < 0 or self._now.find(quote, first + 1) < 0:
            return first if first >= 0 else None
        near, _ = self._mapped(start, end)
        places = (self._now.rfind(quote, 0, near + len(quote)), self._now.find(quote, near))
        return min((place for place in places if place >= 0), key=lambda place: abs(place - near))

    def _checked(self, state: State, then: tuple[int, int], now: tuple[int, int] | None) -> Checked:
        start, end = then
        shown = None if now is None else self._now[now[0] : min(now[1], now[0] + LONGEST_SHOWN)]
        return Checked(
            state,
            quote=self._then[start:end],
            prefix=self._then[max(0, start - AROUND) : start],
            suffix=self._then[end : end + AROUND],
            start=now[0] if now else None,
            end=now[1] if now else None,
            now=shown,
            ops=list(self._ops(start, end)) if state == "changed" else (),
        )

    @cached_property
    def _changes(self) -> Sequence[Change]:
        """Where the two differ, ascending."""
        try:
            ops = [op for hunk in diff(self._then, self._now, self._budget).hunks for op in hunk.ops]
        except TooManyLines:
            return [Change(0, len(self._then), 0, len(self._now))]
        found: list[Change] = []
        for op in ops:
            if op.kind == "equal":
                continue
            if found and (found[-1].a_end, found[-1].b_end) == (op.a_start, op.b_start):
                before = found.pop()
                found.append(Change(before.a_start, op.a_end, before.b_start, op.b_end))
            else:
                found.append(Change(op.a_start, op.a_end, op.b_start, op.b_end))
        return found

    def _mapped(self, start: int, end: int) -> tuple[int, int]:
        """Where the span is now. What was inserted right before or after it is outside."""
        changes = self._changes
        # The last change before the start, an insertion at it included, and the last that begins before the end.
        before = bisect_right(changes, start, key=lambda one: one.a_start) - 1
        if before >= 0 and changes[before].a_start == start < changes[before].a_end:
            before -= 1
        last = bisect_left(changes, end, key=lambda one: one.a_start) - 1
        return _moved(changes, before, start, at_end=False), _moved(changes, last, end, at_end=True)

    def _ops(self, start: int, end: int) -> Iterator[tuple[Op, str]]:
        """From the quote to what stands there now."""
        at_a, at_b = start, self._mapped(start, end)[0]
        for one in self._changes:
            within = start < one.a_start < end if one.a_start == one.a_end else one.a_start < end and one.a_end > start
            if not within:
                continue
            a_start, a_end = max(one.a_start, start), min(one.a_end, end)
            if at_a < a_start:
                yield self._op(Op("equal", at_a, a_start, at_b, one.b_start))
            if a_start < a_end:
                yield self._op(Op("delete", a_start, a_end, one.b_start, one.b_start))
            if one.b_start < one.b_end:
                yield self._op(Op("insert", a_end, a_end, one.b_start, one.b_end))
            at_a, at_b = a_end, one.b_end
        if at_a < end:
            yield self._op(Op("equal", at_a, end, at_b, at_b + end - at_a))

    def _op(self, op: Op) -> tuple[Op, str]:
        text = self._now[op.b_start : op.b_end] if op.kind == "insert" else self._then[op.a_start : op.a_end]
        return op, text[:LONGEST_SHOWN]


def _moved(changes: Sequence[Change], number: int, place: int, *, at_end: bool) -> int:
    """Where a place is now, by the change that begins before it; one within the change is at an end of it."""
    if number < 0:
        return place
    one = changes[number]
    if one.a_end <= place:
        return place + one.b_end - one.a_end
    return one.b_end if at_end else one.b_start


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
