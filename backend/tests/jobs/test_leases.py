"""Jobs run by hand, so that what happens in the middle of one can be chosen."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import redis.asyncio
from uuid_utils.compat import uuid7

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Collected, Failure, Page, Run
from extrophi_backend.collectors.registry import make_registry
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents.models import DEFAULT_COLLECTION
from extrophi_backend.errors import PlatformUnavailable, Unavailable
from extrophi_backend.fetch.errors import Paced
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs import sql
from extrophi_backend.jobs.models import DEATHS, JOBS_KEPT, WAITS, Counts, Lease, NewJob
from extrophi_backend.jobs.sending import send_lost, send_unsent
from extrophi_backend.queue import make_celery
from extrophi_backend.settings import Settings
from extrophi_cli.embedded.valkey import Valkey
from tests.web_server import Reply, WebServer, article, serving, sitemap


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"fetch_allow": (ip_network("127.0.0.0/8"),)})


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
async def parts(pool: Pool, settings: Settings, tmp_path: Path) -> AsyncIterator[jobs.Parts]:
    captures = Captures(None, tmp_path / "captures")
    registry = make_registry(settings, pool, Accounts(pool, settings), captures)
    yield jobs.Parts(pool, captures, registry, "test", lambda: None)
    await registry.close()


class Given:
    """A collector that does what it is told: what others give comes from outside, this one's does not."""

    def __init__(self, *pages: Page | Exception) -> None:
        self.pages = pages

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


def collecting(parts: jobs.Parts, *pages: Page | Exception) -> jobs.Parts:
    return replace(parts, registry=replace(parts.registry, collectors={"web": Given(*pages)}))


async def make_job(conn: Connection, source_id: UUID | None = None) -> UUID:
    job = NewJob(uuid7(), "https://x.example/", "x.example", "web", DEFAULT_COLLECTION, 100, source_id)
    assert await sql.insert(conn, job)
    return job.id


async def lease(conn: Connection) -> Lease:
    taken = await sql.take_lease(conn, await make_job(conn), "test")
    assert taken is not None
    return taken


async def seen(api: httpx.AsyncClient, job_id: UUID | str) -> dict:
    return (await api.get(f"/jobs/{job_id}")).raise_for_status().json()


@asynccontextmanager
async def half_collected(api: httpx.AsyncClient, server: WebServer, parts: jobs.Parts) -> AsyncIterator[dict]:
    """A source whose job waits for its second page of three until the block ends, and has ended after it."""
    go = threading.Event()

    def slowly(_: WebServer) -> Reply:
        go.wait(30)
        return article("Two")

    paths = ["/one", "/two", "/three"]
    server.pages |= {path: article(path) for path in paths} | {"/two": slowly}
    server.pages["/s.xml"] = sitemap(*map(server.url, paths))
    source = (await api.post("/sources", json={"target": server.url("/s.xml")})).json()
    running = asyncio.create_task(jobs.run(parts, UUID(source["last_job"]["id"])))
    async with asyncio.timeout(30):
        while not server.requests["/two"]:
            await asyncio.sleep(0.02)
    yield source
    go.set()
    await running


async def test_a_job_whose_source_is_deleted_while_it_runs_is_canceled(
    api: httpx.AsyncClient, server: WebServer, parts: jobs.Parts
) -> None:
    async with half_collected(api, server, parts) as source:
        assert (await api.delete(f"/sources/{source['id']}")).status_code == 204
    job = await seen(api, source["last_job"]["id"])
    assert (job["status"], job["error"], job["source_id"]) == ("canceled", None, None)


async def test_a_job_whose_source_is_paused_while_it_runs_is_canceled(
    api: httpx.AsyncClient, server: WebServer, parts: jobs.Parts
) -> None:
    async with half_collected(api, server, parts) as source:
        assert (await api.patch(f"/sources/{source['id']}", json={"state": "paused"})).json()["state"] == "paused"
    paused = (await api.get(f"/sources/{source['id']}")).json()
    assert (paused["last_job"]["status"], paused["reason"], paused["next_run_at"]) == ("canceled", None, None)
    assert (await api.patch(f"/sources/{source['id']}", json={"state": "active"})).json()["next_run_at"] is not None


async def test_deleting_a_source_and_saving_what_its_job_found_do_not_wait_for_each_other(
    api: httpx.AsyncClient, parts: jobs.Parts, conn: Connection
) -> None:
    for number in range(5):
        pages = [Page((Collected("web", f"{number}/{page}", f"text {page}"),)) for page in range(20)]
        source = (await api.post("/sources", json={"target": f"https://x.example/{number}"})).json()
        job_id = source["last_job"]["id"]
        running = asyncio.create_task(jobs.run(collecting(parts, *pages), UUID(job_id)))
        async with asyncio.timeout(30):
            while not await conn.fetchval("SELECT found FROM jobs WHERE id = $1", UUID(job_id)):
                await asyncio.sleep(0)
        assert (await api.delete(f"/sources/{source['id']}")).status_code == 204
        await running
        assert (await seen(api, job_id))["status"] in {"canceled", "succeeded"}


