"""The worker: a Celery worker whose tasks run on one asyncio loop, and the scheduler that sends what was not sent.

Celery's threads wait, the loop works: one pool of connections and one set of collectors per process.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
from celery.signals import worker_shutting_down

from extrophi_backend.captures.store import open_captures
from extrophi_backend.collectors.registry import Registry, make_registry
from extrophi_backend.db import Pool, make_pool
from extrophi_backend.http.problems import DATABASE_AWAY
from extrophi_backend.index.embedding import keep_embedding
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs.sending import keep_sending
from extrophi_backend.log import event
from extrophi_backend.queue import RUN_JOB, make_celery
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


class Worker:
    """One process's loop, and what runs on it."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.celery = make_celery(settings.redis_url.get_secret_value())
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="loop", daemon=True)
        self._running: set[Future[None]] = set()
        self._parts: jobs.Parts | None = None
        self._pool: Pool | None = None
        self._wake = asyncio.Event()
        self.celery.task(name=RUN_JOB)(self.run_job)

    def start(self) -> None:
        """Begin to sweep; jobs can run from now on."""
        self._thread.start()
        self.submit(self._prepare()).result()
        assert self._pool is not None
        self.submit(keep_sending(self._pool, self.celery))
        self.submit(self._embed())

    def submit(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def run_job(self, job_id: str) -> None:
        """The Celery task: waits while the loop works."""
        assert self._parts is not None
        with suppress(FutureCancelled, *DATABASE_AWAY):  # the sweep sends it again
            self.submit(jobs.run(self._parts, UUID(job_id))).result()

    def drain(self) -> None:
        """Stop what runs; each job is given back at its last page, for another worker to go on."""
        _log.info(event("worker.draining", jobs=len(self._running)))
        for future in list(self._running):
            future.cancel()

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _prepare(self) -> None:
        settings = self.settings
        self._pool = await make_pool(
            settings.database_url.get_secret_value(), name="worker", most=settings.worker_slots * 2 + 4
        )
        self._parts = jobs.Parts(
            pool=self._pool,
            captures=open_captures(settings.data / "captures", settings.captures_url),
            registry=self.registry,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            saved=self._wake.set,
        )

    async def _embed(self) -> None:
        assert self._pool is not None
        async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
            while True:
                with suppress(*DATABASE_AWAY):
                    await keep_embedding(self._pool, client, self.settings, self._wake)
                await asyncio.sleep(_AGAIN_SECONDS)


async def schedule(settings: Settings) -> None:
    """The scheduler alone: tell workers of what is due, until SIGTERM. Workers tell themselves, too."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    pool = await make_pool(settings.database_url.get_secret_value(), name="scheduler", most=2)
    sending = asyncio.create_task(keep_sending(pool, make_celery(settings.redis_url.get_secret_value())))
    await stop.wait()
    sending.cancel()
    pool.terminate()


def main(settings: Settings, registry: Registry | None = None) -> None:
    """Work until SIGTERM, then give running jobs back within 10 s."""
    worker = Worker(settings, registry or make_registry(settings))
    worker.start()

    def drain(**_: object) -> None:
        worker.drain()

    worker_shutting_down.connect(drain, weak=False)
    worker.celery.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={settings.worker_slots}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
            f"--hostname=extrophi-{os.getpid()}@%h",
        ]
    )
