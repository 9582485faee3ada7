"""Turns that all workers share."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from extrophi_backend.budgets import service, sql
from extrophi_backend.budgets.service import SharedPace
from extrophi_backend.db import Connection, Pool
from extrophi_backend.fetch.errors import Wait

SOON = timedelta(seconds=5)
NEVER = timedelta(days=365)


async def turn(conn: Connection, spacing: timedelta, patience: timedelta = NEVER, cap: int | None = None) -> sql.Turn:
    return await sql.take_turn(conn, "x", spacing=spacing, patience=patience, month_cap=cap)


async def test_turns_taken_at_once_are_each_given_once_and_apart(pool: Pool) -> None:
    async def take() -> timedelta:
        async with pool.acquire() as conn:
            return (await turn(conn, timedelta(minutes=1))).wait

    waits = sorted(await asyncio.gather(*(take() for _ in range(30))))
    gaps = [after - before for before, after in pairwise(waits)]
    assert min(gaps) > timedelta(seconds=50)
    assert waits[-1] > timedelta(minutes=28)


async def test_a_turn_that_comes_too_late_is_not_taken(conn: Connection) -> None:
    assert (await turn(conn, timedelta(hours=1))).is_taken
    for _ in range(3):  # and asking does not put it off
        refused = await turn(conn, timedelta(hours=1), SOON)
        assert not refused.is_taken
        assert timedelta(minutes=59) < refused.wait <= timedelta(hours=1)


async def test_a_months_cap_holds_until_the_next_month(conn: Connection) -> None:
    taken = [(await turn(conn, timedelta(), cap=3)).is_taken for _ in range(5)]
    assert taken == [True, True, True, False, False]
    refused = await turn(conn, timedelta(), cap=3)
    assert timedelta() < refused.wait <= timedelta(days=31)
    await conn.execute("UPDATE budgets SET month = month - interval '1 month'")
    assert (await turn(conn, timedelta(), cap=3)).is_taken
    assert await conn.fetchval("SELECT used FROM budgets") == 1


async def test_what_one_worker_is_told_all_obey(pool: Pool) -> None:
    one, other = SharedPace(pool), SharedPace(pool)
    await one.turn("a.example", 0.01)
    await one.hold("a.example", 100)
    for pace in (one, other):
        with pytest.raises(Wait) as wait:
            await pace.turn("a.example", 0.01)
        assert 90 < wait.value.seconds <= 100
        assert wait.value.failure is None
    await other.turn("b.example", 0.01)


async def test_where_no_pace_is_due_the_database_is_not_asked(pool: Pool, conn: Connection) -> None:
    pace = SharedPace(pool)
    for _ in range(3):
        await pace.turn("127.0.0.1:80", 0.0)
        await pace.again("127.0.0.1:80", 0.0)
    assert await conn.fetchval("SELECT count(*) FROM budgets") == 0


async def test_the_second_request_of_a_fetch_never_gives_up(pool: Pool, conn: Connection) -> None:
    pace = SharedPace(pool)
    await pace.turn("a.example", 60)
    async with asyncio.timeout(5):
        await pace.again("a.example", 60)


async def test_hosts_that_nobody_asks_are_forgotten(pool: Pool, conn: Connection) -> None:
    await SharedPace(pool).turn("a.example", 0.01)
    await turn(conn, timedelta())
    await service.tidy(pool)
    assert await conn.fetchval("SELECT count(*) FROM budgets") == 2
    await conn.execute("UPDATE budgets SET free_at = now() - interval '2 hours'")
    await service.tidy(pool)
    assert [row["name"] for row in await conn.fetch("SELECT name FROM budgets")] == ["x"]  # its month is still counted
