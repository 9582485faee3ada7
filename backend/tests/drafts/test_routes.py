"""Drafts over HTTP: never overwritten unseen, never lost."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from extrophi_backend.db import Connection

BOOK = {"id": "holm2026", "type": "book", "title": "Of Herons", "author": [{"family": "Holm", "given": "Ida"}]}
UNKNOWN = "00000000-0000-7000-8000-00000000000a"


async def make(api: httpx.AsyncClient, text: str = "# Herons\n\nThey wait.", **more: Any) -> dict[str, Any]:
    answer = await api.post("/drafts", json={"text": text} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def save(
    api: httpx.AsyncClient, draft: dict[str, Any], text: str, seen: int | str | None = None, **more: Any
) -> httpx.Response:
    """Over the revision it has, or over another that was seen."""
    body = {"text": text, "bibliography": draft.get("bibliography", []), "settings": draft.get("settings", {})} | more
    tag = f'"{draft["revision"] if seen is None else seen}"'
    return await api.put(f"/drafts/{draft['id']}", json=body, headers={"If-Match": tag})


async def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail"]
    assert answer.json()["hint"]
    return answer.json()


async def test_a_draft_is_kept_verbatim_and_its_head_is_read_from_it(api: httpx.AsyncClient) -> None:
    text = "\ufeff# Of *Herons* 🐦\r\n\r\nThey wait.  \r\n\t\n\u2028Still 👨‍👩‍👧.\n\n  \n"
    bibliography = [BOOK, {"id": "x", "number": 1.50, "note": "a\u2028b"}]
    settings = {"zoom": 1.25, "deep": {"b": [None, True], "a": "é"}}
    made = await api.post("/drafts", json={"text": text, "bibliography": bibliography, "settings": settings})
    draft = made.json()
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert made.headers["location"] == f"drafts/{draft['id']}"
    read = await api.get(f"/drafts/{draft['id']}")
    assert (read.headers["etag"], read.json()) == ('"1"', draft)
    assert (draft["text"], draft["bibliography"], draft["settings"]) == (text, bibliography, settings)
    assert json.dumps(draft["settings"]) == json.dumps(settings)  # in the order it came
    assert (draft["title"], draft["excerpt"]) == ("Of Herons 🐦", "They wait. Still 👨‍👩‍👧.")
    assert (draft["revision"], draft["words"], draft["characters"]) == (1, 5, len(text))
    assert draft["created_at"] == draft["updated_at"]
    assert draft["trashed_at"] is None


async def test_an_empty_draft_is_one(api: httpx.AsyncClient) -> None:
    draft = await make(api, "")
    assert (draft["title"], draft["text"], draft["words"], draft["bibliography"]) == ("", "", 0, [])
    assert (await api.post("/drafts", json={})).status_code == 201


async def test_a_draft_made_offline_is_stored_once(api: httpx.AsyncClient) -> None:
    body = {"id": str(uuid4()), "text": "# Herons", "bibliography": [BOOK], "settings": {"a": 1, "b": 2}}
    first = await api.post("/drafts", json=body)
    again = await api.post("/drafts", json=body | {"settings": {"b": 2, "a": 1}})
    assert (first.status_code, again.status_code, again.headers["etag"]) == (201, 200, '"1"')
    assert first.json() == again.json()
    other = await refused(await api.post("/drafts", json=body | {"text": "# Pikes"}), 409, "draft_exists")
    assert other["revision"] == 1
    assert (await api.get(f"/drafts/{body['id']}")).json() == first.json()


async def test_of_many_who_send_one_draft_at_once_one_stores_it(api: httpx.AsyncClient) -> None:
    body = {"id": str(uuid4()), "text": "# Herons"}
    answers = await asyncio.gather(*(api.post("/drafts", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    listed = (await api.get("/drafts")).json()["items"]
    assert [one["id"] for one in listed] == [body["id"]]


async def test_a_save_is_the_next_revision_and_the_one_before_is_kept(api: httpx.AsyncClient) -> None:
    draft = await make(api, bibliography=[BOOK])
    saved = await save(api, draft, "# Pikes\n\nThey lurk.", settings={"zoom": 2})
    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')
    assert "text" not in saved.json()
    assert (saved.json()["title"], saved.json()["revision"], saved.json()["settings"]) == ("Pikes", 2, {"zoom": 2})
    assert saved.json()["updated_at"] > draft["updated_at"]
    revisions = (await api.get(f"/drafts/{draft['id']}/revisions")).json()
    assert [(one["revision"], one["title"], one["mark"]) for one in revisions["items"]] == [
        (2, "Pikes", None), (1, "Herons", None),
    ]  # fmt: skip
    before = (await api.get(f"/drafts/{draft['id']}/revisions/1")).json()
    assert (before["text"], before["bibliography"], before["words"]) == (draft["text"], [BOOK], 3)
    assert before["saved_at"] == draft["created_at"]


async def test_a_save_over_what_was_not_seen_changes_nothing_and_says_what_there_is(api: httpx.AsyncClient) -> None:
    draft = await make(api)
    assert (await save(api, draft, "Mine.")).status_code == 200
    told = await refused(await save(api, draft, "Theirs."), 412, "draft_changed")
    assert told["revision"] == 2
    await refused(await save(api, draft, "Theirs.", seen=3), 412, "draft_changed")
    now = (await api.get(f"/drafts/{draft['id']}")).json()
    assert (now["text"], now["revision"]) == ("Mine.", 2)


async def test_a_save_whose_answer_was_lost_is_harmless(api: httpx.AsyncClient) -> None:
    draft = await make(api)
    first = await save(api, draft, "Mine.")
    again = await save(api, draft, "Mine.")
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, first.json(), '"2"')
    assert len((await api.get(f"/drafts/{draft['id']}/revisions")).json()["items"]) == 2


async def test_of_two_at_once_exactly_one_wins(api: httpx.AsyncClient) -> None:
    draft = await make(api)
    for seen in range(1, 6):
        answers = await asyncio.gather(*(save(api, draft, f"{seen} {n}", seen) for n in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
        (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 200]
        now = (await api.get(f"/drafts/{draft['id']}")).json()
        assert (now["text"], now["revision"]) == (f"{seen} {won}", seen + 1)


@pytest.mark.parametrize("tag", ["*", 'W/"1"', "1", '"one"', '"1", "2"', '""', '"01"', '"0"', '"-1"', '"9999999999"'])
async def test_a_tag_that_names_no_revision_is_input_at_fault(api: httpx.AsyncClient, tag: str) -> None:
    draft = await make(api)
    body = {"text": draft["text"], "bibliography": [], "settings": {}}
    answer = await api.put(f"/drafts/{draft['id']}", json=body, headers={"If-Match": tag})
    assert (await refused(answer, 422, "invalid_input"))["field"] == "if-match"


async def test_without_a_tag_nothing_is_overwritten(api: httpx.AsyncClient) -> None:
    draft = await make(api)
    body = {"text": "Mine.", "bibliography": [], "settings": {}}
    await refused(await api.put(f"/drafts/{draft['id']}", json=body), 428, "precondition_required")
    assert (await api.get(f"/drafts/{draft['id']}")).json() == draft
    partly = await api.put(f"/drafts/{draft['id']}", json={"text": "Mine."}, headers={"If-Match": '"1"'})
    assert (await refused(partly, 422, "invalid_input"))["field"] == "bibliography"


async def test_who_has_a_draft_already_is_sent_none(api: httpx.AsyncClient) -> None:
    draft = await make(api)
    path = f"/drafts/{draft['id']}"
    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        known = await api.get(path, headers={"If-None-Match": tag})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", '"1"')
    await save(api, draft, "Mine.")
    assert (await api.get(path, headers={"If-None-Match": '"1"'})).json()["text"] == "Mine."
    assert (await api.get(f"/drafts/{UNKNOWN}", headers={"If-None-Match": "*"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"text": "a\0b"}, 422, "text"),
        ({"text": "\ud800"}, 422, "text"),
        ({"text": 1}, 422, "text"),
        ({"text": "é" * 4_000_001}, 413, "text"),
        ({"bibliography": [{"id": "a"}, {"title": "none"}]}, 422, "bibliography.1.id"),
        ({"bibliography": [{"id": ""}]}, 422, "bibliography.0.id"),
        ({"bibliography": [{"id": 7}]}, 422, "bibliography.0.id"),
        ({"bibliography": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, 422, "bibliography.2.id"),
        ({"bibliography": ["a"]}, 422, "bibliography.0"),
        ({"bibliography": [{"id": "a", "note": "a\0b"}]}, 422, "bibliography.0"),
        ({"bibliography": [{"id": "a", "abstract": "x" * 2_000_000}]}, 413, "bibliography"),
        ({"settings": {"a": "x" * 16_000}}, 413, "settings"),
        ({"settings": {"a\0": 1}}, 422, "settings"),
        ({"settings": []}, 422, "settings"),
        ({"id": "mine"}, 422, "id"),
        ({"titel": "x"}, 422, "titel"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_stores_nothing(
    api: httpx.AsyncClient, conn: Connection, body: dict[str, Any], status: int, field: str
) -> None:
    content = json.dumps(body, ensure_ascii=body.get("text") == "\ud800").encode()
    sent = {"Content-Type": "application/json"}
    answer = await api.post("/drafts", content=content, headers=sent)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert await conn.fetchval("SELECT count(*) FROM drafts") == 0
    if "id" not in body:
        draft = await make(api)
        whole = json.dumps({"text": "", "bibliography": [], "settings": {}} | json.loads(content)).encode()
        again = await api.put(f"/drafts/{draft['id']}", content=whole, headers=sent | {"If-Match": '"1"'})
        assert (again.status_code, again.json()["field"]) == (status, field)
        assert await conn.fetchval("SELECT count(*) FROM draft_revisions") == 1


async def test_json_without_end_is_refused(api: httpx.AsyncClient) -> None:
    for depth in (99, 101, 900, 100_000):
        content = b'{"settings": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
        answer = await api.post("/drafts", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == (201 if depth == 99 else 422), answer.text
        if depth == 99:
            assert (await api.get(f"/drafts/{answer.json()['id']}")).status_code == 200


async def test_a_large_draft_comes_back_whole(api: httpx.AsyncClient) -> None:
    text = "".join(f"Line {number} of a long text, “quoted” 🐦.\n" for number in range(150_000))[:7_000_000]
    draft = await make(api, text)
    assert (await api.get(f"/drafts/{draft['id']}")).json()["text"] == text
    longest = await make(api, "x" * 8_000_000)
    assert (longest["characters"], longest["words"]) == (8_000_000, 1)


async def test_drafts_are_listed_by_their_newest_change(api: httpx.AsyncClient) -> None:
    drafts = [await make(api, f"# Draft {number}\n\nIts words.") for number in range(5)]
    await save(api, drafts[1], "# Draft 1, again")
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.get("/drafts", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        assert all("text" not in item and "bibliography" not in item for item in page["items"])
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["Draft 1, again", "Draft 4", "Draft 3", "Draft 2", "Draft 0"]
    assert (await api.get("/drafts?limit=1")).json()["items"][0]["excerpt"] == ""
    for cursor in ("x", "WyJ4Il0", "WyIyMDI2LTAxLTAxIiwgIngiXQ", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjAwIiwgIngiXQ"):
        answer = await api.get("/drafts", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_a_query_finds_what_stands_in_title_and_text(api: httpx.AsyncClient) -> None:
    long = "".join(f"Paragraph {number} goes on for a while.\n\n" for number in range(3000))
    await make(api, "# Herons\n\n100 % of them_wait \\ é")
    await make(api, f"# Ponds\n\n{long}Ähren am TEICH\n\n{long}")
    await make(api, "---\ntitle: Pikes\n---\n")

    async def found(query: str) -> list[str]:
        return [one["title"] for one in (await api.get("/drafts", params={"query": query})).json()["items"]]

    assert await found("hERON") == ["Herons"]
    assert await found("00 % of") == ["Herons"]
    assert await found("%") == ["Herons"]
    assert await found("m_w") == ["Herons"]
    assert await found("s_w") == []
    assert await found("\\ É") == ["Herons"]
    assert await found("ähren am teich") == ["Ponds"]
    assert await found("1499 goes on for a while.\n\nParagraph 1500") == ["Ponds"]
    assert await found("pikes") == ["Pikes"]
    assert len(await found("")) == 3
    assert (await api.get("/drafts", params={"query": "a\0"})).status_code == 422


async def test_the_trash_keeps_a_draft_until_it_is_emptied(api: httpx.AsyncClient, conn: Connection) -> None:
    draft, other = await make(api), await make(api, "# Pikes")
    path = f"/drafts/{draft['id']}"
    not_yet = await api.delete(f"{path}?for_good=true")
    await refused(not_yet, 409, "conflict")
    for _ in range(2):
        assert (await api.delete(path)).status_code == 204
    assert [one["id"] for one in (await api.get("/drafts")).json()["items"]] == [other["id"]]
    (trashed,) = (await api.get("/drafts?trashed=true")).json()["items"]
    assert trashed["id"] == draft["id"]
    assert trashed["trashed_at"]
    read = await api.get(path, headers={"If-None-Match": '"1"'})
    assert (read.status_code, read.json()["text"], "etag" in read.headers) == (200, draft["text"], False)
    await refused(await save(api, draft, "Mine."), 409, "draft_trashed")
    recovered = await api.post(f"{path}/recover")
    assert (recovered.status_code, recovered.headers["etag"], recovered.json()["trashed_at"]) == (200, '"1"', None)
    assert (await api.post(f"{path}/recover")).status_code == 200
    assert (await save(api, draft, "Mine.")).status_code == 200
    await api.delete(path)
    assert (await api.delete(f"{path}?for_good=true")).status_code == 204
    for method, way in (("GET", ""), ("DELETE", ""), ("DELETE", "?for_good=true"), ("POST", "/recover"),
                        ("GET", "/revisions"), ("GET", "/revisions/1")):  # fmt: skip
        await refused(await api.request(method, path + way), 404, "not_found")
    await refused(await save(api, draft, "Mine."), 404, "not_found")
    for table in ("draft_revisions", "draft_pieces"):
        assert await conn.fetchval(f"SELECT count(DISTINCT draft_id) FROM {table}") == 1


async def test_revisions_page_newest_first_and_a_restored_one_is_marked(api: httpx.AsyncClient) -> None:
    draft = await make(api, "one")
    for seen, text in enumerate(("two", "three"), 1):
        assert (await save(api, draft, text, seen)).status_code == 200
    first = (await api.get(f"/drafts/{draft['id']}/revisions/1")).json()
    assert (await save(api, draft, first["text"], 3, mark="restored")).json()["revision"] == 4
    path = f"/drafts/{draft['id']}/revisions"
    page = (await api.get(path, params={"limit": 3})).json()
    rest = (await api.get(path, params={"limit": 3, "cursor": page["next_cursor"]})).json()
    assert [(one["revision"], one["mark"]) for one in page["items"]] == [(4, "restored"), (3, None), (2, None)]
    assert ([one["revision"] for one in rest["items"]], rest["next_cursor"]) == ([1], None)
    assert (await save(api, draft, "four", 4, mark="lost")).status_code == 422
    await refused(await api.get(f"{path}/9"), 404, "not_found")
    assert (await api.get(f"{path}/0")).status_code == 422
    await refused(await api.get(f"/drafts/{UNKNOWN}/revisions"), 404, "not_found")


async def test_a_text_that_lacks_a_piece_is_not_given_for_the_whole(api: httpx.AsyncClient, conn: Connection) -> None:
    draft = await make(api, "".join(f"Paragraph {number} goes on for a while.\n\n" for number in range(300)))
    await conn.execute("DELETE FROM draft_pieces WHERE hash = (SELECT min(hash) FROM draft_pieces)")
    assert (await api.get(f"/drafts/{draft['id']}")).status_code == 500
