"""Jobs run by a real worker process over PostgreSQL and Valkey."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import Connection
from extrophi_backend.settings import Settings
from extrophi_cli.embedded.valkey import Valkey
from tests.web_server import Reply, WebServer, article, serving, sitemap

PATH = os.pathsep.join(entry for entry in sys.path if entry)


@dataclass
class Site:
    """A sitemap of `pages` pages, and one of them that is answered once `go` is set."""

    server: WebServer
    go: threading.Event
    pages: int = 30
    slow: int = 15

    def target(self, name: str = "s") -> str:
        def slowly(_: WebServer) -> Reply:
            self.go.wait(60)
            return article(f"{name} {self.slow}")

        paths = [f"/{name}/{number}" for number in range(self.pages)]
        self.server.pages |= {path: article(path) for path in paths}
        self.server.pages[paths[self.slow]] = slowly
        self.server.pages[f"/{name}.xml"] = sitemap(*map(self.server.url, paths))
        return self.server.url(f"/{name}.xml")

    async def is_asked(self, *names: str) -> None:
        """Wait until a worker is in the middle of the work."""
        async with asyncio.timeout(60):
            while not all(self.server.requests[f"/{name}/{self.slow}"] for name in names or ("s",)):
                await asyncio.sleep(0.05)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(WebServer()) as server:
        site = Site(server, threading.Event())
        yield site
        site.go.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(settings: Settings, valkey: Valkey, tmp_path: Path) -> Settings:
    ours = {"files_roots": (tmp_path,), "fetch_allow": (ip_network("127.0.0.0/8"),)}
    return settings.model_copy(update={"redis_url": SecretStr(valkey.url)} | ours)


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
        "EXTROPHI_FETCH_ALLOW": ",".join(map(str, settings.fetch_allow)),
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


async def job(api: httpx.AsyncClient, target: Path | str, **more: Any) -> dict:
    answer = await api.post("/jobs", json={"target": str(target), "limit": 10_000} | more)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def ended(api: httpx.AsyncClient, job_id: str, seconds: float = 60) -> dict:
    async with asyncio.timeout(seconds):
        while True:
            found = (await api.get(f"/jobs/{job_id}")).json()
            if found["finished_at"]:
                return found
            await asyncio.sleep(0.1)


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
    api: httpx.AsyncClient, settings: Settings, site: Site, conn: Connection
) -> None:
    made = await job(api, site.target())
    with worker(settings) as first:
        await site.is_asked()
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert await conn.fetchval("SELECT status FROM jobs") == "running"
    at = await conn.fetchval("SELECT found FROM jobs")
    site.go.set()
    with worker(settings):
        done = await ended(api, made["id"])
    assert (done["status"], done["attempts"]) == ("succeeded", 2)
    assert done["progress"] == {"found": 30, "created": 30, "updated": 0, "unchanged": 0, "failed": 0}
    assert done["indexing"] == {"pending": await conn.fetchval("SELECT count(*) FROM chunks"), "failed": 0}
    assert 0 < at <= site.slow
    assert {site.server.requests[f"/s/{number}"] for number in range(at)} == {1}  # it went on, not over


async def test_stopping_a_worker_gives_all_its_jobs_to_another_at_once(
    api: httpx.AsyncClient, settings: Settings, site: Site, conn: Connection
) -> None:
    """Also those whose messages it has fetched, and that begin as its threads are freed."""
    site.pages, site.slow = 3, 1
    names = [f"s{number}" for number in range(9)]
    made = [await job(api, site.target(name)) for name in names]
    with worker(settings) as first:
        async with asyncio.timeout(60):
            while await conn.fetchval("SELECT count(*) FROM jobs WHERE status = 'running'") < 4:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # for messages to be fetched
        first.terminate()
        assert first.wait(timeout=10) == 0
    states = await conn.fetch("SELECT DISTINCT status, deaths, lease_until FROM jobs")
    assert [tuple(row) for row in states] == [("queued", 0, None)]
    site.go.set()
    with worker(settings):
        done = [await ended(api, one["id"]) for one in made]
    assert {one["status"] for one in done} == {"succeeded"}
    assert await conn.fetchval("SELECT sum(created) FROM jobs") == 27


async def test_a_worker_that_was_asleep_writes_nothing_more(
    api: httpx.AsyncClient, settings: Settings, site: Site, conn: Connection
) -> None:
    made = await job(api, site.target())
    with worker(settings) as asleep, worker(settings) as other:
        os.kill(other.pid, signal.SIGSTOP)
        await site.is_asked()
        os.kill(asleep.pid, signal.SIGSTOP)
        os.kill(other.pid, signal.SIGCONT)
        site.go.set()
        done = await ended(api, made["id"])
        whole = await conn.fetch("SELECT * FROM jobs")
        os.kill(asleep.pid, signal.SIGCONT)
        log = settings.data / "worker.log"
        async with asyncio.timeout(30):
            while "job.lost" not in log.read_text():
                await asyncio.sleep(0.1)
        assert await conn.fetch("SELECT * FROM jobs") == whole
    assert (done["status"], done["attempts"], done["progress"]["created"]) == ("succeeded", 2, 30)


async def test_a_running_job_can_be_cancelled(
    api: httpx.AsyncClient, settings: Settings, site: Site, conn: Connection
) -> None:
    made = await job(api, site.target())
    with worker(settings):
        await site.is_asked()
        await api.post(f"/jobs/{made['id']}/cancel")
        site.go.set()
        done = await ended(api, made["id"])
    assert done["status"] == "canceled"
    assert done["progress"]["found"] == await conn.fetchval("SELECT count(*) FROM documents") < 30


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
