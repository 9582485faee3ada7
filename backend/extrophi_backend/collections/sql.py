from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.db import Connection


@dataclass(frozen=True, slots=True)
class Collection:
    id: UUID
    name: str
    created_at: datetime
    documents: int


async def ensure(conn: Connection, name: str) -> UUID:
    """The collection's id; it is made if there is none of that name."""
    found: UUID | None = await conn.fetchval("SELECT id FROM collections WHERE name = $1", name)
    if found is not None:
        return found
    # A row that another transaction made in between is not visible to RETURNING, but is to an update of it.
    return await conn.fetchval(
        """INSERT INTO collections (id, name) VALUES ($1, $2)
           ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id""",
        uuid7(),
        name,
    )


async def find(conn: Connection, name: str) -> Collection | None:
    rows = [one for one in await every(conn) if one.name == name]
    return rows[0] if rows else None


async def every(conn: Connection) -> Sequence[Collection]:
    rows = await conn.fetch(
        """SELECT c.id, c.name, c.created_at, count(l.document_id)::int AS documents
             FROM collections c LEFT JOIN collection_documents l ON l.collection_id = c.id
            GROUP BY c.id ORDER BY c.name"""
    )
    return [Collection(**row) for row in rows]
