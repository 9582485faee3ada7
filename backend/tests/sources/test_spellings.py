"""Spellings of one target are one source, in libraries from before as well."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from backend.tests.sources.test_routes import add, run
from extrophi_backend.db import Connection, Pool
from extrophi_backend.schema.migrate import migrate, migrations
from extrophi_backend.settings import Settings
from tests.web_server import WebServer

NOBODY = "http://127.0.0.1:1/"


async def read(api: httpx.AsyncClient, source: dict[str, Any]) -> Any:
    return (await api.get(f"/sources/{source['id']}")).json()


async def sources(api: httpx.AsyncClient) -> list[str]:
    return [one["target"] for one in (await api.get("/sources")).json()["items"]]


async def test_neither_scheme_nor_www_makes_another_source(api: httpx.AsyncClient) -> None:
    first = await add(api, "http://some.site/a?b=c", collect=False)
    for spelling in ("https://www.some.site/a?b=c", "WWW.some.site:443/a?b=c", "http://www.some.site:80/a?b=c#d"):
        answer = await api.post("/sources", json={"target": spelling, "title": "Another"})
        assert (answer.status_code, answer.json()) == (200, first)  # the first stays as it is
    other = await api.post("/sources", json={"target": "https://some.site/a?b=c", "collection": "birds"})
    assert (other.status_code, other.json()["target"]) == (201, "https://some.site/a?b=c")
    assert await sources(api) == ["https://some.site/a?b=c", "http://some.site/a?b=c"]


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("http://some.site:8080/", "https://some.site:8080/"),
        ("http://some.site/", "http://some.site:8080/"),
        ("https://some.site/a", "https://some.site/A"),
        ("https://some.site/a", "https://some.site/a/"),
        ("https://some.site/?a", "https://some.site/?b"),
        ("https://www.com/", "https://com/"),
        ("https://www.www.some.site/", "https://some.site/"),
        ("https://some.site/http://www.a.org/", "https://some.site/http://a.org/"),
        ("https://wwwsome.site/", "https://some.site/"),
    ],
)
async def test_what_is_another_page_stays_another_source(api: httpx.AsyncClient, one: str, another: str) -> None:
    await add(api, one, collect=False)
    await add(api, another, collect=False)
    assert await sources(api) == [another, one]


async def test_where_a_port_is_named_www_makes_no_other_either(api: httpx.AsyncClient) -> None:
    first = await add(api, "http://www.some.site:8080/", collect=False)
    assert (await add(api, "http://some.site:8080/", collect=False))["id"] == first["id"]
    six = await add(api, "http://[2606:4700::1111]/", collect=False)
    assert (await add(api, "https://[2606:4700::1111]/", collect=False))["id"] == six["id"]


async def test_spellings_that_are_added_at_once_are_one_source(api: httpx.AsyncClient) -> None:
    spellings = ("http://some.site/", "https://some.site/", "http://www.some.site/", "https://www.some.site/") * 2
    added = await asyncio.gather(*(add(api, spelling) for spelling in spellings))
    assert len({one["id"] for one in added}) == 1
    assert len((await api.get("/jobs")).json()["items"]) == 1


async def becomes(pool: Pool, source: dict[str, Any], target: str) -> None:
    """As if it had been added so: no two schemes of one server of ours are spellings, since its port is named."""
    await pool.execute(
        "UPDATE sources SET target = $2, key = source_key('web', $2) WHERE id = $1", UUID(source["id"]), target
    )


async def test_a_spelling_that_never_answered_gives_way_to_one_that_may(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, NOBODY, title="Birds", schedule="6h")
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    failed = await read(api, source)
    assert (failed["state"], failed["documents"]) == ("failed", 0)
    await pool.execute(
        """INSERT INTO misses (source_id, target, code, detail, next_try_at)
           VALUES ($1, 'https://some.site/x', 'timeout', '', now())""",
        UUID(source["id"]),
    )
    waiting = (await api.post(f"/sources/{source['id']}/jobs")).json()
    www = server.url("/").replace("127.0.0.1", "www.some.site")
    await becomes(pool, source, www)
    assert (await add(api, www))["state"] == "failed"  # the same spelling: nothing changes

    here = www.replace("www.", "")
    answer = await api.post("/sources", json={"target": here, "title": "Fish", "schedule": "1d"})
    taken = answer.json()
    assert (answer.status_code, taken["id"], taken["target"]) == (200, source["id"], here)
    assert (taken["state"], taken["reason"], taken["title"], taken["schedule"]) == ("new", None, "Birds", "6h")
    assert await pool.fetchval("SELECT count(*) FROM misses") == 0
    assert (await api.get(f"/jobs/{waiting['id']}")).json()["status"] == "canceled"
    job = (await api.get(f"/jobs/{taken['last_job']['id']}")).json()
    assert (job["status"], job["target"], job["source_id"]) == ("queued", here, source["id"])
    assert await sources(api) == [here]
    assert (await add(api, www))["target"] == here  # it has not failed


async def test_a_source_that_is_gone_goes_on_in_another_spelling_when_it_is_asked_to(
    api: httpx.AsyncClient, pool: Pool
) -> None:
    source = await add(api, "http://some.site/", collect=False)
    await pool.execute("UPDATE sources SET health = 'gone', next_run_at = NULL, failures = 3")
    taken = await add(api, "https://some.site/", collect=False)
    assert (taken["id"], taken["target"], taken["last_job"]) == (source["id"], "https://some.site/", None)
    assert taken["next_run_at"] is not None
    assert (await api.post(f"/sources/{source['id']}/jobs")).json()["target"] == "https://some.site/"


@pytest.mark.parametrize("why", ["it has documents", "it is paused", "it is being tried", "it is only blocked"])
async def test_a_spelling_stays_that_may_bring_something_or_has(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path, why: str
) -> None:
    source = await add(api, server.url("/"))
    if why == "it has documents":
        await run(source["last_job"]["id"], pool, settings, tmp_path)
    await becomes(pool, source, "http://some.site/")
    await pool.execute("UPDATE sources SET health = $1", "blocked" if why == "it is only blocked" else "failed")
    if why == "it is paused":
        await api.patch(f"/sources/{source['id']}", json={"state": "paused"})
    if why == "it is being tried":
        await pool.execute("UPDATE jobs SET status = 'running'")
    before = await read(api, source)
    assert await add(api, "https://some.site/") == before


async def before_spellings(conn: Connection, *targets: str) -> list[UUID]:
    """The database as the release before had it, with these sources, oldest first."""
    await conn.execute("DROP INDEX sources_key")
    await conn.execute("ALTER TABLE sources DROP COLUMN key, DROP COLUMN twin")
    await conn.execute("DROP FUNCTION source_key")
    await conn.execute("DELETE FROM schema_migrations WHERE name = $1", "0013_spellings.sql")
    return [
        await conn.fetchval(
            """INSERT INTO sources (id, platform, target, typed, collection_id, created_at)
               SELECT gen_random_uuid(), $1, $2, $2, id, now() + $3 * interval '1 s' FROM collections RETURNING id""",
            "files" if target.startswith("file:") else "web",
            target,
            number,
        )
        for number, target in enumerate(targets)
    ]


async def test_a_library_from_before_keeps_all_it_has(database: str, api: httpx.AsyncClient) -> None:
    conn = await asyncpg.connect(database)
    try:
        first, second, third, folder = await before_spellings(
            conn, "http://some.site/", "https://www.some.site/", "https://some.site/", "file:///http://www.a.org"
        )
        assert "0013_spellings.sql" in migrations()
        await migrate(database)
        kept = await conn.fetch("SELECT id, key, twin FROM sources ORDER BY created_at")
        assert [tuple(row) for row in kept] == [
            (first, "some.site/", 0),
            (second, "some.site/", 1),
            (third, "some.site/", 2),
            (folder, "file:///http://www.a.org", 0),
        ]
    finally:
        await conn.close()

    async def id_of(target: str) -> UUID:
        return UUID((await add(api, target, collect=False))["id"])

    # As it is written, each is found; what is written otherwise is the first.
    assert await id_of("https://some.site/") == third
    assert await id_of("https://www.some.site/") == second
    assert await id_of("http://www.some.site/") == first
    for gone, left in ((first, second), (second, third)):
        assert (await api.delete(f"/sources/{gone}")).status_code == 204
        assert await id_of("http://some.site/") == await id_of("http://www.some.site/") == left
    assert (await api.delete(f"/sources/{third}")).status_code == 204
    assert await id_of("http://some.site/") not in {first, second, third}
