"""Every statement about jobs. Whoever writes for a job does so under its fence."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from extrophi_backend.collectors.models import Cursor, Failure
from extrophi_backend.db import Connection
from extrophi_backend.jobs import frontier
from extrophi_backend.jobs.models import (
    DEATHS,
    LEASE_TIME,
    OF_SOURCE_KEPT,
    WAITS,
    Counts,
    Ending,
    Held,
    Indexing,
    Job,
    Lease,
    NewJob,
)

_MAX_FAILURES_SHOWN = 100
_SENT_AT_ONCE = 500
_LONGEST_WAIT = timedelta(minutes=5)
_POISONOUS = {
    "code": "poisonous",
    "detail": f"It ended {DEATHS} workers in a row, before any document was begun.",
    "hint": "Collect its parts one by one, to find the one at fault.",
}

_JOB = f"""
    SELECT j.id, j.target, j.typed, j.platform, j.source_id, c.name AS collection, j.document_limit, j.scope, j.depth,
           j.purpose, j.status, j.found, j.created, j.updated, j.unchanged, j.failed, j.error, j.attempts, j.revision,
           j.left_out, j.cancel_requested, s.title AS source_title,
           j.run_after, j.created_at, j.started_at, j.finished_at,
           ARRAY(SELECT jsonb_build_object('target', f.target, 'code', f.code, 'detail', f.detail)
                   FROM job_failures f WHERE f.job_id = j.id ORDER BY f.seq LIMIT {_MAX_FAILURES_SHOWN}) AS failures
      FROM jobs j
      JOIN collections c ON c.id = j.collection_id
      LEFT JOIN sources s ON s.id = j.source_id
"""  # noqa: S608  a constant of ours


_INSERT = """
    INSERT INTO jobs
        (id, target, typed, platform, collection_id, document_limit, source_id, scope, depth, purpose, scheduled,
         revisit)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (source_id) WHERE status IN ('queued', 'running') AND source_id IS NOT NULL DO NOTHING
"""


async def insert(conn: Connection, job: NewJob) -> bool:
    """False if its source has an open job already: then nothing is inserted."""
    return await conn.execute(_INSERT, *_columns(job)) == "INSERT 0 1"


async def insert_many(conn: Connection, jobs: Sequence[NewJob]) -> None:
    """Insert all but those whose source has an open job already, in one round trip."""
    await conn.executemany(_INSERT, [_columns(job) for job in jobs])


def _columns(job: NewJob) -> tuple[Any, ...]:
    return (
        job.id, job.target, job.typed, job.platform, job.collection_id, job.document_limit, job.source_id, job.scope,
        job.depth, job.purpose, job.scheduled, list(job.revisit),
    )  # fmt: skip


async def open_of_source(conn: Connection, source_id: UUID) -> UUID | None:
    return await conn.fetchval(
        "SELECT id FROM jobs WHERE source_id = $1 AND status IN ('queued', 'running')", source_id
    )


async def go_on(conn: Connection, source_id: UUID) -> None:
    """The source's running job, if it was to be cancelled, is wanted again. If its worker knows already, it ends."""
    await conn.execute(
        """UPDATE jobs SET cancel_requested = false, revision = revision + 1
            WHERE source_id = $1 AND cancel_requested AND status = 'running'""",
        source_id,
    )


async def follow_source(conn: Connection, job_id: UUID) -> None:
    """A job that waits, and has not begun, reaches as far as its source does by now.

    One that has begun goes on from its cursor, which tells of the old reach; unless a page is all that is left of it.
    """
    is_changed = await conn.fetchval(
        """UPDATE jobs j
              SET scope = s.scope, depth = s.depth, cursor = NULL, revision = revision + 1,
                  purpose = CASE WHEN s.full_look_at = '-infinity' THEN 'all' ELSE j.purpose END
             FROM sources s
            WHERE j.id = $1 AND s.id = j.source_id AND j.status = 'queued'
              AND (j.scope, j.depth) IS DISTINCT FROM (s.scope, s.depth)
              AND (j.cursor IS NULL OR (j.scope = 'site' AND s.scope = 'page'))
        RETURNING true""",
        job_id,
    )
    if is_changed:
        await frontier.forget(conn, job_id)
        await notify(conn, job_id)


