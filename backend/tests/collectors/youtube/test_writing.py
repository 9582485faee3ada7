"""A video's document: text, blocks and anchors, put together without a network."""

import json
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.models import Anchor, Collected
from extrophi_backend.collectors.youtube.models import Captions, Chapter, Comment, Cue, Video
from extrophi_backend.collectors.youtube.writing import document
from extrophi_backend.index.chunking import chunk_spans

URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
DAY = datetime(2026, 1, 31, tzinfo=UTC)


def written(
    *cues: tuple[float, str],
    description: str = "",
    chapters: tuple[tuple[float, str], ...] = (),
    comments: tuple[Comment, ...] = (),
) -> Collected:
    video = Video(
        "dQw4w9WgXcQ",
        "A title",
        description,
        "A channel",
        DAY,
        chapters=[Chapter(start, title) for start, title in chapters],
        comments=comments,
    )
    made = [Cue(start, start + 1, text) for start, text in cues]
    return document(video, Captions("en", "manual", made) if made else None, comments=bool(comments))


def blocks(one: Collected) -> list[str]:
    return [f"{'#' * block.level} {one.text[block.start : block.end]}".lstrip() for block in one.blocks]


def seconds(one: Collected) -> list[tuple[float | None, str]]:
    ends = [anchor.offset for anchor in one.anchors[1:]] + [len(one.text)]
    return [
        (anchor.seconds, one.text[anchor.offset : end].strip()) for anchor, end in zip(one.anchors, ends, strict=True)
    ]


def test_the_description_comes_first_and_then_what_is_said() -> None:
    one = written((0, "Hello"), (1, "there."), description="What it is.\n\nhttps://example.org\n")
    assert one.text == "What it is.\n\nhttps://example.org\n\n\nHello there."
    assert blocks(one) == ["What it is.", "https://example.org", "Hello there."]
    assert seconds(one) == [(None, "What it is.\n\nhttps://example.org"), (0.0, "Hello"), (1.0, "there.")]
    assert one.anchors[0] == Anchor(0, url=URL)
    assert (one.external_id, one.url, one.title, one.author, one.published_at, one.language, one.format) == (
        "dQw4w9WgXcQ",
        URL,
        "A title",
        "A channel",
        DAY,
        "en",
        "text",
    )


def test_chapters_are_headings_that_begin_where_they_begin() -> None:
    chapters = ((0.0, "Begin"), (10.0, "Middle"), (20.0, "Empty"), (20.0, "End"))
    one = written((0, "one"), (1, "two"), (9.9, "three"), (10, "four"), (25, "five"), chapters=chapters)
    assert blocks(one) == ["## Begin", "one two", "three", "## Middle", "four", "## Empty", "## End", "five"]
    assert (10.0, "Middle") in seconds(one)
    assert (25.0, "five") in seconds(one)


def test_what_is_said_before_the_first_chapter_has_no_heading() -> None:
    one = written((0, "before"), (6, "after"), chapters=((5.0, "One"),))
    assert blocks(one) == ["before", "## One", "after"]


def test_paragraphs_end_at_pauses_and_where_somebody_else_speaks() -> None:
    one = written((0, "a"), (1, "b"), (3, "c"), (6.5, "d"), (7, ">> e"), (8, "f"))
    assert blocks(one) == ["a b c", "d", ">> e f"]


def test_a_long_paragraph_ends_with_a_cue() -> None:
    one = written(*((number, f"{number:03} " + "x" * 46) for number in range(25)))
    assert [len(block) for block in blocks(one)] == [509, 509, 254]
    assert one.text.count("\n\n") == 2


def test_cues_stand_to_the_character() -> None:
    one = written((0, " two\nlines "), (1, "and"), (2, "\tmore\n"), (3, "end"))
    assert one.text == " two\nlines and\tmore\nend"


def test_each_comment_is_its_authors_own() -> None:
    comments = (
        Comment("Ug1", "First.\n\nSecond.", "@ada", DAY, 0, 12),
        Comment("Ug1.9", "An answer.", "unknown", None, 1, None),
    )
    one = written((0, "Said."), description="About.", comments=comments)
    assert blocks(one) == ["About.", "Said.", "## Comments", "First.", "Second.", "An answer."]
    assert [block.begins for block in one.blocks] == [False, False, False, True, False, True]
    assert list(one.anchors[-3:]) == [
        Anchor(one.text.index("Comments"), url=URL),
        Anchor(one.text.index("First."), url=f"{URL}&lc=Ug1", author="@ada", published_at=DAY, depth=0, score=12),
        Anchor(one.text.index("An answer."), url=f"{URL}&lc=Ug1.9", author="unknown", depth=1),
    ]
    chunks = [one.text[chunk.start : chunk.end] for chunk in chunk_spans(one.text, one.blocks)]
    assert not any("First" in chunk and ("Said" in chunk or "answer" in chunk) for chunk in chunks)


def test_without_words_the_title_is_what_can_be_found() -> None:
    assert written().text == "A title"
    assert written(description=" \n").text == "A title"
    assert written((0, "x")).text == "x"


def test_the_capture_tells_what_it_was_made_of() -> None:
    one = written((0, "x"), comments=(Comment("Ug1", "Hm.", "@ada", DAY, 0, 1),))
    assert one.capture is not None
    kept = json.loads(one.capture.body)
    assert kept["captions"] == {"language": "en", "kind": "manual", "body": ""}
    assert kept["comments"][0]["text"] == "Hm."


def test_twelve_hours_are_written_in_one_go() -> None:
    """20,000 cues in 200 chapters: each has its second, none is lost, and nothing is looked through twice."""
    cues = [(number * 2.16, f"Sentence number {number}.") for number in range(20_000)]
    chapters = tuple((number * 216.0, f"Part {number}") for number in range(200))
    one = written(*cues, chapters=chapters)
    said = [(at, text) for at, text in seconds(one) if not text.startswith("Part")]
    assert said == cues
    assert [block.level for block in one.blocks].count(2) == 200


_WORDS = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
_CUES = st.lists(st.tuples(st.floats(0, 100), _WORDS), max_size=12).map(sorted)


@given(_CUES, st.text(max_size=30), st.lists(st.tuples(st.floats(0, 100), _WORDS), max_size=4).map(sorted))
def test_blocks_and_anchors_fit_any_text(
    cues: list[tuple[float, str]], description: str, chapters: list[tuple[float, str]]
) -> None:
    comments = tuple(Comment(f"c{number}", text, "@ada", None, 0, None) for number, (_, text) in enumerate(cues[:3]))
    one = written(*cues, description=description, chapters=tuple(chapters), comments=comments)
    assert all(block.start < block.end <= len(one.text) for block in one.blocks)
    assert all(before.end <= after.start for before, after in pairwise(one.blocks))
    offsets = [anchor.offset for anchor in one.anchors]
    assert offsets == sorted(offsets)
    for start, text in cues:
        assert any(a.seconds == start and one.text.startswith(text, a.offset) for a in one.anchors)
    assert sum(block.begins for block in one.blocks) == len(comments)
