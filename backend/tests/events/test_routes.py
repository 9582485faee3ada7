"""The stream of events, as a client follows it over HTTP."""

import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.tests.events.following import position, some, told
from extrophi_backend.app import create_app
from extrophi_backend.collectors.models import Collected
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links, Others
from extrophi_backend.events import service, sql
from extrophi_backend.events.models import Position, Wanted
from extrophi_backend.http.cursors import read_cursor
from extrophi_backend.settings import Settings
from tests.app_server import serving


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(create_app(settings)) as address:
        yield address


async def push(api_url: str, /, *names: str, text: str = "Herons stand.", **more: Any) -> list[str]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        body = [{"platform": "files", "external_id": name, "text": text, "title": name} | more for name in names]
        answer = await client.post(f"{api_url}/documents", json={"documents": body})
        answer.raise_for_status()
        return [one["id"] for one in answer.json()["items"]]


async def test_what_happens_to_documents_is_told_as_it_happens(url: str, pool: Pool) -> None:
    async with aclosing(told(url)) as stream:
        assert (await anext(stream)).name == "position"
        (heron,) = await push(url, "heron", collection="birds", url="https://pond.example/heron")
        created = await anext(stream)
        assert created.name == "document.created"
        assert created.data["document_id"] == heron
        assert created.data["title"] == "heron"
        assert created.data["url"] == "https://pond.example/heron"
        assert created.data["platform"] == "files"
        assert created.data["collections"] == ["birds"]
        assert created.data["source_ids"] == []
        await push(url, "heron", text="Herons fly.", collection="birds")
        updated = await anext(stream)
        assert (updated.name, updated.data["version"]) == ("document.updated", 2)
        await push(url, "heron", text="Herons fly.", collection="birds")  # unchanged: nothing is told
        async with pool.acquire() as conn, conn.transaction():
            await documents.write(conn, [], Links(), Others("files", gone=("heron",)))
        gone = await anext(stream)
        assert (gone.name, gone.data["version"]) == ("document.gone", 2)
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.delete(f"{url}/documents/{heron}")).raise_for_status()
        deleted = await anext(stream)
        assert deleted.name == "document.deleted"
        assert (deleted.data["document_id"], deleted.data["title"], deleted.data["url"]) == (heron, None, None)
        assert deleted.data["collections"] == ["birds"]
    assert len({one.data["id"] for one in (created, updated, gone, deleted)}) == 4
    # What is left of it: no title of a deleted document is told to those who come later.
    assert [one.name for one in await some(url, 1, last=created.id)] == ["document.deleted"]


async def test_a_late_commit_is_told_to_who_was_away_and_to_who_was_there(url: str, pool: Pool) -> None:
    start = await position(url)
    prepared = await documents.prepare(pool, None, [Collected("web", "late", "It took long.")])
    async with aclosing(told(url)) as there, pool.acquire() as conn:
        assert (await anext(there)).name == "position"
        transaction = conn.transaction()
        await transaction.start()
        (late,) = await documents.write(conn, prepared, Links())  # numbered first
        (early,) = await push(url, "early")  # committed first
        first = await anext(there)
        assert first.data["document_id"] == early
        (seen,) = await some(url, 1, last=start)
        assert seen.data["document_id"] == early
        await transaction.commit()
        second = await anext(there)
        assert second.data["document_id"] == str(late.id)
        assert int(second.data["id"]) < int(first.data["id"])
        (found,) = await some(url, 1, last=seen.id)
        assert found.data["document_id"] == str(late.id)
    await push(url, "last")
    assert [one.data["title"] for one in await some(url, 1, last=found.id)] == ["last"]
    assert [one.data["title"] for one in await some(url, 1, last=second.id)] == ["last"]


async def test_a_client_that_is_cut_off_after_each_event_is_told_each_once(url: str, pool: Pool) -> None:
    start = await position(url)
    names = [f"n{number:02}" for number in range(12)]
    for group in (names[:4], names[4:8]):
        await push(url, *group)
    last, found = start, list[str]()
    while len(found) < 8:
        (one,) = await some(url, 1, last=last)
        last = one.id
        found.append(one.data["title"])
    await push(url, *names[8:])
    found += [one.data["title"] for one in await some(url, 4, f"?after={last}")]
    assert found == names
    # The same by small pages, from the database's side.
    async with pool.acquire() as conn:
        at = await service.read_position(conn, start, "after")
    paged = [event.title async for event, _ in service.new_events(pool, at, Wanted(), page=5) if event]
    assert paged == names