async def get(conn: Connection, job_id: UUID) -> Job | None:
    row = await conn.fetchrow(f"{_JOB} WHERE j.id = $1", job_id)
    return Job(**row) if row else None


async def indexing(conn: Connection, job_id: UUID) -> Indexing:
    """How much of what the job found can be found by meaning. From what waits, not from all that the job found."""
    row = await conn.fetchrow(
        """SELECT count(*) FILTER (WHERE state = 'pending')::int AS pending,
                  count(*) FILTER (WHERE state = 'failed')::int AS failed
             FROM (SELECT q.state
                     FROM embedding_models m
                     JOIN embedding_queue q ON q.model_id = m.id
                     JOIN chunks k ON k.embedding_hash = q.hash
                     JOIN job_documents d ON d.document_id = k.document_id AND d.job_id = $1
                    WHERE m.state = 'active'
                UNION ALL
                   SELECT 'pending'
                     FROM vector_store s
                     JOIN embedding_models m ON s.name = 'chroma' AND m.state = 'active'
                     JOIN vector_outbox o ON o.model_id = m.id
                     JOIN chunks k ON k.embedding_hash = o.hash
                     JOIN job_documents d ON d.document_id = k.document_id AND d.job_id = $1
                UNION ALL
                   SELECT 'pending' FROM job_documents d JOIN chunks k ON k.document_id = d.document_id
                    WHERE d.job_id = $1 AND NOT EXISTS (SELECT FROM embedding_models WHERE state = 'active')) AS waiting
        """,
        job_id,
    )
    assert row is not None
    return Indexing(**row)


async def get_all(conn: Connection, job_ids: Sequence[UUID]) -> list[Job]:
    """Those that there are, the oldest first."""
    rows = await conn.fetch(f"{_JOB} WHERE j.id = ANY($1::uuid[]) ORDER BY j.id", job_ids)
    return [Job(**row) for row in rows]


async def newest(conn: Connection, *, before: UUID | None, status: str | None, limit: int) -> list[Job]:
    """Newest first: UUIDv7 ids sort by time."""
    rows = await conn.fetch(
        f"""{_JOB} WHERE ($1::uuid IS NULL OR j.id < $1) AND ($2::text IS NULL OR j.status = $2)
            ORDER BY j.id DESC LIMIT $3""",
        before,
        status,
        limit,
    )
    return [Job(**row) for row in rows]


async def take_lease(conn: Connection, job_id: UUID, worker: str) -> Lease | None:
    """Take the lease on a job; None when another worker holds it, it is not due, or it has ended.

    The message that woke us decides nothing: Celery over Redis delivers again after its visibility timeout, also
    while the first run still works. This statement decides; two at once meet on the row's lock. A lease that ran out
    is a death; at the fifth at one cursor, the document that was being worked on is set aside.
    """
    row = await conn.fetchrow(
        """UPDATE jobs
              SET status = 'running', worker = $2, fence = fence + 1, attempts = attempts + 1, error = NULL,
                  lease_until = now() + $3::interval, started_at = coalesce(started_at, now()), revision = revision + 1,
                  deaths = CASE WHEN status = 'queued' THEN deaths WHEN deaths + 1 >= $4 THEN 0 ELSE deaths + 1 END,
                  set_aside = CASE WHEN status = 'running' AND deaths + 1 >= $4 THEN set_aside || suspect
                                   ELSE set_aside END,
                  suspect = NULL
            WHERE id = $1 AND ((status = 'queued' AND run_after <= now())
                               OR (status = 'running' AND lease_until < now()
                                   AND (deaths + 1 < $4 OR suspect IS NOT NULL)))
        RETURNING id, fence, typed, target, platform, source_id, collection_id, document_limit, cursor, set_aside,
                  scope, depth, purpose, revisit""",
        job_id,
        worker,
        LEASE_TIME,
        DEATHS,
    )
    if row is None:
        return None
    await notify(conn, job_id)
    return Lease(**row)


