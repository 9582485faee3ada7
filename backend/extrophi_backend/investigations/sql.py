"""Every statement about investigations. Whoever writes for one does so under its fence."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.investigations.models import (
    LEASE_TIME,
    Change,
    Investigation,
    Listed,
    NewInvestigation,
    StoredEvent,
)

_FIELDS = """id, question, targets, document_limit AS "limit", scope, status, job_ids, answer, error, cancel_requested,
             fence, created_at, started_at, finished_at"""


async def insert(
    conn: Connection,
    investigation_id: UUID,
    new: NewInvestigation,
    job_ids: Sequence[UUID],
    error: Mapping[str, Any] | None,
) -> None:
    """Store one, its lease with whoever made it; with an error it has ended already."""
    await conn.execute(
        """INSERT INTO investigations (id, question, targets, document_limit, scope, job_ids, error, status, fence,
                                       lease_until, started_at, finished_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7::jsonb IS NULL THEN 'running' ELSE 'failed' END, 1,
                   now() + $8::interval, now(), CASE WHEN $7::jsonb IS NOT NULL THEN now() END)""",
        investigation_id,
        new.question,
        list(new.targets),
        new.limit,
        new.scope,
        list(job_ids),
        error,
        LEASE_TIME,
    )


async def get(conn: Connection, investigation_id: UUID) -> Investigation | None:
    row = await conn.fetchrow(f"SELECT {_FIELDS} FROM investigations WHERE id = $1", investigation_id)  # noqa: S608
    return Investigation(**row) if row else None


async def newest(conn: Connection, *, before: UUID | None, limit: int) -> list[Listed]:
    """Ids are made in the order of time: the primary key has it."""
    rows = await conn.fetch(
        """SELECT id, question, targets, document_limit AS "limit", scope, status, error, created_at, started_at,
                  finished_at
             FROM investigations WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2""",
        before,
        limit,
    )
    return [Listed(**row) for row in rows]


async def claim(conn: Connection) -> Investigation | None:
    """Take one whose driver has not been heard of; several may ask at once."""
    row = await conn.fetchrow(
        f"""UPDATE investigations SET fence = fence + 1, lease_until = now() + $1::interval
             WHERE id = (SELECT id FROM investigations
                          WHERE status IN ('queued', 'running') AND lease_until < now()
                          ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING {_FIELDS}""",  # noqa: S608  a constant of ours
        LEASE_TIME,
    )
    return Investigation(**row) if row else None


async def progress(conn: Connection, investigation_id: UUID, fence: int, change: Change) -> bool | None:
    """Write what it came to and renew the lease. Whether cancelling was asked for; None under an old fence."""
    return await conn.fetchval(
        """UPDATE investigations
              SET lease_until = CASE WHEN $7 THEN '-infinity' ELSE now() + $3::interval END,
                  status = coalesce($4, status), answer = coalesce($5, answer), error = coalesce($6, error),
                  finished_at = CASE WHEN $4 IN ('succeeded', 'failed', 'canceled') THEN now() END
            WHERE id = $1 AND fence = $2 AND status IN ('queued', 'running') RETURNING cancel_requested""",
        investigation_id,
        fence,
        LEASE_TIME,
        change.status,
        change.answer,
        change.error,
        change.release,
    )


async def append(conn: Connection, investigation_id: UUID, seq: int, events: Sequence[tuple[str, Any]]) -> None:
    """Store events numbered from `seq` on, less those there are. In the transaction that holds the row."""
    await conn.execute(
        """INSERT INTO investigation_events (investigation_id, seq, event, data)
           SELECT $1, $2 + e.n - 1, e.event, e.data::jsonb
             FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS e (event, data, n)
               ON CONFLICT DO NOTHING""",
        investigation_id,
        seq,
        [name for name, _ in events],
        [json.dumps(data, ensure_ascii=False) for _, data in events],  # a list in a list would be an array of arrays
    )
    await conn.execute("SELECT pg_notify('extrophi_investigations', $1)", str(investigation_id))


async def count_events(conn: Connection, investigation_id: UUID) -> int:
    return await conn.fetchval(
        "SELECT coalesce(max(seq), 0) FROM investigation_events WHERE investigation_id = $1", investigation_id
    )


async def events_after(conn: Connection, investigation_id: UUID, seq: int) -> list[StoredEvent]:
    rows = await conn.fetch(
        """SELECT seq, event, data FROM investigation_events
            WHERE investigation_id = $1 AND seq > $2 ORDER BY seq LIMIT 1000""",
        investigation_id,
        seq,
    )
    return [StoredEvent(**row) for row in rows]


async def request_cancel(conn: Connection, investigation_id: UUID) -> None:
    await conn.execute(
        "UPDATE investigations SET cancel_requested = true WHERE id = $1 AND status IN ('queued', 'running')",
        investigation_id,
    )
