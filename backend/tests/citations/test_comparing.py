"""What became of a quote, whatever was done to its text."""

import random
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from extrophi_backend.citations.comparing import Pair
from extrophi_backend.citations.models import Checked
from extrophi_backend.diffing.texts import MOST_LINES, Budget

WORDS = st.sampled_from(["heron", "pike", "é", "𝒳", " ", "  ", "\n", ".", "水", "面", "the ", "pond's "])
TEXT = st.lists(WORDS, max_size=30).map("".join)
QUOTE = st.lists(WORDS, min_size=1, max_size=12).map("".join)


def check(then: str, now: str, start: int, end: int) -> Checked:
    found = Pair(then, now, Budget.of_one()).check(start, end)
    assert found.quote == then[start:end]
    assert (found.prefix, found.suffix) == (then[max(0, start - 160) : start], then[end : end + 160])
    if found.start is None or found.end is None:
        assert (found.state, found.start, found.end, found.now) == ("vanished", None, None, None)
    else:
        assert found.now == now[found.start : found.end]
    return found


@given(TEXT, QUOTE, TEXT, TEXT, TEXT)
def test_what_is_done_outside_a_quote_changes_nothing_of_it(
    before: str, quote: str, after: str, new_before: str, new_after: str
) -> None:
    found = check(before + quote + after, new_before + quote + new_after, len(before), len(before) + len(quote))
    assert found.state in {"same", "moved"}
    assert found.now == quote


@given(TEXT, QUOTE, QUOTE, TEXT, st.sampled_from(["replaced", "inserted"]), TEXT)
def test_what_is_done_within_a_quote_is_told(
    before: str, first: str, second: str, after: str, how: str, new_before: str
) -> None:
    changed = "ß" if how == "replaced" else first + "ß" + second  # a letter that stands nowhere else
    start, end = len(before), len(before) + len(first) + len(second)
    then, now = before + first + second + after, new_before + changed + after
    assume(first + second not in now)
    found = check(then, now, start, end)
    assert found.state in {"changed", "vanished"}
    if found.state == "changed":
        assert found.start is not None
        quote, there, at_a, at_b = "", "", start, found.start
        for op, text in found.ops:
            assert (op.a_start, op.b_start) == (at_a, at_b)
            at_a, at_b = op.a_end, op.b_end
            quote += text if op.kind != "insert" else ""
            there += text if op.kind != "delete" else ""
        assert (quote, there) == (first + second, found.now)
        assert (at_a, at_b) == (end, found.end)


@given(TEXT, TEXT)
def test_what_is_taken_out_has_vanished(before: str, after: str) -> None:
    quote = "Moorhens dive."
    found = check(f"{before}\n{quote}\n{after}", f"{before}\n{after}", len(before) + 1, len(before) + 15)
    assert found.state == "vanished"


@pytest.mark.parametrize(
    ("now", "state", "text"),
    [
        ("The heron eats at dawn. It sleeps by day.", "same", "eats at dawn"),
        ("The heron eats at dawn. It sleeps.", "same", "eats at dawn"),
        ("Today the heron eats at dawn. It sleeps by day.", "moved", "eats at dawn"),
        ("The heron eats at noon. It sleeps by day.", "changed", "eats at noon"),
        ("Today the heron eats only at dawn. It sleeps by day.", "changed", "eats only at dawn"),
        ("The heron. It sleeps by day.", "vanished", None),
        ("", "vanished", None),
        ("Nothing of it.\nNothing.", "changed", "Nothing of it.\nNothing."),
    ],
)
def test_it_is_told_as_people_would(now: str, state: str, text: str | None) -> None:
    found = check("The heron eats at dawn. It sleeps by day.", now, 10, 22)
    assert (found.state, found.now) == (state, text)


def test_of_equal_words_those_are_meant_that_stand_where_they_stood() -> None:
    lines = [f"Line {number}: the heron eats.\n" for number in range(50)]
    then = "".join(lines)
    start = then.index("the heron", then.index("Line 30"))
    now = "".join([*lines[:5], "A new line.\n", *lines[7:]])
    found = check(then, now, start, start + 9)
    assert found.state == "moved"
    assert found.start == now.index("the heron", now.index("Line 30"))


def test_a_span_that_its_text_does_not_hold_is_unknown() -> None:
    assert Pair("abc", "abc", Budget.of_one()).check(1, 4).state == "unknown"


def test_what_cannot_be_compared_in_time_is_told_coarsely_and_soon() -> None:
    chosen = random.Random(7)
    budget = Budget.of_many()
    began = time.process_time()
    for _ in range(25):
        then = "\n".join(str(chosen.randrange(50)) for _ in range(4000)) + "\nThe heron eats at dawn.\n"
        now = "\n".join(str(chosen.randrange(50)) for _ in range(4000)) + "\nThe heron eats at noon.\n"
        found = Pair(then, now, budget).check(len(then) - 24, len(then) - 1)
        assert found.state == "changed"
        assert found.now
    assert time.process_time() - began < 20
    long = "\n" * (MOST_LINES + 1)
    assert Pair(f"The heron.{long}", f"The pike!{long}", budget).check(0, 10).state == "changed"
