import math
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from extrophi_backend.db import Connection
from extrophi_backend.documents import list_sql
from extrophi_backend.documents.models import Order, Position, Sort, Wanted
from extrophi_backend.http.cursors import write_cursor

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOOKS = [
    # external id, title, author, published
    ("1", "Éclairs at Dawn", "Łucja Ćwik", NOW),
    ("2", "“Dawn” and dusk", "anna", None),
    ("3", "", None, NOW - timedelta(days=3)),
    ("4", "egrets", "Béla", NOW - timedelta(days=1)),
    ("5", "…", "Anna", None),
    ("6", "鷺", "Bela", NOW - timedelta(days=2)),
]


@pytest.fixture
async def books(api: httpx.AsyncClient) -> None:
    for external_id, title, author, published in BOOKS:
        document = {
            "platform": "files",
            "external_id": external_id,
            "text": f"Text {external_id}.",
            "title": title,
            "author": author,
            "published_at": published.isoformat() if published else None,
        }
        assert (await api.post("/documents", json={"documents": [document]})).status_code == 200


async def listed(api: httpx.AsyncClient, limit: int = 2, **asked: str | list[str]) -> list[str]:
    """External ids, page by page; as many as the landmarks say, which begin where the pages do."""
    landmarks = (await api.get("/documents/landmarks", params={"every": limit} | asked)).json()
    seen: list[str] = []
    begins: list[str | None] = [None]
    while True:
        here = {"cursor": begins[-1]} if begins[-1] else {}
        answer = await api.get("/documents", params={"limit": limit} | asked | here)
        assert answer.status_code == 200, answer.text
        assert all(item["text"] is None for item in answer.json()["items"])
        seen += [item["external_id"] for item in answer.json()["items"]]
        if answer.json()["next_cursor"] is None:
            break
        begins.append(answer.json()["next_cursor"])
    assert landmarks == {"total": len(seen), "every": limit, "cursors": begins}
    return seen


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "654321"),
        ({"order": "oldest"}, "123456"),
        ({"sort": "collected", "order": "descending"}, "654321"),
        ({"sort": "published"}, "146352"),
        ({"sort": "published", "order": "oldest"}, "364125"),
        ({"sort": "title"}, "214635"),
        ({"sort": "title", "order": "descending"}, "641253"),
        ({"sort": "author"}, "254613"),
        ({"sort": "author", "order": "descending"}, "164523"),
    ],
)
async def test_a_list_is_sorted_and_what_has_no_key_comes_last(
    api: httpx.AsyncClient, books: None, asked: dict[str, str], expected: str
) -> None:
    # Those with equal keys, and those with none, go by their ids, which ascend.
    for limit in (1, 2, 4, 10):
        assert "".join(await listed(api, limit, **asked)) == expected


async def test_a_list_is_filtered_by_all_that_is_asked(api: httpx.AsyncClient, conn: Connection, books: None) -> None:
    await conn.execute("UPDATE documents SET language = 'en-GB' WHERE external_id = '4'")
    await conn.execute("UPDATE documents SET state = 'removed' WHERE external_id = '5'")
    source = await conn.fetchval(
        """INSERT INTO sources (id, platform, target, typed, collection_id)
           SELECT gen_random_uuid(), 'web', 'x', 'x', id FROM collections RETURNING id"""
    )
    await conn.execute(
        "INSERT INTO source_documents SELECT $1, id FROM documents WHERE external_id IN ('1', '6')", source
    )
    moment = await conn.fetchval("SELECT collected_at FROM documents WHERE external_id = '3'")
    day = NOW - timedelta(days=1)
    for asked, expected in (
        ({"author": "ANNA"}, "52"),
        ({"author": "anna", "state": "collected"}, "2"),
        ({"author": "anna", "state": ["removed", "gone"], "sort": "title"}, "5"),
        ({"author": "ann"}, ""),
        ({"author": "…"}, ""),
        ({"language": "en"}, "4"),
        ({"language": "EN-us"}, "4"),
        ({"source_id": str(source)}, "61"),
        ({"source_id": str(source), "sort": "author"}, "61"),
        ({"collected_after": moment.isoformat()}, "6543"),
        ({"collected_before": moment.isoformat()}, "21"),
        ({"published_after": day.isoformat()}, "41"),
        ({"published_before": day.isoformat(), "sort": "published"}, "63"),
        ({"platform": "web"}, ""),
        ({"platform": "files", "collection": "default", "order": "oldest"}, "123456"),
    ):
        assert "".join(await listed(api, 2, **asked)) == expected, asked


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "size"},
        {"order": "up"},
        {"sort": "title", "order": "newest"},
        {"author": "\0"},
        {"language": "\0"},
        {"source_id": "x"},
        {"collected_after": "yesterday"},
        {"published_before": "2026-01-01"},
    ],
)
async def test_what_no_list_is_made_by_is_refused(api: httpx.AsyncClient, asked: dict[str, str]) -> None:
    for path in ("/documents", "/documents/landmarks"):
        answer = await api.get(path, params=asked)
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"].split(".")[0] in asked