async def end_poisonous(conn: Connection, job_id: UUID) -> bool:
    """End a job whose workers died too often before any document was begun. Whether it was one."""
    ended = await conn.fetchval(
        """UPDATE jobs
              SET status = 'failed', error = $3, finished_at = now(), lease_until = NULL, revision = revision + 1
            WHERE id = $1 AND status = 'running' AND lease_until < now() AND deaths + 1 >= $2 AND suspect IS NULL
        RETURNING true""",
        job_id,
        DEATHS,
        _POISONOUS,
    )
    if ended:
        await notify(conn, job_id)
    return bool(ended)


async def beat(conn: Connection, lease: Lease) -> bool | None:
    """Renew the lease. Whether cancelling was asked for; None if the lease is lost.

    While our own save holds the row, nobody can take the job: then nothing is renewed, and nothing waited for.
    """
    return await conn.fetchval(
        """WITH free AS (SELECT id FROM jobs WHERE id = $1 AND fence = $2 AND status = 'running'
                            FOR NO KEY UPDATE SKIP LOCKED),
                beaten AS (UPDATE jobs j SET lease_until = now() + $3::interval FROM free WHERE j.id = free.id)
           SELECT cancel_requested FROM jobs WHERE id = $1 AND fence = $2 AND status = 'running'""",
        lease.id,
        lease.fence,
        LEASE_TIME,
    )


async def hold(conn: Connection, lease: Lease) -> Held | None:
    """Lock the job until the end of the transaction, if the lease is still ours. Nobody can take it meanwhile.

    Its source is locked before it, as by who deletes a source: the other way round the two would wait for each other.
    """
    if lease.source_id is not None:
        await conn.execute("SELECT FROM sources WHERE id = $1 FOR KEY SHARE", lease.source_id)
    row = await conn.fetchrow(
        """SELECT source_id, cancel_requested FROM jobs WHERE id = $1 AND fence = $2 AND status = 'running'
              FOR NO KEY UPDATE""",
        lease.id,
        lease.fence,
    )
    return Held(**row) if row else None


async def note_suspect(conn: Connection, lease: Lease, target: str) -> None:
    """Note the document about to be worked on. It need not reach the disk: it is for when this worker dies."""
    await conn.execute(
        """WITH quickly AS (SELECT set_config('synchronous_commit', 'off', true))
           UPDATE jobs SET suspect = $3 FROM quickly WHERE id = $1 AND fence = $2""",
        lease.id,
        lease.fence,
        target,
    )


async def advance(
    conn: Connection, lease: Lease, cursor: Cursor | None, counts: Counts, failures: Sequence[Failure]
) -> None:
    """Count what a page came to, and go on from its cursor. In the page's own transaction, after `hold`.

    That transaction may have taken longer than a lease: the new one counts from this moment, not from `now()`.
    """
    await conn.execute(
        """WITH failed AS (
               INSERT INTO job_failures (job_id, seq, target, code, detail)
               SELECT $1, j.failed + f.n, f.target, f.code, f.detail
                 FROM jobs j, unnest($8::text[], $9::text[], $10::text[]) WITH ORDINALITY
                      AS f (target, code, detail, n)
                WHERE j.id = $1)
           UPDATE jobs
              SET cursor = $2, created = created + $3, updated = updated + $4, unchanged = unchanged + $5,
                  failed = failed + $6, found = found + $3 + $4 + $5 + $6, deaths = 0, suspect = NULL,
                  waits = CASE WHEN $3 + $4 + $5 + $6 > 0 THEN 0 ELSE waits END,
                  lease_until = clock_timestamp() + $7::interval, revision = revision + 1
            WHERE id = $1""",
        lease.id,
        None if cursor is None else dict(cursor),
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.failed,
        LEASE_TIME,
        [failure.target for failure in failures],
        [failure.code for failure in failures],
        [failure.detail for failure in failures],
    )
    await notify(conn, lease.id)


