"""What changed between two sequences, in a bounded number of steps whatever they hold.

What stands once on either side and on both is matched first (patience, after Bram Cohen); between those, the shortest
script is looked for (Myers, Algorithmica 1986, the greedy algorithm). Both count their steps, and where the steps are
used up, what is left counts as replaced: coarse, and true all the same. Python's own difflib takes hours for two
texts of one line ten thousand times over.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_EDITS = 600
"""Of one shortest script: its memory grows by the square."""


@dataclass(slots=True)
class Steps:
    """How many steps may still be taken."""

    left: int

    def take(self, steps: int) -> bool:
        """Whether they may be taken; once not, never again."""
        self.left -= steps
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Change:
    """`a[a_start:a_end]` became `b[b_start:b_end]`; one of both may be empty."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int


def changes(a: Sequence[Any], b: Sequence[Any], steps: Steps) -> list[Change]:
    """Where two sequences differ, ascending. What is between two changes is equal on both sides, and never empty."""
    numbers: dict[Any, int] = {}
    first, second = ([numbers.setdefault(one, len(numbers)) for one in side] for side in (a, b))
    found: list[Change] = []
    waiting = [Change(0, len(first), 0, len(second))]
    while waiting:
        part = _trimmed(first, second, waiting.pop())
        if part.a_start == part.a_end or part.b_start == part.b_end:
            if part.a_start < part.a_end or part.b_start < part.b_end:
                found.append(part)
            continue
        matches = _anchors(first, second, part, steps) or _shortest(first, second, part, steps)
        if matches:
            waiting.extend(reversed(list(_gaps(part, matches))))
        else:
            found.append(part)
    return list(_merged(found))


def _trimmed(a: list[int], b: list[int], part: Change) -> Change:
    """Without what both begin and end with."""
    a_start, a_end, b_start, b_end = part.a_start, part.a_end, part.b_start, part.b_end
    while a_start < a_end and b_start < b_end and a[a_start] == b[b_start]:
        a_start, b_start = a_start + 1, b_start + 1
    while a_start < a_end and b_start < b_end and a[a_end - 1] == b[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
    return Change(a_start, a_end, b_start, b_end)


def _gaps(part: Change, matches: Sequence[tuple[int, int]]) -> Iterator[Change]:
    """What is before, between and after pairs that match."""
    a, b = part.a_start, part.b_start
    for at_a, at_b in matches:
        yield Change(a, at_a, b, at_b)
        a, b = at_a + 1, at_b + 1
    yield Change(a, part.a_end, b, part.b_end)


def _merged(found: Sequence[Change]) -> Iterator[Change]:
    last: Change | None = None
    for one in found:
        if last and (last.a_end, last.b_end) == (one.a_start, one.b_start):
            last = Change(last.a_start, one.a_end, last.b_start, one.b_end)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _anchors(a: list[int], b: list[int], part: Change, steps: Steps) -> list[tuple[int, int]]:
    """The longest ascending run of pairs that stand once on each side."""
    if not steps.take(part.a_end - part.a_start + part.b_end - part.b_start):
        return []
    in_a, in_b = Counter(a[part.a_start : part.a_end]), Counter(b[part.b_start : part.b_end])
    place = {b[at]: at for at in range(part.b_start, part.b_end) if in_b[b[at]] == 1 and in_a[b[at]] == 1}
    pairs = [(at, place[a[at]]) for at in range(part.a_start, part.a_end) if a[at] in place]
    # The longest increasing subsequence, by piles: each pair remembers the top of the pile before its own.
    tops: list[int] = []
    piled: list[int] = []
    before: list[int] = []
    for number, (_, at_b) in enumerate(pairs):
        pile = bisect_left(tops, at_b)
        before.append(piled[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(at_b)
            piled.append(number)
        else:
            tops[pile], piled[pile] = at_b, number
    run: list[tuple[int, int]] = []
    number = piled[-1] if piled else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _shortest(a: list[int], b: list[int], part: Change, steps: Steps) -> list[tuple[int, int]]:
    """Pairs that the shortest script leaves as they are; none where it would be too long."""
    a_start, b_start = part.a_start, part.b_start
    n, m = part.a_end - a_start, part.b_end - b_start
    reached = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(n + m, MOST_EDITS) + 1):
        trace.append(dict(reached))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
            x = begun = reached[k + 1] if down else reached[k - 1] + 1
            if x > n or x - k > m:
                reached[k] = x
                continue
            while x < n and x - k < m and a[a_start + x] == b[b_start + x - k]:
                x += 1
            reached[k] = x
            if not steps.take(2 + x - begun):
                return []
            if x >= n and x - k >= m:
                return _walked_back(trace, n, m, a_start, b_start)
    return []


def _walked_back(trace: list[dict[int, int]], n: int, m: int, a_start: int, b_start: int) -> list[tuple[int, int]]:
    matches: list[tuple[int, int]] = []
    x, y = n, m
    for edits in range(len(trace) - 1, -1, -1):
        reached = trace[edits]
        k = x - y
        down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
        old_k = k + 1 if down else k - 1
        old_x = reached[old_k] if edits else 0
        old_y = old_x - old_k if edits else 0
        while x > old_x and y > old_y:
            x, y = x - 1, y - 1
            matches.append((a_start + x, b_start + y))
        x, y = old_x, old_y
    return matches[::-1]
