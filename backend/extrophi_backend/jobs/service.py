"""The story of a job: taken under a lease, collected page by page, ended truthfully."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.captures.store import Captures
from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import Collector, Run, Target
from extrophi_backend.collectors.reach import PAGE, Reach
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import visits
from extrophi_backend.errors import LeaseLost, NotFound
from extrophi_backend.jobs import frontier, misses, sql
from extrophi_backend.jobs.ending import conclude, warn
from extrophi_backend.jobs.library import Library
from extrophi_backend.jobs.models import FOUND_KEPT, HEARTBEAT, JOBS_KEPT, LEASE_TIME, Job, Lease, NewJob
from extrophi_backend.jobs.saving import save
from extrophi_backend.log import event, request_id
from extrophi_backend.sources import service as sources

_log = logging.getLogger(__name__)

_PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker needs for its jobs. `saved` is called after each page."""

    pool: Pool
    captures: Captures
    registry: Registry
    worker: str
    saved: Callable[[], None]


async def prune(pool: Pool) -> None:
    """Forget which documents a job found that ended long ago, later the job, and what else nobody asks for any more."""
    async with pool.acquire() as conn:
        await sql.prune(conn, FOUND_KEPT)
        await frontier.prune(conn)
        await misses.prune(conn)
        while await sql.prune_jobs(conn, JOBS_KEPT, _PRUNED_AT_ONCE) == _PRUNED_AT_ONCE:
            pass


async def create(conn: Connection, target: Target, *, collection: str, limit: int, reach: Reach = PAGE) -> Job:
    """A job that collects a target once. In the caller's transaction; workers are told after it."""
    collection_id = await collections_sql.ensure(conn, collection)
    job = NewJob(
        uuid7(), target.canonical, target.typed, target.platform, collection_id, limit, None, reach.scope, reach.depth
    )
    await sql.insert(conn, job)
    made = await sql.get(conn, job.id)
    assert made is not None
    return made


async def get(conn: Connection, job_id: UUID) -> Job:
    """The job; once it has ended, with how much of what it found is embedded. Raises NotFound."""
    found = await sql.get(conn, job_id)
    if found is None:
        raise NotFound(f"There is no job {job_id}.", hint="GET /jobs lists them.")
    return replace(found, indexing=await sql.indexing(conn, job_id)) if found.finished_at else found


async def cancel(conn: Connection, job_id: UUID) -> None:
    """Cancel a job that waits at once; ask a running one's worker to. In the caller's transaction."""
    await sources.hold_of_job(conn, job_id)
    before = await sql.get(conn, job_id)
    await sql.cancel(conn, job_id)
    if before is not None and before.status == "queued":
        await sources.settle(conn, job_id)


async def run(parts: Parts, job_id: UUID) -> None:
    """Run a job to its end, if the lease can be had. Cancelling this releases the job, to go on from its cursor."""
    lease = await _take(parts, job_id)
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
        await asyncio.shield(conclude(parts.pool, lease, collecting, beating))


async def leave(parts: Parts, job_id: UUID) -> None:
    """Leave a job of which a message told us to another worker, who is told at once."""
    async with parts.pool.acquire() as conn:
        await sql.unsend(conn, job_id)


async def _take(parts: Parts, job_id: UUID) -> Lease | None:
    """The lease, if it can be had. Cancelled in between, it is given back: nobody has to wait for its end."""

    async def take() -> Lease | None:
        async with parts.pool.acquire() as conn, conn.transaction():
            await sources.hold_of_job(conn, job_id)
            if await sql.end_poisonous(conn, job_id):
                await sources.settle(conn, job_id)
                return None
            await sql.follow_source(conn, job_id)  # it may have been given back since the source was changed
            return await sql.take_lease(conn, job_id, parts.worker)

    taking = asyncio.create_task(take())
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        lease = await taking
        if lease is not None:
            async with parts.pool.acquire() as conn:
                await sql.release(conn, lease, timedelta(), None)
        raise


async def _collect(parts: Parts, lease: Lease, collector: Collector) -> None:
    """Collect to the end, page by page. Raises LeaseLost as soon as another worker has taken over."""

    async def suspect(target: str) -> None:
        async with parts.pool.acquire() as conn:
            await sql.note_suspect(conn, lease, target)

    revisit = lease.revisit
    if revisit:  # sources may have been paused, and documents deleted, while the job waited
        async with parts.pool.acquire() as conn:
            revisit = await visits.wanted(conn, lease.platform, revisit)
    run = Run(
        target=Target(lease.platform, lease.target, lease.typed),
        limit=lease.document_limit,
        cursor=lease.cursor,
        known=Library(parts.pool, lease.platform, lease.id, lease.source_id),
        suspect=suspect,
        set_aside=frozenset(lease.set_aside),
        purpose=lease.purpose,
        revisit=revisit,
        scope=lease.scope,
        depth=lease.depth,
        source=str(lease.source_id or ""),
    )
    async with aclosing(collector.collect(run)) as pages:
        async for page in pages:
            await save(parts.pool, parts.captures, lease, page)
            parts.saved()


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
        except Exception as error:  # noqa: BLE001  it is tried again while the lease lasts, whatever it was
            warn(lease, "job.not_beaten", error)
            if loop.time() >= until:
                raise LeaseLost(f"The database was away for longer than the lease of job {lease.id}.") from None
            continue
        if cancel_requested is None:
            raise LeaseLost(f"Another worker has job {lease.id}.")
        if cancel_requested:
            return
        until = asked_at + LEASE_TIME.total_seconds()
