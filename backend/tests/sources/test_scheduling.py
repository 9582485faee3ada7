"""Sources that stay current by themselves, over a real database; an hour of it in simulated time."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents.models import DEFAULT_COLLECTION
from extrophi_backend.documents.visits import note_cited
from extrophi_backend.sources import service
from extrophi_backend.sources.scheduling import start_due, start_visits

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def add(conn: Connection, number: int, schedule: str = "auto", due: datetime = NOW) -> UUID:
    source_id = uuid7()
    target = f"https://site-{number}.example/"
    await conn.execute(
        """INSERT INTO sources (id, platform, target, typed, collection_id, schedule, next_run_at)
           VALUES ($1, 'web', $2, $2, $3, $4, $5)""",
        source_id, target, DEFAULT_COLLECTION, schedule, due,
    )  # fmt: skip
    return source_id


async def end(
    conn: Connection,
    job_id: UUID,
    now: datetime,
    status: str = "succeeded",
    *,
    code: str | None = "http_404",
    created: int = 0,
) -> None:
    """As the worker ends a job: by its status, then its source is told."""
    async with conn.transaction():
        await conn.execute(
            """UPDATE jobs SET status = $2, finished_at = $3, created = $4, error = $5 WHERE id = $1""",
            job_id, status, now, created,
            {"code": code, "detail": "So it is."} if status == "failed" and code else None,
        )  # fmt: skip
        await service.settle(conn, job_id, now)


async def source(conn: Connection, source_id: UUID) -> Any:
    return await conn.fetchrow("SELECT * FROM sources WHERE id = $1", source_id)


async def open_jobs(conn: Connection) -> list[Any]:
    return await conn.fetch("SELECT * FROM jobs WHERE status IN ('queued', 'running') ORDER BY id")


async def test_what_is_due_is_collected_once_however_many_look(pool: Pool, conn: Connection) -> None:
    due = {await add(conn, number) for number in range(5)}
    later = await add(conn, 9, due=NOW + SECOND)
    started = await asyncio.gather(*(start_due(pool, NOW) for _ in range(4)))
    assert sum(started) == 5
    found = await open_jobs(conn)
    assert {job["source_id"] for job in found} == due
    assert {(job["purpose"], job["scheduled"], job["status"]) for job in found} == {("new", True, "queued")}
    assert await start_due(pool, NOW) == 0
    assert (await source(conn, later))["next_run_at"] == NOW + SECOND


async def test_a_source_that_is_being_collected_or_paused_is_left_alone(pool: Pool, conn: Connection) -> None:
    busy = await add(conn, 1)
    paused = await add(conn, 2)
    await conn.execute("UPDATE sources SET state = 'paused' WHERE id = $1", paused)
    async with conn.transaction():
        job_id = await service.collect_now(conn, await service.get(conn, busy))
    assert await start_due(pool, NOW) == 0
    await end(conn, job_id, NOW)
    assert (await source(conn, busy))["health"] == "unchanged"
    assert await start_due(pool, NOW + DAY) == 1


async def test_jobs_that_nobody_asked_for_leave_room_for_those_of_people(pool: Pool, conn: Connection) -> None:
    for number in range(50):
        await add(conn, number, due=NOW - number * SECOND)
    assert await start_due(pool, NOW) == 20
    assert await start_due(pool, NOW) == 0
    targets = {job["target"] for job in await open_jobs(conn)}
    assert targets == {f"https://site-{number}.example/" for number in range(30, 50)}  # the longest due


async def test_how_a_job_ends_is_how_its_source_is(api: httpx.AsyncClient, pool: Pool, conn: Connection) -> None:
    one = await add(conn, 1, "15m")

    async def look(status: str, now: datetime, created: int = 0) -> dict[str, Any]:
        assert await start_due(pool, now) == 1
        (job,) = await open_jobs(conn)
        await end(conn, job["id"], now, status, created=created)
        return (await api.get(f"/sources/{one}")).json()

    now = NOW
    assert (await api.get(f"/sources/{one}")).json()["state"] == "new"
    assert (await look("succeeded", now, created=3))["state"] == "collected"
    now += DAY
    assert (await look("succeeded", now))["state"] == "unchanged"
    for count in (1, 2):
        now += 2 * DAY
        seen = await look("failed", now)
        assert (seen["state"], seen["reason"]["code"]) == ("gone", "http_404")
        assert seen["reason"]["hint"]
        assert (await source(conn, one))["failures"] == count
        assert seen["next_run_at"] is not None
    now += 2 * DAY
    assert (await look("failed", now))["next_run_at"] is None  # it stops
    assert await start_due(pool, now + 400 * DAY) == 0
    # A person knows better: it goes on.
    changed = (await api.patch(f"/sources/{one}", json={"state": "active"})).json()
    assert changed["next_run_at"] is not None
    await conn.execute("UPDATE sources SET next_run_at = $1", now)
    assert (await look("succeeded", now + DAY, created=1))["state"] == "collected"
    assert (await source(conn, one))["failures"] == 0


async def test_only_looks_that_found_nothing_count_as_such(
    api: httpx.AsyncClient, pool: Pool, conn: Connection
) -> None:
    one = await add(conn, 1, "15m")

    async def look(now: datetime, code: str) -> dict[str, Any]:
        await conn.execute("UPDATE sources SET next_run_at = $1", now)
        assert await start_due(pool, now) == 1
        (job,) = await open_jobs(conn)
        await end(conn, job["id"], now, "failed", code=code)
        return (await api.get(f"/sources/{one}")).json()

    for hours in range(3):
        assert (await look(NOW + hours * HOUR, "timeout"))["state"] == "failed"
    seen = await look(NOW + 3 * HOUR, "http_404")
    assert (seen["state"], seen["next_run_at"] is not None) == ("gone", True)
    for days in (1, 2):
        seen = await look(NOW + days * DAY, "http_404")
    assert (seen["state"], seen["next_run_at"]) == ("gone", None)
    await api.patch(f"/sources/{one}", json={"state": "active"})
    assert (await look(NOW + 3 * DAY, "http_404"))["next_run_at"] is not None


async def test_what_a_source_lists_being_gone_does_not_end_the_source(
    api: httpx.AsyncClient, pool: Pool, conn: Connection
) -> None:
    one = await add(conn, 1, "15m")
    target = (await source(conn, one))["target"]

    async def look(now: datetime, failed: str) -> dict[str, Any]:
        await conn.execute("UPDATE sources SET next_run_at = $1", now)
        assert await start_due(pool, now) == 1
        (job,) = await open_jobs(conn)
        await conn.execute(
            "INSERT INTO job_failures VALUES ($1, 1, $2, 'http_410', 'It is gone.')",
            job["id"],
            failed,
        )
        await end(conn, job["id"], now, "failed", code=None)
        return (await api.get(f"/sources/{one}")).json()

    seen = await look(NOW, f"{target}an-article")
    assert (seen["state"], seen["reason"]["code"], seen["next_run_at"] is not None) == ("failed", "http_410", True)
    seen = await look(NOW + DAY, target)
    assert (seen["state"], seen["next_run_at"]) == ("gone", None)


async def test_a_canceled_job_says_nothing_of_its_source(api: httpx.AsyncClient, pool: Pool, conn: Connection) -> None:
    one = await add(conn, 1)
    await start_due(pool, NOW)
    (job,) = await open_jobs(conn)
    assert (await api.post(f"/jobs/{job['id']}/cancel")).json()["status"] == "canceled"
    seen = (await api.get(f"/sources/{one}")).json()
    assert (seen["state"], seen["reason"]) == ("new", None)
    assert datetime.fromisoformat(seen["next_run_at"]) > datetime.now(UTC)


async def test_a_job_that_no_worker_takes_is_said_of_its_source(api: httpx.AsyncClient, conn: Connection) -> None:
    made = (await api.post("/sources", json={"target": "https://x.example/"})).json()
    assert made["reason"] is None
    await conn.execute("UPDATE jobs SET run_after = now() - interval '1 minute'")
    seen = (await api.get(f"/sources/{made['id']}")).json()
    assert (seen["state"], seen["reason"]["code"]) == ("new", "waits_for_worker")
    assert "extrophi status" in seen["reason"]["hint"]


async def test_a_schedule_is_chosen_and_changed_over_http(api: httpx.AsyncClient) -> None:
    body = {"target": "https://x.example/", "collect": False, "schedule": "every 6h", "time_zone": "Asia/Tokyo"}
    made = (await api.post("/sources", json=body)).json()
    assert (made["schedule"], made["time_zone"], made["state"]) == ("6h", "Asia/Tokyo", "new")
    first = datetime.fromisoformat(made["next_run_at"])
    changed = (await api.patch(f"/sources/{made['id']}", json={"schedule": "0 7 * * *"})).json()
    due = datetime.fromisoformat(changed["next_run_at"])
    assert due != first
    assert due.hour == 22  # seven in Tokyo
    same = (await api.patch(f"/sources/{made['id']}", json={"title": "X"})).json()
    assert same["next_run_at"] == changed["next_run_at"]
    never = (await api.patch(f"/sources/{made['id']}", json={"schedule": "never"})).json()
    assert never["next_run_at"] is None
    for wrong, field in (({"schedule": "often"}, "schedule"), ({"time_zone": "Mars/Olympus"}, "time_zone")):
        answer = await api.patch(f"/sources/{made['id']}", json=wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert (await api.post("/sources", json={"target": "https://y.example/"} | wrong)).status_code == 422
    assert len((await api.get("/sources")).json()["items"]) == 1


async def test_sources_are_listed_and_counted_by_state(api: httpx.AsyncClient, conn: Connection) -> None:
    ids = [await add(conn, number) for number in range(4)]
    for source_id, health in zip(ids, ["collected", "blocked", "gone", "collected"], strict=True):
        await conn.execute("UPDATE sources SET health = $2 WHERE id = $1", source_id, health)
    await conn.execute("UPDATE sources SET state = 'paused' WHERE id = $1", ids[3])

    async def listed(query: str) -> list[int]:
        found = (await api.get(f"/sources?{query}")).json()["items"]
        return sorted(ids.index(UUID(one["id"])) for one in found)

    assert await listed("state=blocked&state=gone") == [1, 2]
    assert await listed("state=paused") == [3]
    assert await listed("state=active") == [0, 1, 2]
    assert (await api.get("/sources?state=asleep")).status_code == 422
    stats = (await api.get("/stats")).json()
    assert stats["sources"] == {"blocked": 1, "collected": 1, "gone": 1, "paused": 1}


async def document(
    conn: Connection, name: str, due: datetime | None, *, cited: bool = False, of: Sequence[UUID] = ()
) -> UUID:
    """A document of these sources, or one that was collected singly."""
    document_id = uuid7()
    await conn.execute(
        """INSERT INTO documents (id, platform, external_id, content_hash, next_visit_at, cited_at)
           VALUES ($1, 'web', $2, '\\x00', $3, $4)""",
        document_id, f"https://site.example/{name}", due, NOW if cited else None,
    )  # fmt: skip
    for one in of:
        await conn.execute("INSERT INTO source_documents VALUES ($1, $2)", one, document_id)
    if not of:
        await conn.execute("INSERT INTO asked_documents VALUES ($1, false, true)", document_id)
    return document_id


async def test_known_documents_are_visited_within_a_budget_the_cited_first(pool: Pool, conn: Connection) -> None:
    for number in range(30):
        await document(conn, f"plain-{number}", NOW - DAY)
    for number in range(5):
        await document(conn, f"cited-{number}", NOW - SECOND, cited=True)
    await document(conn, "later", NOW + SECOND)
    assert await start_visits(pool, NOW, 2000) == 20
    (job,) = await open_jobs(conn)
    assert (job["purpose"], job["source_id"], job["scheduled"]) == ("revisit", None, True)
    assert {f"https://site.example/cited-{number}" for number in range(5)} < set(job["revisit"])
    assert await start_visits(pool, NOW, 2000) == 0  # the budget's next turn comes in a quarter of an hour
    free = await conn.fetchval("SELECT free_at - now() FROM budgets WHERE name = 'revisits'")
    assert timedelta(minutes=13) < free < timedelta(minutes=15)
    await conn.execute("UPDATE budgets SET free_at = now()")
    assert await start_visits(pool, NOW, 2000) == 15  # and not those of the first turn again


async def test_what_an_answer_cites_is_visited_from_tomorrow_on(
    api: httpx.AsyncClient, pool: Pool, conn: Connection
) -> None:
    now = datetime.now(UTC)  # as PostgreSQL has it
    cited, other = [await document(conn, name, now + 30 * DAY) for name in ("cited", "other")]
    soon = await document(conn, "soon", now + SECOND)
    pushed = await document(conn, "pushed", None)
    written = await document(conn, "written", now + 30 * DAY)
    async with pool.acquire() as writer, writer.transaction():
        await writer.execute("SELECT FROM documents WHERE id = $1 FOR UPDATE", written)
        await note_cited(conn, [cited, soon, pushed, written, uuid7()])  # and waits for nobody
    told = {
        row["id"]: row
        for row in await conn.fetch(
            "SELECT id, cited_at IS NOT NULL AS is_cited, next_visit_at, next_visit_at - now() AS rest FROM documents"
        )
    }
    assert {one for one, row in told.items() if row["is_cited"]} == {cited, soon, pushed}
    assert timedelta(hours=23) < told[cited]["rest"] <= timedelta(days=1)
    assert told[soon]["next_visit_at"] == now + SECOND
    assert told[other]["next_visit_at"] == told[written]["next_visit_at"] == now + 30 * DAY
    assert told[pushed]["next_visit_at"] is None  # nobody visits it, cited or not
    await conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, 'x', '', '' FROM documents"""
    )
    listed = {one["id"]: one["cited_at"] for one in (await api.get("/documents")).json()["items"]}
    assert (listed[str(cited)] is None, listed[str(other)] is None) == (False, True)
    assert (await api.get(f"/documents/{cited}")).json()["cited_at"] == listed[str(cited)]


