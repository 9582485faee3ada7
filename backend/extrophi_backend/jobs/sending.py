"""Telling workers of jobs."""

import asyncio
import logging
from datetime import timedelta

from celery import Celery
from kombu.exceptions import OperationalError

from extrophi_backend.db import Pool, is_away
from extrophi_backend.jobs import sql
from extrophi_backend.log import event
from extrophi_backend.queue import send, waiting

_log = logging.getLogger(__name__)
_SWEEP_SECONDS = 1.0

RESEND = timedelta(seconds=10)
"""A job that was sent and not taken within this time may be sent again: Redis may have been wiped."""


async def send_unsent(pool: Pool, celery: Celery) -> None:
    """Tell workers of every job that is due and that no message has told of.

    Several may do so at once, since rows are taken with SKIP LOCKED.

    Raises:
        kombu.exceptions.OperationalError: Redis is away; the jobs stay unsent.
    """
    async with pool.acquire() as conn, conn.transaction():
        job_ids = await sql.take_unsent(conn)
        if job_ids:
            await asyncio.to_thread(send, celery, job_ids)


async def send_lost(pool: Pool, celery: Celery) -> None:
    """Tell workers again of jobs whose message went astray, with a wiped Redis, say.

    A job that waits for a free worker has its message still: there are never more messages than jobs that are due.

    Raises:
        kombu.exceptions.OperationalError: Redis is away.
    """
    async with pool.acquire() as conn:
        due = await sql.count_due(conn, RESEND)
    messages = await asyncio.to_thread(waiting, celery) if due else 0
    if due > messages:
        async with pool.acquire() as conn, conn.transaction():
            job_ids = await sql.take_lost(conn, RESEND, due - messages)
            await asyncio.to_thread(send, celery, job_ids)


async def keep_sending(pool: Pool, celery: Celery) -> None:
    """Sweep every second, for ever. What is away is waited for, and said once."""
    away = ""
    while True:
        try:
            await send_unsent(pool, celery)
            await send_lost(pool, celery)
            away = ""
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, jobs go on being sent
            on = "redis" if isinstance(error, OperationalError) else "database" if is_away(error) else repr(error)
            if away != on:
                expected = on in {"redis", "database"}
                _log.warning(event("scheduler.waits", on=on), exc_info=None if expected else error)
            away = on
        await asyncio.sleep(_SWEEP_SECONDS)
