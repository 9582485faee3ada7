"""The story of a job: taken under a lease, collected page by page, ended truthfully."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from extrophi_backend.captures.store import Captures
from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import (
    MAX_ID_BYTES,
    Address,
    Collected,
    Collector,
    Failure,
    Page,
    Platform,
    Run,
    Target,
)
from extrophi_backend.collectors.reach import PAGE, Reach
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.db import Connection, Pool, is_away
from extrophi_backend.documents import service as documents
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.documents.models import Links, Others, Outcome, Prepared, Saved
from extrophi_backend.errors import BackendError, LeaseLost, NotFound, PlatformUnavailable, Unavailable
from extrophi_backend.fetch.errors import Paced
from extrophi_backend.jobs import frontier, misses, sql
from extrophi_backend.jobs.models import (
    FOUND_KEPT,
    HEARTBEAT,
    JOBS_KEPT,
    LEASE_TIME,
    Counts,
    Ending,
    Job,
    Lease,
    NewJob,
)
from extrophi_backend.log import event, request_id
from extrophi_backend.sources import service as sources

_log = logging.getLogger(__name__)

_SHOWN = 2000
"""Characters of a failure's target or detail that are kept."""
_UNFIT = (ValueError, OverflowError, asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What a document raises that cannot be kept: text that is none, a number or a date past what PostgreSQL holds."""
_MENDABLE = (
    Unavailable,
    asyncpg.TransactionRollbackError,  # a deadlock: somebody else went first
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    OSError,
)
"""What is wrong with this machine or another, and not with what is collected."""


_PRUNED_AT_ONCE = 1000

_REVISITED = frozenset[Platform]({"web"})
"""Platforms whose documents are looked at one by one to see whether they changed or vanished."""


class _Canceled(Exception):
    """Somebody asked for the job's end, and it was seen as a page was to be saved."""


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
    job_id: UUID
    source_id: UUID | None

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        async with self.pool.acquire() as conn:
            return await documents_sql.validators(conn, self.platform, external_ids)

    async def collected(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        async with self.pool.acquire() as conn:
            return await documents_sql.validators(conn, self.platform, external_ids, source_id=self.source_id)

    async def typed(self, external_ids: Sequence[str]) -> Collection[str]:
        async with self.pool.acquire() as conn:
            return await documents_sql.typed(conn, self.platform, external_ids)

    async def external_ids(self, prefix: str) -> Sequence[str]:
        async with self.pool.acquire() as conn:
            return await documents_sql.external_ids(conn, self.platform, prefix)

    async def memo(self, name: str) -> Any:
        async with self.pool.acquire() as conn:
            return await sql.memo(conn, self.platform, name)

    async def memos(self, names: Sequence[str]) -> Mapping[str, Any]:
        async with self.pool.acquire() as conn:
            return await sql.memos(conn, self.platform, names)

    async def not_due(self, targets: Sequence[str]) -> Collection[str]:
        if self.source_id is None:
            return ()
        async with self.pool.acquire() as conn:
            return await misses.not_due(conn, self.source_id, targets)

    async def waiting(self, most: int, *, beyond: int | None = None) -> Sequence[Address]:
        async with self.pool.acquire() as conn:
            return await frontier.waiting(conn, self.job_id, most, beyond=beyond)

    async def met(self, keys: Sequence[bytes]) -> Mapping[bytes, Address]:
        async with self.pool.acquire() as conn:
            return await frontier.met(conn, self.job_id, keys)

    async def patterns(self, names: Sequence[str]) -> Mapping[str, Any]:
        async with self.pool.acquire() as conn:
            return await frontier.patterns(conn, self.job_id, names)


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
        await asyncio.shield(_conclude(parts, lease, collecting, beating))


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
            revisit = await documents_sql.visited(conn, lease.platform, revisit)
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
    )
    async with aclosing(collector.collect(run)) as pages:
        async for page in pages:
            await _save(parts, lease, page)
            parts.saved()


async def _save(parts: Parts, lease: Lease, page: Page) -> None:
    """A page and its cursor; a document that cannot be kept is one failure, and ends no job."""
    try:
        await _save_at_once(parts, lease, _fit(page), one_by_one=False)
    except _UNFIT as error:
        _log.warning(event("job.page_refused", job=lease.id, error=type(error).__name__))
        await _save_at_once(parts, lease, _fit(page), one_by_one=True)


async def _save_at_once(parts: Parts, lease: Lease, page: Page, *, one_by_one: bool) -> None:
    """A page and its cursor, in one transaction and only under our fence.

    A page without its cursor would be collected again, a cursor without its page would be lost.
    """
    prepared, unfit = await _prepare(parts, page, one_by_one=one_by_one)
    async with parts.pool.acquire() as conn, conn.transaction():
        held = await sql.hold(conn, lease)
        if held is None:
            raise LeaseLost(f"Another worker has job {lease.id}.")
        if held.cancel_requested:
            raise _Canceled
        links = Links(lease.collection_id, held.source_id, lease.id)
        others = Others(lease.platform, page.unchanged, page.gone, page.noted)
        saved: list[Saved] = []
        if one_by_one:
            await documents.write(conn, [], links, others)
            for one in prepared:
                try:
                    async with conn.transaction():
                        saved += await documents.write(conn, [one], links)
                except _UNFIT as error:
                    unfit.append(_unfit(one.collected, error))
        else:
            saved += await documents.write(conn, prepared, links, others)
        failures = [*map(_shown_failure, page.failures), *unfit]
        statuses = [one.status for one in saved]
        counts = Counts(
            created=statuses.count("created"),
            updated=statuses.count("updated"),
            unchanged=statuses.count("unchanged") + len(page.unchanged) + page.known,
            failed=len(failures),
        )
        await sql.advance(conn, lease, page.cursor, counts, failures)
        if lease.platform in _REVISITED:
            singly = lease.source_id is None and lease.purpose != "revisit"
            found = [*page.unchanged, *(one.external_id for one in saved)] if singly else []
            await documents_sql.note_asked(conn, lease.platform, typed=page.typed, singly=found)
            await documents_sql.plan_visits(conn, lease.platform, _outcomes(lease, page, saved), failures)
        await _save_addresses(conn, lease, page)
        if held.source_id is not None:
            await misses.forget(conn, held.source_id, [*page.reached, *(one.external_id for one in page.documents)])
            # The source's own target is tried again when the source is, and has no clock of its own.
            listed = [one for one in failures if one.target not in {lease.target, lease.typed}]
            await misses.note(conn, held.source_id, listed)
        if page.memos and not one_by_one:  # a cache, which may be what is at fault
            await sql.keep_memos(conn, lease.platform, page.memos)
    _log.info(event("job.page_saved", job=lease.id, documents=len(saved), failures=len(failures)))


def _outcomes(lease: Lease, page: Page, saved: Sequence[Saved]) -> dict[str, Outcome]:
    """What is to be noted of each document for its next visit.

    That one did not change is noted by revisits alone: it is written down for each, and a feed may list thousands.
    """
    outcomes: dict[str, Outcome] = dict.fromkeys(page.gone, "gone")
    if lease.purpose == "revisit":
        outcomes |= dict.fromkeys(page.unchanged, "unchanged")
    for one in saved:
        if one.status != "unchanged" or lease.purpose == "revisit":
            outcomes[one.external_id] = one.status
    return outcomes


async def _save_addresses(conn: Connection, lease: Lease, page: Page) -> None:
    """What the page leaves in the job's frontier. In the page's own transaction."""
    if page.settled:
        await frontier.settle(conn, lease.id, page.settled)
    if page.met:
        await frontier.add(conn, lease.id, page.met)
    if page.patterns:
        await frontier.keep_patterns(conn, lease.id, page.patterns)


async def _prepare(parts: Parts, page: Page, *, one_by_one: bool) -> tuple[list[Prepared], list[Failure]]:
    if not one_by_one:
        return await documents.prepare(parts.pool, parts.captures, page.documents), []
    prepared: dict[tuple[str, str], Prepared] = {}
    unfit: list[Failure] = []
    for document in page.documents:
        try:
            (one,) = await documents.prepare(parts.pool, parts.captures, [document])
        except _UNFIT as error:
            unfit.append(_unfit(document, error))
        else:
            prepared[document.platform, document.external_id] = one
    return [one for _, one in sorted(prepared.items())], unfit


def _fit(page: Page) -> Page:
    """The page without what no index can hold."""
    long = [one for one in page.documents if _is_long(one.external_id)]
    if not long and not any(map(_is_long, page.memos)) and not any(_is_long(one.url) for one in page.met):
        return page
    detail = f"Its address is longer than the {MAX_ID_BYTES} bytes that Extrophi keeps."
    return replace(
        page,
        documents=[one for one in page.documents if not _is_long(one.external_id)],
        failures=[*page.failures, *(Failure(one.external_id, "too_long", detail) for one in long)],
        memos={name: value for name, value in page.memos.items() if not _is_long(name)},
        met=[one for one in page.met if not _is_long(one.url)],
    )


def _is_long(text: str) -> bool:
    return len(text.encode(errors="replace")) > MAX_ID_BYTES


def _unfit(document: Collected, error: Exception) -> Failure:
    detail = f"It holds what cannot be stored ({type(error).__name__})."
    return _shown_failure(Failure(document.external_id, "unstorable", detail))


def _shown_failure(failure: Failure) -> Failure:
    """A failure is kept whatever it names: what no column holds is replaced, and what nobody reads is cut off."""
    target, detail = (
        text[:_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
        for text in (failure.target, failure.detail)
    )
    return Failure(target, failure.code, detail)


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
            _warn(lease, "job.not_beaten", error)
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
        except Exception as error:  # noqa: BLE001  it is tried again while the lease lasts, whatever it was
            _warn(lease, "job.not_concluded", error)
            if asyncio.get_running_loop().time() > deadline:
                return  # the lease runs out, and another goes on from the cursor
            await asyncio.sleep(0.5)
        else:
            return


async def _write_end(
    lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]", conn: Connection
) -> None:
    # Before the job, as by who deletes a source: the other way round the two would wait for each other.
    await sources.hold_of_job(conn, lease.id)
    await _write_how(lease, collecting, beating, conn)
    await sources.settle(conn, lease.id)


async def _write_how(
    lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]", conn: Connection
) -> None:
    soon = timedelta()
    if collecting.cancelled():
        if beating.cancelled():  # this process is stopping
            await sql.release(conn, lease, soon, None)
        elif beating.exception() is None:
            await sql.finish(conn, lease, Ending("canceled"))
        else:
            _log.info(event("job.lost", job=lease.id, fence=lease.fence))
        return
    error = collecting.exception()
    match error:
        case LeaseLost():
            _log.info(event("job.lost", job=lease.id, fence=lease.fence))
        case PlatformUnavailable():
            await _write_waiting(conn, lease, error)
        case BaseException() if is_away(error) or isinstance(error, _MENDABLE):
            _log.warning(event("job.waits", job=lease.id, error=repr(error)))
            await _wait(conn, lease, None, _out_of_reach(error))
        case _:
            await sql.finish(conn, lease, _ending(lease, error))
    _log.info(event("job.left", job=lease.id, error=type(error).__name__ if error else "none"))


