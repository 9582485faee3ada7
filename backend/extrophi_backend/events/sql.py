"""Every statement about events.

A snapshot (`pg_snapshot`) tells which transactions were committed at a moment. An event is new to a reader if its
transaction is not among those of the snapshot up to which it has read, and is among those of the present one. So a late
commit is never missed, and no event waits for the transactions of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.events.models import Event, Happened, Wanted


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a reader finds when it looks: the present snapshot, and the number of its first new event, if any."""

    snapshot: str
    now: datetime
    first: int | None


async def log(conn: Connection, happened: Sequence[Happened]) -> None:
    """Write down what happened, in the caller's transaction. `documents.sql.log_changes` wakes those who read it."""
    if happened:
        await conn.execute(
            """INSERT INTO events (kind, document_id, version)
               SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[])""",
            [one.kind for one in happened],
            [one.document_id for one in happened],
            [one.version for one in happened],
        )


async def log_deleted(conn: Connection, document_ids: Sequence[UUID]) -> None:
    """Write down that documents are about to be deleted, and who has to hear of it."""
    await conn.execute(
        """INSERT INTO events (kind, document_id, version, platform, source_ids, collections)
           SELECT 'document.deleted', d.id, d.version, d.platform,
                  ARRAY(SELECT s.source_id FROM source_documents s WHERE s.document_id = d.id),
                  ARRAY(SELECT c.name FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                         WHERE l.document_id = d.id ORDER BY c.name)
             FROM documents d WHERE d.id = ANY($1::uuid[])""",
        document_ids,
    )


async def look(conn: Connection, seen: str) -> Ahead:
    """What is new since the snapshot `seen`. Uses events_txid."""
    # OFFSET 0: else PostgreSQL looks for the smallest number first, by the primary key and from the oldest event on.
    row = await conn.fetchrow(
        """SELECT pg_current_snapshot()::text AS snapshot, now(),
                  (SELECT min(seq) FROM (SELECT e.seq FROM events e
                                          WHERE e.txid >= pg_snapshot_xmin($1::text::pg_snapshot)
                                            AND NOT pg_visible_in_snapshot(e.txid, $1::text::pg_snapshot)
                                         OFFSET 0) AS fresh) AS first""",
        seen,
    )
    assert row is not None
    return Ahead(**row)


async def now(conn: Connection) -> Ahead:
    """The present, with nothing new in it."""
    row = await conn.fetchrow("SELECT pg_current_snapshot()::text AS snapshot, now(), NULL::bigint AS first")
    assert row is not None
    return Ahead(**row)


async def between(
    conn: Connection, seen: str, upto: str, *, after: int, wanted: Wanted, limit: int
) -> tuple[list[Event], int | None]:
    """Events that `upto` held and `seen` did not, numbered above `after`, in their order. Uses events_pkey.

    Returns:
        Those that are wanted of the next `limit`, and the number of the last of these; None if there are no more.
    """
    rows = await conn.fetch(
        f"""WITH page AS MATERIALIZED (
               SELECT seq, kind, document_id, version, happened_at, platform, source_ids, collections FROM events
                WHERE seq > $3 AND NOT pg_visible_in_snapshot(txid, $1::text::pg_snapshot)
                  AND pg_visible_in_snapshot(txid, $2::text::pg_snapshot)
                ORDER BY seq LIMIT $4
           ), told AS ({_TOLD})
           SELECT seq, kind, document_id, version, platform, title, url, source_ids, collections, happened_at,
                  NOT is_lost AND (kind = ANY($5::text[]) OR $5 = '{{}}')
                  AND (platform = ANY($6::text[]) OR $6 = '{{}}')
                  AND (source_ids && $7::uuid[] OR $7 = '{{}}') AND (collections && $8::text[] OR $8 = '{{}}')
                      AS is_wanted
             FROM told ORDER BY seq""",  # noqa: S608  a text of our own
        seen,
        upto,
        after,
        limit,
        wanted.kinds,
        wanted.platforms,
        wanted.source_ids,
        wanted.collections,
    )
    events = [Event(*tuple(row)[:-1]) for row in rows if row["is_wanted"]]
    return events, rows[-1]["seq"] if rows else None


async def numbered(conn: Connection, seqs: Sequence[int]) -> list[Event]:
    """Events by their numbers, in that order, without those of documents that were deleted since."""
    rows = await conn.fetch(
        f"""WITH page AS MATERIALIZED (
               SELECT seq, kind, document_id, version, happened_at, platform, source_ids, collections FROM events
                WHERE seq = ANY($1::bigint[])
           ), told AS ({_TOLD})
           SELECT seq, kind, document_id, version, platform, title, url, source_ids, collections, happened_at
             FROM told WHERE NOT is_lost ORDER BY seq""",  # noqa: S608  a text of our own
        seqs,
    )
    return [Event(*row) for row in rows]


async def prune(conn: Connection, age: timedelta, limit: int) -> int:
    """Delete the oldest that are older than `age`, so many at most. Returns how many."""
    done = await conn.execute(
        """DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT $2)
              AND happened_at < now() - $1::interval""",
        age,
        limit,
    )
    return int(done.split()[-1])


# What a `page` of events comes to when it is read: deleted documents are in no table any more.
_TOLD = """
    SELECT p.seq, p.kind, p.document_id, p.version, coalesce(d.platform, p.platform) AS platform, v.title, v.url,
           p.happened_at, d.id IS NULL AND p.kind <> 'document.deleted' AS is_lost,
           coalesce(p.source_ids, ARRAY(SELECT s.source_id FROM source_documents s
                                         WHERE s.document_id = p.document_id ORDER BY 1)) AS source_ids,
           coalesce(p.collections, ARRAY(SELECT c.name FROM collection_documents l
                                           JOIN collections c ON c.id = l.collection_id
                                          WHERE l.document_id = p.document_id ORDER BY 1)) AS collections
      FROM page p
      LEFT JOIN documents d ON d.id = p.document_id
      LEFT JOIN document_versions v ON v.document_id = d.id AND v.version = p.version
"""
