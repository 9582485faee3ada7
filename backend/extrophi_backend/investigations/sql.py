"""Every statement about investigations. Whoever writes for one does so under its fence."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.investigations.models import LEASE_TIME, Change, Investigation, StoredEvent

_FIELDS = """id, question, targets, document_limit AS "limit", scope, status, job_ids, answer, error, cancel_requested,
             fence, created_at, started_at, finished_at"""


async def insert(
    conn: Connection, investigation_id: UUID, question: str, targets: Sequence[str], limit: int, scope: str
) -> int:
    """Store one, its lease with whoever made it. Returns the fence."""
    return await conn.fetchval(
        """INSERT INTO investigations (id, question, targets, document_limit, scope, status, fence, lease_until,
                                       started_at)
           VALUES ($1, $2, $3, $4, $5, 'running', 1, now() + $6::interval, now()) RETURNING fence""",
        investigation_id,
        question,
        list(targets),
        limit,
        scope,
        LEASE_TIME,
    )


async def get(conn: Connection, investigation_id: UUID) -> Investigation | None:
    row = await conn.fetchrow(f"SELECT {_FIELDS} FROM investigations WHERE id = $1", investigation_id)  # noqa: S608
    return Investigation(**row) if row else None


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
              SET lease_until = now() + $3::interval, status = coalesce($4, status),
                  job_ids = coalesce($5, job_ids), answer = coalesce($6, answer), error = coalesce($7, error),
                  finished_at = CASE WHEN $4 IN ('succeeded', 'failed', 'canceled') THEN now() END
            WHERE id = $1 AND fence = $2 AND status IN ('queued', 'running') RETURNING cancel_requested""",
        investigation_id,
        fence,
        LEASE_TIME,
        change.status,
        None if change.job_ids is None else list(change.job_ids),
        change.answer,
        change.error,
    )


async def append(conn: Connection, investigation_id: UUID, events: Sequence[tuple[str, Any]]) -> None:
    """Add events after those there are. In the transaction of `progress`, which holds the row."""
    await conn.execute(
        """INSERT INTO investigation_events (investigation_id, seq, event, data)
           SELECT $1, coalesce((SELECT max(seq) FROM investigation_events WHERE investigation_id = $1), 0) + e.n,
                  e.event, e.data::jsonb
             FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS e (event, data, n)""",
        investigation_id,
        [name for name, _ in events],
        [json.dumps(data, ensure_ascii=False) for _, data in events],  # a list in a list would be an array of arrays
    )
    await notify(conn, investigation_id)


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


async def notify(conn: Connection, investigation_id: UUID) -> None:
    await conn.execute("SELECT pg_notify('extrophi_investigations', $1)", str(investigation_id))
