"""Every statement about sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from extrophi_backend.collectors.models import Purpose, Scope
from extrophi_backend.db import Connection
from extrophi_backend.sources.states import Reason, State


@dataclass(frozen=True, slots=True)
class Source:
    """A source as people see it. `last_job` is its newest job's id, status, error and moments.

    `next_run_at` is when it is looked at next by itself; None where it is not.
    """

    id: UUID
    platform: str
    target: str
    typed: str
    title: str
    collection_id: UUID
    collection: str
    document_limit: int
    scope: Scope
    depth: int | None
    state: State
    reason: Mapping[str, str] | None
    schedule: str
    time_zone: str
    looked_at: datetime | None
    next_run_at: datetime | None
    created_at: datetime
    updated_at: datetime
    documents: int
    last_job: Mapping[str, Any] | None
    owes_whole: bool
    """It reaches further than it was ever looked at as a whole."""


@dataclass(frozen=True, slots=True)
class Due:
    """A source that is to be looked at."""

    id: UUID
    platform: str
    target: str
    typed: str
    collection_id: UUID
    document_limit: int
    scope: Scope
    depth: int | None
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Look:
    """How a job of a source ended, and what is needed to say when to look again."""

    source_id: UUID
    schedule: str
    time_zone: str
    failures: int
    first_look: datetime | None
    health: str
    """Before this look."""
    is_own: bool
    """Of what failed, the source's own target was one, or all of the job."""
    scope: Scope
    job_scope: Scope
    owes_whole: bool
    was_whole: bool
    """The job looked at all that the source reaches to now."""
    status: str
    error: Mapping[str, str] | None
    created: int
    updated: int
    failure: Mapping[str, str] | None
    """What most of its documents failed with."""
    waits_for: Mapping[str, str] | None
    """Where it found nothing: what most of that which it lists failed with, and is not tried again yet for."""


_DUE = 0x6578_7764  # an advisory lock: one at a time makes jobs for what is due
_FULL = timedelta(days=7)
# `full_look_at` of a source that has been widened, until it was looked at as a whole: then every such look is long ago.
_OWES_WHOLE = "s.scope = 'site' AND s.full_look_at IS NOT DISTINCT FROM '-infinity'"
_STATE = "CASE WHEN s.state = 'paused' THEN 'paused' ELSE s.health END"
# A job that no worker takes, or that our own pace puts off, is not the source's fault, and is said of it all the same.
# While a job of it waits, it is looked at next when that goes on.
_SOURCE = f"""
    SELECT s.id, s.platform, s.target, s.typed, s.title, s.collection_id, c.name AS collection, s.document_limit,
           s.scope, s.depth, {_STATE} AS state, s.schedule, s.time_zone, s.looked_at, s.created_at, s.updated_at,
           CASE WHEN j.status = 'queued' AND j.run_after < now() - interval '30 seconds'
                THEN jsonb_build_object(
                    'code', 'waits_for_worker',
                    'detail', format('No worker has taken its job yet. Jobs before it: %s.', (
                        SELECT count(*) FROM jobs o WHERE o.status = 'queued' AND o.run_after < j.run_after)),
                    'hint', 'If that stays so, look whether a worker runs, or start another: `extrophi status`.')
                WHEN j.status = 'queued' AND j.error ->> 'code' = 'paced' THEN j.error
                ELSE s.reason END AS reason,
           CASE WHEN s.state = 'active'
                THEN CASE WHEN j.status = 'queued' AND j.run_after > now() THEN j.run_after ELSE s.next_run_at END
                END AS next_run_at,
           (SELECT count(*)::int FROM source_documents d WHERE d.source_id = s.id) AS documents,
           CASE WHEN j.id IS NOT NULL THEN
               jsonb_build_object('id', j.id, 'status', j.status, 'error', j.error, 'created_at', j.created_at,
                                  'finished_at', j.finished_at, 'failed', j.failed) END AS last_job,
           {_OWES_WHOLE} AS owes_whole
      FROM sources s
      JOIN collections c ON c.id = s.collection_id
      LEFT JOIN LATERAL (SELECT id, status, error, run_after, created_at, finished_at, failed FROM jobs
                          WHERE source_id = s.id ORDER BY id DESC LIMIT 1) AS j ON true
"""  # noqa: S608  a constant of ours


