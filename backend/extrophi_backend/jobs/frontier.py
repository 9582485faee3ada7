"""Every statement about a job's frontier: the addresses that it has met, and what it learned of their kinds.

It is written with the page that met them, and gone when the job ends: then nobody needs it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from extrophi_backend.collectors.models import Address
from extrophi_backend.db import Connection

_NO_RANK = -(2**15)
"""Smaller than all: a rank is a smallint."""
_MOST_EXAMPLES = 5


async def waiting(conn: Connection, job_id: UUID, most: int, *, beyond: int | None = None) -> list[Address]:
    """The next, all of the smallest rank that waits, or the smallest `beyond` another one. Uses frontier_waiting."""
    rows = await conn.fetch(
        """SELECT key, url, rank, position, depth, entry, state FROM frontier
            WHERE job_id = $1 AND state = 'waiting'
              AND rank = (SELECT rank FROM frontier WHERE job_id = $1 AND state = 'waiting' AND rank > $3
                           ORDER BY rank, position LIMIT 1)
            ORDER BY position LIMIT $2""",
        job_id,
        most,
        _NO_RANK if beyond is None else beyond,
    )
    return [_address(row) for row in rows]


async def met(conn: Connection, job_id: UUID, keys: Sequence[bytes]) -> dict[bytes, Address]:
    rows = await conn.fetch(
        """SELECT key, url, rank, position, depth, entry, state FROM frontier
            WHERE job_id = $1 AND key = ANY($2::bytea[])""",
        job_id,
        list(keys),
    )
    return {row["key"]: _address(row) for row in rows}


async def patterns(conn: Connection, job_id: UUID, names: Sequence[str]) -> dict[str, Any]:
    rows = await conn.fetch(
        "SELECT name, value FROM frontier_patterns WHERE job_id = $1 AND name = ANY($2::text[])", job_id, list(names)
    )
    return {row["name"]: row["value"] for row in rows}


async def settle(conn: Connection, job_id: UUID, addresses: Sequence[Address]) -> None:
    """They are not taken again, or later, if they still wait. One may be settled twice: the last word counts."""
    last = list({one.key: one for one in addresses}.values())
    await conn.execute(
        """INSERT INTO frontier (job_id, key, url, rank, position, depth, entry, state)
           SELECT $1, n.key, n.url, n.rank, n.position, n.depth, n.entry::jsonb, n.state
             FROM unnest($2::bytea[], $3::text[], $4::smallint[], $5::bigint[], $6::int[], $7::text[], $8::text[])
                  AS n (key, url, rank, position, depth, entry, state)
           ON CONFLICT (job_id, key) DO UPDATE
              SET state = excluded.state, entry = excluded.entry, rank = excluded.rank""",
        job_id,
        *_columns(last),
    )


async def add(conn: Connection, job_id: UUID, addresses: Sequence[Address]) -> None:
    """New ones wait. One that waits already is taken earlier, if it is met again at a smaller rank."""
    first: dict[bytes, Address] = {}
    for one in addresses:
        if one.key not in first or one.rank < first[one.key].rank:
            first[one.key] = one
    await conn.execute(
        """INSERT INTO frontier AS f (job_id, key, url, rank, position, depth, entry, state)
           SELECT $1, n.key, n.url, n.rank, n.position, n.depth, n.entry::jsonb, n.state
             FROM unnest($2::bytea[], $3::text[], $4::smallint[], $5::bigint[], $6::int[], $7::text[], $8::text[])
                  AS n (key, url, rank, position, depth, entry, state)
           ON CONFLICT (job_id, key) DO UPDATE
              SET url = excluded.url, rank = excluded.rank, position = excluded.position, depth = excluded.depth,
                  entry = excluded.entry
            WHERE f.state = 'waiting' AND excluded.rank < f.rank""",
        job_id,
        *_columns(list(first.values())),
    )


async def keep_patterns(conn: Connection, job_id: UUID, values: Mapping[str, Any]) -> None:
    await conn.execute(
        """INSERT INTO frontier_patterns (job_id, name, value)
           SELECT $1, * FROM unnest($2::text[], $3::jsonb[])
           ON CONFLICT (job_id, name) DO UPDATE SET value = excluded.value""",
        job_id,
        list(values),
        list(values.values()),
    )


async def left_out(conn: Connection, job_id: UUID) -> dict[str, Any] | None:
    """How many addresses were left as places without end, with one of each kind to judge by; None if none were."""
    return await conn.fetchval(
        """WITH kinds AS (SELECT count(*)::int AS count, min(url COLLATE "C") AS target,
                                 row_number() OVER (ORDER BY count(*) DESC, min(url COLLATE "C")) AS number
                            FROM frontier WHERE job_id = $1 AND state = 'trap' GROUP BY entry->>'kind')
           SELECT jsonb_build_object('count', sum(count), 'examples',
                      jsonb_agg(jsonb_build_object('target', target, 'count', count) ORDER BY number)
                          FILTER (WHERE number <= $2))
             FROM kinds HAVING count(*) > 0""",
        job_id,
        _MOST_EXAMPLES,
    )


async def forget(conn: Connection, job_id: UUID) -> None:
    """For a job that has ended."""
    await conn.execute("DELETE FROM frontier WHERE job_id = $1", job_id)
    await conn.execute("DELETE FROM frontier_patterns WHERE job_id = $1", job_id)


async def prune(conn: Connection) -> None:
    """Forget those of jobs that were ended by somebody else than their worker: cancelled while they waited, say."""
    for row in await conn.fetch(
        """SELECT j.id FROM jobs j WHERE j.finished_at IS NOT NULL
              AND (EXISTS (SELECT FROM frontier f WHERE f.job_id = j.id)
                   OR EXISTS (SELECT FROM frontier_patterns p WHERE p.job_id = j.id)) LIMIT 100"""
    ):
        await forget(conn, row["id"])


def _address(row: Record) -> Address:
    return Address(**row)


def _columns(addresses: Sequence[Address]) -> tuple[list[Any], ...]:
    return (
        [one.key for one in addresses],
        [one.url for one in addresses],
        [one.rank for one in addresses],
        [one.position for one in addresses],
        [one.depth for one in addresses],
        [None if one.entry is None else json.dumps(one.entry) for one in addresses],  # a list would be an array's part
        [one.state for one in addresses],
    )
