"""All jobs in one stream, as a board of them follows it."""

from collections.abc import Iterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.tests.events.following import told
from extrophi_backend.app import create_app
from extrophi_backend.db import Connection
from extrophi_backend.jobs import board, sql
from extrophi_backend.settings import Settings
from tests.app_server import serving


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(create_app(settings)) as address:
        yield address


async def make(url: str, path: str) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(f"{url}/jobs", json={"target": f"https://x.example/{path}"})
        answer.raise_for_status()
        return answer.json()["id"]


async def cancel(url: str, job_id: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        (await client.post(f"{url}/jobs/{job_id}/cancel")).raise_for_status()


async def start(conn: Connection, job_id: str) -> None:
    assert await sql.take_lease(conn, UUID(job_id), "worker")


async def test_a_board_begins_with_the_newest_and_hears_of_every_change(url: str, conn: Connection) -> None:
    made = [await make(url, str(number)) for number in range(3)]
    async with aclosing(told(f"{url}/jobs")) as stream:
        first = [await anext(stream) for _ in range(4)]
        assert [one.name for one in first] == ["job", "job", "job", "listed"]
        assert [one.data["id"] for one in first[:3]] == made[::-1]
        await start(conn, made[1])
        one = await anext(stream)
        assert (one.data["id"], one.data["status"]) == (made[1], "running")
        await cancel(url, made[1])
        one = await anext(stream)
        assert (one.data["id"], one.data["status"], one.data["cancel_requested"]) == (made[1], "running", True)
        made.append(await make(url, "new"))
        assert (await anext(stream)).data["id"] == made[3]
        await cancel(url, made[0])
        one = await anext(stream)
        assert (one.data["id"], one.data["status"]) == (made[0], "canceled")


async def test_a_board_of_one_status_hears_of_what_comes_to_it_and_what_leaves(url: str, conn: Connection) -> None:
    queued, running = await make(url, "queued"), await make(url, "running")
    await start(conn, running)
    async with aclosing(told(f"{url}/jobs", "?status=running")) as stream:
        assert (await anext(stream)).data["id"] == running
        assert (await anext(stream)).name == "listed"
        await make(url, "another")
        await start(conn, queued)
        assert (await anext(stream)).data["id"] == queued
        await conn.execute("UPDATE jobs SET status = 'succeeded', revision = revision + 1, finished_at = now()")
        await sql.notify(conn, UUID(running))
        one = await anext(stream)
        assert (one.data["id"], one.data["status"]) == (running, "succeeded")


async def test_what_was_not_notified_is_seen_a_little_later(
    url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "LOOK_AGAIN_SECONDS", 0.2)
    one, other = await make(url, "one"), await make(url, "other")
    async with aclosing(told(f"{url}/jobs", "?status=queued")) as stream:
        for _ in range(3):
            await anext(stream)
        await conn.execute("UPDATE jobs SET status = 'running', revision = revision + 1 WHERE id = $1", UUID(one))
        assert (await anext(stream)).data["id"] == one
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%notif%'"
        )
        await conn.execute("UPDATE jobs SET status = 'running', revision = revision + 1 WHERE id = $1", UUID(other))
        assert (await anext(stream)).data["id"] == other


async def test_a_job_says_whose_source_it_is_of(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30, base_url=url) as client:
        source: dict[str, Any] = {"target": "https://x.example/blog/page", "title": "A blog"}
        made = (await client.post("/sources", json=source)).json()
        await client.post(f"/sources/{made['id']}/jobs")
        (job,) = (await client.get("/jobs")).json()["items"]
        assert (job["source_id"], job["source_title"]) == (made["id"], "A blog")
        assert (await client.get("/jobs/events?status=asleep")).status_code == 422
