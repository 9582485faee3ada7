"""Every statement about sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from extrophi_backend.collectors.models import Scope
from extrophi_backend.db import Connection


@dataclass(frozen=True, slots=True)
class Source:
    """A source as people see it. `last_job` is its newest job's id, status, error and moments."""

    id: UUID
    platform: str
    target: str
    typed: str
    title: str
    collection_id: UUID
    collection: str
    document_limit: int
    state: str
    scope: Scope
    depth: int | None
    created_at: datetime
    updated_at: datetime
    documents: int
    last_job: Mapping[str, Any] | None


_SOURCE = """
    SELECT s.id, s.platform, s.target, s.typed, s.title, s.collection_id, c.name AS collection, s.document_limit,
           s.state, s.scope, s.depth, s.created_at, s.updated_at,
           (SELECT count(*)::int FROM source_documents d WHERE d.source_id = s.id) AS documents,
           (SELECT jsonb_build_object('id', j.id, 'status', j.status, 'error', j.error, 'created_at', j.created_at,
                                      'finished_at', j.finished_at, 'failed', j.failed)
              FROM jobs j WHERE j.source_id = s.id ORDER BY j.id DESC LIMIT 1) AS last_job
      FROM sources s JOIN collections c ON c.id = s.collection_id
"""


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
) -> UUID | None:
    """The new source's id; None if that target is a source of that collection already."""
    return await conn.fetchval(
        """INSERT INTO sources (id, platform, target, typed, title, collection_id, document_limit, scope, depth)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (platform, target, collection_id) DO NOTHING RETURNING id""",
        source_id,
        platform,
        target,
        typed,
        title,
        collection_id,
        limit,
        scope,
        depth,
    )


async def find(conn: Connection, platform: str, target: str, collection_id: UUID) -> UUID | None:
    return await conn.fetchval(
        "SELECT id FROM sources WHERE platform = $1 AND target = $2 AND collection_id = $3",
        platform,
        target,
        collection_id,
    )


async def get(conn: Connection, source_id: UUID) -> Source | None:
    row = await conn.fetchrow(f"{_SOURCE} WHERE s.id = $1", source_id)
    return Source(**row) if row else None


async def newest(
    conn: Connection, *, before: UUID | None, platform: str | None, state: str | None, limit: int
) -> list[Source]:
    """Newest first: UUIDv7 ids sort by time."""
    rows = await conn.fetch(
        f"""{_SOURCE} WHERE ($1::uuid IS NULL OR s.id < $1) AND ($2::text IS NULL OR s.platform = $2)
              AND ($3::text IS NULL OR s.state = $3)
            ORDER BY s.id DESC LIMIT $4""",
        before,
        platform,
        state,
        limit,
    )
    return [Source(**row) for row in rows]


async def update(conn: Connection, source_id: UUID, *, title: str | None, state: str | None, limit: int | None) -> bool:
    """Change what is given. False if there is no such source."""
    done = await conn.execute(
        """UPDATE sources SET title = coalesce($2, title), state = coalesce($3, state),
                              document_limit = coalesce($4, document_limit), updated_at = now()
            WHERE id = $1""",
        source_id,
        title,
        state,
        limit,
    )
    return done == "UPDATE 1"


async def hold(conn: Connection, source_id: UUID) -> bool:
    """Nobody deletes it until the end of the transaction. False if there is no such source."""
    return bool(await conn.fetchval("SELECT true FROM sources WHERE id = $1 FOR KEY SHARE", source_id))


async def own(conn: Connection, source_id: UUID) -> bool:
    """Nobody makes a job for it, or saves what one finds, until the end of the transaction. False if there is none."""
    return bool(await conn.fetchval("SELECT true FROM sources WHERE id = $1 FOR UPDATE", source_id))


async def delete(conn: Connection, source_id: UUID) -> None:
    """Its documents and jobs stay."""
    await conn.execute("DELETE FROM sources WHERE id = $1", source_id)


async def documents(conn: Connection, source_id: UUID) -> list[UUID]:
    rows = await conn.fetch("SELECT document_id FROM source_documents WHERE source_id = $1", source_id)
    return [row["document_id"] for row in rows]
