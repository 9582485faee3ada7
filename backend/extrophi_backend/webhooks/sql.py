"""Every statement about webhooks."""

from datetime import timedelta
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.webhooks.models import MOST_EVENTS, Claim, Failure, Webhook

_ROUTE = 0x6578_7765  # an advisory lock: one at a time routes, or the order would be lost


_WEBHOOK = """
    SELECT w.source_id, s.target, w.url, w.sealed,
           CASE WHEN w.former_until > now() THEN w.former_sealed END AS former_sealed, w.state, w.error, w.attempts,
           w.run_after, w.delivered_at, w.created_at, w.updated_at,
           (SELECT count(*)::int FROM webhook_outbox o WHERE o.source_id = w.source_id) AS waiting
      FROM webhooks w
      JOIN sources s ON s.id = w.source_id
"""


async def get(conn: Connection, source_id: UUID) -> Webhook | None:
    row = await conn.fetchrow(f"{_WEBHOOK} WHERE w.source_id = $1", source_id)
    return Webhook(**row) if row else None


async def of_newest(conn: Connection, *, before: UUID | None, limit: int) -> list[Webhook]:
    """Those of the newest sources first: UUIDv7 ids sort by time."""
    rows = await conn.fetch(
        f"{_WEBHOOK} WHERE $1::uuid IS NULL OR w.source_id < $1 ORDER BY w.source_id DESC LIMIT $2", before, limit
    )
    return [Webhook(**row) for row in rows]


async def begin_routing(conn: Connection) -> None:
    """Where no webhook was, none hears of what happened before."""
    await conn.execute(
        "UPDATE webhook_routing SET seen = pg_current_snapshot()::text WHERE NOT EXISTS (SELECT FROM webhooks)"
    )


async def put(conn: Connection, source_id: UUID, url: str, sealed: bytes | None) -> None:
    """Set the address, and the secret where one is given. What waits goes out at once, to the new address."""
    await conn.execute(
        """INSERT INTO webhooks (source_id, url, sealed) VALUES ($1, $2, $3)
           ON CONFLICT (source_id) DO UPDATE
              SET url = excluded.url, sealed = excluded.sealed, state = 'active', error = NULL, attempts = 0,
                  former_sealed = CASE WHEN webhooks.sealed = excluded.sealed THEN webhooks.former_sealed END,
                  run_after = now(), lease_until = NULL, fence = webhooks.fence + 1, updated_at = now()""",
        source_id,
        url,
        sealed,
    )


async def rotate(conn: Connection, source_id: UUID, sealed: bytes, overlap: timedelta) -> None:
    """Another secret; the one until now is used as well for so long. How the webhook goes stays as it is."""
    await conn.execute(
        """UPDATE webhooks SET former_sealed = sealed, former_until = now() + $3::interval, sealed = $2,
                               updated_at = now()
            WHERE source_id = $1""",
        source_id,
        sealed,
        overlap,
    )


async def forget_former(conn: Connection) -> None:
    await conn.execute("UPDATE webhooks SET former_sealed = NULL, former_until = NULL WHERE former_until < now()")


async def sealed_secret(conn: Connection, source_id: UUID) -> bytes | None:
    """Of the webhook that is there, which nobody else changes until the end of the transaction."""
    return await conn.fetchval("SELECT sealed FROM webhooks WHERE source_id = $1 FOR UPDATE", source_id)


async def delete(conn: Connection, source_id: UUID) -> bool:
    return bool(await conn.fetchval("DELETE FROM webhooks WHERE source_id = $1 RETURNING true", source_id))


async def revive(conn: Connection, source_id: UUID) -> None:
    """One that had failed is tried again, and one that waits for its next attempt is at once."""
    await conn.execute(
        """UPDATE webhooks SET state = 'active', error = NULL, attempts = 0, run_after = now()
            WHERE source_id = $1 AND state <> 'disabled'""",
        source_id,
    )