async def finish(conn: Connection, lease: Lease, ending: Ending | None) -> bool:
    """End the job, under our fence. None: by what it counted. False if the lease is lost."""
    left_out = await frontier.left_out(conn, lease.id)
    done = await conn.fetchval(
        """UPDATE jobs
              SET status = coalesce($3, CASE WHEN failed = 0 THEN 'succeeded' WHEN failed = found THEN 'failed'
                                             ELSE 'partial' END),
                  error = $4, finished_at = now(), lease_until = NULL, suspect = NULL, revision = revision + 1,
                  left_out = $5
            WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING true""",
        lease.id,
        lease.fence,
        ending.status if ending else None,
        ending.error if ending else None,
        left_out,
    )
    if done:
        await frontier.forget(conn, lease.id)
    await notify(conn, lease.id)
    return bool(done)


async def release(conn: Connection, lease: Lease, wait: timedelta, error: dict[str, Any] | None) -> None:
    """Give the job back, to go on from its cursor after `wait`. This attempt did not die."""
    await conn.execute(
        """UPDATE jobs
              SET status = CASE WHEN cancel_requested THEN 'canceled' ELSE 'queued' END,
                  finished_at = CASE WHEN cancel_requested THEN now() END,
                  run_after = now() + $3::interval, error = CASE WHEN cancel_requested THEN NULL ELSE $4::jsonb END,
                  lease_until = NULL, suspect = NULL, sent_at = NULL, revision = revision + 1
            WHERE id = $1 AND fence = $2 AND status = 'running'""",
        lease.id,
        lease.fence,
        wait,
        error,
    )
    await notify(conn, lease.id)


async def wait(conn: Connection, lease: Lease, wait: timedelta | None, error: dict[str, Any]) -> bool:
    """Give the job back, to try again after `wait`, or after twice as long as the last time if that is None.

    False, and nothing is done, after WAITS times in a row without a document.
    """
    waits = await conn.fetchval(
        "UPDATE jobs SET waits = waits + 1 WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING waits",
        lease.id,
        lease.fence,
    )
    if waits is None or waits > WAITS:
        return False
    await release(conn, lease, wait or min(timedelta(seconds=2**waits), _LONGEST_WAIT), error)
    return True


async def memo(conn: Connection, platform: str, name: str) -> Any:
    return await conn.fetchval("SELECT value FROM memos WHERE platform = $1 AND name = $2", platform, name)


async def memos(conn: Connection, platform: str, names: Sequence[str]) -> dict[str, Any]:
    rows = await conn.fetch(
        "SELECT name, value FROM memos WHERE platform = $1 AND name = ANY($2::text[])", platform, list(names)
    )
    return {row["name"]: row["value"] for row in rows}


async def keep_memos(conn: Connection, platform: str, memos: Mapping[str, Any]) -> None:
    await conn.execute(
        """INSERT INTO memos (platform, name, value)
           SELECT $1, n.name, n.value FROM unnest($2::text[], $3::jsonb[]) AS n (name, value) ORDER BY n.name
           ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value, saved_at = now()""",
        platform,
        list(memos),
        list(memos.values()),
    )


async def cancel(conn: Connection, job_id: UUID) -> None:
    """Cancel a job that waits at once; ask a running one's worker to. Its source has to be told: `service.cancel`."""
    await conn.execute(
        """UPDATE jobs
              SET cancel_requested = true, revision = revision + 1,
                  status = CASE WHEN status = 'queued' THEN 'canceled' ELSE status END,
                  finished_at = CASE WHEN status = 'queued' THEN now() END
            WHERE id = $1 AND status IN ('queued', 'running')""",
        job_id,
    )
    await notify(conn, job_id)


_DUE = """status IN ('queued', 'running') AND run_after <= now() AND (status = 'queued' OR lease_until < now())"""


async def take_unsent(conn: Connection) -> list[UUID]:
    """Jobs that are due, or left by a dead worker, and that no message has told of. Uses jobs_open."""
    rows = await conn.fetch(
        f"""UPDATE jobs SET sent_at = now()
             WHERE id IN (SELECT id FROM jobs WHERE {_DUE} AND (sent_at IS NULL OR sent_at < lease_until)
                           ORDER BY run_after LIMIT {_SENT_AT_ONCE} FOR UPDATE SKIP LOCKED)
         RETURNING id"""  # noqa: S608  constants of ours
    )
    return [row["id"] for row in rows]