def _ending(lease: Lease, error: BaseException | None) -> Ending | None:
    match error:
        case None:
            return None
        case _Canceled():
            return Ending("canceled")
        case BackendError():
            return Ending("failed", _shown(error))
        case _:
            _log.error(event("job.failed", job=lease.id), exc_info=error)
            detail = f"Extrophi made a mistake while collecting ({type(error).__name__})."
            return Ending(
                "failed", {"code": "internal", "detail": detail, "hint": f"The log has it under job:{lease.id}."}
            )


async def _write_waiting(conn: Connection, lease: Lease, error: PlatformUnavailable) -> None:
    wait = timedelta(seconds=min(error.retry_after or 60, 86_400))
    if isinstance(error, Paced):
        # Our own manners, not the platform's silence: however often, these are no reason to give up. Nothing is noted
        # of the source's health: its waiting job says why it waits, and until when.
        await sql.release(conn, lease, wait, _shown(error))
    else:
        await _wait(conn, lease, wait, _shown(error))


def _out_of_reach(error: BaseException | None) -> dict[str, Any]:
    detail = f"Something that Extrophi needs is out of reach ({type(error).__name__})."
    if isinstance(error, BackendError):
        detail = error.detail
    return {"code": "unavailable", "detail": detail, "hint": "It is tried again."}


def _warn(lease: Lease, name: str, error: Exception) -> None:
    _log.warning(event(name, job=lease.id, error=repr(error)), exc_info=None if is_away(error) else error)


async def _wait(conn: Connection, lease: Lease, wait: timedelta | None, error: dict[str, Any]) -> None:
    """Give the job back to be tried later, and say so of its source; or end it, after too many times."""
    if await sql.wait(conn, lease, wait, error):
        if lease.source_id:
            await sources.note_waiting(conn, lease.source_id, error)
    else:
        await sql.finish(conn, lease, Ending("failed", error | {"hint": "It was tried again and again, in vain."}))


def _shown(error: BackendError) -> dict[str, Any]:
    return {"code": error.code, "detail": error.detail, "hint": error.hint}
