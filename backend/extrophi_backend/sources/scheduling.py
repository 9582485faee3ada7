"""Collecting that goes on without anyone looking: jobs for sources that are due, and for documents to look at again.

Every worker does this (decision 0003): where there is a worker, there is a schedule. Rows are taken with SKIP LOCKED,
so that no source is doubled, and the longest due come first, so that none starves.
"""

import asyncio
import logging
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.budgets import sql as budgets_sql
from extrophi_backend.db import Pool, is_away
from extrophi_backend.documents import visits
from extrophi_backend.jobs import sql as jobs_sql
from extrophi_backend.jobs.models import NewJob
from extrophi_backend.log import event
from extrophi_backend.sources import sql

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_QUEUED = 20
"""Jobs that nobody asked for, and that may wait for a worker at once: what a person asks for comes soon after."""
_VISITS = 20
"""Documents that one job looks at again."""
_PUT_OFF = 10_000
"""Documents that are due, and are not visited by the clock, at a turn."""


async def start_due(pool: Pool, now: datetime) -> int:
    """A job for each source that is due by now, as far as there is room. Returns how many."""
    async with pool.acquire() as conn, conn.transaction():
        if not await sql.is_only_one(conn):  # two that counted at once would both fill the room
            return 0
        room = _QUEUED - await jobs_sql.count_scheduled(conn)
        due = await sql.take_due(conn, now, room) if room > 0 else []
        if due:
            jobs = [
                NewJob(
                    uuid7(), one.target, one.typed, one.platform, one.collection_id, one.document_limit, one.id,
                    one.scope, one.depth, one.purpose, scheduled=True,
                )
                for one in due
            ]  # fmt: skip
            await jobs_sql.insert_many(conn, jobs)
    return len(due)


async def start_visits(pool: Pool, now: datetime, per_day: int) -> int:
    """Jobs for some documents that are due to be looked at again, within the budget, and as far as there is room.

    Returns:
        How many documents.
    """
    async with pool.acquire() as conn, conn.transaction():
        if not await visits.are_due(conn, now) or not await sql.is_only_one(conn):
            return 0
        most = min(_VISITS, per_day, _QUEUED - await jobs_sql.count_scheduled(conn))  # each may be a job of its own
        if most <= 0:
            return 0
        spacing = timedelta(days=1) * most / per_day
        turn = await budgets_sql.take_turn(conn, "revisits", spacing=spacing, patience=timedelta(), month_cap=None)
        if not turn.is_taken:
            return 0
        await visits.put_off(conn, now, _PUT_OFF)
        due = await visits.take(conn, now, most)
        groups: dict[tuple[str, UUID], list[str]] = defaultdict(list)
        for one in due:
            groups[one.platform, one.collection_id].append(one.external_id)
        jobs = [
            NewJob(
                uuid7(), ids[0], ids[0], platform, collection_id, len(ids), purpose="revisit", scheduled=True,
                revisit=ids,
            )
            for (platform, collection_id), ids in groups.items()
        ]  # fmt: skip
        await jobs_sql.insert_many(conn, jobs)
    return len(due)


async def keep_scheduling(pool: Pool, revisits_per_day: int) -> None:
    """Look every second what is due, for ever."""
    while True:
        try:
            now = datetime.now(UTC)
            if revisits_per_day:  # first: they are few, and sources that are due would leave them no room
                await start_visits(pool, now, revisits_per_day)
            await start_due(pool, now)
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, sources go on being looked at
            if not is_away(error):  # that is said by who sends jobs
                _log.warning(event("scheduler.failed", error=repr(error)), exc_info=error)
        await asyncio.sleep(_LOOK_SECONDS)