async def count_due(conn: Connection, resend: timedelta) -> int:
    """How many jobs a worker could take now; 0 if each was sent lately. Uses jobs_open."""
    return await conn.fetchval(
        f"""SELECT CASE WHEN bool_or(sent_at < now() - $1::interval) THEN count(*)::int ELSE 0 END
              FROM jobs WHERE {_DUE}""",  # noqa: S608  a constant of ours
        resend,
    )


async def take_lost(conn: Connection, resend: timedelta, most: int) -> list[UUID]:
    """Jobs that were sent a while ago and not taken since, the longest ago first. Uses jobs_open."""
    rows = await conn.fetch(
        f"""UPDATE jobs SET sent_at = now()
             WHERE id IN (SELECT id FROM jobs WHERE {_DUE} AND sent_at < now() - $1::interval
                           ORDER BY sent_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING id""",  # noqa: S608  a constant of ours
        resend,
        min(most, _SENT_AT_ONCE),
    )
    return [row["id"] for row in rows]


async def count_scheduled(conn: Connection) -> int:
    """How many jobs that nobody asked for wait for a worker. Uses jobs_scheduled."""
    return await conn.fetchval(
        "SELECT count(*)::int FROM jobs WHERE status = 'queued' AND scheduled AND run_after <= now()"
    )


async def unsend(conn: Connection, job_id: UUID) -> None:
    """Its message came to a worker that is about to stop: another is to be told of it at once."""
    await conn.execute("UPDATE jobs SET sent_at = NULL WHERE id = $1 AND status IN ('queued', 'running')", job_id)


async def prune(conn: Connection, kept: timedelta) -> None:
    """Forget which documents a job found, once it has ended that long ago: some thousands of jobs at a time."""
    await conn.execute(
        """DELETE FROM job_documents WHERE job_id IN (
               SELECT id FROM jobs WHERE finished_at < now() - $1::interval
                  AND EXISTS (SELECT FROM job_documents d WHERE d.job_id = jobs.id) LIMIT 1000)""",
        kept,
    )


async def prune_jobs(conn: Connection, kept: timedelta, most: int) -> int:
    """Delete jobs that ended that long ago, but for the newest of each source; so many at most. Returns how many.

    None that an investigation names, or that is known to have found a document. Uses jobs_of_no_source, jobs_source,
    and investigations_jobs.
    """
    # Of each source's jobs, some thousands may be neither among the newest nor old: ids tell when they were made.
    made_before = UUID(int=int((datetime.now(UTC) - kept).timestamp() * 1000) << 80)
    done = await conn.execute(
        """WITH old AS (
               SELECT id FROM jobs WHERE source_id IS NULL AND finished_at < now() - $1::interval
           UNION ALL
               SELECT j.id FROM sources s
                CROSS JOIN LATERAL (SELECT id FROM jobs WHERE source_id = s.id
                                     ORDER BY id DESC OFFSET $3 - 1 LIMIT 1) AS oldest
                 JOIN jobs j ON j.source_id = s.id AND j.id < least(oldest.id, $4)
                            AND j.finished_at < now() - $1::interval)
           DELETE FROM jobs WHERE id IN (
               SELECT id FROM old
                WHERE NOT EXISTS (SELECT FROM investigations i WHERE i.job_ids @> ARRAY[old.id])
                  AND NOT EXISTS (SELECT FROM job_documents d WHERE d.job_id = old.id) LIMIT $2)""",
        kept,
        most,
        OF_SOURCE_KEPT,
        made_before,
    )
    return int(done.split()[-1])


async def notify(conn: Connection, job_id: UUID) -> None:
    """Wake those who watch the job, when this transaction commits."""
    await conn.execute("SELECT pg_notify('extrophi_jobs', $1)", str(job_id))