async def insert(
    conn: Connection,
    source_id: UUID,
    *,
    platform: str,
    target: str,
    typed: str,
    title: str,
    collection_id: UUID,
    limit: int,
    scope: Scope,
    depth: int | None,
    schedule: str,
    time_zone: str,
    next_run_at: datetime | None,
) -> UUID | None:
    """The new source's id; None if that target is a source of that collection already, in whatever spelling."""
    return await conn.fetchval(
        """INSERT INTO sources (id, platform, target, typed, title, collection_id, document_limit, scope, depth,
                                schedule, time_zone, next_run_at, key)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, source_key($2, $3))
           ON CONFLICT DO NOTHING RETURNING id""",
        source_id,
        platform,
        target,
        typed,
        title,
        collection_id,
        limit,
        scope,
        depth,
        schedule,
        time_zone,
        next_run_at,
    )


async def find(conn: Connection, platform: str, target: str, collection_id: UUID) -> UUID | None:
    """The source of a target; where it is none as it is written, the first of another spelling."""
    return await conn.fetchval(
        """SELECT id FROM sources
            WHERE platform = $1 AND collection_id = $3 AND (target = $2 OR key = source_key($1, $2))
            ORDER BY target = $2 DESC, twin LIMIT 1""",
        platform,
        target,
        collection_id,
    )


async def ids_of(
    conn: Connection, targets: Sequence[tuple[str, str]], *, collection: str
) -> dict[tuple[str, str], UUID]:
    """The sources that there are of (platform, target) in a collection, each as `find` would find it."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (t.platform, t.target) t.platform, t.target, s.id
             FROM unnest($1::text[], $2::text[]) AS t (platform, target)
             JOIN collections c ON c.name = $3
             JOIN sources s ON s.platform = t.platform AND s.collection_id = c.id
              AND (s.target = t.target OR s.key = source_key(t.platform, t.target))
            ORDER BY t.platform, t.target, s.target = t.target DESC, s.twin""",
        [platform for platform, _ in targets],
        [target for _, target in targets],
        collection,
    )
    return {(row["platform"], row["target"]): row["id"] for row in rows}


async def respell(conn: Connection, source_id: UUID, *, target: str, typed: str, next_run_at: datetime | None) -> bool:
    """Make it a new source of another spelling, if its own has never brought anything, and is not being tried now.

    Of a source that is owned.
    """
    done = await conn.execute(
        """UPDATE sources s
              SET target = $2, typed = $3, next_run_at = $4, health = 'new', reason = NULL, failures = 0,
                  looked_at = NULL, first_look = NULL, updated_at = now()
            WHERE id = $1 AND target <> $2 AND state = 'active' AND health IN ('failed', 'gone')
              AND NOT EXISTS (SELECT FROM source_documents d WHERE d.source_id = s.id)
              AND NOT EXISTS (SELECT FROM jobs j WHERE j.source_id = s.id AND j.status = 'running')""",
        source_id,
        target,
        typed,
        next_run_at,
    )
    return done == "UPDATE 1"


async def get(conn: Connection, source_id: UUID) -> Source | None:
    row = await conn.fetchrow(f"{_SOURCE} WHERE s.id = $1", source_id)
    return Source(**row) if row else None


async def newest(
    conn: Connection, *, before: UUID | None, platform: str | None, states: Sequence[str], limit: int
) -> list[Source]:
    """Newest first: UUIDv7 ids sort by time. Of these states, or of all where none is given."""
    rows = await conn.fetch(
        f"""{_SOURCE} WHERE ($1::uuid IS NULL OR s.id < $1) AND ($2::text IS NULL OR s.platform = $2)
              AND (cardinality($3::text[]) = 0 OR {_STATE} = ANY($3))
            ORDER BY s.id DESC LIMIT $4""",
        before,
        platform,
        states,
        limit,
    )
    return [Source(**row) for row in rows]