async def route(conn: Connection) -> None:
    """Put what happened since the last time into the outbox, in a transaction. Another may be at it: then nothing.

    Snapshots are explained in events/sql.py. What is written and what is noted as seen are of one statement, and so of
    one snapshot.
    """
    seen = await conn.fetchval("SELECT seen FROM webhook_routing WHERE EXISTS (SELECT FROM webhooks)")
    if seen is None or not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", _ROUTE):
        return
    # Read again: whoever held the lock before may have gone on.
    seen = await conn.fetchval("SELECT seen FROM webhook_routing")
    await conn.execute(
        """WITH fresh AS MATERIALIZED (
               SELECT seq, document_id, source_ids FROM events
                WHERE txid >= pg_snapshot_xmin($1::text::pg_snapshot)
                  AND NOT pg_visible_in_snapshot(txid, $1::text::pg_snapshot)
           ), put AS (
               INSERT INTO webhook_outbox (source_id, event_seq)
               SELECT w.source_id, f.seq
                 FROM fresh f
                CROSS JOIN LATERAL (SELECT s.source_id FROM source_documents s WHERE s.document_id = f.document_id
                                    UNION SELECT unnest(f.source_ids)) AS found
                 JOIN webhooks w ON w.source_id = found.source_id AND w.state <> 'disabled'
                ORDER BY f.seq
           )
           UPDATE webhook_routing SET seen = pg_current_snapshot()::text WHERE EXISTS (SELECT FROM fresh)""",
        seen,
    )


async def claim(conn: Connection, limit: int, lease: timedelta) -> list[Claim]:
    """Webhooks that have a message to deliver now, for this caller alone. A retry is the same message as before."""
    rows = await conn.fetch(
        """UPDATE webhooks w
              SET lease_until = now() + $2::interval, fence = w.fence + 1,
                  message_id = coalesce(w.message_id, gen_random_uuid()),
                  message_upto = coalesce(w.message_upto, (
                      SELECT max(id) FROM (SELECT id FROM webhook_outbox o WHERE o.source_id = w.source_id
                                            ORDER BY id LIMIT $3) AS next))
             FROM (SELECT source_id FROM webhooks h
                    WHERE state = 'active' AND run_after <= now() AND (lease_until IS NULL OR lease_until < now())
                      AND EXISTS (SELECT FROM webhook_outbox o WHERE o.source_id = h.source_id)
                    ORDER BY run_after LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
            WHERE w.source_id = due.source_id
        RETURNING w.source_id, w.url, w.sealed, CASE WHEN w.former_until > now() THEN w.former_sealed END
                  AS former_sealed, w.attempts, w.message_id, w.message_upto, w.fence""",
        limit,
        lease,
        MOST_EVENTS,
    )
    return [Claim(**row) for row in rows]


async def events(conn: Connection, claim: Claim) -> list[int]:
    """The numbers of the message's events."""
    rows = await conn.fetch(
        "SELECT event_seq FROM webhook_outbox WHERE source_id = $1 AND id <= $2 ORDER BY id",
        claim.source_id,
        claim.message_upto,
    )
    return [row["event_seq"] for row in rows]


async def delivered(conn: Connection, claim: Claim) -> None:
    """The message is out; the next one may go. Nothing, if another attempt has begun meanwhile."""
    await conn.execute(
        """WITH done AS (
               UPDATE webhooks SET message_id = NULL, message_upto = NULL, attempts = 0, error = NULL,
                                   lease_until = NULL, run_after = now(), delivered_at = now()
                WHERE source_id = $1 AND fence = $2 RETURNING source_id
           )
           DELETE FROM webhook_outbox o USING done d WHERE o.source_id = d.source_id AND o.id <= $3""",
        claim.source_id,
        claim.fence,
        claim.message_upto,
    )


async def failed(conn: Connection, claim: Claim, error: Failure, wait: timedelta | None) -> None:
    """The attempt failed. The next one is after `wait`; None: there is none."""
    await conn.execute(
        """UPDATE webhooks SET attempts = attempts + 1, error = $3, lease_until = NULL,
                               state = CASE WHEN $4::interval IS NULL THEN 'failed' ELSE state END,
                               run_after = now() + coalesce($4::interval, '0')
            WHERE source_id = $1 AND fence = $2""",
        claim.source_id,
        claim.fence,
        error,
        wait,
    )


async def disable(conn: Connection, claim: Claim, error: Failure) -> None:
    """The receiver wants no more: nothing is kept for it."""
    await conn.execute(
        """WITH done AS (
               UPDATE webhooks SET state = 'disabled', error = $3, lease_until = NULL, message_id = NULL,
                                   message_upto = NULL
                WHERE source_id = $1 AND fence = $2 RETURNING source_id
           )
           DELETE FROM webhook_outbox o USING done d WHERE o.source_id = d.source_id""",
        claim.source_id,
        claim.fence,
        error,
    )