async def test_visits_of_several_collections_are_jobs_of_their_own(pool: Pool, conn: Connection) -> None:
    birds = uuid7()
    await conn.execute("INSERT INTO collections (id, name) VALUES ($1, 'birds')", birds)
    for number in range(4):
        one = await document(conn, str(number), NOW)
        if number < 2:
            await conn.execute("INSERT INTO collection_documents VALUES ($1, $2)", birds, one)
    assert await start_visits(pool, NOW, 2000) == 4
    groups = {job["collection_id"]: sorted(job["revisit"]) for job in await open_jobs(conn)}
    assert groups == {
        birds: [f"https://site.example/{n}" for n in (0, 1)],
        DEFAULT_COLLECTION: [f"https://site.example/{n}" for n in (2, 3)],
    }


@pytest.mark.timeout(300)
async def test_a_thousand_sources_over_an_hour(pool: Pool, conn: Connection) -> None:
    """None starved, none doubled, spread out, and each looked at when it was said to be."""
    rand = random.Random(7)
    schedules = ["auto"] * 4 + ["15m", "30m", "1h", "*/20 * * * *", "5 * * * *", "90m"]
    rows = [(uuid7(), f"https://site-{n}.example/", schedules[n % len(schedules)]) for n in range(1000)]
    await conn.copy_records_to_table(
        "sources",
        columns=["id", "platform", "target", "typed", "collection_id", "schedule", "next_run_at"],
        # Added by a script, within five minutes.
        records=[
            (one, "web", target, target, DEFAULT_COLLECTION, schedule, NOW + rand.random() * timedelta(minutes=5))
            for one, target, schedule in rows
        ],
    )
    of = {one: schedule for one, _, schedule in rows}
    promised = {row["id"]: row["next_run_at"] for row in await conn.fetch("SELECT id, next_run_at FROM sources")}
    looks: dict[UUID, list[datetime]] = defaultdict(list)
    late: list[timedelta] = []
    now, step = NOW, timedelta(seconds=2)
    while now < NOW + timedelta(hours=1):
        # Two workers sweep at once, each second in life; then all that was sent is collected.
        await asyncio.gather(start_due(pool, now), start_due(pool, now))
        started = await open_jobs(conn)
        assert len({job["source_id"] for job in started}) == len(started)  # none doubled
        for job in started:
            one = job["source_id"]
            looks[one].append(now)
            late.append(now - promised[one])
        await settle_all(conn, started, now)
        promised |= {
            row["id"]: row["next_run_at"]
            for row in await conn.fetch(
                "SELECT id, next_run_at FROM sources WHERE id = ANY($1)", [job["source_id"] for job in started]
            )
        }
        now += step
    # Next runs were true: each came after its moment, and soon.
    assert min(late) >= timedelta()
    assert max(late) < timedelta(seconds=30)
    assert sorted(late)[len(late) // 2] <= 2 * step
    # None starved: as many looks as the schedule asks for, give or take its jitter and the first minutes.
    least = {"auto": 3, "15m": 3, "30m": 1, "1h": 1, "*/20 * * * *": 3, "5 * * * *": 1, "90m": 1}
    most = {"auto": 6, "15m": 6, "30m": 4, "1h": 2, "*/20 * * * *": 4, "5 * * * *": 3, "90m": 1}
    for one, schedule in of.items():
        assert least[schedule] <= len(looks[one]) <= most[schedule], (schedule, looks[one])
    # Spread: what was added together does not come together, one hour later.
    hourly = [promised[one] for one, schedule in of.items() if schedule in {"1h", "90m"}]
    minutes = Counter(int((moment - NOW).total_seconds() // 60) for moment in hourly)
    assert max(minutes.values()) < len(hourly) / 8
    assert len(minutes) > 20


async def settle_all(conn: Connection, started: Sequence[Any], now: datetime) -> None:
    ids = [job["id"] for job in started]
    async with conn.transaction():
        await conn.execute("UPDATE jobs SET status = 'succeeded', finished_at = $2 WHERE id = ANY($1)", ids, now)
        for job_id in ids:
            await service.settle(conn, job_id, now)


async def test_a_job_that_waits_says_so_of_its_source(api: httpx.AsyncClient, conn: Connection) -> None:
    made = (await api.post("/sources", json={"target": "https://x.example/"})).json()
    async with conn.transaction():
        error = {"code": "platform_unavailable", "detail": "x.example asked to wait.", "hint": ""}
        await conn.execute("UPDATE jobs SET run_after = now() + interval '10 minutes', error = $1", error)
        await service.note_waiting(conn, UUID(made["id"]), error)
    seen = (await api.get(f"/sources/{made['id']}")).json()
    assert (seen["state"], seen["reason"]["detail"]) == ("rate_limited", "x.example asked to wait.")
    assert datetime.fromisoformat(seen["next_run_at"]) > datetime.now(UTC) + timedelta(minutes=9)


async def test_what_is_noted_of_a_wait_is_what_its_job_says(api: httpx.AsyncClient, conn: Connection) -> None:
    made = (await api.post("/sources", json={"target": "https://x.example/", "schedule": "6h"})).json()
    paced = {"code": "paced", "detail": "x.example is not asked again for 240 s.", "hint": "It goes on by itself."}
    await conn.execute("UPDATE jobs SET run_after = now() + interval '4 minutes', error = $1", paced)
    waiting = (await api.get(f"/sources/{made['id']}")).json()
    run_after = (await api.get(f"/jobs/{made['last_job']['id']}")).json()["run_after"]
    assert (waiting["state"], waiting["reason"], waiting["next_run_at"]) == ("new", paced, run_after)
    # Nothing of it stays once the job is no more: it waits for its schedule again.
    await api.post(f"/jobs/{made['last_job']['id']}/cancel")
    after = (await api.get(f"/sources/{made['id']}")).json()
    assert (after["state"], after["reason"]) == ("new", None)
    assert datetime.fromisoformat(after["next_run_at"]) > datetime.now(UTC) + 5 * HOUR


async def test_visits_wait_for_room_among_the_jobs_that_nobody_asked_for(pool: Pool, conn: Connection) -> None:
    for number in range(19):
        await add(conn, number)
    await document(conn, "one", NOW)
    await document(conn, "two", NOW)
    assert await start_due(pool, NOW) == 19
    assert await start_visits(pool, NOW, 2000) == 1  # each may be a job of its own
    assert len(await open_jobs(conn)) == 20
    await conn.execute("UPDATE budgets SET free_at = now()")
    assert await start_visits(pool, NOW, 2000) == 0
    assert await conn.fetchval("SELECT free_at <= now() FROM budgets")  # no turn was spent on it
    await conn.execute("UPDATE jobs SET status = 'running' WHERE purpose = 'revisit'")
    assert await start_visits(pool, NOW, 2000) == 1


async def test_only_documents_that_an_active_source_has_or_that_were_collected_singly_are_visited(
    api: httpx.AsyncClient, pool: Pool, conn: Connection
) -> None:
    paused, removed, active = [await add(conn, number, due=NOW + 400 * DAY) for number in range(3)]
    ids = {
        "single": await document(conn, "single", NOW),
        "paused": await document(conn, "paused", NOW, of=[paused]),
        "removed": await document(conn, "removed", NOW, of=[removed]),
        "both": await document(conn, "both", NOW, of=[paused, active]),
        "left": await document(conn, "left", NOW, of=[removed, active]),
        "single and removed": await document(conn, "single and removed", NOW, of=[removed]),
    }
    await conn.execute("INSERT INTO asked_documents VALUES ($1, true, true)", ids["single and removed"])
    await conn.execute(
        "INSERT INTO asked_documents VALUES ($1, true, false)", ids["removed"]
    )  # its source's own target
    await conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, 'x', '', '' FROM documents"""
    )
    assert (await api.patch(f"/sources/{paused}", json={"state": "paused"})).status_code == 200
    assert (await api.delete(f"/sources/{removed}")).status_code == 204

    async def visited(now: datetime) -> set[str]:
        await conn.execute("DELETE FROM budgets")
        await start_visits(pool, now, 2000)
        found = {one for job in await open_jobs(conn) for one in job["revisit"]}
        await conn.execute("DELETE FROM jobs")
        return {one.rpartition("/")[2] for one in found}

    expected = {"single", "both", "left", "single and removed"}
    shown = {
        name: (await api.get(f"/documents/{one}")).json()["next_visit_at"] is not None for name, one in ids.items()
    }
    assert {name for name, is_told in shown.items() if is_told} == expected
    assert await visited(NOW) == expected
    assert await conn.fetchval("SELECT count(*) FROM documents WHERE next_visit_at <= $1", NOW) == 0
    await api.patch(f"/sources/{paused}", json={"state": "active"})
    assert await visited(NOW + 10 * DAY) == expected | {"paused"}


@pytest.mark.parametrize("status", ["queued", "running"])
async def test_pausing_a_source_cancels_its_job(api: httpx.AsyncClient, conn: Connection, status: str) -> None:
    made = (await api.post("/sources", json={"target": "https://x.example/"})).json()
    await conn.execute("UPDATE jobs SET status = $1", status)
    paused = (await api.patch(f"/sources/{made['id']}", json={"state": "paused"})).json()
    assert (paused["state"], paused["next_run_at"]) == ("paused", None)
    job = await conn.fetchrow("SELECT status, cancel_requested, finished_at IS NOT NULL AS is_over FROM jobs")
    expected = ("canceled", True, True) if status == "queued" else ("running", True, False)  # its worker ends it
    assert tuple(job or ()) == expected


async def test_a_site_is_looked_at_as_a_whole_once_a_week(pool: Pool, conn: Connection) -> None:
    site, page = await add(conn, 1), await add(conn, 2)
    await conn.execute("UPDATE sources SET first_look = $1", NOW - 8 * DAY)
    await conn.execute("UPDATE sources SET scope = 'site', depth = 5 WHERE id = $1", site)

    async def purposes(now: datetime, status: str = "succeeded") -> dict[UUID, str]:
        await conn.execute("UPDATE sources SET next_run_at = $1", now)
        await start_due(pool, now)
        found = await open_jobs(conn)
        for job in found:
            await end(conn, job["id"], now, status)
        return {job["source_id"]: job["purpose"] for job in found}

    assert await purposes(NOW, "failed") == {site: "all", page: "new"}
    assert await purposes(NOW + DAY) == {site: "all", page: "new"}  # else the whole would wait another week
    assert await purposes(NOW + 2 * DAY) == {site: "new", page: "new"}
    assert await purposes(NOW + 9 * DAY) == {site: "all", page: "new"}


async def test_a_widened_source_owes_a_look_at_the_whole_until_one_went_well(
    api: httpx.AsyncClient, pool: Pool, conn: Connection
) -> None:
    one = await add(conn, 1)
    await conn.execute("UPDATE sources SET first_look = $1", NOW - DAY)
    for change in ({"state": "paused"}, {"scope": "site"}):
        await api.patch(f"/sources/{one}", json=change)
    assert await start_due(pool, datetime.now(UTC)) == 0
    assert (await api.patch(f"/sources/{one}", json={"state": "active"})).json()["state"] == "new"
    now = datetime.now(UTC)
    for status, owes in (("failed", True), ("canceled", True), ("partial", False)):
        assert await start_due(pool, now) == 1
        (job,) = await open_jobs(conn)
        assert (job["scope"], job["depth"], job["purpose"]) == ("site", 5, "all")
        await end(conn, job["id"], now, status, created=status == "partial")
        assert (await service.get(conn, one)).owes_whole is owes
        assert await start_due(pool, now) == 0  # as often as its schedule says
        now += 2 * DAY
    settled = await source(conn, one)
    # What it found of the whole is no news, and the next look at the whole is in a week.
    assert settled["first_look"] == settled["full_look_at"] == now - 2 * DAY
    assert await start_due(pool, now) == 1
    assert [job["purpose"] for job in await open_jobs(conn)] == ["new"]
