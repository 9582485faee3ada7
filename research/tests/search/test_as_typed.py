"""Search while its query is being typed."""

import pytest

from extrophi_research.search.begun import begun
from extrophi_research.search.query import parse

HERONS = "Fish swim. Herons stand in the shallows at dawn. It rains."
SHALL = "You shall see, says the shopkeeper."
STUDIES = "Many studies were made of it. Running water carves stone."


@pytest.fixture
async def typed(library, research):
    await library.add(HERONS, title="herons")
    await library.add(SHALL, title="shall")
    await library.add(STUDIES, title="studies")
    await library.add("鷺は浅瀬に立つ。", title="鷺")
    await library.add("Nothing of the kind.", title="else")
    await research.finds("kind", bool)
    await research.finds("鷺", bool)
    return research


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sha", {"herons", "shall"}),
        ("shallo", {"herons"}),
        ("Shallow", {"herons"}),
        ("shallows", {"herons"}),
        ("studie", {"studies"}),
        ("runni", {"studies"}),
        ("runnin", {"studies"}),
        ("runx", set()),
        ("sha ", set()),
        ("dawn sha", {"herons", "shall"}),
        ("sha -dawn", set()),
        ('"in the shallows" sha', {"herons", "shall"}),
        ("鷺", {"鷺"}),
        ("浅瀬", {"鷺"}),
        ("浅瀬に", {"鷺"}),
        ("heron 浅", {"herons", "鷺"}),
        ("c+", set()),
        ("x.*", set()),
        ("(sha", {"herons", "shall"}),
        ("😀", set()),
    ],
)
async def test_the_last_word_is_found_by_its_beginning(typed, query: str, expected: set[str]) -> None:
    assert set(await typed.titles(query, as_typed=True)) == expected


async def test_without_being_asked_a_beginning_is_no_word(typed) -> None:
    assert await typed.titles("shallo", mode="keyword") == []


async def test_whole_words_come_first(typed) -> None:
    assert await typed.titles("shall", as_typed=True) == ["shall", "herons"]
    assert await typed.titles("dawn sha", as_typed=True) == ["herons", "shall"]


async def test_the_sentence_with_the_word_is_quoted(typed) -> None:
    found = await typed.search("shallo", as_typed=True)
    assert (found["mode"], found["degraded"]) == ("keyword", None)
    assert found["items"][0]["citation"]["quote"].strip() == "Herons stand in the shallows at dawn."


async def test_it_is_by_word_unless_told_otherwise(library, typed) -> None:
    await library.embed()
    assert (await typed.search("shallo", as_typed=True))["mode"] == "keyword"
    assert (await typed.search("shallo", as_typed=True, mode="hybrid"))["mode"] == "hybrid"


def test_a_word_that_is_done_is_not_begun() -> None:
    assert begun("heron ") is None
    assert begun("heron!") is None
    assert begun("h") is None
    assert begun("鷺は浅") is None
    assert begun("pond's her") == begun("her")
    for query in ('the "bus st"', "the bus -st", "the st "):
        assert parse(query, as_typed=True).begun is None
    assert parse('the "bus st', as_typed=True).begun == begun("st")
