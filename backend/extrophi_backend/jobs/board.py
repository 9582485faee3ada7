"""All jobs as they change: what a board of them follows, in one stream."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from extrophi_backend.db import Pool
from extrophi_backend.jobs import sql
from extrophi_backend.jobs.models import Job, Status
from extrophi_backend.notifications import Heard, Notifications

SHOWN = 100
"""Jobs that are told first."""
GATHER_SECONDS = 0.2
"""Changes within that time are read together: a hundred jobs that save pages cost no more than five reads a second."""
_REMEMBERED = 10_000
"""Jobs, whose last telling is known: a stream may last for weeks, and tells the same of an older one twice."""
LOOK_AGAIN_SECONDS = 15.0  # for when a notification was missed


async def follow(pool: Pool, notifications: Notifications, status: Status | None) -> AsyncGenerator[Job | None, None]:
    """The newest jobs (of a status), newest first, then None; and from then on each job after each change.

    A job that was told is told once more when it is not of the status any more.
    """
    revisions: dict[UUID, int] = {}
    shown: set[UUID] = set()  # those of the status that have not ended
    is_first = True
    with notifications.heard("extrophi_jobs") as heard:
        found = await _newest(pool, status)
        while True:
            for job in found:
                if job.revision <= revisions.get(job.id, 0):
                    continue
                revisions[job.id] = job.revision
                is_wanted = status in {None, job.status}
                if is_wanted or job.id in shown:
                    yield job
                (shown.add if is_wanted and job.finished_at is None else shown.discard)(job.id)
            if is_first:
                yield None
                is_first = False
            for forgotten in list(revisions)[: max(len(revisions) - _REMEMBERED, 0)]:
                del revisions[forgotten]
            payloads = await _next(heard)
            # None: the connection was lost, or nothing came for long.
            ids = sorted(shown) if payloads is None else [UUID(one) for one in payloads]
            found = await _of_ids(pool, ids) + (await _newest(pool, status) if payloads is None else [])


async def _next(heard: Heard) -> set[str] | None:
    """Which jobs changed; None: it is not known, all of them may have."""
    try:
        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
            await heard.wait()
    except TimeoutError:
        return None
    await asyncio.sleep(GATHER_SECONDS)
    return heard.take()


async def _newest(pool: Pool, status: Status | None) -> list[Job]:
    async with pool.acquire() as conn:
        return await sql.newest(conn, before=None, status=status, limit=SHOWN)


async def _of_ids(pool: Pool, ids: Sequence[UUID]) -> list[Job]:
    if not ids:
        return []
    async with pool.acquire() as conn:
        return await sql.get_all(conn, ids)
