import tracemalloc
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from extrophi_backend.collectors.models import Block
from extrophi_backend.index.chunking import blocks_of, chunk_spans

PIECES = st.sampled_from(
    [
        "a heron eats. ",
        "\n",
        "\n\n",
        "# Heading\n",
        "## Deeper\n",
        "   ",
        "\t",
        "```\n",
        "\r\n",
        "\u2028",
        "\x85",
        "鷺は夜明けに食べる。",
        "นกกระสา",
        "🐦",
        "x" * 900,
        "é",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=20), max_size=60).map("".join)


@given(text=TEXTS, markdown=st.booleans())
@example(text="# One\n\n## Two\n\ntext\n\n# Three", markdown=True)
@example(text="\x1c# \x1d", markdown=True)
def test_every_character_that_is_no_space_is_in_exactly_one_chunk(*, text: str, markdown: bool) -> None:
    seen = [0] * len(text)
    end = 0
    for chunk in chunk_spans(text, list(blocks_of(text, markdown=markdown))):
        assert end <= chunk.start < chunk.end <= len(text)
        assert text[chunk.start : chunk.end].strip() == text[chunk.start : chunk.end]
        end = chunk.end
        for at in range(chunk.start, chunk.end):
            seen[at] += 1
    assert all(count == 1 for count, character in zip(seen, text, strict=True) if not character.isspace())


@given(TEXTS)
def test_blocks_are_ascending_apart_and_not_empty(text: str) -> None:
    end = 0
    for block in blocks_of(text, markdown=True):
        assert end <= block.start < block.end <= len(text)
        assert text[block.start : block.end].strip()
        end = block.end


@given(TEXTS)
def test_no_chunk_goes_past_a_heading(text: str) -> None:
    blocks = list(blocks_of(text, markdown=True))
    inner = {block.start for before, block in pairwise(blocks) if block.kind == "heading" and before.kind != "heading"}
    for chunk in chunk_spans(text, blocks):
        assert not any(chunk.start < start < chunk.end for start in inner)


@pytest.mark.parametrize(
    ("text", "at_most"),
    [
        ("A heron eats at dawn. " * 500, 800),
        ("鷺は夜明けに魚を食べる。" * 500, 200),
        ("นกกระสากินปลา" * 500, 270),
        ("x" * 5000, 800),
    ],
)
def test_chunks_hold_about_200_tokens_in_any_script(text: str, at_most: int) -> None:
    lengths = [chunk.end - chunk.start for chunk in chunk_spans(text, list(blocks_of(text, markdown=False)))]
    assert max(lengths) <= at_most
    assert min(lengths[:-1]) >= at_most // 2


def test_a_long_paragraph_is_cut_at_the_end_of_a_sentence() -> None:
    text = "A heron eats at dawn, and sleeps until noon. " * 100
    chunks = [text[chunk.start : chunk.end] for chunk in chunk_spans(text, [Block(0, len(text.rstrip()))])]
    assert all(chunk.endswith("noon.") for chunk in chunks)


def test_paragraphs_of_a_section_are_packed_and_its_headings_are_its_path() -> None:
    text = "# Birds\n\nOne.\n\nTwo.\n\n## Herons\n\nThree.\n\n# Fish\n\nFour."
    found = [(text[c.start : c.end], c.heading) for c in chunk_spans(text, list(blocks_of(text, markdown=True)))]
    assert found == [
        ("# Birds\n\nOne.\n\nTwo.", "Birds"),
        ("## Herons\n\nThree.", "Birds > Herons"),
        ("# Fish\n\nFour.", "Fish"),
    ]


def test_a_sign_in_a_fenced_block_is_no_heading() -> None:
    text = "# Real\n\n```\n# a comment\n```\n\nAfter."
    assert [block.kind for block in blocks_of(text, markdown=True)].count("heading") == 1


def test_a_text_without_words_has_no_chunks() -> None:
    assert list(chunk_spans(" \n\n\t ", list(blocks_of(" \n\n\t ", markdown=True)))) == []


def test_a_heading_stays_with_the_paragraph_below_it_however_long() -> None:
    text = "# Birds\n\n" + "A heron eats at dawn. " * 60
    chunks = [text[chunk.start : chunk.end] for chunk in chunk_spans(text, list(blocks_of(text, markdown=True)))]

    assert len(chunks) == 2
    assert chunks[0].startswith("# Birds\n\nA heron")
    assert len(chunks[0]) > 500


def test_cutting_a_text_of_one_line_needs_four_bytes_a_character() -> None:
    text = "é" + "a heron eats at dawn; " * 100_000
    tracemalloc.start()
    try:
        count = sum(1 for _ in chunk_spans(text, [Block(0, len(text))]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count > 2_000
    assert peak < 6 * len(text)
