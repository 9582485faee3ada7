"""Telling workers of jobs."""

import asyncio
from datetime import timedelta

from celery import Celery

from extrophi_backend.db import Pool
from extrophi_backend.jobs import sql
from extrophi_backend.queue import send

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
