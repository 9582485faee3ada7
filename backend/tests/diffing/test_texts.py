"""What changed between two texts, whatever they hold."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.diffing.sequences import Steps, changes
from extrophi_backend.diffing.texts import MOST_LINES, Diff, TooManyLines, count_lines, diff, unified

WORDS = st.sampled_from(["heron", "pike", "é", "𝒳", " ", "  ", "\n", "\r\n", ".", "水", "面", "\u2028", "the "])
TEXT = st.lists(WORDS, max_size=40).map("".join)


def rebuilt(a: str, b: str, found: Diff) -> str:
    """`b`, made of `a` and what the ops say; each op's places are checked on the way."""
    made, at_a = "", 0
    for op in (op for hunk in found.hunks for op in hunk.ops):
        made += a[at_a : op.a_start]
        match op.kind:
            case "equal":
                assert a[op.a_start : op.a_end] == b[op.b_start : op.b_end]
                made += a[op.a_start : op.a_end]
            case "delete":
                assert op.b_start == op.b_end
            case "insert":
                assert op.a_start == op.a_end
                assert len(made) == op.b_start
                made += b[op.b_start : op.b_end]
        at_a = op.a_end
    return made + a[at_a:]


@given(TEXT, TEXT)
def test_the_ops_make_the_one_text_of_the_other(a: str, b: str) -> None:
    assert rebuilt(a, b, diff(a, b)) == b


@given(st.lists(st.integers(0, 6), max_size=30), st.lists(st.integers(0, 6), max_size=30), st.integers(0, 400))
def test_however_few_steps_are_left_what_is_told_is_true(a: list[int], b: list[int], steps: int) -> None:
    made, at_a, at_b = list[int](), 0, 0
    for one in changes(a, b, Steps(steps)):
        assert a[at_a : one.a_start] == b[at_b : one.b_start]
        made += [*a[at_a : one.a_start], *b[one.b_start : one.b_end]]
        at_a, at_b = one.a_end, one.b_end
    assert made + a[at_a:] == b


@pytest.mark.skipif(shutil.which("patch") is None, reason="this machine has no patch")
@pytest.mark.parametrize("seed", range(20))
def test_patch_applies_what_is_told_as_diff_tells_it(seed: int, tmp_path: Path) -> None:
    chosen = random.Random(seed)
    lines = [f"line {chosen.randrange(40)}\n" for _ in range(80)]
    after = [one for one in lines if chosen.random() < 0.9]
    after[10:10] = ["one more\n", "and one\n"]
    if seed % 2:
        after[-1] = "no line feed at the end"
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("".join(lines))
    b.write_text("".join(unified("".join(lines), "".join(after), "a", "b")))
    subprocess.run(["patch", "--quiet", str(a), str(b)], check=True)
    assert a.read_text() == "".join(after)


def test_a_revised_sentence_is_told_by_its_words() -> None:
    a, b = "The heron stands in the shallow water at dawn.\n", "The grey heron stands in the deep water at dawn.\n"
    (hunk,) = diff(a, b).hunks
    assert [(op.kind, (b if op.kind == "insert" else a)[slice(*span)]) for op in hunk.ops
            if (span := (op.b_start, op.b_end) if op.kind == "insert" else (op.a_start, op.a_end))] == [
        ("equal", "The "), ("insert", "grey "), ("equal", "heron stands in the "), ("delete", "shallow"),
        ("insert", "deep"), ("equal", " water at dawn.\n"),
    ]  # fmt: skip


def test_a_passage_that_is_another_is_replaced_as_a_whole() -> None:
    (hunk,) = diff("Herons stand in the water.\n", "Nobody knows what became of it.\n").hunks
    assert [op.kind for op in hunk.ops] == ["delete", "insert"]


def test_what_is_written_without_spaces_is_compared_by_characters() -> None:
    (hunk,) = diff("鷺は水面に立つ。\n", "鷺は川面に立つ。\n").hunks
    assert [(op.kind, op.a_start, op.a_end) for op in hunk.ops if op.kind != "equal"] == [
        ("delete", 2, 3),
        ("insert", 3, 3),
    ]


HOSTILE = {
    "one line again and again": ("x\n" * 100_000, "x\n" * 99_000 + "y\n" + "x\n" * 900),
    "two lines in turn": ("a\nb\n" * 80_000, "b\na\na\n" * 60_000),
    "nothing in its place": (
        "".join(f"{n}\n" for n in range(100_000)),
        "".join(f"{n}\n" for n in random.Random(1).sample(range(100_000), 100_000)),
    ),
    "of few kinds": tuple("".join(f"{random.Random(s).randrange(9)}\n" for _ in range(9)) * 9_000 for s in (1, 2)),
    "one long line": ("a b " * 500_000, "b a a " * 400_000),
    "many lines of words": ("a b c a b c\n" * 9_000, "c b a a b\nx\n" * 9_000),
    "white space": (" \n" * 100_000, "\n " * 100_000),
    "every second line": (
        "".join(f"{n}\nsame\n" for n in range(40_000)),
        "".join(f"{n}x\nsame\n" for n in range(40_000)),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)
def test_hostile_texts_are_compared_too(name: str) -> None:
    a, b = HOSTILE[name]
    assert rebuilt(a, b, diff(a, b)) == b


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(TooManyLines):
        diff("\n" * (MOST_LINES + 1), "")


def test_lines_are_counted_whatever_their_order() -> None:
    assert count_lines("a\nb\nc", "c\na\nd\ne") == (2, 1)
