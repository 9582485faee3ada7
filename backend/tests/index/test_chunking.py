import random
import tracemalloc
import unicodedata
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

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


@given(TEXTS, st.integers(2, 5))
def test_no_chunk_mixes_the_words_of_two_people(text: str, every: int) -> None:
    blocks = [replace(block, begins=number % every == 0) for number, block in enumerate(blocks_of(text, markdown=True))]
    begun = {block.start for block in blocks if block.begins}
    for chunk in chunk_spans(text, blocks):
        assert not any(chunk.start < start < chunk.end for start in begun)


def test_a_heading_is_of_its_author_alone() -> None:
    text = "# Herons\n\nThey eat.\n\nI saw one."
    blocks = [Block(0, 8, "heading", 1), Block(10, 19), Block(21, 31, begins=True)]
    assert [(text[one.start : one.end], one.heading) for one in chunk_spans(text, blocks)] == [
        ("# Herons\n\nThey eat.", "Herons"),
        ("I saw one.", ""),
    ]


@pytest.mark.parametrize(
    ("text", "at_most"),
    [
        ("A heron eats at dawn. " * 500, 800),
        ("鷺は夜明けに魚を食べる。" * 500, 200),
        ("นกกระสากินปลา" * 500, 270),
        ("A heron eats at dawn and " + "x" * 5000, 800),
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


@pytest.fixture(scope="module")
def vocabulary() -> frozenset[str]:
    """What all-MiniLM-L6-v2 has pieces for, as the reader ships it."""
    return frozenset(
        (Path(__file__).parents[3] / "research/extrophi_research/embeddings/vocab.txt").read_text().split("\n")
    )


def pieces(text: str, vocabulary: frozenset[str]) -> int:
    """How many word pieces BERT's tokenizer makes of it (Devlin et al., 2018)."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    apart = "".join(
        f" {c} " if 0x3400 <= ord(c) <= 0x9FFF or unicodedata.category(c)[0] == "P" or c in "$+<=>^`|~" else c
        for c in plain
    )
    count = 0
    for word in apart.split():
        at, begun = 0, count
        while at < len(word):
            ends = range(len(word), at, -1)
            end = next((end for end in ends if ("##" if at else "") + word[at:end] in vocabulary), None)
            if end is None:  # the whole word is one piece, "unknown"
                count, at = begun + 1, len(word)
            else:
                count, at = count + 1, end
    return count


_DICE = random.Random(1)


@pytest.mark.parametrize(
    "text",
    [
        "The heron stood in the shallow water for hours, waiting for a fish that came too near; in the end it ate. ",
        " ".join(f"{_DICE.getrandbits(128):032x}" for _ in range(90)) + "\n",
        "\n".join(" | ".join(f"{_DICE.random() * 1000:.2f}" for _ in range(6)) for _ in range(60)) + "\n",
        "static int next(struct page *p, size_t n) {\n    if (!p || n > MAX_4) return -EINVAL;\n    p->q[7] = &r;\n}\n",
        "Graureiher stehen stundenlang im flachen Wasser und warten auf Fische, während Enten lautstark betteln. ",
        "Harmaahaikara seisoo tuntikausia matalassa vedessä odottaen kaloja, jotka tulevat liian lähelle sitä. ",
        "Czapla siwa godzinami stoi w płytkiej wodzie i cierpliwie czeka na ryby, które w końcu podpłyną zbyt blisko. ",
        "Серая цапля часами стоит на мелководье и терпеливо ждёт рыбу, которая подплывает слишком близко. ",
        "Ο σταχτοτσικνιάς στέκεται για ώρες στα ρηχά νερά και περιμένει υπομονετικά τα ψάρια που πλησιάζουν. ",
        "يقف مالك الحزين في المياه الضحلة لساعات وينتظر بصبر الأسماك التي تقترب منه كثيرا في النهاية. ",
        "האנפה עומדת שעות במים הרדודים ומחכה בסבלנות לדגים שמתקרבים אליה יותר מדי בסופו של דבר. ",
        "왜가리는 얕은 물에서 몇 시간 동안 서서 너무 가까이 다가오는 물고기를 참을성 있게 기다린다. ",
        "苍鹭在浅水中站立数小时，耐心等待鱼靠近，最后总能等到。",
    ],
)
def test_a_chunk_is_no_longer_than_the_model_reads(text: str, vocabulary: frozenset[str]) -> None:
    text *= 1 + 4000 // len(text)
    chunks = [text[chunk.start : chunk.end] for chunk in chunk_spans(text, list(blocks_of(text, markdown=False)))]
    longest = max(pieces(chunk, vocabulary) for chunk in chunks)
    assert 100 < longest <= 254  # 256, less the two that mark beginning and end


def test_a_table_in_an_english_text_is_counted_as_a_table() -> None:
    table = "\n".join(" | ".join(f"{_DICE.random() * 1000:.2f}" for _ in range(6)) for _ in range(60))
    text = "A heron eats at dawn and sleeps in the reeds until noon. " * 20 + "\n\n" + table
    chunks = [text[chunk.start : chunk.end] for chunk in chunk_spans(text, list(blocks_of(text, markdown=False)))]
    assert max(len(chunk) for chunk in chunks if chunk.startswith("A heron")) > 500
    assert max(len(chunk) for chunk in chunks if "|" in chunk) < 500


@pytest.mark.parametrize("cluster", ["e\u0301\u0323", "ก\u0e34\u0e48", "👩🏽\u200d🚀", "ක\u0dca\u200dෂ"])
def test_no_letter_is_parted_from_its_marks(cluster: str) -> None:
    text = "x" + cluster * 900
    chunks = list(chunk_spans(text, [Block(0, len(text))]))
    assert len(chunks) > 2
    assert all((chunk.start - 1) % len(cluster) == 0 for chunk in chunks[1:])
