"""Telling workers of jobs."""

import asyncio
import logging
from datetime import timedelta

from celery import Celery
from kombu.exceptions import OperationalError

from extrophi_backend.db import Pool
from extrophi_backend.http.problems import DATABASE_AWAY
from extrophi_backend.jobs import sql
from extrophi_backend.log import event
from extrophi_backend.queue import send

_log = logging.getLogger(__name__)
_SWEEP_SECONDS = 1.0

RESEND = timedelta(seconds=10)
"""A job that was sent and not taken within this time is sent again: Redis may have been wiped."""


async def send_unsent(pool: Pool, celery: Celery) -> None:
    """Tell workers of every job that is due and that no message told of lately.

    What keeps jobs from being lost: a message that went astray, with a wiped Redis, say, is sent again. Several may
    sweep at once, since rows are taken with SKIP LOCKED.

    Raises:
        kombu.exceptions.OperationalError: Redis is away; the jobs stay unsent.
    """
    async with pool.acquire() as conn, conn.transaction():
        job_ids = await sql.take_unsent(conn, RESEND)
        if job_ids:
            await asyncio.to_thread(send, celery, job_ids)


async def keep_sending(pool: Pool, celery: Celery) -> None:
    """Sweep every second, for ever. A database or Redis that is away is waited for, and said once."""
    away = ""
    while True:
        try:
            await send_unsent(pool, celery)
            away = ""
        except DATABASE_AWAY as error:
            if away != "database":
                _log.warning(event("scheduler.waits", on="database", error=type(error).__name__))
            away = "database"
        except OperationalError:
            if away != "redis":
                _log.warning(event("scheduler.waits", on="redis"))
            away = "redis"
        await asyncio.sleep(_SWEEP_SECONDS)
