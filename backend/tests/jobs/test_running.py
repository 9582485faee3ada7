"""Jobs run by a real worker process over PostgreSQL and Valkey."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import Connection
from extrophi_backend.settings import Settings
from extrophi_cli.embedded.valkey import Valkey

PATH = os.pathsep.join(entry for entry in sys.path if entry)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(settings: Settings, valkey: Valkey, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(valkey.url), "files_roots": (tmp_path,)})


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://backend") as client,
    ):
        yield client


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    env = os.environ | {
        "PYTHONPATH": PATH,
        "EXTROPHI_ROLE": "worker",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "EXTROPHI_DATA": str(settings.data),
        "EXTROPHI_FILES_ROOTS": ",".join(str(root) for root in settings.files_roots),
    }
    with (settings.data / "worker.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "extrophi_backend"], env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def write_notes(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"note-{number:04}.md").write_text(f"# Note {number}\n\nHeron number {number} eats at dawn.\n")


async def job(api: httpx.AsyncClient, folder: Path, **more: Any) -> dict:
    answer = await api.post("/jobs", json={"target": str(folder), "limit": 10_000} | more)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ended(api: httpx.AsyncClient, job_id: str, seconds: float = 60) -> dict:
    async with asyncio.timeout(seconds):
        while True:
            found = (await api.get(f"/jobs/{job_id}")).json()
            if found["finished_at"]:
                return found
            await asyncio.sleep(0.1)


async def until(conn: Connection, statement: str, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await conn.fetchval(statement):
            await asyncio.sleep(0.02)


async def test_a_folder_is_collected_and_again_nothing_changes(
    api: httpx.AsyncClient, settings: Settings, folder: Path, conn: Connection
) -> None:
    write_notes(folder, 30)
    with worker(settings):
        first = await ended(api, (await job(api, folder))["id"])
        second = await ended(api, (await job(api, folder))["id"])
    assert first["status"] == second["status"] == "succeeded"
    assert first["progress"] == {"found": 30, "created": 30, "updated": 0, "unchanged": 0, "failed": 0}
    assert second["progress"] == {"found": 30, "created": 0, "updated": 0, "unchanged": 30, "failed": 0}
    assert await conn.fetchval("SELECT count(*) FROM documents") == 30


async def test_a_file_that_cannot_be_read_is_one_failure(
    api: httpx.AsyncClient, settings: Settings, folder: Path
) -> None:
    write_notes(folder, 3)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is no PDF")
    with worker(settings):
        done = await ended(api, (await job(api, folder))["id"])
    assert done["status"] == "partial"
    assert done["progress"]["failed"] == 1
    assert done["failures"][0]["target"].endswith("broken.pdf")
    assert done["failures"][0]["code"]
    assert done["failures"][0]["detail"]


async def test_a_killed_workers_job_goes_on_from_its_cursor(
    api: httpx.AsyncClient, settings: Settings, folder: Path, conn: Connection
) -> None:
    write_notes(folder, 400)
    made = await job(api, folder)
    with worker(settings) as first:
        await until(conn, "SELECT found > 40 FROM jobs")
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert await conn.fetchval("SELECT status FROM jobs") == "running"
    at = await conn.fetchval("SELECT found FROM jobs")
    with worker(settings):
        done = await ended(api, made["id"])
    assert done["status"] == "succeeded"
    assert done["attempts"] == 2
    assert done["progress"] == {"found": 400, "created": 400, "updated": 0, "unchanged": 0, "failed": 0}
    assert 40 < at < 400
    assert await conn.fetchval("SELECT count(*) FROM documents") == 400


async def test_a_stopped_worker_gives_its_job_back_at_once(
    api: httpx.AsyncClient, settings: Settings, folder: Path, conn: Connection
) -> None:
    write_notes(folder, 600)
    made = await job(api, folder)
    with worker(settings) as first:
        await until(conn, "SELECT found > 20 FROM jobs")
        first.terminate()
        first.wait(timeout=10)
        assert await conn.fetchval("SELECT status FROM jobs") == "queued"
        assert await conn.fetchval("SELECT deaths FROM jobs") == 0
    with worker(settings):
        done = await ended(api, made["id"])
    assert done["progress"]["created"] == 600


async def test_a_running_job_can_be_cancelled(
    api: httpx.AsyncClient, settings: Settings, folder: Path, conn: Connection
) -> None:
    write_notes(folder, 3000)
    made = await job(api, folder)
    with worker(settings):
        await until(conn, "SELECT found > 0 FROM jobs")
        await api.post(f"/jobs/{made['id']}/cancel")
        done = await ended(api, made["id"])
    assert done["status"] == "canceled"
    assert done["progress"]["found"] == await conn.fetchval("SELECT count(*) FROM documents") < 3000


async def test_two_workers_run_a_job_once(
    api: httpx.AsyncClient, settings: Settings, folder: Path, conn: Connection
) -> None:
    write_notes(folder, 100)
    with worker(settings), worker(settings):
        made = [await job(api, folder) for _ in range(6)]
        done = [await ended(api, one["id"]) for one in made]
    assert {one["status"] for one in done} == {"succeeded"}
    assert {one["attempts"] for one in done} == {1}
    assert sum(one["progress"]["created"] for one in done) == 100
    assert await conn.fetchval("SELECT count(*) FROM documents") == 100


async def test_a_job_made_while_redis_is_away_runs_when_it_is_back(
    settings: Settings, folder: Path, valkey: Valkey
) -> None:
    write_notes(folder, 1)
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:9")})
    app = create_app(away)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as api,
    ):
        made = await job(api, folder)
        with worker(settings):
            assert (await ended(api, made["id"]))["status"] == "succeeded"
