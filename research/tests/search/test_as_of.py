"""Search, answers and evidence of what the library held at a date."""

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_research.search import earlier
from extrophi_research.search.query import parse

NOW = datetime.now(UTC)
THEN = NOW - timedelta(days=10)
BREAD = "Sourdough bread needs a starter.\n\nFlour and water ferment for a week before the first loaf."
YEAST = "Bread is made with yeast now.\n\nIt rises within an hour, and nobody waits."
HERONS = "Herons stand in the shallows at dawn. They wait for fish, and strike once."


async def was_collected(library, one, moment):
    await library.conn.execute("UPDATE documents SET collected_at = $2 WHERE id = $1", one, moment)
    await library.conn.execute("UPDATE document_versions SET collected_at = $2 WHERE document_id = $1", one, moment)


async def revise(library, one, text, moment, title="", author=None):
    """What backend writes for a new version."""
    conn = library.conn
    async with conn.transaction():
        version = await conn.fetchval(
            "UPDATE documents SET version = version + 1, title = $2, author = $3, collected_at = $4 WHERE id = $1"
            " RETURNING version",
            one, title, author, moment,
        )  # fmt: skip
        await conn.execute(
            """INSERT INTO document_versions (document_id, version, text, title, author, content_hash, collected_at)
               VALUES ($1, $2, $3, $4, $5, '', $6)""",
            one, version, text, title, author, moment,
        )  # fmt: skip
        await conn.execute("DELETE FROM chunks WHERE document_id = $1", one)
        await conn.execute(
            "INSERT INTO chunks (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)"
            " VALUES ($1, $2, $3, 0, 0, $4, $5, $6)",
            uuid.uuid4(), one, version, len(text), text, hashlib.sha256(text.encode()).digest(),
        )  # fmt: skip
        await conn.execute("INSERT INTO changes (document_id) VALUES ($1)", one)
        await conn.execute("NOTIFY extrophi_changes")


@pytest.fixture
async def revised(library, research):
    """Collected 30 days ago, and another text since five days."""
    one = await library.add(BREAD, title="bread", author="Ida")
    await was_collected(library, one, NOW - timedelta(days=30))
    await revise(library, one, YEAST, NOW - timedelta(days=5), title="bread", author="Jon")
    await research.finds("yeast", bool)
    return one


async def stored(library, citation):
    text = await library.conn.fetchval(
        "SELECT text FROM document_versions WHERE document_id = $1 AND version = $2",
        uuid.UUID(citation["document_id"]), citation["version"],
    )  # fmt: skip
    return text[citation["quote_start"] : citation["quote_end"]]


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
@pytest.mark.parametrize("group", ["document", "none"])
async def test_words_that_only_the_older_version_held_are_found_and_quoted(library, research, revised, mode, group):
    await library.embed()
    assert await research.titles("starter flour", mode="keyword") == []
    found = await research.search("starter flour", as_of=THEN.isoformat(), mode=mode, group=group)
    hit = found["items"][0]
    assert (hit["document_id"], hit["version"]) == (str(revised), 1)
    assert hit["citation"]["author"] == "Ida"
    assert BREAD[hit["start"] : hit["end"]] == hit["text"]
    assert await stored(library, hit["citation"]) == hit["citation"]["quote"]
    assert "starter" in hit["citation"]["quote"] or "Flour" in hit["citation"]["quote"]
    again = await research.search("starter flour", as_of=THEN.isoformat(), mode=mode, group=group)
    assert again["items"] == found["items"]


async def test_words_of_a_later_version_are_not_found(research, revised):
    found = await research.search("yeast", as_of=THEN.isoformat(), mode="keyword")
    assert found["items"] == []
    now = await research.search("yeast", as_of=NOW.isoformat(), mode="keyword")
    assert [hit["version"] for hit in now["items"]] == [2]
    plain = await research.search("yeast", mode="keyword")
    assert plain["items"] == now["items"]


async def test_what_came_later_is_left_out_and_what_stayed_is_found_as_ever(library, research, revised):
    stayed = await library.add(HERONS, title="herons")
    await was_collected(library, stayed, NOW - timedelta(days=20))
    await library.add("Herons and bread, a new note.", title="new")
    await library.embed()
    await research.finds("herons", lambda found: len(found) == 2, mode="keyword")
    assert sorted(await research.titles("herons bread")) == ["bread", "herons", "new"]
    found = await research.search("herons bread", as_of=THEN.isoformat())
    assert sorted(hit["citation"]["title"] for hit in found["items"]) == ["bread", "herons"]
    before_all = await research.search("herons bread", as_of=(NOW - timedelta(days=40)).isoformat())
    assert before_all["items"] == []


