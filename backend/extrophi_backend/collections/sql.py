from collections.abc import Set as AbstractSet
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
    return (await ensure_all(conn, {name}))[name]


async def ensure_all(conn: Connection, names: AbstractSet[str]) -> dict[str, UUID]:
    """The collections' ids by their names; those that are not there are made."""
    rows = await conn.fetch("SELECT name, id FROM collections WHERE name = ANY($1::text[])", list(names))
    found: dict[str, UUID] = {row["name"]: row["id"] for row in rows}
    missing = sorted(names - found.keys())
    if missing:
        # A row that another transaction made in between is not visible to RETURNING, but is to an update of it.
        rows = await conn.fetch(
            """INSERT INTO collections (id, name) SELECT * FROM unnest($1::uuid[], $2::text[])
               ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING name, id""",
            [uuid7() for _ in missing],
            missing,
        )
        found |= {row["name"]: row["id"] for row in rows}
    return found


async def get(conn: Connection, collection_id: UUID) -> Collection:
    row = await conn.fetchrow(f"{_COLLECTION} WHERE c.id = $1", collection_id)
    assert row is not None
    return Collection(**row)


async def by_name(conn: Connection, *, after: str | None, limit: int) -> list[Collection]:
    rows = await conn.fetch(
        f"{_COLLECTION} WHERE $1::text IS NULL OR c.name > $1 ORDER BY c.name LIMIT $2", after, limit
    )
    return [Collection(**row) for row in rows]


_COLLECTION = """
    SELECT c.id, c.name, c.created_at,
           (SELECT count(*)::int FROM collection_documents l WHERE l.collection_id = c.id) AS documents
      FROM collections c
"""
