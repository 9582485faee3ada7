"""The story of a source: a target to come back to, collected by one job at a time, again and again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import Scope, Target
from extrophi_backend.collectors.reach import PAGE, Reach, reach_of
from extrophi_backend.db import Connection
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.errors import NotFound, SourcePaused
from extrophi_backend.jobs import misses
from extrophi_backend.jobs import sql as jobs_sql
from extrophi_backend.jobs.models import NewJob
from extrophi_backend.sources import sql
from extrophi_backend.sources.schedule import AUTO, Schedule, check_zone, next_look, next_try, parse_schedule
from extrophi_backend.sources.sql import Look, Source
from extrophi_backend.sources.states import Reason, State, reason_of, state_of


async def add(
    conn: Connection,
    target: Target,
    *,
    title: str,
    collection: str,
    limit: int,
    collect: bool,
    reach: Reach = PAGE,
    schedule: Schedule = AUTO,
    time_zone: str = "UTC",
) -> tuple[UUID, bool]:
    """A source for the target, and its first job. In the caller's transaction.

    Returns:
        The source's id, and whether it is new; all spellings of one target are one source of a collection. One that was
        added in a spelling that never brought anything goes on in this one.
    """
    collection_id = await collections_sql.ensure(conn, collection)
    while True:
        source_id = await sql.find(conn, target.platform, target.canonical, collection_id)
        found = await sql.get(conn, source_id) if source_id else None
        if found is not None:
            if found.target != target.canonical and await _respell(conn, found, target) and collect:
                await collect_now(conn, await get(conn, found.id))
            return found.id, False
        now = datetime.now(UTC)
        source_id = await sql.insert(
            conn,
            uuid7(),
            platform=target.platform,
            target=target.canonical,
            typed=target.typed,
            title=title,
            collection_id=collection_id,
            limit=limit,
            scope=reach.scope,
            depth=reach.depth,
            schedule=schedule.text,
            time_zone=time_zone,
            next_run_at=next_look(schedule, time_zone, now, news=(), since=now),
        )
        if source_id is not None:  # else somebody added it, or deleted it, between two statements
            if collect:
                await collect_now(conn, await get(conn, source_id))
            return source_id, True


async def _respell(conn: Connection, source: Source, target: Target) -> bool:
    """Whether the source is one of this spelling from now on, since its own never brought anything."""
    await sql.own(conn, source.id)
    now = datetime.now(UTC)
    schedule = parse_schedule(source.schedule, source.time_zone)
    planned = next_look(schedule, source.time_zone, now, news=(), since=now)
    if not await sql.respell(conn, source.id, target=target.canonical, typed=target.typed, next_run_at=planned):
        return False
    waiting = await jobs_sql.open_of_source(conn, source.id)
    if waiting is not None:  # to try the other spelling again
        await jobs_sql.cancel(conn, waiting)
    await misses.forget_all(conn, source.id)
    return True


async def get(conn: Connection, source_id: UUID) -> Source:
    """Raises NotFound."""
    found = await sql.get(conn, source_id)
    if found is None:
        raise _unknown(source_id)
    return found


async def change(
    conn: Connection,
    source_id: UUID,
    *,
    title: str | None,
    state: str | None,
    limit: int | None,
    scope: Scope | None,
    depth: int | None,
    schedule: str | None,
    time_zone: str | None,
) -> None:
    """Change what is given. In the caller's transaction.

    One that reaches further than before is looked at as a whole next, and now unless it is paused or `never`. A job
    that waits takes the new reach; one that has begun goes on as it was begun, unless the source is only a page now.
    Pausing cancels the open job.

    Raises:
        NotFound, InvalidInput.
    """
    if not await sql.own(conn, source_id):
        raise _unknown(source_id)
    before = await get(conn, source_id)
    zone = time_zone or before.time_zone
    check_zone(zone)
    planned = parse_schedule(before.schedule if schedule is None else schedule, zone)
    reached = Reach(before.scope, before.depth)
    reach = reached
    if scope is not None or depth is not None:
        given = depth if depth is not None or scope == "page" else before.depth
        reach = reach_of(before.platform, scope or before.scope, given)
    await sql.update(conn, source_id, title=title, state=state, limit=limit, schedule=planned.text, time_zone=time_zone)
    is_wider = reach.goes_beyond(reached)
    if reach != reached:
        await sql.set_reach(conn, source_id, reach.scope, reach.depth, is_wider=is_wider)
        opened = await jobs_sql.open_of_source(conn, source_id)
        if opened is not None:
            await jobs_sql.follow_source(conn, opened)
    if reach.scope != reached.scope == "site":  # nothing will ever try them again
        await misses.forget_all(conn, source_id)
    is_resumed = state == "active" and (before.state == "paused" or before.next_run_at is None)
    if is_resumed:
        await sql.forget_failures(conn, source_id)
        await jobs_sql.go_on(conn, source_id)  # paused a moment ago, its job still runs
    if (is_resumed or is_wider) and planned.kind != "never":  # one that was gone as well: somebody knows better
        await sql.run_next_at(conn, source_id, datetime.now(UTC))
    elif (planned.text, zone) != (before.schedule, before.time_zone):
        now = datetime.now(UTC)
        await sql.run_next_at(conn, source_id, next_look(planned, zone, now, news=(), since=before.looked_at or now))
    if state == "paused" and before.state != "paused":
        await _cancel_open(conn, source_id)


async def _cancel_open(conn: Connection, source_id: UUID) -> None:
    """Cancel the source's open job, at once or by its worker. Of a source that is owned."""
    opened = await jobs_sql.open_of_source(conn, source_id)
    if opened is not None:
        await jobs_sql.cancel(conn, opened)
        await settle(conn, opened)


