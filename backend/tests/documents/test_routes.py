import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from extrophi_backend.captures import loose
from extrophi_backend.db import Connection


def note(external_id: str = "note-1", text: str = "The heron eats at dawn.", **more) -> dict:
    return {"platform": "files", "external_id": external_id, "text": text} | more


async def push(api: httpx.AsyncClient, *documents: dict) -> list[dict]:
    answer = await api.post("/documents", json={"documents": list(documents)})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_the_same_push_again_changes_nothing(api: httpx.AsyncClient, conn: Connection) -> None:
    first = await push(api, note(), note("note-2", "Another."))
    before = await conn.fetch("SELECT * FROM chunks ORDER BY id")
    again = await push(api, note(), note("note-2", "Another."))
    assert [item["status"] for item in first] == ["created", "created"]
    assert [item["status"] for item in again] == ["unchanged", "unchanged"]
    assert [item["id"] for item in first] == [item["id"] for item in again]
    assert await conn.fetch("SELECT * FROM chunks ORDER BY id") == before
    assert await conn.fetchval("SELECT count(*) FROM changes") == 2


async def test_a_changed_text_is_a_new_version_and_the_old_one_stays(api: httpx.AsyncClient) -> None:
    (created,) = await push(api, note())
    (updated,) = await push(api, note(text="The heron eats at noon."))
    assert updated == created | {"status": "updated"}
    newest = (await api.get(f"/documents/{created['id']}")).json()
    oldest = (await api.get(f"/documents/{created['id']}?version=1")).json()
    assert (newest["version"], newest["text"]) == (2, "The heron eats at noon.")
    assert (oldest["version"], oldest["text"]) == (1, "The heron eats at dawn.")
    listed = (await api.get(f"/documents/{created['id']}/versions")).json()["items"]
    assert [version["version"] for version in listed] == [2, 1]