async def test_cancelling_a_job_that_is_told_to_wait_ends_it(
    api: httpx.AsyncClient, server: WebServer, parts: jobs.Parts
) -> None:
    asked, go = threading.Event(), threading.Event()

    def busy(_: WebServer) -> Reply:
        asked.set()
        go.wait(30)
        return Reply("", 429, headers={"Retry-After": "3600"})

    server.pages["/busy"] = busy
    made = (await api.post("/jobs", json={"target": server.url("/busy")})).json()
    running = asyncio.create_task(jobs.run(parts, UUID(made["id"])))
    await asyncio.to_thread(asked.wait, 30)
    await api.post(f"/jobs/{made['id']}/cancel")
    go.set()
    await running
    job = await seen(api, made["id"])
    assert (job["status"], job["error"]) == ("canceled", None)
    assert job["finished_at"]


async def test_a_document_that_cannot_be_kept_is_one_failure(
    api: httpx.AsyncClient, parts: jobs.Parts, conn: Connection
) -> None:
    documents = [
        Collected("web", "fine", "One."),
        Collected("web", "x" * 8000, "Its address is too long."),
        Collected("web", "鷺" * 1000, "Its address is too long, in bytes."),
        Collected("web", "nul", "a \0 in it"),
        Collected("web", "half", "a \ud800 in it"),
        Collected("web", "title", "Two.", title="\0"),
        Collected("web", "fine, too", "Three."),
    ]
    failed = Failure("\0" + "y" * 9000, "http_404", "\ud800")
    page = Page(tuple(documents), failures=(failed,), cursor={"at": 1}, memos={"z" * 9000: 1})
    made = await make_job(conn)
    await jobs.run(collecting(parts, page, Page(tuple(documents), cursor={"at": 2})), made)
    job = await seen(api, made)
    assert (job["status"], job["error"]) == ("partial", None)
    assert job["progress"] == {"found": 15, "created": 2, "updated": 0, "unchanged": 2, "failed": 11}
    codes = [one["code"] for one in job["failures"]]
    assert sorted(codes[:6]) == ["http_404", "too_long", "too_long", "unstorable", "unstorable", "unstorable"]
    assert {row["external_id"] for row in await conn.fetch("SELECT external_id FROM documents")} == {
        "fine",
        "fine, too",
    }
    assert await conn.fetchval("SELECT cursor->>'at' FROM jobs") == "2"


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("No process."),
        asyncpg.DeadlockDetectedError(),
        asyncpg.DiskFullError(),
        OSError(24, "Too many files"),
    ],
)
async def test_what_a_retry_may_mend_is_tried_again_and_not_for_ever(
    api: httpx.AsyncClient, parts: jobs.Parts, conn: Connection, error: Exception
) -> None:
    source = await api.post("/sources", json={"target": "https://x.example/", "collect": False})
    source_id = UUID(source.json()["id"])
    made = await make_job(conn, source_id)
    for _ in range(WAITS):
        await jobs.run(collecting(parts, error), made)
        job = await seen(api, made)
        assert (job["status"], job["error"]["code"]) == ("queued", "unavailable")
        assert job["run_after"] > job["started_at"]
        told = (await api.get(f"/sources/{source_id}")).json()
        assert (told["state"], told["reason"]["code"], told["next_run_at"]) == (
            "failed",
            "unavailable",
            job["run_after"],
        )
        await conn.execute("UPDATE jobs SET run_after = now()")
    await jobs.run(collecting(parts, error), made)
    assert (await seen(api, made))["status"] == "failed"


async def test_waiting_for_our_own_pace_is_never_in_vain(
    api: httpx.AsyncClient, parts: jobs.Parts, conn: Connection
) -> None:
    source = (await api.post("/sources", json={"target": "https://x.example/", "schedule": "1d"})).json()
    made = source["last_job"]["id"]
    for _ in range(WAITS + 1):
        await conn.execute("UPDATE jobs SET run_after = now()")
        await jobs.run(collecting(parts, Paced("x.example is not asked again for 300 s.", retry_after=300)), UUID(made))
    job = await seen(api, made)
    assert (job["status"], job["error"]["code"]) == ("queued", "paced")
    told = (await api.get(f"/sources/{source['id']}")).json()
    assert (told["state"], told["reason"]["code"], told["next_run_at"]) == ("new", "paced", job["run_after"])
    await conn.execute("UPDATE jobs SET run_after = now()")
    made = UUID(made)
    refused = PlatformUnavailable("x.example asks to be left alone.", retry_after=30)
    for _ in range(WAITS + 1):
        await jobs.run(collecting(parts, refused), made)
        await conn.execute("UPDATE jobs SET run_after = now()")
    assert (await seen(api, made))["status"] == "failed"