async def collect_now(conn: Connection, source: Source) -> UUID:
    """A job for the source: the one that is open, or a new one. In the caller's transaction.

    Raises:
        SourcePaused, NotFound.
    """
    if source.state == "paused":
        raise SourcePaused(f"Source {source.id} is paused.", hint="PATCH it to `active` first.")
    if not await sql.hold(conn, source.id):  # deleted since it was read
        raise _unknown(source.id)
    while True:
        job = NewJob(
            uuid7(),
            source.target,
            source.typed,
            source.platform,
            source.collection_id,
            source.document_limit,
            source.id,
            source.scope,
            source.depth,
            purpose="all" if source.owes_whole else "new",
        )
        if await jobs_sql.insert(conn, job):
            return job.id
        opened = await jobs_sql.open_of_source(conn, source.id)
        if opened is not None:  # else it ended between the two statements
            await jobs_sql.go_on(conn, source.id)
            return opened


async def hold_of_job(conn: Connection, job_id: UUID) -> None:
    """Nobody deletes the job's source, or settles it, until the end of the transaction."""
    await sql.hold_of_job(conn, job_id)


async def note_waiting(conn: Connection, source_id: UUID, error: Mapping[str, str]) -> None:
    """Say of the source what its job waits for; until when is the job's to say. In the caller's transaction."""
    reason = reason_of(error["code"], error["detail"], error.get("hint", ""))
    await sql.note_waiting(conn, source_id, state_of(reason.code), reason)


async def settle(conn: Connection, job_id: UUID, now: datetime | None = None) -> None:
    """Note what a job that has just ended tells of its source, and when to look again. In the caller's transaction.

    Nothing, where it is no source's job.
    """
    look = await sql.last_look(conn, job_id)
    if look is None:
        return
    if look.scope == "page" and look.job_scope == "site":  # begun before it was narrowed
        await misses.forget_all(conn, look.source_id)
    now = now or datetime.now(UTC)
    schedule = parse_schedule(look.schedule, look.time_zone)
    if look.status == "failed":
        reason = _reason(look)
        state = state_of(reason.code)
        is_gone = state in _GONE
        if is_gone and not look.is_own:  # what it lists is gone; itself it was there
            state, is_gone = "failed", False
        failures = 1 if is_gone and look.health not in _GONE else look.failures + 1
        next_run_at = next_try(schedule, look.time_zone, now, failures=failures, is_gone=is_gone, code=reason.code)
        await sql.settle(
            conn,
            look.source_id,
            health=state,
            reason=reason,
            failures=failures,
            looked_at=now,
            next_run_at=next_run_at,
        )
        return
    pays = look.owes_whole and look.was_whole and look.status != "canceled"
    # What it holds since it reaches so far is no news of it.
    since = now if pays else look.first_look or now
    news = await sql.news(conn, look.source_id, since) if schedule.kind == "auto" else []
    next_run_at = next_look(schedule, look.time_zone, now, news=news, since=since)
    if look.owes_whole and not look.was_whole and schedule.kind != "never":  # begun before it was widened
        next_run_at = now
    health, reason = _health(look)
    await sql.settle(
        conn,
        look.source_id,
        health=health,
        reason=reason,
        failures=look.failures if look.status == "canceled" else 0,
        looked_at=now,
        next_run_at=next_run_at,
        was_had=look.status != "canceled",
        was_whole=look.was_whole and look.status != "canceled",
        pays_whole=pays,
    )


_GONE = frozenset({"gone", "removed"})


def _health(look: Look) -> tuple[State | None, Reason | None]:
    """What a look came to that did not fail."""
    if look.status == "canceled":
        return None, None
    if look.waits_for is not None:  # all that is listed failed before, and is not tried again yet
        state = state_of(look.waits_for["code"])
        return ("failed" if state in _GONE else state), _told(look.waits_for)
    if look.is_own and look.failure is not None and state_of(look.failure["code"]) == "no_captions":
        return "no_captions", _told(look.failure)  # what there is of it was had
    return ("collected" if look.created or look.updated else "unchanged"), None


def _reason(look: Look) -> Reason:
    return _told(look.error or look.failure or {"code": "failed", "detail": "It came to nothing, and said no more."})


def _told(said: Mapping[str, str]) -> Reason:
    return reason_of(said["code"], said["detail"], said.get("hint", ""))


async def remove(conn: Connection, source_id: UUID) -> None:
    """Collect it no more; an open job of it is cancelled. Its documents stay. In the caller's transaction.

    Raises:
        NotFound.
    """
    if not await sql.own(conn, source_id):
        raise _unknown(source_id)
    await _cancel_open(conn, source_id)
    kept = await sql.documents(conn, source_id)
    await sql.delete(conn, source_id)
    await documents_sql.log_changes(conn, sorted(kept))  # search filters by source


def _unknown(source_id: UUID) -> NotFound:
    return NotFound(f"There is no source {source_id}.", hint="GET /sources lists them.")