async def test_versions_page_newest_first(api: httpx.AsyncClient) -> None:
    await push(api, note(text="one"))
    await push(api, note(text="two"))
    (item,) = await push(api, note(text="three"))
    path = f"/documents/{item['id']}/versions"
    first = (await api.get(path, params={"limit": 2})).json()
    rest = (await api.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [[one["version"] for one in page["items"]] for page in (first, rest)] == [[3, 2], [1]]
    assert rest["next_cursor"] is None
    for cursor in ("x", "WyJ4Il0", "Wy05XQ"):
        answer = await api.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_text_is_kept_verbatim_white_space_and_emoji_too(api: httpx.AsyncClient, conn: Connection) -> None:
    text = "  \n A 🐦 heron.\n\n\n\tIt ate 👨‍👩‍👧.  \n"
    (item,) = await push(api, note(text=text))
    assert (await api.get(f"/documents/{item['id']}")).json()["text"] == text
    for chunk in await conn.fetch("SELECT * FROM chunks"):
        assert text[chunk["start_offset"] : chunk["end_offset"]] == chunk["text"]


async def test_a_push_is_all_or_nothing_and_names_the_one_at_fault(api: httpx.AsyncClient, conn: Connection) -> None:
    answer = await api.post("/documents", json={"documents": [note(), note("x", "with \0 in it")]})
    assert answer.status_code == 422
    assert answer.json()["field"] == "documents.1.text"
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0


async def test_a_lone_surrogate_is_refused(api: httpx.AsyncClient) -> None:
    body = b'{"documents": [{"platform": "files", "external_id": "x", "text": "\\ud800"}]}'
    answer = await api.post("/documents", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"


async def test_one_document_twice_in_a_push_is_stored_once(api: httpx.AsyncClient, conn: Connection) -> None:
    items = await push(api, note(text="first"), note(text="second"))
    assert items[0]["id"] == items[1]["id"]
    assert await conn.fetchval("SELECT array_agg(text) FROM document_versions") == ["second"]


async def test_a_deleted_document_is_gone_not_unknown(api: httpx.AsyncClient, conn: Connection) -> None:
    (item,) = await push(api, note())
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    for path in ("", "/versions", "/capture", "/screenshot", "?version=1"):
        assert (await api.get(f"/documents/{item['id']}{path}")).status_code == 410
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 410
    assert (await api.get("/documents/00000000-0000-7000-8000-00000000000a")).status_code == 404
    assert await conn.fetchval("SELECT deleted FROM changes ORDER BY seq DESC LIMIT 1")
    assert await conn.fetchval("SELECT count(*) FROM chunks") == 0


async def test_vectors_are_shared_by_equal_texts_and_leave_with_the_last(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    await conn.execute(
        "INSERT INTO embedding_models (name, dimensions, endpoint, state) VALUES ('m', 3, 'local', 'active')"
    )
    one, two = await push(api, note("1", "Same."), note("2", "Same."))
    assert await conn.fetchval("SELECT count(*) FROM embedding_queue") == 1
    assert (await api.get("/stats")).json()["pending"] == 2
    await conn.execute("INSERT INTO embeddings SELECT model_id, hash, '[1,0,0]' FROM embedding_queue")
    await conn.execute("DELETE FROM embedding_queue")
    assert (await api.get("/stats")).json()["embedded"] == 2
    await api.delete(f"/documents/{one['id']}")
    assert await conn.fetchval("SELECT count(*) FROM embeddings") == 1
    await api.delete(f"/documents/{two['id']}")
    assert await conn.fetchval("SELECT count(*) FROM embeddings") == 0


async def test_documents_go_into_the_collection_named(api: httpx.AsyncClient) -> None:
    await push(api, note("1", collection="birds"), note("2"))
    await push(api, note("1"))  # a document may be in several
    birds = (await api.get("/documents", params={"collection": "birds"})).json()["items"]
    assert [item["collections"] for item in birds] == [["birds", "default"]]
    names = [(c["name"], c["documents"]) for c in (await api.get("/collections")).json()["items"]]
    assert names == [("birds", 1), ("default", 2)]


async def test_collections_are_made_once_and_page_by_name(api: httpx.AsyncClient) -> None:
    await push(api, note(collections=["a", "b"]))
    made = await api.post("/collections", json={"name": "c"})
    again = await asyncio.gather(*(api.post("/collections", json={"name": "c"}) for _ in range(3)))
    assert (made.status_code, made.json()["documents"]) == (201, 0)
    assert {answer.json()["id"] for answer in again} == {made.json()["id"]}
    assert (await api.post("/collections", json={"name": "a"})).json()["documents"] == 1
    for wrong in ("", " ", "\0", "x" * 201, None):
        assert (await api.post("/collections", json={"name": wrong})).status_code == 422
    first = (await api.get("/collections", params={"limit": 3})).json()
    rest = (await api.get("/collections", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [[one["name"] for one in page["items"]] for page in (first, rest)] == [["a", "b", "c"], ["default"]]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("external_id", ["x" * 2001, "鷺" * 700])
async def test_an_id_that_no_index_holds_is_refused(api: httpx.AsyncClient, conn: Connection, external_id: str) -> None:
    answer = await api.post("/documents", json={"documents": [note(), note(external_id)]})
    assert (answer.status_code, answer.json()["field"]) == (422, "documents.1.external_id")
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0
    # Random, so that nothing of it can be compressed.
    await push(api, note("".join(map(chr, random.Random(7).sample(range(0x4E00, 0x9000), 666)))))


async def test_documents_seen_again_the_same_day_are_not_written_anew(api: httpx.AsyncClient, conn: Connection) -> None:
    await push(api, note())
    row = "SELECT xmin, seen_at FROM documents"
    before = await conn.fetch(row)
    await push(api, note())
    assert await conn.fetch(row) == before
    await conn.execute("UPDATE documents SET seen_at = now() - interval '2 days'")
    await push(api, note())
    assert (await conn.fetch(row))[0]["seen_at"] > before[0]["seen_at"]
    await conn.execute("UPDATE documents SET state = 'gone', gone_at = now()")
    await push(api, note())
    assert await conn.fetchval("SELECT state FROM documents") == "collected"


async def test_captures_are_found_by_their_indexes(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    used = await plan(loose.used(conn, ["captures/00/x"]))
    assert "document_versions_capture" in used
    assert "document_versions_screenshot" in used


async def test_more_than_32_mb_is_refused(api: httpx.AsyncClient, conn: Connection) -> None:
    answer = await api.post("/documents", json={"documents": [note(str(n), "x" * 11_000_000) for n in range(3)]})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0


async def test_two_pushes_of_the_same_documents_at_once_store_each_once(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    documents = [note(str(number), f"text {number}") for number in range(50)]
    answers = await asyncio.gather(push(api, *documents), push(api, *reversed(documents)), push(api, *documents))
    assert sorted(item["status"] for answer in answers for item in answer).count("created") == 50
    assert await conn.fetchval("SELECT count(*) FROM documents") == 50
    assert await conn.fetchval("SELECT count(*) FROM chunks") == 50
