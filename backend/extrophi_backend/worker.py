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
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from celery.signals import setup_logging, worker_shutting_down

try:  # the browser's connections all pass through this loop: it works for them in four fifths of the time
    from uvloop import new_event_loop
except ImportError:  # it is not made for every system
    from asyncio import new_event_loop

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.archives import service as archives
from extrophi_backend.budgets import service as budgets
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.registry import make_registry
from extrophi_backend.db import Pool, is_away, make_pool
from extrophi_backend.documents import service as documents
from extrophi_backend.drafts import service as drafts
from extrophi_backend.errors import BackendError
from extrophi_backend.events import service as events
from extrophi_backend.index import embedding
from extrophi_backend.index.embedding import keep_embedding
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs.sending import keep_sending
from extrophi_backend.log import event
from extrophi_backend.queue import RUN_JOB, make_celery
from extrophi_backend.settings import Settings
from extrophi_backend.sources.scheduling import keep_scheduling
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.moving import keep_moving
from extrophi_backend.vectors.outbox import keep_telling
from extrophi_backend.webhooks import service as webhooks
from extrophi_backend.webhooks.delivering import keep_delivering
from extrophi_backend.webhooks.posting import Poster

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 8.0
"""For jobs to be given back. Whoever stops us waits for 10 s, as Kubernetes and `up` do at least."""
_CLOSE_SECONDS = 1.0
_TIDY_SECONDS = 600.0
_WATCH_SECONDS = 3600.0