@pytest.mark.parametrize("error", [KeyError("x"), asyncpg.exceptions.ClientConfigurationError("x")])
async def test_a_mistake_of_ours_is_told_as_one(
    api: httpx.AsyncClient, parts: jobs.Parts, conn: Connection, error: Exception
) -> None:
    made = await make_job(conn)
    await jobs.run(collecting(parts, error), made)
    job = await seen(api, made)
    assert (job["status"], job["error"]["code"]) == ("failed", "internal")


async def dies(conn: Connection, job_id: UUID, suspect: str | None) -> None:
    """A worker takes the job, and is heard of no more."""
    taken = await sql.take_lease(conn, job_id, "test")
    assert taken is not None
    if suspect:
        await sql.note_suspect(conn, taken, suspect)
    await conn.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")


async def test_five_deaths_at_a_cursor_set_the_document_at_fault_aside(conn: Connection) -> None:
    made = await make_job(conn)
    for _ in range(DEATHS - 1):
        await dies(conn, made, "https://x.example/poison")
    assert await conn.fetchval("SELECT set_aside FROM jobs") == []
    await dies(conn, made, "https://x.example/poison")
    taken = await sql.take_lease(conn, made, "test")
    assert taken is not None
    assert list(taken.set_aside) == ["https://x.example/poison"]
    await sql.advance(conn, taken, {}, Counts(), [])
    assert await conn.fetchval("SELECT deaths FROM jobs") == 0


async def test_five_deaths_before_any_document_end_the_job(api: httpx.AsyncClient, conn: Connection) -> None:
    made = await make_job(conn)
    for _ in range(DEATHS):
        await dies(conn, made, None)
    assert await sql.take_lease(conn, made, "test") is None
    assert await sql.end_poisonous(conn, made)
    job = await seen(api, made)
    assert (job["status"], job["error"]["code"]) == ("failed", "poisonous")
    assert job["error"]["hint"]


async def test_a_lease_is_kept_while_its_own_save_takes_long(pool: Pool) -> None:
    async with pool.acquire() as saving, pool.acquire() as other:
        ours = await lease(other)
        async with saving.transaction():
            assert await sql.hold(saving, ours)
            async with asyncio.timeout(2):
                assert await sql.beat(other, ours) is False
            await saving.execute("SELECT pg_sleep(1)")
            await sql.advance(saving, ours, {}, Counts(), [])
        left = await other.fetchval("SELECT lease_until - clock_timestamp() FROM jobs")
        assert left > timedelta(seconds=14.5)
        await other.execute("UPDATE jobs SET fence = fence + 1")
        assert await sql.beat(other, ours) is None
        assert await sql.hold(other, ours) is None


async def test_taking_a_job_wakes_who_watches_it(pool: Pool, conn: Connection) -> None:
    heard: list[object] = []
    made = await make_job(conn)
    listener: Callable[..., None] = lambda *told: heard.append(told[-1])  # noqa: E731
    await conn.add_listener("extrophi_jobs", listener)
    async with pool.acquire() as other:
        await sql.take_lease(other, made, "test")
    async with asyncio.timeout(10):
        while str(made) not in heard:
            await conn.execute("SELECT 1")
    assert heard == [str(made)]
    await conn.remove_listener("extrophi_jobs", listener)


async def test_a_message_is_sent_again_only_when_it_is_lost(pool: Pool, conn: Connection, valkey: Valkey) -> None:
    celery = make_celery(valkey.url)
    queue: Any = redis.asyncio.from_url(valkey.url)
    await queue.delete("extrophi")
    for _ in range(5):
        await make_job(conn)
    await send_unsent(pool, celery)
    assert await queue.llen("extrophi") == 5
    for _ in range(3):
        await conn.execute("UPDATE jobs SET sent_at = now() - interval '1 minute'")
        await send_lost(pool, celery)
    assert await queue.llen("extrophi") == 5
    await queue.lpop("extrophi")
    await send_lost(pool, celery)
    assert await queue.llen("extrophi") == 5
    await queue.delete("extrophi")
    await send_lost(pool, celery)
    assert await queue.llen("extrophi") == 4  # the fifth was sent a moment ago
    await conn.execute("UPDATE jobs SET sent_at = now() - interval '1 minute'")
    await send_lost(pool, celery)
    assert await queue.llen("extrophi") == 5
    await queue.delete("extrophi")
    await queue.aclose()


