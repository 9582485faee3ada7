"""Turns that all workers share: kept in PostgreSQL, so that they survive a wiped Redis and the end of any of us."""

import asyncio
from datetime import timedelta

from typing_extensions import override

from extrophi_backend.budgets import sql
from extrophi_backend.db import Pool
from extrophi_backend.fetch.errors import Wait
from extrophi_backend.fetch.pace import DELAY, LONGEST_HOLD, PATIENCE, Pace

_HOST = "host:"
_MARGIN = 1.02
"""Two requests that leave at their times may arrive nearer to each other: a limit is kept below by as much."""
_IDLE = timedelta(hours=1)


class SharedPace(Pace):
    """How often a host is asked, by all workers together. Where no pace is due, as on loopback, nobody is asked."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    @override
    async def turn(self, host: str, delay: float) -> None:
        await super().turn(host, 0.0)  # a hold of our own costs no question
        if delay <= 0:
            return
        turn = await self._take(host, delay)
        if not turn.is_taken:
            raise Wait(host, turn.wait.total_seconds())
        await asyncio.sleep(turn.wait.total_seconds())

    @override
    async def again(self, host: str, delay: float) -> None:
        if delay <= 0:
            await super().again(host, delay)
            return
        turn = await self._take(host, delay)
        # It never gives up what its first turn was for.
        await asyncio.sleep(turn.wait.total_seconds() if turn.is_taken else min(DELAY, delay))

    @override
    async def hold(self, host: str, seconds: float, longest: float = LONGEST_HOLD) -> None:
        await super().hold(host, seconds, longest)
        async with self._pool.acquire() as conn:
            await sql.hold(conn, _HOST + host, timedelta(seconds=min(seconds, longest)))

    async def _take(self, host: str, delay: float) -> sql.Turn:
        spacing, patience = timedelta(seconds=delay * _MARGIN), timedelta(seconds=PATIENCE)
        async with self._pool.acquire() as conn:
            return await sql.take_turn(conn, _HOST + host, spacing=spacing, patience=patience, month_cap=None)


async def tidy(pool: Pool) -> None:
    """Forget hosts that nobody has asked lately."""
    async with pool.acquire() as conn:
        await sql.forget(conn, _HOST, _IDLE)
