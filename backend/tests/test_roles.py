import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import redis.asyncio
from uuid_utils.compat import uuid7

from extrophi_backend.db import Pool
from extrophi_cli.embedded.valkey import Valkey
from tests.system.running import COMPONENTS, free_port


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    port = free_port()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("EXTROPHI_", "OPENAI_"))}
    ours = {"PYTHONPATH": COMPONENTS, "EXTROPHI_PORT": str(port), "EXTROPHI_DATA": str(folder), "EXTROPHI_ROLE": "all"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "extrophi_backend", env=kept | ours | settings, cwd=folder
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)


async def answers(process: asyncio.subprocess.Process, client: httpx.AsyncClient, path: str) -> None:
    """Wait until it answers with 200."""
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None
            try:
                if (await client.get(path)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def parts(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    """The API's and the worker's process; the worker's comes once there are tables."""
    async with asyncio.timeout(30):
        while len(children := psutil.Process(process.pid).children()) < 2:
            await asyncio.sleep(0.05)
    return children


async def test_one_container_migrates_serves_and_works_and_stops_as_a_whole(
    empty_database: str, valkey: Valkey, tmp_path: Path
) -> None:
    async with running(tmp_path, DATABASE_URL=empty_database, REDIS_URL=valkey.url) as (process, client):
        await answers(process, client, "/ready")
        children = await parts(process)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert not [child for child in children if child.is_running()]


async def test_it_is_alive_with_nothing_in_reach(tmp_path: Path) -> None:
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9"}
    async with running(tmp_path, **nowhere) as (process, client):
        await answers(process, client, "/health")
        assert (await client.get("/ready")).status_code == 503


@pytest.mark.parametrize("which", [0, 1])
async def test_when_one_part_dies_the_whole_ends(
    empty_database: str, valkey: Valkey, tmp_path: Path, which: int
) -> None:
    async with running(tmp_path, DATABASE_URL=empty_database, REDIS_URL=valkey.url) as (process, client):
        await answers(process, client, "/ready")
        children = await parts(process)
        children[which].kill()
        assert await asyncio.wait_for(process.wait(), 30) == 1
        assert not [child for child in children if child.is_running()]


async def test_a_scheduler_tells_workers_of_what_nobody_told_them(
    database: str, valkey: Valkey, tmp_path: Path, pool: Pool
) -> None:
    """A job whose message was lost: written, marked as sent a while ago, and Redis knows nothing of it."""
    job_id = uuid7()
    await pool.execute(
        """INSERT INTO jobs (id, target, typed, platform, collection_id, document_limit, sent_at)
           SELECT $1, 'x', 'x', 'web', id, 1, now() - interval '1 minute' FROM collections""",
        job_id,
    )
    queue = redis.asyncio.from_url(valkey.url)
    await queue.delete("extrophi")
    settings = {"DATABASE_URL": database, "REDIS_URL": valkey.url, "EXTROPHI_ROLE": "scheduler"}
    async with running(tmp_path, **settings) as (process, _):
        async with asyncio.timeout(30):
            while not any(str(job_id) in str(message) for message in await queue.lrange("extrophi", 0, -1)):
                await asyncio.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    await queue.aclose()