async def test_redis_that_is_full_loses_no_job(api: httpx.AsyncClient, pool: Pool, conn: Connection) -> None:
    from kombu.exceptions import OperationalError  # noqa: PLC0415

    await make_job(conn)
    with pytest.raises(OperationalError):
        await send_unsent(pool, make_celery("redis://127.0.0.1:9"))
    assert await conn.fetchval("SELECT sent_at FROM jobs") is None


async def test_what_an_old_job_found_is_forgotten(conn: Connection, parts: jobs.Parts) -> None:
    made = [await make_job(conn) for _ in range(2)]
    for job_id in made:
        await jobs.run(collecting(parts, Page((Collected("web", str(job_id), "text"),))), job_id)
    await conn.execute("UPDATE jobs SET finished_at = now() - interval '31 days' WHERE id = $1", made[0])
    await jobs.prune(parts.pool)
    assert await conn.fetchval("SELECT array_agg(job_id) FROM job_documents") == [made[1]]
    assert await conn.fetchval("SELECT count(*) FROM documents") == 2


def old_id(days: float) -> UUID:
    """A job's id of so many days ago."""
    made = datetime.now(UTC) - timedelta(days=days)
    return UUID(int=(int(made.timestamp() * 1000) << 80) | (uuid7().int & ((1 << 80) - 1)))


async def make_old_jobs(conn: Connection, source_id: UUID | None, days: Sequence[float]) -> list[UUID]:
    """Jobs that ended so many days ago, each with a failure."""
    ids = [old_id(one) for one in days]
    await conn.executemany(
        """INSERT INTO jobs (id, target, typed, platform, collection_id, document_limit, source_id, status, finished_at)
           VALUES ($1, 'x', 'x', 'web', $2, 1, $3, 'partial', now() - $4 * interval '1 day')""",
        [(job_id, DEFAULT_COLLECTION, source_id, one) for job_id, one in zip(ids, days, strict=True)],
    )
    await conn.execute("INSERT INTO job_failures SELECT id, 1, 'x', 'x', '' FROM jobs WHERE id = ANY($1)", ids)
    return ids


async def test_old_jobs_are_forgotten_but_for_the_last_of_each_source(
    api: httpx.AsyncClient, conn: Connection, parts: jobs.Parts
) -> None:
    sources = [
        UUID((await api.post("/sources", json={"target": f"https://x.example/{n}", "collect": False})).json()["id"])
        for n in range(2)
    ]
    rare = await make_old_jobs(conn, sources[0], [100 + number for number in range(130)])
    busy = await make_old_jobs(conn, sources[1], [number * 0.6 for number in range(200)])  # 120 days of them
    (young, old, named, finder) = await make_old_jobs(conn, None, [89, 91, 91, 91])
    await conn.execute("UPDATE jobs SET status = 'running', finished_at = NULL WHERE id = $1", rare[-1])
    await conn.execute(
        """INSERT INTO investigations (id, question, targets, document_limit, scope, job_ids)
           VALUES (gen_random_uuid(), '?', '{x}', 1, 'targets', $1)""",
        [uuid7(), named],
    )
    document_id = uuid7()
    await conn.execute(
        "INSERT INTO documents (id, platform, external_id, content_hash) VALUES ($1, 'web', 'x', '')", document_id
    )
    async with conn.transaction():  # it is known for 30 days what a job found: this one would lose it just now
        await conn.execute("INSERT INTO job_documents VALUES ($1, $2)", finder, document_id)
        assert await sql.prune_jobs(conn, JOBS_KEPT, 10) == 10
        assert await conn.fetchval("SELECT true FROM jobs WHERE id = $1", finder)
    await jobs.prune(parts.pool)
    kept = {row["id"] for row in await conn.fetch("SELECT id FROM jobs")}
    assert kept == {*rare[:100], rare[-1], *busy[:150], young, named}
    assert await conn.fetchval("SELECT count(*) FROM job_failures") == len(kept)
    assert old not in kept


async def test_old_jobs_are_found_by_their_indexes(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    told = await plan(sql.prune_jobs(conn, JOBS_KEPT, 10))
    for name in ("jobs_of_no_source", "jobs_source", "investigations_jobs"):
        assert name in told


async def test_open_jobs_are_found_by_their_index(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    for call in (sql.take_unsent(conn), sql.count_due(conn, timedelta()), sql.take_lost(conn, timedelta(), 5)):
        assert "jobs_open" in await plan(call)
