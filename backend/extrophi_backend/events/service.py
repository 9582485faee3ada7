"""The story of those who follow what happens: from a position on, nothing twice, nothing missed."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

from extrophi_backend.db import Connection, Pool
from extrophi_backend.errors import InvalidInput, PositionLost
from extrophi_backend.events import sql
from extrophi_backend.events.models import KEPT, Event, Position, Wanted
from extrophi_backend.http.cursors import read_cursor, write_cursor

PAGE = 500
_SLACK = timedelta(days=1)
"""Events are kept for so much longer than positions are taken: between reading one and the events after it, none go."""
STALE = timedelta(minutes=1)
"""A position that old is made anew, even if nothing happened: it would not be taken for ever."""
_PRUNED_AT_ONCE = 10_000
_PACKED = re.compile(r"[0-9]{1,19}(?:,[0-9]{1,19}){1,10000}", re.ASCII)


async def present(conn: Connection) -> Position:
    """The position from which all is told that is committed from now on."""
    ahead = await sql.now(conn)
    return Position(ahead.now, ahead.snapshot)


async def read_position(conn: Connection, text: str, field: str) -> Position:
    """The position that an event's id stands for.

    Raises:
        InvalidInput: it was not given out here.
        PositionLost: it is so old that events after it may be forgotten.
    """
    ahead = await sql.now(conn)
    try:
        at, seen, upto, seq = read_cursor(text, _moment, _unpacked, lambda one: _unpacked(one) if one else None, _seq)
    except InvalidInput:
        at, seen, upto, seq = ahead.now, "", None, 0
    # A snapshot of the future is another database's.
    if not seen or any(one and _end(one) > _end(ahead.snapshot) for one in (seen, upto)) or at > ahead.now + _SLACK:
        raise InvalidInput(
            f"{field}: this is no event's id that was given out here.",
            field=field,
            hint="Take it from an event, unchanged, or leave it out to be told what happens from now on.",
        )
    if at < ahead.now - KEPT:
        raise PositionLost(
            f"Events are kept for {KEPT.days} days, and this id is older: some after it are forgotten.",
            field=field,
            hint="Read what there is now (GET /documents), and follow from now on, without an id.",
        )
    return Position(at, seen, upto, seq)


def write_position(position: Position) -> str:
    """An opaque, URL-safe id for a position."""
    snapshots = [_packed(one) if one else "" for one in (position.seen, position.upto)]
    return write_cursor(position.at.isoformat(), *snapshots, str(position.seq))


async def new_events(
    pool: Pool, position: Position, wanted: Wanted, *, page: int = PAGE
) -> AsyncGenerator[tuple[Event | None, Position], None]:
    """All that is wanted and new since `position`, each with the position after it.

    An event of None only moves the position on: all before it was told, or is not wanted.
    """
    looked_at = position.at
    while True:
        if position.upto is None:
            async with pool.acquire() as conn:
                ahead = await sql.look(conn, position.seen)
            looked_at = ahead.now
            if ahead.first is None:
                if ahead.now - position.at > STALE:
                    yield None, Position(ahead.now, ahead.snapshot)
                return
            # `at` stays: what is still to be told may be as old as that.
            position = Position(position.at, position.seen, ahead.snapshot, ahead.first - 1)
        upto = position.upto
        assert upto is not None
        async with pool.acquire() as conn:
            events, last = await sql.between(
                conn, position.seen, upto, after=position.seq, wanted=wanted, limit=page
            )  # fmt: skip
        for event in events:
            yield event, replace(position, seq=event.seq)
        position = Position(looked_at, upto) if last is None else replace(position, seq=last)
        yield None, position


async def prune(pool: Pool) -> None:
    """Forget events that nobody can read any more."""
    async with pool.acquire() as conn:
        while await sql.prune(conn, KEPT + _SLACK, _PRUNED_AT_ONCE) == _PRUNED_AT_ONCE:
            pass


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _packed(snapshot: str) -> str:
    """A snapshot (`xmin:xmax:xip,xip…`), each number but the first as what it is more than the one before.

    Where hundreds write at once, an id still fits into a header.
    """
    start, end, running = snapshot.split(":")
    numbers = [int(start), *map(int, filter(None, running.split(","))), int(end)]
    return ",".join([start, *(str(after - before) for before, after in pairwise(numbers))])


def _unpacked(text: str) -> str:
    """The snapshot, as PostgreSQL takes it, or ValueError: what it cannot read never gets there."""
    if not _PACKED.fullmatch(text):
        raise ValueError
    start, *running, end = accumulate(map(int, text.split(",")))
    numbers = [start, *running, end]
    # The first may be running, and so the same number twice; no other is.
    if not start > 0 or end >= 2**63 or any(a >= b for a, b in pairwise(numbers[1:])):
        raise ValueError
    return f"{start}:{end}:{','.join(map(str, running))}"


def _end(snapshot: str) -> int:
    return int(snapshot.split(":")[1])


def _seq(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63 - 1:
        raise ValueError
    return value
