"""Every statement about budgets: how often something may be asked, whoever of us asks."""

from dataclasses import dataclass
from datetime import timedelta

from extrophi_backend.db import Connection


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that was taken, and comes after `wait`; or none, and the time until one can be taken."""

    is_taken: bool
    wait: timedelta


async def take_turn(
    conn: Connection, name: str, *, spacing: timedelta, patience: timedelta, month_cap: int | None
) -> Turn:
    """The next turn of a budget, if it comes within `patience`; the one after it comes `spacing` later."""
    row = await conn.fetchrow(
        "SELECT is_taken, wait FROM take_turn($1, $2, $3, $4)", name, spacing, patience, month_cap
    )
    assert row is not None
    return Turn(row["is_taken"], row["wait"])


async def hold(conn: Connection, name: str, wait: timedelta) -> None:
    """No turn before `wait` is over."""
    await conn.execute(
        """INSERT INTO budgets AS b (name, free_at) VALUES ($1, now() + $2::interval)
           ON CONFLICT (name) DO UPDATE SET free_at = greatest(b.free_at, excluded.free_at)""",
        name,
        wait,
    )


async def forget(conn: Connection, prefix: str, idle: timedelta) -> None:
    """Forget those with that prefix of which no turn was taken for so long, some thousands at a time."""
    await conn.execute(
        """DELETE FROM budgets WHERE name IN (
               SELECT name FROM budgets WHERE free_at < now() - $2::interval AND starts_with(name, $1)
                ORDER BY free_at LIMIT 5000 FOR UPDATE SKIP LOCKED)""",
        prefix,
        idle,
    )