async def update(
    conn: Connection,
    source_id: UUID,
    *,
    title: str | None,
    state: str | None,
    limit: int | None,
    schedule: str | None,
    time_zone: str | None,
) -> bool:
    """Change what is given. False if there is no such source."""
    done = await conn.execute(
        """UPDATE sources SET title = coalesce($2, title), state = coalesce($3, state),
                              document_limit = coalesce($4, document_limit), schedule = coalesce($5, schedule),
                              time_zone = coalesce($6, time_zone), updated_at = now()
            WHERE id = $1""",
        source_id,
        title,
        state,
        limit,
        schedule,
        time_zone,
    )
    return done == "UPDATE 1"


async def set_reach(conn: Connection, source_id: UUID, scope: Scope, depth: int | None, *, is_wider: bool) -> None:
    """How far it reaches from now on. Where that is further than before, it owes a look at the whole."""
    await conn.execute(
        """UPDATE sources
              SET scope = $2, depth = $3,
                  full_look_at = CASE WHEN $4 THEN '-infinity' WHEN $2 = 'page' THEN NULL ELSE full_look_at END
            WHERE id = $1""",
        source_id,
        scope,
        depth,
        is_wider,
    )


async def forget_failures(conn: Connection, source_id: UUID) -> None:
    await conn.execute("UPDATE sources SET failures = 0 WHERE id = $1", source_id)


async def run_next_at(conn: Connection, source_id: UUID, moment: datetime | None) -> None:
    """When it is looked at next by itself; None: it is not."""
    await conn.execute("UPDATE sources SET next_run_at = $2 WHERE id = $1", source_id, moment)


async def count_states(conn: Connection) -> dict[str, int]:
    rows = await conn.fetch(f"SELECT {_STATE} AS state, count(*)::int AS n FROM sources s GROUP BY 1 ORDER BY 1")  # noqa: S608
    return {row["state"]: row["n"] for row in rows}


async def is_only_one(conn: Connection) -> bool:
    """Whether nobody else makes jobs for sources that are due, nor will until the end of the transaction."""
    return await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", _DUE)


async def take_due(conn: Connection, now: datetime, most: int) -> list[Due]:
    """Sources to be looked at by now, the longest due first; this transaction's alone. Uses sources_due.

    Not those that are being collected: they say themselves when to look again. A source for which a job is made, and
    which never tells, is due again in an hour. A site is looked at as a whole now and then: what no feed and no sitemap
    lists, and the front page does not lead to, is found so alone. It is owed until it went well.
    """
    rows = await conn.fetch(
        """WITH due AS (SELECT s.id, s.scope = 'site' AND coalesce(s.full_look_at, s.first_look)
                                                           < $1::timestamptz - $3::interval
                                    AS is_full
                          FROM sources s
                         WHERE s.state = 'active' AND s.next_run_at <= $1
                           AND NOT EXISTS (SELECT FROM jobs j
                                            WHERE j.source_id = s.id AND j.status IN ('queued', 'running'))
                         ORDER BY s.next_run_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED)
           UPDATE sources s
              SET next_run_at = $1 + interval '1 hour'
             FROM due WHERE s.id = due.id
        RETURNING s.id, s.platform, s.target, s.typed, s.collection_id, s.document_limit, s.scope, s.depth,
                  CASE WHEN due.is_full THEN 'all' ELSE 'new' END AS purpose""",
        now,
        most,
        _FULL,
    )
    return [Due(**row) for row in rows]


async def last_look(conn: Connection, job_id: UUID) -> Look | None:
    """How a job that has ended went, if it is a source's. Locks the source."""
    row = await conn.fetchrow(
        f"""SELECT s.id AS source_id, s.schedule, s.time_zone, s.failures, s.first_look, s.health, s.scope,
                  j.scope AS job_scope,
                  j.error IS NOT NULL OR EXISTS (SELECT FROM job_failures f WHERE f.job_id = j.id
                                                    AND f.target IN (s.target, s.typed)) AS is_own,
                  {_OWES_WHOLE} AS owes_whole,
                  j.purpose = 'all' AND (j.scope, j.depth) IS NOT DISTINCT FROM (s.scope, s.depth) AS was_whole,
                  j.status, j.error, j.created, j.updated,
                  (SELECT jsonb_build_object('code', f.code, 'detail', min(f.detail))
                     FROM (SELECT code, detail FROM job_failures WHERE job_id = j.id ORDER BY seq LIMIT 1000) AS f
                    GROUP BY f.code ORDER BY count(*) DESC, f.code LIMIT 1) AS failure,
                  CASE WHEN j.created + j.updated + j.unchanged = 0 THEN (
                      SELECT jsonb_build_object('code', m.code, 'detail', min(m.detail)) FROM misses m
                       WHERE m.source_id = s.id AND m.next_try_at > now()
                       GROUP BY m.code ORDER BY count(*) DESC, m.code LIMIT 1) END AS waits_for
             FROM jobs j JOIN sources s ON s.id = j.source_id
            WHERE j.id = $1 AND j.finished_at IS NOT NULL
              FOR NO KEY UPDATE OF s""",  # noqa: S608  a constant of ours
        job_id,
    )
    return Look(**row) if row else None


