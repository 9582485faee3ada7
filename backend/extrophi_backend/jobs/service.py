"""The story of a job: taken under a lease, collected page by page, ended truthfully."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.captures.store import Captures
from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import Collector, Page, Platform, Run, Target
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.documents.models import Links
from extrophi_backend.errors import BackendError, LeaseLost, PlatformUnavailable
from extrophi_backend.http.problems import DATABASE_AWAY
from extrophi_backend.jobs import sql
from extrophi_backend.jobs.models import HEARTBEAT, LEASE_TIME, Counts, Ending, Job, Lease, NewJob
from extrophi_backend.log import event, request_id

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker needs for its jobs. `saved` is called after each page."""

    pool: Pool
    captures: Captures
    registry: Registry
    worker: str
    saved: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Library:
    """What the library already holds of one platform: `Known`, from PostgreSQL."""

    pool: Pool
    platform: Platform

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        async with self.pool.acquire() as conn:
            return await documents_sql.validators(conn, self.platform, external_ids)

    async def external_ids(self, prefix: str) -> Sequence[str]:
        async with self.pool.acquire() as conn:
            return await documents_sql.external_ids(conn, self.platform, prefix)

    async def memo(self, name: str) -> Any:
        async with self.pool.acquire() as conn:
            return await sql.memo(conn, self.platform, name)


async def create(conn: Connection, target: Target, *, collection: str, limit: int) -> Job:
    """A job that collects a target once. In the caller's transaction; workers are told after it."""
    collection_id = await collections_sql.ensure(conn, collection)
    job = NewJob(uuid7(), target.canonical, target.typed, target.platform, collection_id, limit)
    await sql.insert(conn, job)
    made = await sql.get(conn, job.id)
    assert made is not None
    return made


async def run(parts: Parts, job_id: UUID) -> None:
    """Run a job to its end, if the lease can be had. Cancelling this releases the job, to go on from its cursor."""
    async with parts.pool.acquire() as conn:
        lease = await sql.take_lease(conn, job_id, parts.worker)
    if lease is None:
        return
    request_id.set(f"job:{job_id}")
    _log.info(event("job.taken", job=job_id, fence=lease.fence, platform=lease.platform))
    collecting = asyncio.create_task(_collect(parts, lease, parts.registry.collectors[lease.platform]))
    beating = asyncio.create_task(_beat(parts, lease))
    try:
        await asyncio.wait({collecting, beating}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (collecting, beating):
            task.cancel()
        await asyncio.wait({collecting, beating})
        await asyncio.shield(_conclude(parts, lease, collecting, beating))


async def _collect(parts: Parts, lease: Lease, collector: Collector) -> None:
    """Collect to the end, page by page. Raises LeaseLost as soon as another worker has taken over."""

    async def suspect(target: str) -> None:
        async with parts.pool.acquire() as conn:
            await sql.note_suspect(conn, lease, target)

    run = Run(
        target=Target(lease.platform, lease.target, lease.typed),
        limit=lease.document_limit,
        cursor=lease.cursor,
        known=Library(parts.pool, lease.platform),
        suspect=suspect,
        set_aside=frozenset(lease.set_aside),
    )
    async with aclosing(collector.collect(run)) as pages:
        async for page in pages:
            await _save(parts, lease, page)
            parts.saved()


async def _save(parts: Parts, lease: Lease, page: Page) -> None:
    """A page and its cursor, in one transaction and only under our fence.

    A page without its cursor would be collected again, a cursor without its page would be lost.
    """
    prepared = await documents.prepare(parts.pool, parts.captures, page.documents)
    links = Links(lease.collection_id, lease.source_id, lease.id)
    async with parts.pool.acquire() as conn, conn.transaction():
        if not await sql.hold(conn, lease):
            raise LeaseLost(f"Another worker has job {lease.id}.")
        saved = await documents.write(conn, prepared, links, unchanged=page.unchanged, platform=lease.platform)
        await documents.mark_gone(conn, lease.platform, page.gone)
        statuses = [one.status for one in saved]
        counts = Counts(
            created=statuses.count("created"),
            updated=statuses.count("updated"),
            unchanged=statuses.count("unchanged") + len(page.unchanged),
            failed=len(page.failures),
        )
        await sql.advance(conn, lease, page.cursor, counts, page.failures)
        if page.memos:
            await sql.keep_memos(conn, lease.platform, page.memos)
    _log.info(event("job.page_saved", job=lease.id, documents=len(saved), failures=len(page.failures)))


async def _beat(parts: Parts, lease: Lease) -> None:
    """Keep the lease. Ends when cancelling is asked for; raises LeaseLost when the lease is gone."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LEASE_TIME.total_seconds()
    while True:
        await asyncio.sleep(HEARTBEAT.total_seconds())
        try:
            async with asyncio.timeout_at(until), parts.pool.acquire() as conn:
                asked_at = loop.time()
                cancel_requested = await sql.beat(conn, lease)
        except DATABASE_AWAY:
            if loop.time() >= until:
                raise LeaseLost(f"The database was away for longer than the lease of job {lease.id}.") from None
            continue
        if cancel_requested is None:
            raise LeaseLost(f"Another worker has job {lease.id}.")
        if cancel_requested:
            return
        until = asked_at + LEASE_TIME.total_seconds()


async def _conclude(
    parts: Parts, lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]"
) -> None:
    """Write how the run ended, and let the database be away for a while."""
    deadline = asyncio.get_running_loop().time() + LEASE_TIME.total_seconds()
    while True:
        try:
            async with parts.pool.acquire() as conn, conn.transaction():
                await _write_end(lease, collecting, beating, conn)
        except DATABASE_AWAY:
            if asyncio.get_running_loop().time() > deadline:
                return  # the lease runs out, and another goes on from the cursor
            await asyncio.sleep(0.5)
        else:
            return


async def _write_end(
    lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]", conn: Connection
) -> None:
    soon = timedelta()
    if collecting.cancelled():
        if beating.cancelled():  # this process is stopping
            await sql.release(conn, lease, soon, None)
        elif beating.exception() is None:
            await sql.finish(conn, lease, Ending("canceled"))
        return
    error = collecting.exception()
    match error:
        case None:
            await sql.finish(conn, lease, None)
        case LeaseLost():
            _log.info(event("job.lost", job=lease.id, fence=lease.fence))
        case PlatformUnavailable():
            wait = timedelta(seconds=min(error.retry_after or 60, 86_400))
            if not await sql.wait(conn, lease, wait, _shown(error)):
                await sql.finish(
                    conn, lease, Ending("failed", _shown(error) | {"hint": "It never answered otherwise."})
                )
        case BackendError():
            await sql.finish(conn, lease, Ending("failed", _shown(error)))
        case _ if isinstance(error, DATABASE_AWAY):
            await sql.release(conn, lease, timedelta(seconds=1), None)
        case _:
            _log.error(event("job.failed", job=lease.id), exc_info=error)
            detail = f"Extrophi made a mistake while collecting ({type(error).__name__})."
            shown = {"code": "internal", "detail": detail, "hint": f"The log has it under job:{lease.id}."}
            await sql.finish(conn, lease, Ending("failed", shown))
    _log.info(event("job.left", job=lease.id, error=type(error).__name__ if error else "none"))


def _shown(error: BackendError) -> dict[str, Any]:
    return {"code": error.code, "detail": error.detail, "hint": error.hint}
