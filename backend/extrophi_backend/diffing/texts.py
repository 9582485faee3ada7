"""What changed between two texts: by lines, and by words within them, at exact code-point offsets.

`a[op.a_start:op.a_end]` is what an equal or deleted part was,
`b[op.b_start:op.b_end]` what an equal or inserted one is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, Self

from extrophi_backend.diffing.sequences import Change, Steps, changes

CONTEXT = 3
"""Lines shown around a change, as `diff -u` does."""
_LINE_STEPS = 2_000_000
_WORD_STEPS = 1_000_000
"""About a second each."""
MOST_LINES = 400_000
_MOST_WORDS = 20_000
"""Of one change: longer ones are told by whole lines."""
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|\w+|\s+|.", re.DOTALL)
"""Words, white space, marks; what is written without spaces, character by character."""
_SHARED = 0.25
"""Of two passages that share fewer of their words, the one is no revision of the other."""


@dataclass(frozen=True, slots=True)
class Op:
    """A part of a hunk. Of an insertion, the place in `a` is empty; of a deletion, that in `b`."""

    kind: Literal["equal", "delete", "insert"]
    a_start: int
    a_end: int
    b_start: int
    b_end: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changes that stand close together, with the lines around them."""

    ops: Sequence[Op]
    a_lines: tuple[int, int]
    b_lines: tuple[int, int]
    """From which line, counted from 0, to before which."""