async def test_only_what_is_asked_for_is_told(url: str, conn: Connection) -> None:
    start = await position(url)
    await push(url, "heron", collection="birds")
    (pike,) = await push(url, "pike", collection="fish", platform="web")
    await push(url, "pike", text="Pikes lurk.", collection="fish", platform="web")
    await conn.execute(
        """INSERT INTO sources (id, platform, target, typed, collection_id)
           SELECT '00000000-0000-7000-8000-00000000000a', 'web', 'pond', 'pond', id
             FROM collections WHERE name = 'fish'"""
    )
    await conn.execute(
        "INSERT INTO source_documents VALUES ('00000000-0000-7000-8000-00000000000a', $1::text::uuid)", pike
    )
    await push(url, "end", collection="birds")
    for query, expected in {
        "?collection=birds": ["heron", "end"],
        "?platform=web": ["pike", "pike"],
        "?platform=web&kind=document.updated": ["pike"],
        "?source_id=00000000-0000-7000-8000-00000000000a&kind=document.created": ["pike"],
        "?collection=birds&collection=fish": ["heron", "pike", "pike", "end"],
    }.items():
        assert [one.data["title"] for one in await some(url, len(expected), query, last=start)] == expected


def made_up(*key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


NOW = "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "given",
    [
        "x",
        "5",
        "é",
        made_up("2026-01-01T00:00:00+00:00"),
        made_up("2026-01-01T00:00:00", "1,0", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1:1:", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "0,1", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "5,-1", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "5,1,0,1", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "5,1,0", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1,\u0661", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", f"1,{2**63 - 2}", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1," + ",".join(["9" * 19] * 400), "", "0"),
        made_up("2026-01-01T00:00:00+00:00", f"1,{2**64}", "", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1,0", "drop table", "0"),
        made_up("2026-01-01T00:00:00+00:00", "1,0", "", "-1"),
        made_up("2026-01-01T00:00:00+00:00", "1,0", "", str(2**63)),
        made_up(NOW, "1,0", "", "0"),
    ],
)
async def test_an_id_that_was_not_given_out_is_refused_with_words(api: httpx.AsyncClient, given: str) -> None:
    for answer in (
        await api.get("/events", params={"after": given}),
        await api.get("/events", headers=[(b"Last-Event-ID", given.encode("latin-1"))]),
    ):
        assert answer.status_code == 422
        assert answer.json()["field"] in {"after", "last-event-id"}
        assert answer.json()["hint"]


async def test_an_id_older_than_what_is_kept_says_what_to_do(api: httpx.AsyncClient, conn: Connection) -> None:
    at = await conn.fetchval("SELECT now()")
    old = made_up((at - timedelta(days=31)).isoformat(), "1,0", "", "0")
    answer = await api.get("/events", params={"after": old})
    assert (answer.status_code, answer.json()["code"]) == (410, "position_lost")
    assert "GET /documents" in answer.json()["hint"]


async def test_events_are_forgotten_once_nobody_can_ask_for_them(pool: Pool, conn: Connection) -> None:
    prepared = await documents.prepare(pool, None, [Collected("web", name, name) for name in ("a", "b")])
    async with conn.transaction():
        await documents.write(conn, prepared, Links())
    await conn.execute("UPDATE events SET happened_at = now() - interval '32 days' WHERE seq = 1")
    await service.prune(pool)
    assert [row["seq"] for row in await conn.fetch("SELECT seq FROM events")] == [2]


async def test_looking_reads_what_is_new_and_no_more(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    seen = (await sql.now(conn)).snapshot
    assert "events_txid" in await plan(sql.look(conn, seen))
    assert "events_pkey" in await plan(sql.between(conn, seen, seen, after=0, wanted=Wanted(), limit=10))


async def test_a_position_moves_on_where_nothing_happens(pool: Pool) -> None:
    async with pool.acquire() as conn:
        start = await service.present(conn)
    old = type(start)(start.at - timedelta(days=20), start.seen)
    (found,) = [after async for _, after in service.new_events(pool, old, Wanted())]
    assert found.at >= start.at


@given(st.integers(1, 2**50), st.sets(st.integers(0, 3000), max_size=300), st.integers(3001, 4000))
def test_any_snapshot_survives_being_an_id(start: int, running: set[int], end: int) -> None:
    snapshot = f"{start}:{start + end}:{','.join(str(start + one) for one in sorted(running))}"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    written = service.write_position(Position(at, snapshot, snapshot, 7))
    assert len(written) < 8000
    assert read_cursor(written, str, service._unpacked, service._unpacked, int)[1:] == [snapshot, snapshot, 7]
