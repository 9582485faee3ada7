import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from extrophi_backend.db import Connection
from extrophi_backend.highlights import sql

TEXT = "Herons 🐦 stand in the shallows at dawn.\n\nThey eat 100% fish_cakes."


async def push(api: httpx.AsyncClient, external_id: str = "pond", text: str = TEXT, **more: Any) -> str:
    document = {"platform": "web", "external_id": external_id, "text": text, "title": "The pond"} | more
    answer = await api.post("/documents", json={"documents": [document]})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]["id"]


async def highlight(api: httpx.AsyncClient, document_id: str, start: int = 7, end: int = 14, **more: Any) -> dict:
    body = {"document_id": document_id, "version": 1, "start": start, "end": end} | more
    answer = await api.post("/highlights", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def read(api: httpx.AsyncClient, document_id: str) -> dict:
    answer = await api.get(f"/documents/{document_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_highlight_quotes_its_version_whatever_comes_after(api: httpx.AsyncClient) -> None:
    document_id = await push(api, author="Ida", url="https://pond.example/")
    made = await highlight(api, document_id, colour="blue")
    assert made["quote"] == "🐦 stand"[:7] == TEXT[7:14]
    assert (made["note"], made["note_id"], made["colour"]) == ("", None, "blue")
    await push(api, text="All gone.", author="Ida", url="https://pond.example/")
    kept = (await api.get(f"/highlights/{made['id']}")).json()
    assert kept == made
    assert kept["document"] == {
        "title": "The pond",
        "author": "Ida",
        "platform": "web",
        "url": "https://pond.example/",
    }
    assert (await read(api, document_id))["highlights"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"start": 5, "end": 5}, "end"),
        ({"start": 9, "end": 5}, "end"),
        ({"end": len(TEXT) + 1}, "end"),
        ({"start": -1}, "start"),
        ({"colour": "red"}, "colour"),
        ({"note": "\0"}, "note"),
        ({"note": "x" * 20_001}, "note"),
        ({"id": "x"}, "id"),
        ({"quote": "Herons"}, "quote"),
    ],
)
async def test_what_is_no_highlight_is_refused(
    api: httpx.AsyncClient, conn: Connection, body: dict, field: str
) -> None:
    document_id = await push(api)
    sent = {"document_id": document_id, "version": 1, "start": 0, "end": 6} | body
    answer = await api.post("/highlights", json=sent)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert await conn.fetchval("SELECT count(*) FROM highlights") == 0


async def test_a_passage_is_10_000_characters_at_most(api: httpx.AsyncClient) -> None:
    document_id = await push(api, text="é" * 10_001)
    assert len((await highlight(api, document_id, 1, 10_001))["quote"]) == 10_000
    sent = {"document_id": document_id, "version": 1, "start": 0, "end": 10_001}
    assert (await api.post("/highlights", json=sent)).status_code == 422


async def test_what_is_highlighted_has_to_be_there(api: httpx.AsyncClient) -> None:
    document_id = await push(api)
    sent = {"document_id": document_id, "version": 2, "start": 0, "end": 6}
    assert (await api.post("/highlights", json=sent)).status_code == 404
    assert (await api.post("/highlights", json=sent | {"document_id": str(uuid4())})).status_code == 404
    await api.delete(f"/documents/{document_id}")
    assert (await api.post("/highlights", json=sent | {"version": 1})).status_code == 410
    for method in ("get", "delete"):
        assert (await getattr(api, method)(f"/highlights/{uuid4()}")).status_code == 404
    assert (await api.patch(f"/highlights/{uuid4()}", json={"colour": "pink"})).status_code == 404