async def test_the_version_of_that_day_is_the_one_that_is_shown(library, research, revised):
    await revise(library, revised, "Bread is bought.", NOW - timedelta(days=1), title="bread")
    await research.finds("bought", bool)
    for days, version in ((20, 1), (3, 2), (0, 3)):
        found = await research.search("bread", as_of=(NOW - timedelta(days=days)).isoformat(), mode="keyword")
        assert [hit["version"] for hit in found["items"]] == [version]


async def test_filters_phrases_and_exclusions_hold_for_older_versions(library, research, revised):
    async def found(query, **filters):
        return await research.titles(query, as_of=THEN.isoformat(), mode="keyword", filters=filters)

    assert await found("starter", authors=["ida"]) == ["bread"]
    assert await found("starter", authors=["jon"]) == []
    assert await found("starter", platforms=["files"]) == []
    assert await found("starter", collections=["default"]) == ["bread"]
    assert await found("bread -flour") == []
    assert await found("bread -yeast") == ["bread"]
    exact = await research.search('"needs a starter"', as_of=THEN.isoformat())
    assert (len(exact["items"]), exact["relaxed"]) == (1, False)
    loose = await research.search('"a starter needs" bread', as_of=THEN.isoformat())
    assert (len(loose["items"]), loose["relaxed"]) == (1, True)


async def test_an_older_version_that_is_near_ranks_with_the_rest(library, research, revised):
    for number in range(15):
        other = await library.add(
            f"{number} ships left the harbour with flour, to port{number}.", title=f"ship {number}"
        )
        await was_collected(library, other, NOW - timedelta(days=20))
    await library.embed()
    await research.finds("port14", bool, mode="keyword")
    found = await research.search("how does sourdough ferment with a starter and flour", as_of=THEN.isoformat())
    assert found["items"][0]["citation"]["title"] == "bread"
    assert "Older versions" in found["degraded"]


async def test_older_versions_are_found_in_all_forms_of_their_words(library, research):
    one = await library.add("Die Häuser am Fluss werden abgerissen.", title="Stadt", language="de")
    await library.conn.execute("UPDATE document_versions SET language = 'de'")
    await was_collected(library, one, NOW - timedelta(days=30))
    await revise(library, one, "Alles bleibt.", NOW - timedelta(days=5), title="Stadt")
    await research.finds("bleibt", bool)
    for query in ("haus", "häusern", "abgerissene"):
        found = await research.titles(query, as_of=THEN.isoformat(), mode="keyword", filters={"languages": ["de"]})
        assert found == ["Stadt"], query


async def test_that_not_all_were_looked_through_is_said(library, research, revised, monkeypatch):
    monkeypatch.setattr(earlier, "MOST_BYTES", 10)
    found = await research.search("starter", as_of=THEN.isoformat(), mode="keyword")
    assert found["items"] == []
    assert "Not all documents" in found["degraded"]


