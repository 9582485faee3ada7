"""POST /enrich as a writer's desk sees it."""

import pytest

HERONS = "Herons stand in the shallows at dawn. They wait for fish, and strike once. Nobody has counted them."
BREAD = "Sourdough bread needs a starter. Flour and water ferment for a week before the first loaf."
MORE = "A heron at dawn stands as still as a reed in the shallows. Its neck is folded."


@pytest.fixture
async def stocked(library, research):
    for title, text in {"herons": HERONS, "bread": BREAD, "more": MORE}.items():
        await library.add(text, title=title, url=f"https://a.example/{title}")
    await library.embed()
    await research.finds("herons", bool)
    return research


async def enrich(research, text, **more):
    answer = await research.client.post("/enrich", json={"text": text} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_passage_gets_evidence_with_exact_quotations(stocked):
    items = await enrich(stocked, "At dawn one sees herons standing in the shallows, waiting.", limit=2)
    assert {item["citation"]["title"] for item in items} == {"herons", "more"}
    texts = {"herons": HERONS, "more": MORE}
    for item in items:
        quote = item["citation"]
        assert texts[quote["title"]][quote["quote_start"] : quote["quote_end"]] == quote["quote"]


async def test_a_sentence_that_the_draft_quotes_already_is_not_offered_again(stocked):
    draft = "As Holm writes, “herons stand in the\nshallows at dawn”. What do they wait for there?"
    herons = next(item for item in await enrich(stocked, draft) if item["citation"]["title"] == "herons")
    quote = herons["citation"]
    assert quote["quote"] == "They wait for fish, and strike once."
    assert HERONS[quote["quote_start"] : quote["quote_end"]] == quote["quote"]
    assert "They%20wait" in quote["deep_link"]


async def test_a_text_that_the_draft_holds_whole_is_no_evidence_for_it(stocked):
    draft = f"My notes on birds.\n\n{HERONS.replace('. ', '.  ')}\n\nAnd so on."
    assert "herons" not in {item["citation"]["title"] for item in await enrich(stocked, draft)}
    assert "more" in {item["citation"]["title"] for item in await enrich(stocked, draft)}


async def test_what_is_left_out_is_made_up_for(stocked):
    assert len(await enrich(stocked, HERONS, limit=1)) == 1


async def test_a_drafts_dashes_and_quotation_marks_are_prose(stocked):
    items = await enrich(stocked, '"Herons" -dawn – and "no such phrase at all" in the shallows')
    assert items[0]["citation"]["title"] in {"herons", "more"}


async def test_filters_hold(stocked):
    assert await enrich(stocked, "herons at dawn", filters={"platforms": ["youtube"]}) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": "\n"}, "text"),
        ({"text": "-- «»"}, "text"),
        ({"text": "x" * 8001}, "text"),
        ({"text": "x", "limit": 101}, "limit"),
    ],
)
async def test_bad_input_is_a_422_that_names_the_field(research, body, field):
    answer = await research.client.post("/enrich", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["hint"]