async def test_the_same_highlight_sent_again_is_one(api: httpx.AsyncClient, conn: Connection) -> None:
    document_id = await push(api)
    body = {
        "id": str(uuid4()),
        "document_id": document_id,
        "version": 1,
        "start": 0,
        "end": 6,
        "note": "Which ones?",
        "colour": "yellow",
    }
    answers = await asyncio.gather(*(api.post("/highlights", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert len({answer.text for answer in answers}) == 1
    for other in ({"note": "Others."}, {"colour": "pink"}, {"end": 7}):
        answer = await api.post("/highlights", json=body | other)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert await conn.fetchval("SELECT count(*) FROM highlights") == 1
    assert await conn.fetchval("SELECT count(*) FROM documents") == 2


async def test_a_note_is_a_document_and_changes_with_it(api: httpx.AsyncClient, conn: Connection) -> None:
    document_id = await push(api, collections=["birds", "ponds"])
    made = await highlight(api, document_id, 20, 54, note="Is it so in *winter*?\n")
    assert made["quote"] == TEXT[20:54]
    note = await read(api, made["note_id"])
    assert (note["platform"], note["external_id"]) == ("files", f"highlight:{made['id']}")
    assert (note["title"], note["format"]) == ("Note on “The pond”", "markdown")
    quoted = "\n".join(f"> {line}".rstrip() for line in TEXT[20:54].split("\n"))
    assert note["text"] == f"Is it so in *winter*?\n\n{quoted}\n"
    assert note["collections"] == ["birds", "ponds"]
    assert await conn.fetchval("SELECT count(*) FROM chunks WHERE document_id = $1", UUID(made["note_id"])) == 1
    assert await conn.fetchval("SELECT count(*) FROM changes WHERE document_id = $1", UUID(made["note_id"])) >= 1

    changed = (await api.patch(f"/highlights/{made['id']}", json={"note": "Yes."})).json()
    assert (changed["note"], changed["note_id"], changed["colour"]) == ("Yes.", made["note_id"], "yellow")
    note = await read(api, made["note_id"])
    assert (note["version"], note["text"].splitlines()[0]) == (2, "Yes.")

    coloured = (await api.patch(f"/highlights/{made['id']}", json={"colour": "green"})).json()
    assert (coloured["note"], coloured["colour"]) == ("Yes.", "green")

    blanked = (await api.patch(f"/highlights/{made['id']}", json={"note": " \n"})).json()
    assert (blanked["note_id"], blanked["colour"]) == (None, "green")
    assert (await api.get(f"/documents/{made['note_id']}")).status_code == 410
    again = (await api.patch(f"/highlights/{made['id']}", json={"note": "Or not."})).json()
    assert again["note_id"] not in {None, made["note_id"]}


@pytest.mark.parametrize("body", [{}, {"note": None}, {"colour": None}, {"colour": "red"}, {"start": 3}])
async def test_a_change_that_is_none_is_refused(api: httpx.AsyncClient, body: dict) -> None:
    made = await highlight(api, await push(api), note="Mine.")
    assert (await api.patch(f"/highlights/{made['id']}", json=body)).status_code == 422
    assert (await api.get(f"/highlights/{made['id']}")).json() == made


async def test_a_note_goes_where_its_document_goes(api: httpx.AsyncClient) -> None:
    document_id = await push(api)
    made = await highlight(api, document_id, note="Mine.")
    on_note = await highlight(api, made["note_id"], 0, 4, note="Whose?")
    await push(api, collections=["birds"])
    for note_id in (made["note_id"], on_note["note_id"]):
        assert (await read(api, note_id))["collections"] == ["birds", "default"]
    found = (await api.get("/documents", params={"collection": "birds", "sort": "title"})).json()["items"]
    assert [one["title"] for one in found] == ["Note on “Note on “The pond””", "Note on “The pond”", "The pond"]


async def test_with_a_highlight_its_note_is_deleted(api: httpx.AsyncClient, conn: Connection) -> None:
    document_id = await push(api)
    made = await highlight(api, document_id, note="Mine.")
    plain = await highlight(api, document_id)
    on_note = await highlight(api, made["note_id"], 0, 4, note="Whose?")
    for one in (plain, made):
        assert (await api.delete(f"/highlights/{one['id']}")).status_code == 204
        assert (await api.delete(f"/highlights/{one['id']}")).status_code == 404
    for note_id in (made["note_id"], on_note["note_id"]):
        assert (await api.get(f"/documents/{note_id}")).status_code == 410
    assert (await read(api, document_id))["highlights"] == 0
    assert await conn.fetchval("SELECT count(*) FROM highlights") == 0


async def test_with_a_document_its_highlights_and_their_notes_are_deleted(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    document_id = await push(api)
    other_id = await push(api, "other")
    made = await highlight(api, document_id, note="Mine.")
    await highlight(api, document_id, 0, 6)
    on_note = await highlight(api, made["note_id"], 0, 4, note="Whose?")
    kept = await highlight(api, other_id, 0, 6, note="Stays.")
    assert (await read(api, document_id))["highlights"] == 2
    assert (await api.delete(f"/documents/{document_id}")).status_code == 204
    for gone in (document_id, made["note_id"], on_note["note_id"]):
        assert (await api.get(f"/documents/{gone}")).status_code == 410
        assert await conn.fetchval(
            "SELECT deleted FROM changes WHERE document_id = $1 ORDER BY seq DESC LIMIT 1", UUID(gone)
        )
        assert await conn.fetchval(
            "SELECT true FROM events WHERE kind = 'document.deleted' AND document_id = $1", UUID(gone)
        )
    assert (await api.get("/highlights")).json()["items"] == [kept]


async def test_a_note_that_is_deleted_as_a_document_leaves_its_highlight_without_one(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    made = await highlight(api, await push(api), note="Mine, and secret.")
    assert (await api.delete(f"/documents/{made['note_id']}")).status_code == 204
    left = (await api.get(f"/highlights/{made['id']}")).json()
    assert (left["note"], left["note_id"], left["quote"]) == ("", None, made["quote"])
    assert await conn.fetchval("SELECT count(*) FROM highlights WHERE note LIKE '%secret%'") == 0
    again = (await api.patch(f"/highlights/{made['id']}", json={"note": "Again."})).json()
    assert (await read(api, again["note_id"]))["text"].startswith("Again.")


async def test_highlights_are_listed_newest_first_and_found_by_their_words(api: httpx.AsyncClient) -> None:
    one, other = await push(api), await push(api, "other", "Nothing but fish.")
    made = [
        await highlight(api, one, 0, 6),
        await highlight(api, one, TEXT.index("100%"), len(TEXT)),
        await highlight(api, other, 0, 7, note="A HERON was here? 50\\50"),
    ]

    async def listed(**asked: Any) -> list[int]:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/highlights", params={"limit": 1} | asked | cursor)).json()
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return [[one["id"] for one in made].index(one) for one in seen]
            cursor = {"cursor": page["next_cursor"]}

    assert await listed() == [2, 1, 0]
    assert await listed(document_id=one) == [1, 0]
    assert await listed(document_id=str(uuid4())) == []
    assert await listed(query="heron") == [2, 0]
    assert await listed(query="heron", document_id=other) == [2]
    assert await listed(query="100%") == [1]
    assert await listed(query="%") == [1]
    assert await listed(query="_cakes") == [1]
    assert await listed(query="h_") == [1]
    assert await listed(query="50\\") == [2]
    for wrong in ({"cursor": "x"}, {"query": ""}, {"query": "\0"}, {"document_id": "x"}):
        assert (await api.get("/highlights", params=wrong)).status_code == 422


async def test_documents_are_listed_by_whether_they_are_highlighted(api: httpx.AsyncClient) -> None:
    await push(api, "other")
    await highlight(api, await push(api))
    for highlighted, expected in ((True, ["pond"]), (False, ["other"]), (None, ["pond", "other"])):
        asked = {} if highlighted is None else {"highlighted": highlighted}
        items = (await api.get("/documents", params=asked)).json()["items"]
        assert [one["external_id"] for one in items] == expected
        assert (await api.get("/documents/landmarks", params=asked)).json()["total"] == len(expected)


async def test_notes_and_deletions_at_once_leave_nothing_behind(api: httpx.AsyncClient, conn: Connection) -> None:
    for _ in range(5):
        document_id = await push(api)
        made = [await highlight(api, document_id, note=f"Note {number}.") for number in range(4)]
        answers = await asyncio.gather(
            *(api.patch(f"/highlights/{one['id']}", json={"note": "Changed."}) for one in made),
            api.delete(f"/documents/{made[0]['note_id']}"),
            api.delete(f"/highlights/{made[1]['id']}"),
            push(api, collections=["birds"]),
            api.delete(f"/documents/{document_id}"),
            api.post("/highlights", json={"document_id": document_id, "version": 1, "start": 0, "end": 6, "note": "x"}),
        )
        codes = {answer.status_code for answer in answers if isinstance(answer, httpx.Response)}
        assert codes <= {200, 201, 204, 404, 410, 503}
        for one in (await api.get("/documents")).json()["items"]:
            if one["external_id"] == "pond":
                assert (await api.delete(f"/documents/{one['id']}")).status_code == 204
        assert await conn.fetchval("SELECT count(*) FROM documents") == 0
        assert await conn.fetchval("SELECT count(*) FROM highlights") == 0


async def test_lists_are_read_by_their_indexes(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    before = (datetime.now(UTC), UUID(int=0))
    listing = sql.newest(conn, before=before, document_id=None, query=None, limit=50)
    assert "highlights_newest" in await plan(listing)
    listing = sql.newest(conn, before=before, document_id=UUID(int=1), query="x", limit=50)
    assert "highlights_document" in await plan(listing)