async def news(conn: Connection, source_id: UUID, since: datetime) -> list[datetime]:
    """When what the source brought since then appeared, the newest first, of its latest documents."""
    rows = await conn.fetch(
        """SELECT moment
             FROM (SELECT coalesce(d.published_at, d.collected_at) AS moment, d.collected_at, d.published_at
                     FROM (SELECT document_id FROM source_documents WHERE source_id = $1
                            ORDER BY document_id DESC LIMIT 200) AS latest
                     JOIN documents d ON d.id = latest.document_id) AS found
            WHERE collected_at > $2 OR published_at IS NOT NULL ORDER BY moment DESC LIMIT 10""",
        source_id,
        since,
    )
    return [row["moment"] for row in rows]


async def settle(
    conn: Connection,
    source_id: UUID,
    *,
    health: State | None,
    reason: Reason | None,
    failures: int,
    looked_at: datetime,
    next_run_at: datetime | None,
    was_had: bool = False,
    was_whole: bool = False,
    pays_whole: bool = False,
) -> None:
    """Note what a look came to, and when the next one is. Without a `health` the look came to nothing, either way.

    `was_had`: the source itself was there; `was_whole`: it looked at all that the source reaches to; `pays_whole`: that
    was owed since it was widened.
    """
    await conn.execute(
        """UPDATE sources
              SET health = coalesce($2, health), reason = CASE WHEN $2::text IS NULL THEN reason ELSE $3 END,
                  failures = $4, looked_at = $5, next_run_at = $6,
                  full_look_at = CASE WHEN $8 THEN $5 ELSE full_look_at END,
                  first_look = CASE WHEN $7 THEN $5
                                    WHEN $9 THEN coalesce(first_look, $5)
                                    ELSE first_look END
            WHERE id = $1""",
        source_id,
        health,
        reason.json if reason else None,
        failures,
        looked_at,
        next_run_at,
        pays_whole,
        was_whole,
        was_had,
    )


async def note_waiting(conn: Connection, source_id: UUID, health: State, reason: Reason) -> None:
    """What its job waits for, unless that was cancelled meanwhile."""
    await conn.execute(
        """UPDATE sources SET health = $2, reason = $3
            WHERE id = $1 AND EXISTS (SELECT FROM jobs WHERE source_id = $1 AND status = 'queued')""",
        source_id,
        health,
        reason.json,
    )


async def hold(conn: Connection, source_id: UUID) -> bool:
    """Nobody deletes it until the end of the transaction. False if there is no such source."""
    return bool(await conn.fetchval("SELECT true FROM sources WHERE id = $1 FOR KEY SHARE", source_id))


async def hold_of_job(conn: Connection, job_id: UUID) -> None:
    """Nobody deletes or settles a job's source until the end of the transaction."""
    await conn.execute(
        "SELECT FROM sources WHERE id = (SELECT source_id FROM jobs WHERE id = $1) FOR NO KEY UPDATE", job_id
    )


async def own(conn: Connection, source_id: UUID) -> bool:
    """Nobody makes a job for it, or saves what one finds, until the end of the transaction. False if there is none."""
    return bool(await conn.fetchval("SELECT true FROM sources WHERE id = $1 FOR UPDATE", source_id))


async def delete(conn: Connection, source_id: UUID) -> None:
    """Its documents and jobs stay."""
    await conn.execute("DELETE FROM sources WHERE id = $1", source_id)


async def documents(conn: Connection, source_id: UUID) -> list[UUID]:
    rows = await conn.fetch("SELECT document_id FROM source_documents WHERE source_id = $1", source_id)
    return [row["document_id"] for row in rows]