async def asked(research, question, as_of=THEN, **more):
    body = {"question": question, "as_of": as_of.isoformat()} | more
    answer = await research.client.post("/answer", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


QUESTION = "What does sourdough bread need, and how long do flour and water ferment?"


async def test_an_answer_as_of_a_date_quotes_the_version_of_then(library, research, revised):
    await library.embed()
    answer = await asked(research, QUESTION)
    assert answer["abstained"] is False
    assert {(one["document_id"], one["version"]) for one in answer["citations"]} == {(str(revised), 1)}
    assert "Sourdough bread needs a starter." in answer["answer"]
    for citation in answer["citations"]:
        assert await stored(library, citation) == citation["quote"]
    assert (answer["searched"]["documents"], answer["searched"]["filtered"]) == (1, False)
    assert datetime.fromisoformat(answer["searched"]["as_of"]) == THEN
    now = await research.client.post("/answer", json={"question": "How long does bread with yeast rise?"})
    assert ({one["version"] for one in now.json()["citations"]}, now.json()["searched"]["as_of"]) == ({2}, None)


async def test_a_streamed_answer_as_of_a_date_is_the_whole_one(research, revised):
    body = {"question": QUESTION, "as_of": THEN.isoformat()}
    streamed = await research.client.post("/answer", json=body, headers={"accept": "text/event-stream"})
    data = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert json.loads(data[-1]) == await asked(research, QUESTION)
    assert [one["version"] for one in json.loads(data[0])] == [1, 1]


async def test_what_was_searched_is_what_there_was(library, research, revised):
    await library.conn.execute(
        "UPDATE document_versions SET published_at = $1 WHERE version = 1", datetime(2020, 1, 1, tzinfo=UTC)
    )
    stayed = await library.add(HERONS, platform="files", published_at=datetime(2021, 1, 1, tzinfo=UTC))
    await was_collected(library, stayed, NOW - timedelta(days=20))
    await library.add("A tale of two whales.", platform="youtube", published_at=datetime(2022, 1, 1, tzinfo=UTC))
    searched = (await asked(research, "Who is the mayor of Reykjavik?"))["searched"]
    assert (searched["documents"], searched["platforms"]) == (2, ["files", "web"])
    assert (searched["published_from"][:4], searched["published_to"][:4]) == ("2020", "2021")
    by_ida = (await asked(research, QUESTION, filters={"authors": ["ida"]}))["searched"]
    by_jon = (await asked(research, QUESTION, filters={"authors": ["jon"]}))["searched"]
    assert (by_ida["documents"], by_jon["documents"]) == (1, 0)


async def test_an_abstention_as_of_a_date_says_so(research, revised):
    day = THEN.replace(hour=0, minute=0, second=0, microsecond=0)
    known = await asked(research, "Where do herons stand at dawn?", as_of=day)
    assert known["abstained"] is True
    assert f"As of {day:%Y-%m-%d}, nothing in the 1 collected document (the web) answers this." in known["answer"]
    assert "as of a later date" in known["answer"]
    assert "Collect" not in known["answer"]
    before_all = await asked(research, QUESTION, as_of=day - timedelta(days=40, minutes=-90))
    assert before_all["answer"].startswith(f"As of {day - timedelta(days=40):%Y-%m-%d} 01:30 UTC: Nothing had been")
    none_pass = await asked(research, QUESTION, as_of=day, filters={"platforms": ["files"]})
    assert "No document that had been collected by then passes these filters" in none_pass["answer"]


async def test_evidence_as_of_a_date_quotes_the_version_of_then(library, research, revised):
    draft = {"text": "Sourdough bread needs a starter. Flour and water come first.", "as_of": THEN.isoformat()}
    found = (await research.client.post("/enrich", json=draft)).json()["items"]
    assert [(one["document_id"], one["version"]) for one in found] == [(str(revised), 1)]
    quote = found[0]["citation"]["quote"]  # not the sentence that the draft quotes already
    assert quote == await stored(library, found[0]["citation"])
    assert quote == "Flour and water ferment for a week before the first loaf."


@pytest.mark.parametrize("as_of", ["yesterday", "2026-05-01", "2026-05-01T00:00:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize(("path", "field"), [("/search", "query"), ("/answer", "question"), ("/enrich", "text")])
async def test_a_moment_that_is_none_is_refused(research, path, field, as_of):
    answer = await research.client.post(path, json={field: "x", "as_of": as_of})
    assert (answer.status_code, answer.json()["field"]) == (422, "as_of")


PARTS = st.sampled_from(["word", " ", "\n", "\n\n", "\t\n \n", "é" * 50, "𝒳 ", "x" * 1200, ". ", "a b c " * 200])


@given(st.lists(PARTS, max_size=12).map("".join))
def test_chunks_of_older_versions_hold_every_word_once(text):
    found = list(earlier.spans(text))
    assert all(text[start:end] == text[start:end].strip() and 0 < end - start <= 900 for start, end in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["Flour and water. " * 400_000, "a\n\n" * 500_000, "\n" * 4_000_000, "x" * 4_000_000])
def test_much_text_is_looked_through_in_seconds(text):
    version = earlier.Version(uuid.uuid4(), 1, "web", "x", "", None, None, None, None, [], text)
    found = earlier.look_through([version], parse("starter"), [{"starter": 1.0}])
    assert not found.chunks
