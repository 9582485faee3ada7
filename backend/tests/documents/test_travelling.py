"""Documents that come from another library: what GET gives here, POST takes there, and it is the same."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.db import Connection
from extrophi_backend.documents.pushed import read_pushed
from extrophi_backend.documents.schemas import PushedDocument
from extrophi_backend.errors import InvalidInput

TEXT = "Herons 🐦\n\nThe heron eats at dawn.\nIt rests at noon.\n\n第一章 鷺"
PLACES: dict[str, Any] = {
    "anchors": [
        [0, {"page": 1}],
        [10, {"page": 2, "url": "https://a.example/x#p2"}],
        [11, {"seconds": 1.5}],
        [12, {"author": "b", "published_at": "2026-01-31T12:00:00Z", "depth": 3, "score": -2, "state": "removed"}],
    ],
    "blocks": [[0, 8, 1], [10, 34, 0], [34, 51, 0], [53, 58, 2]],
}
OLD, NEW = "2026-01-31T12:00:00.123456Z", "2026-02-01T12:00:00Z"


def kept(text: str = TEXT, **more) -> dict:
    return {"platform": "web", "external_id": "https://a.example/x", "text": text, "collected_at": OLD} | more


async def push(api: httpx.AsyncClient, *documents: dict) -> list[dict]:
    answer = await api.post("/documents", json={"documents": list(documents)})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def read(api: httpx.AsyncClient, item: dict, version: int | None = None) -> dict:
    answer = await api.get(f"/documents/{item['id']}", params={"version": version} if version else {})
    return answer.raise_for_status().json()


async def test_a_document_read_here_and_pushed_there_is_the_same(api: httpx.AsyncClient, conn: Connection) -> None:
    sent = kept(
        title="Herons", author="Jane", url="https://a.example/x?a", canonical_url="https://a.example/x",
        published_at="2026-01-30T00:00:00Z", language="en", format="html", collections=["birds", "reading"],
        state="gone", gone_at=NEW, **PLACES,
    )  # fmt: skip
    (item,) = await push(api, sent)
    first = await read(api, item)
    assert {name: first[name] for name in sent} == sent
    chunks = "SELECT ordinal, start_offset, end_offset, heading, text, embedding_hash FROM chunks ORDER BY 1"
    cut = await conn.fetch(chunks)
    assert [row["heading"] for row in cut] == ["Herons 🐦", "Herons 🐦 > 第一章 鷺"]

    await conn.execute("DELETE FROM documents")
    (again,) = await push(api, first)
    assert again["id"] != item["id"]
    there = await read(api, again)
    assert there == first | {"id": again["id"], "seen_at": there["seen_at"]}  # each library has its own eyes
    assert await conn.fetch(chunks) == cut


async def test_the_same_again_changes_nothing(api: httpx.AsyncClient, conn: Connection) -> None:
    versions = [kept("one"), kept("two", collected_at=NEW, state="gone", gone_at=NEW)]
    created, updated = await push(api, *versions)
    assert (created["status"], updated["status"]) == ("created", "updated")
    everything = [await conn.fetch(f"SELECT * FROM {t} ORDER BY 1, 2") for t in ("documents", "chunks", "changes")]
    again = await push(api, *reversed(versions))
    assert [item["status"] for item in again] == ["unchanged", "unchanged"]
    after = [await conn.fetch(f"SELECT * FROM {t} ORDER BY 1, 2") for t in ("documents", "chunks", "changes")]
    assert after == everything


async def test_versions_come_in_any_order_and_stand_in_theirs(api: httpx.AsyncClient, conn: Connection) -> None:
    moments = [f"2026-01-0{day}T00:00:00Z" for day in (3, 1, 2)]
    items = await push(api, *(kept(f"day {moment[9]}", collected_at=moment) for moment in moments))
    assert [item["status"] for item in items] == ["updated", "created", "updated"]
    assert [(await read(api, items[0], number))["text"] for number in (1, 2, 3)] == ["day 1", "day 2", "day 3"]
    assert await conn.fetchval("SELECT array_agg(text) FROM chunks") == ["day 3"]


async def test_what_is_here_since_is_not_undone(api: httpx.AsyncClient) -> None:
    await push(api, kept("old"))
    (mine,) = await push(api, {"platform": "web", "external_id": "https://a.example/x", "text": "collected since"})
    (item,) = await push(api, kept("from elsewhere", collected_at=NEW, collections=["birds"]))
    assert item["status"] == "unchanged"
    found = await read(api, mine)
    assert (found["text"], found["collections"]) == ("collected since", ["birds", "default"])


async def test_what_went_at_its_source_later_is_marked_here_too(api: httpx.AsyncClient, conn: Connection) -> None:
    (item,) = await push(api, kept())
    await push(api, kept(state="gone", gone_at=NEW))  # seen here after that: it stays
    assert (await read(api, item))["state"] == "collected"
    await conn.execute("UPDATE documents SET seen_at = $1::timestamptz - interval '1 day'", await _moment(conn))
    await push(api, kept(state="gone", gone_at=NEW))
    assert (await read(api, item))["gone_at"] == NEW


async def _moment(conn: Connection):
    return await conn.fetchval("SELECT $1::text::timestamptz", NEW)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"blocks": [[0, 5, 0], [4, 8, 0]]}, "blocks"),
        ({"blocks": [[5, 8, 0], [0, 4, 0]]}, "blocks"),
        ({"blocks": [[3, 3, 0]]}, "blocks"),
        ({"blocks": [[0, len(TEXT) + 1, 0]]}, "blocks"),
        ({"blocks": [[0, 5, 7]]}, "blocks.0.2"),
        ({"blocks": [[0, 5]]}, "blocks.0.2"),
        ({"blocks": [[-1, 5, 0]]}, "blocks.0.0"),
        ({"blocks": [[0, 2**70, 0]]}, "blocks"),
        ({"anchors": [[5, {"page": 1}], [4, {"page": 2}]], "blocks": []}, "anchors"),
        ({"anchors": [[len(TEXT) + 1, {"page": 1}]]}, "anchors"),
        ({"anchors": [[0, {"place": 1}]]}, "anchors.0.1.place"),
        ({"anchors": [[0, {"page": 2**31}]]}, "anchors.0.1.page"),
        ({"anchors": [[0, {"page": 1}]], "format": "html"}, "anchors"),
        ({"state": "gone"}, "gone_at"),
        ({"gone_at": OLD}, "gone_at"),
        ({"state": "gone", "gone_at": OLD, "collected_at": None}, "gone_at"),
        ({"collected_at": "2126-01-01T00:00:00Z"}, "collected_at"),
        ({"collected_at": "2026-01-01T00:00:00"}, "collected_at"),
        ({"collected_at": "0001-01-01T00:00:00+14:00"}, "collected_at"),
        ({"published_at": "9999-12-31T23:59:59-14:00"}, "published_at"),
        ({"state": "lost"}, "state"),
        ({"collections": []}, "collections"),
        ({"collections": ["a", " "]}, "collections.1"),
        ({"canonical_url": "x" * 8001}, "canonical_url"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_its_name(
    api: httpx.AsyncClient, conn: Connection, wrong: dict, field: str
) -> None:
    answer = await api.post("/documents", json={"documents": [kept(), kept(external_id="y") | wrong]})
    assert (answer.status_code, answer.json()["field"]) == (422, f"documents.1.{field}")
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0


async def test_a_list_from_the_oldest_misses_nothing_that_changes_meanwhile(api: httpx.AsyncClient) -> None:
    notes = [{"platform": "files", "external_id": str(number), "text": "first"} for number in range(4)]
    for note in notes:
        await push(api, note)
    query = {"order": "oldest", "include": "text", "limit": 2}
    page = (await api.get("/documents", params=query)).json()
    assert [item["external_id"] for item in page["items"]] == ["0", "1"]
    await push(api, notes[2] | {"text": "second"})
    rest = (await api.get("/documents", params=query | {"cursor": page["next_cursor"]})).json()["items"]
    assert [(item["external_id"], item["text"], item["blocks"]) for item in rest] == [
        ("3", "first", []),
        ("2", "second", []),
    ]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40), st.integers(0, 6)), max_size=5),
)
async def test_blocks_are_taken_exactly_when_they_are_ascending_apart_and_within(
    text: str, blocks: list[tuple[int, int, int]]
) -> None:
    edges = [0, *(edge for start, end, _ in blocks for edge in (start, end)), len(text)]
    fit = edges == sorted(edges) and all(start < end for start, end, _ in blocks)
    try:
        document = PushedDocument.model_validate(kept(text, blocks=blocks))
        pushed = await read_pushed(document, 0)
    except (ValueError, InvalidInput):
        assert not fit
    else:
        assert fit
        assert [(block.start, block.end, block.level) for block in pushed.collected.blocks] == blocks