class Worker:
    """One process's loop, and what runs on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.celery = make_celery(settings.redis_url.get_secret_value())
        self.loop = new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="loop", daemon=True)
        self._running: set[Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._parts: jobs.Parts | None = None
        self._pool: Pool | None = None
        self._accounts: Accounts | None = None
        self._wake = asyncio.Event()
        self.celery.task(name=RUN_JOB)(self.run_job)

    def start(self) -> None:
        """Begin to sweep; jobs can run from now on."""
        self._thread.start()
        self.submit(self._prepare()).result()
        assert self._pool is not None
        self.submit(keep_scheduling(self._pool, self.settings.revisits_per_day))
        self.submit(keep_sending(self._pool, self.celery))
        self.submit(self._embed())
        self.submit(self._tell_chroma())
        self.submit(keep_moving(self._pool))
        self.submit(self._deliver())
        self.submit(self._keep_tidy())
        self.submit(self._watch_accounts())

    def submit(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        """Run it on the loop. Its future ends when it has, also when it is stopped."""

        async def tracked() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                await work
            finally:
                self._tasks.discard(task)

        future = asyncio.run_coroutine_threadsafe(tracked(), self.loop)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def run_job(self, job_id: str) -> None:
        """The Celery task: waits while the loop works."""
        try:
            self.submit(self._run_job(UUID(job_id))).result()
        except FutureCancelled:  # given back
            return
        except Exception as error:
            if not is_away(error):
                raise  # else the sweep sends it again

    async def _run_job(self, job_id: UUID) -> None:
        assert self._parts is not None
        if self._draining:  # Celery had fetched the message before: another worker is to have the job now
            await jobs.leave(self._parts, job_id)
        else:
            await jobs.run(self._parts, job_id)

    def drain(self) -> None:
        """Stop what runs; each job is given back at its last page, for another worker to go on.

        Returns at once. Celery then waits for its threads, and they wait until their jobs are given back, or until
        _GRACE_SECONDS are over.
        """
        if not self._draining:
            self._draining = True
            asyncio.run_coroutine_threadsafe(self._drain(), self.loop)

    async def _drain(self) -> None:
        _log.info(event("worker.draining", tasks=len(self._tasks)))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(_GRACE_SECONDS)  # by then this process has ended, unless the database is away
        for future in list(self._running):  # what they leave is taken over when its lease runs out
            future.cancel()

    def close(self) -> None:
        """End what collectors have started, after Celery has ended. Not waited for in vain: it ends with us anyway."""
        assert self._parts is not None
        with suppress(TimeoutError, FutureCancelled):
            asyncio.run_coroutine_threadsafe(self._parts.registry.close(), self.loop).result(_CLOSE_SECONDS)

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _prepare(self) -> None:
        settings = self.settings
        self._pool = await make_pool(
            settings.database_url.get_secret_value(), name="worker", most=settings.worker_slots * 2 + 4
        )
        self._accounts = Accounts(self._pool, settings)
        captures = Captures(settings.captures_url, settings.data / "captures")
        registry = make_registry(settings, self._pool, self._accounts, captures)
        if registry.fetcher:
            registry.fetcher.use_cookies(self._accounts.cookie_header)
        if registry.browser:
            registry.browser.use_cookies(self._accounts.cookies_of_host)
        self._parts = jobs.Parts(
            pool=self._pool,
            captures=captures,
            registry=registry,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            saved=self._wake.set,
        )

    async def _embed(self) -> None:
        assert self._pool is not None
        async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
            await keep_embedding(self._pool, client, self.settings, self._wake)

    async def _tell_chroma(self) -> None:
        assert self._pool is not None
        url = self.settings.chroma_url
        async with httpx.AsyncClient(trust_env=False) as client:
            await keep_telling(self._pool, Chroma(client, str(url)) if url else None)

    async def _deliver(self) -> None:
        assert self._pool is not None
        assert self._accounts is not None
        poster = Poster(self.settings.fetch_allow)
        try:
            await keep_delivering(self._pool, poster, self._accounts.ring)
        finally:
            await poster.close()

    async def _keep_tidy(self) -> None:
        """Every ten minutes, let go of what nobody needs any more."""
        assert self._parts is not None
        pool = self._parts.pool
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            try:
                await archives.prune(pool)
                await jobs.prune(pool)
                await budgets.tidy(pool)
                await events.prune(pool)
                await webhooks.prune(pool)
                await drafts.tidy(pool, datetime.now(UTC))
                await embedding.tidy(pool)
                # Last: the store may be away, where the database is not.
                while await documents.delete_loose_captures(pool, self._parts.captures):
                    pass
            except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
                expected = is_away(error) or isinstance(error, BackendError)
                _log.warning(event("worker.not_tidied", error=repr(error)), exc_info=None if expected else error)

    async def _watch_accounts(self) -> None:
        """Warn of credentials that expire, or are refused: soon after the start, then every hour whether it is time."""
        assert self._accounts is not None
        while True:
            try:
                await self._accounts.warn()
            except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
                _log.warning(
                    event("accounts.not_watched", error=repr(error)), exc_info=None if is_away(error) else error
                )
            await asyncio.sleep(_WATCH_SECONDS)


async def schedule(settings: Settings) -> None:
    """The scheduler alone: tell workers of what is due, until SIGTERM. Workers tell themselves, too."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    pool = await make_pool(settings.database_url.get_secret_value(), name="scheduler", most=2)
    tasks = [
        asyncio.create_task(keep_scheduling(pool, settings.revisits_per_day)),
        asyncio.create_task(keep_sending(pool, make_celery(settings.redis_url.get_secret_value()))),
    ]
    await stop.wait()
    for task in tasks:
        task.cancel()
    pool.terminate()


def main(settings: Settings) -> None:
    """Work until SIGTERM, then give running jobs back within 10 s."""
    worker = Worker(settings)
    worker.start()

    def drain(**_: object) -> None:
        worker.drain()

    def keep_ours(**_: object) -> None:
        """Celery would silence all that is below its own level."""

    setup_logging.connect(keep_ours, weak=False)
    worker_shutting_down.connect(drain, weak=False)
    try:
        worker.celery.worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={settings.worker_slots}",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
                f"--hostname=extrophi-{os.getpid()}@%h",
            ]
        )
    finally:
        worker.close()
