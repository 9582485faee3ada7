"""Whether what was found is about a question, and which of its sentences answer."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extrophi_research.answer.abstaining import abstention
from extrophi_research.answer.extractive import choose
from extrophi_research.answer.models import Nearest, Searched
from extrophi_research.answer.reading import is_about, missing, quotable, read
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.search.models import Chunk

MODEL = LocalModel()
TEXT = "Herons stand in the shallows at dawn. They wait for fish, and strike once. A heron weighs about two kilograms."


def chunk(text, title=""):
    return Chunk(uuid.uuid4(), uuid.uuid4(), 1, 0, len(text), text, "web", "x", title, None, None, None, [])


def holding(count, **frequencies):
    """A library of so many chunks, of which so many hold a term."""
    return lambda terms: (count, [frequencies.get(term, 0) for term in terms])


def answers(question, *texts, title=""):
    """The quotations that answer a question, or none where nothing is about it."""
    reading = read(MODEL, question, [chunk(text, title) for text in texts])
    return [one.text for one in choose(reading, range(len(reading.sentences)))] if is_about(reading) else []


@pytest.mark.parametrize(
    ("question", "text", "quote"),
    [
        ("日本の首都は?", "日本の首都は東京です。人口は千四百万人です。", "日本の首都は東京です。"),
        ("東京の人口は?", "日本の首都は東京です。東京の人口は千四百万人です。", "東京の人口は千四百万人です。"),
        ("Где гнездится цапля?", "Цапля серая. Цапля гнездится на деревьях.", "Цапля гнездится на деревьях."),
        ("How much does a heron weigh?", "Herons are tall grey birds. A heron weighs 2 kg.", "A heron weighs 2 kg."),
        (
            "Which family are herons?",
            "Herons are a family of birds.[1] They stand in water.[2]",
            "Herons are a family of birds.[1]",
        ),
    ],
)
def test_the_sentence_that_answers_is_quoted_first(question, text, quote):
    assert answers(question, text)[0] == quote


def test_a_short_sentence_may_answer():
    assert answers("When was it founded?", "It was founded in 1974. That is why.") == ["It was founded in 1974."]


@pytest.mark.parametrize(
    "text",
    [
        "How much does a heron weigh? A heron weighs about two kilograms.",
        "# How much does a heron weigh?\n\nA heron weighs about two kilograms.",
        "## How much a heron weighs\n\nA heron weighs about two kilograms.",
    ],
)
def test_a_question_and_a_heading_answer_nothing(text):
    assert answers("How much does a heron weigh?", text) == ["A heron weighs about two kilograms."]


def test_where_there_are_questions_only_nothing_answers():
    assert answers("How much does a heron weigh?", "How much does a heron weigh?") == []


def test_items_of_a_list_are_quoted_beside_whole_sentences():
    text = "What a heron needs is little.\n\n- shallow water with fish\n- rest\n1. tall trees for its nest"
    found = answers("What does a heron need: shallow water with fish, tall trees for its nest?", text)
    assert "shallow water with fish" in found
    assert "tall trees for its nest" in found


def test_the_same_sentence_is_quoted_once():
    found = answers("When do herons stand in the shallows?", TEXT, f"{TEXT} And so on.", TEXT.upper())
    assert [one.lower() for one in found].count("herons stand in the shallows at dawn.") == 1


def test_the_title_counts():
    text = "It weighs about two kilograms, and stands a metre tall."
    assert answers("How much does a grey heron weigh?", text) == []
    assert answers("How much does a grey heron weigh?", text, title="Grey heron") == [text]


def test_author_and_date_count():
    known = replace(
        chunk("The stock of herons fell by half."), author="Ada Ruiz", published_at=datetime(2024, 5, 1, tzinfo=UTC)
    )
    assert missing(read(MODEL, "What did Ruiz write on herons in May 2024?", [known])) == ["write"]


def test_what_is_rare_tells_more():
    question, one = "How fast do herons grow in Wales?", chunk("Grow fast, says the advertisement.")
    common = read(MODEL, question, [one], holding(1000, grow=500, fast=500, heron=2, wale=1))
    assert common.covered({"grow", "fast"}) < 0.2
    assert read(MODEL, question, [one]).covered({"grow", "fast"}) == pytest.approx(0.5)


def test_a_word_that_no_text_holds_counts_as_the_one_that_was_meant():
    known = holding(1000, heron=3, shallow=2)
    reading = read(MODEL, "Do hreons stand in shallwos?", [chunk(TEXT)], known)
    assert set(reading.terms) >= {"heron", "shallow"}
    far = read(MODEL, "Do haddocks stand in shadows?", [chunk(TEXT)], known)
    assert not {"heron", "shallow"} & set(far.terms)


def test_a_question_of_stop_words_only_is_about_nothing():
    reading = read(MODEL, "Why?", [chunk("Why is that so? That is why. It is so, and why not.")])
    assert not is_about(reading)
    assert "no word that tells" in abstention(Searched(1, ["web"], None, None, False, []), reading)


def test_grammar_of_japanese_is_no_topic():
    reading = read(MODEL, "これはどのようなパンですか", [chunk("これはどのようなものですか。")])
    assert not is_about(reading)


def test_an_abstention_shows_no_citation_and_says_that_languages_do_not_mix():
    near = Nearest(uuid.uuid4(), "T", "web", "https://a.example/x[1]", None)
    searched = Searched(1, ["web"], None, None, False, [near])
    said = abstention(searched, read(MODEL, "Wo brüten Störche?", [chunk(TEXT)]))
    assert "https://a.example/x%5B1%5D" in said
    assert "one language" in said
    assert "one language" not in abstention(searched, read(MODEL, "Where do storks breed?", [chunk(TEXT)]))


def test_a_part_of_a_long_sentence_is_no_whole_one():
    text = f"Herons stand, {'and wait, ' * 80}and the heron strikes. Herons eat fish at dawn."
    reading = read(MODEL, "herons", [chunk(text)])
    assert {one.kind for one in reading.sentences[:-1]} == {"piece"}
    assert reading.sentences[-1].kind == "sentence"
    long = f"Herons stand, {'and wait, ' * 50}and strike."
    assert list(quotable(long)) == [(0, len(long))]


def test_what_has_no_stops_is_quoted_in_pieces():
    text = "so we went on and " * 200
    spans = list(quotable(text))
    assert len(spans) > 10
    assert all(0 < end - start <= 400 for start, end in spans)
    assert all(text[start:end].strip() == text[start:end] for start, end in spans)
    assert next(quotable("字" * 1000)) == (0, 240)


@settings(max_examples=50)
@given(st.text(alphabet="ab .\n", max_size=900))
def test_pieces_hold_every_word_once_and_in_order(text):
    assert "".join("".join(text[a:b].split()) for a, b in quotable(text)) == "".join(text.split())


def test_the_words_that_nothing_holds_are_named():
    reading = read(MODEL, "Do herons eat the Sauerteig of Lübeck?", [chunk(TEXT)])
    assert missing(reading) == ["eat", "Sauerteig", "Lübeck"]
