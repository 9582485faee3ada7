"""Answers that somebody keeps: as they were given, and no source of others."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from extrophi_backend.db import Connection

CITATION = {
    "n": 1,
    "document_id": str(uuid4()),
    "version": 1,
    "quote": "Herons wait.",
    "quote_start": 0,
    "quote_end": 12,
}
ANSWER = {
    "question": "What do herons do?",
    "answer": "They wait. [1]",
    "citations": [CITATION],
    "model": "extractive",
    "abstained": False,
    "searched": {"documents": 12, "took_ms": 1.50, "near": None},
}


async def keep(api: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await api.post("/answers", json=ANSWER | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_answer_is_kept_as_it_was_given_and_is_no_document(api: httpx.AsyncClient, conn: Connection) -> None:
    sent = await api.post("/answers", json=ANSWER)
    kept = sent.json()
    assert (sent.status_code, sent.headers["location"]) == (201, f"answers/{kept['id']}")
    assert {name: kept[name] for name in ANSWER} == ANSWER
    assert (await api.get(f"/answers/{kept['id']}")).json() == kept
    assert (await api.get("/answers")).json() == {"items": [kept], "next_cursor": None}
    for table in ("documents", "chunks", "changes"):
        assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_the_same_sent_again_is_kept_once(api: httpx.AsyncClient) -> None:
    first = await keep(api, id=str(uuid4()))
    again = await api.post("/answers", json=ANSWER | {"id": first["id"]})
    assert (again.status_code, again.json()) == (200, first)
    for other in ({"answer": "They fish."}, {"citations": []}, {"abstained": True}, {"searched": {}}):
        refused = await api.post("/answers", json=ANSWER | {"id": first["id"]} | other)
        assert (refused.status_code, refused.json()["code"]) == (409, "answer_exists")
    assert len((await api.get("/answers")).json()["items"]) == 1
    await keep(api)
    assert len((await api.get("/answers")).json()["items"]) == 2


async def test_answers_page_newest_first_and_are_found_by_their_words(api: httpx.AsyncClient) -> None:
    made = [(await keep(api, question=f"Question {number}?"))["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.get("/answers", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await api.get("/answers", params={"query": query})).json()["items"]]

    assert await found("QUESTION 3") == [made[3]]
    assert await found("wait. [1]") == made[::-1]
    assert await found("%") == []
    assert (await api.get("/answers", params={"cursor": "x"})).json()["field"] == "cursor"


async def test_a_forgotten_answer_is_gone(api: httpx.AsyncClient) -> None:
    kept = await keep(api)
    assert (await api.delete(f"/answers/{kept['id']}")).status_code == 204
    for method in ("GET", "DELETE"):
        answer = await api.request(method, f"/answers/{kept['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"question": " \n"}, "question"),
        ({"question": "a\0"}, "question"),
        ({"answer": "\ud800"}, "answer"),
        ({"answer": None}, "answer"),
        ({"citations": [{"quote": "a\0"}]}, "citations.0"),
        ({"citations": [1]}, "citations.0"),
        ({"citations": [{}] * 101}, "citations"),
        ({"searched": []}, "searched"),
        ({"abstain": True}, "abstain"),
    ],
)
async def test_what_cannot_be_kept_is_refused(api: httpx.AsyncClient, wrong: dict[str, Any], field: str) -> None:
    body = json.dumps(ANSWER | wrong).encode()
    answer = await api.post("/answers", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await api.get("/answers")).json()["items"] == []