@dataclass(frozen=True, slots=True)
class Diff:
    hunks: Sequence[Hunk]
    lines_added: int
    lines_removed: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How many steps comparing may still take, by lines and by words within them."""

    lines: Steps
    words: Steps

    @classmethod
    def of_one(cls) -> Self:
        """For two texts."""
        return cls(Steps(_LINE_STEPS), Steps(_WORD_STEPS))

    @classmethod
    def of_many(cls) -> Self:
        """For hundreds of pairs together: seconds, as for two."""
        return cls(Steps(2 * _LINE_STEPS), Steps(2 * _WORD_STEPS))


class TooManyLines(Exception):
    """A text has more than MOST_LINES."""


class _Text:
    """A text and where its lines begin. Raises TooManyLines."""

    def __init__(self, text: str) -> None:
        self.text = text
        if text.count("\n") > MOST_LINES:
            raise TooManyLines
        self.lines: list[str] = _LINES.findall(text)
        self.starts = [0, *accumulate(map(len, self.lines))]


def diff(a: str, b: str, budget: Budget | None = None) -> Diff:
    """What made `b` of `a`. Takes seconds of a processor at most, whatever they hold: not for an event loop.

    Raises:
        TooManyLines: one of them has more than MOST_LINES.
    """
    first, second = _Text(a), _Text(b)
    budget = budget or Budget.of_one()
    found = changes(first.lines, second.lines, budget.lines)
    return Diff(
        [_hunk(first, second, group, budget.words) for group in _groups(found)],
        sum(one.b_end - one.b_start for one in found),
        sum(one.a_end - one.a_start for one in found),
    )


def unified(a: str, b: str, a_name: str, b_name: str) -> Iterator[str]:
    """The lines of `diff -u`, each with its line feed. Nothing where nothing changed. Raises TooManyLines."""
    first, second = _Text(a), _Text(b)
    groups = list(_groups(_line_changes(first, second)))
    if groups:
        yield from (f"--- {a_name}\n", f"+++ {b_name}\n")
    for group in groups:
        a_lines, b_lines = _around(first, group)
        yield f"@@ -{_range(a_lines)} +{_range(b_lines)} @@\n"
        at = a_lines[0]
        for one in group:
            yield from _marked(" ", first.lines[at : one.a_start])
            yield from _marked("-", first.lines[one.a_start : one.a_end])
            yield from _marked("+", second.lines[one.b_start : one.b_end])
            at = one.a_end
        yield from _marked(" ", first.lines[at : a_lines[1]])


def count_lines(a: str, b: str) -> tuple[int, int]:
    """How many lines `b` has that `a` has not, and the other way round; one that moved is none. Quick."""
    first, second = Counter(a.split("\n")), Counter(b.split("\n"))
    return (second - first).total(), (first - second).total()


def _line_changes(a: _Text, b: _Text) -> list[Change]:
    return changes(a.lines, b.lines, Steps(_LINE_STEPS))


def _groups(found: Sequence[Change]) -> Iterator[list[Change]]:
    """Changes whose surroundings touch."""
    group: list[Change] = []
    for one in found:
        if group and one.a_start - group[-1].a_end > 2 * CONTEXT:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _around(a: _Text, group: Sequence[Change]) -> tuple[tuple[int, int], tuple[int, int]]:
    before = min(CONTEXT, group[0].a_start)  # as many in `b`, since they are equal
    after = min(CONTEXT, len(a.lines) - group[-1].a_end)
    return (
        (group[0].a_start - before, group[-1].a_end + after),
        (group[0].b_start - before, group[-1].b_end + after),
    )


def _hunk(a: _Text, b: _Text, group: Sequence[Change], steps: Steps) -> Hunk:
    a_lines, b_lines = _around(a, group)
    at_a, at_b = a.starts[a_lines[0]], b.starts[b_lines[0]]
    ops: list[Op] = []
    for one in group:
        change = Change(a.starts[one.a_start], a.starts[one.a_end], b.starts[one.b_start], b.starts[one.b_end])
        if at_a < change.a_start:
            ops.append(Op("equal", at_a, change.a_start, at_b, change.b_start))
        ops.extend(_by_words(a.text, b.text, change, steps))
        at_a, at_b = change.a_end, change.b_end
    a_end, b_end = a.starts[a_lines[1]], b.starts[b_lines[1]]
    if at_a < a_end:
        ops.append(Op("equal", at_a, a_end, at_b, b_end))
    return Hunk(ops, a_lines, b_lines)


def _by_words(a: str, b: str, change: Change, steps: Steps) -> Iterator[Op]:
    """A change of lines, as changes of words where that says more."""
    before, after = _words(a, change.a_start, change.a_end), _words(b, change.b_start, change.b_end)
    found = changes(before, after, steps) if before and after else []
    kept = _count(before) - sum(_count(before[one.a_start : one.a_end]) for one in found)
    if not found or kept < _SHARED * max(_count(before), _count(after)):
        yield from _replaced(change)
        return
    a_starts = list(accumulate(map(len, before), initial=change.a_start))
    b_starts = list(accumulate(map(len, after), initial=change.b_start))
    at_a, at_b = change.a_start, change.b_start
    for one in _joined(before, found):
        part = Change(a_starts[one.a_start], a_starts[one.a_end], b_starts[one.b_start], b_starts[one.b_end])
        if at_a < part.a_start:
            yield Op("equal", at_a, part.a_start, at_b, part.b_start)
        yield from _replaced(part)
        at_a, at_b = part.a_end, part.b_end
    if at_a < change.a_end:
        yield Op("equal", at_a, change.a_end, at_b, change.b_end)


def _joined(words: Sequence[str], found: Sequence[Change]) -> Iterator[Change]:
    """Changes with nothing but spaces and marks between them are one."""
    last = found[0]
    for one in found[1:]:
        if any(word[0].isalnum() for word in words[last.a_end : one.a_start]):
            yield last
            last = one
        else:
            last = Change(last.a_start, one.a_end, last.b_start, one.b_end)
    yield last


def _replaced(change: Change) -> Iterator[Op]:
    if change.a_start < change.a_end:
        yield Op("delete", change.a_start, change.a_end, change.b_start, change.b_start)
    if change.b_start < change.b_end:
        yield Op("insert", change.a_end, change.a_end, change.b_start, change.b_end)


def _words(text: str, start: int, end: int) -> list[str]:
    """None where there are too many to compare."""
    words: list[str] = []
    for found in _WORDS.finditer(text, start, end):
        words.append(found[0])
        if len(words) > _MOST_WORDS:
            return []
    return words


def _count(words: Sequence[str]) -> int:
    return sum(word[0].isalnum() for word in words)


def _range(lines: tuple[int, int]) -> str:
    start, end = lines
    count = end - start
    return f"{start + 1 if count else start},{count}"


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