async def test_a_cursor_that_was_not_given_out_is_refused(api: httpx.AsyncClient) -> None:
    for sort in ("collected", "published", "title", "author"):
        for cursor in ("x", "bm9wZQ", "%00", "WyIxIiwiMiJd", "🐦", write_cursor("\0", str(UUID(int=0)))):
            answer = await api.get("/documents", params={"cursor": cursor, "sort": sort})
            assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_of_a_very_long_list_there_are_2000_landmarks_at_most(api: httpx.AsyncClient, conn: Connection) -> None:
    await make_documents(conn, 30_000)
    answer = (await api.get("/documents/landmarks", params={"every": 7})).json()
    assert (answer["total"], answer["every"], len(answer["cursors"])) == (30_000, 21, math.ceil(30_000 / 21))
    page = (await api.get("/documents", params={"limit": 1, "cursor": answer["cursors"][1000]})).json()
    assert page["items"][0]["external_id"] == "21001"


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize(
    ("sort", "key", "index"),
    [
        ("collected", timedelta(days=1), "documents_newest"),
        ("published", timedelta(days=1), "documents_published"),
        ("title", "2", "documents_title"),
        ("author", "2", "documents_author"),
    ],
)
async def test_each_order_is_read_by_its_index(
    conn: Connection,
    plan: Callable[[Awaitable[Any]], Awaitable[str]],
    order: str,
    sort: Sort,
    key: timedelta | str,
    index: str,
) -> None:
    await make_documents(conn, 3000)
    ascending = order == "ascending"
    ordered = Order(sort, ascending)
    at = datetime.now(UTC) - key if isinstance(key, timedelta) else key
    for wanted in (Wanted(), Wanted(platform="web")):
        for after in (None, Position(at, UUID(int=2**127)), Position(None, UUID(int=2**127))):
            if sort == "collected" and after is not None and after.key is None:
                continue
            told = await plan(list_sql.page(conn, wanted, ordered, after, limit=50))
            assert re.search(rf"Limit .*\n *->  Index (Only )?Scan (Backward )?using {index}", told)
    told = await plan(list_sql.landmarks(conn, Wanted(), ordered, every=100, keyed=3000, total=3000))
    assert f"Index Only Scan {'Backward ' if ascending == (sort == 'collected') else ''}using {index}" in told


@pytest.mark.parametrize("states", [["removed"], ["removed", "blocked", "removed"], ["removed", "collected"]])
async def test_documents_in_rare_states_are_found_by_their_index(
    api: httpx.AsyncClient, conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]], states: list[str]
) -> None:
    await make_documents(conn, 30_000)
    is_rare = "collected" not in states
    listing = list_sql.page(conn, Wanted(platform="web", states=states), Order(), None, limit=50)
    assert ("documents_states" in await plan(listing)) == is_rare
    expected = [1, 5001, 10001, 15001, 20001, 25001] + (
        [2, 5002, 10002, 15002, 20002, 25002] if len(states) > 2 else []
    )
    if is_rare:
        assert [int(one) for one in await listed(api, 4, state=states)] == sorted(expected)
    else:
        found = await api.get("/documents", params={"state": states, "limit": 4})
        assert [one["external_id"] for one in found.json()["items"]] == ["1", "4", "5", "6"]


async def make_documents(conn: Connection, number: int) -> None:
    """Collected a minute after each other, the first the newest; a few are in rare states."""
    await conn.execute(
        """WITH made AS (
               INSERT INTO documents (id, platform, external_id, content_hash, collected_at, state,
                                      title, author, published_at)
               SELECT gen_random_uuid(), 'web', n::text, '', now() - n * interval '1 minute',
                      CASE n % 5000 WHEN 1 THEN 'removed' WHEN 2 THEN 'blocked' WHEN 3 THEN 'gone' ELSE 'collected' END,
                      CASE WHEN n % 3 > 0 THEN n::text ELSE '' END, CASE WHEN n % 3 > 0 THEN n::text END,
                      CASE WHEN n % 3 > 0 THEN now() - n * interval '1 minute' END
                 FROM generate_series(1, $1::int) AS n RETURNING id)
           INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, 'x', '', '' FROM made""",
        number,
    )
    await conn.execute("VACUUM ANALYZE documents")
    await conn.execute("ANALYZE document_versions")
