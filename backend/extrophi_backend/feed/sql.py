"""Every statement about the feed and its tokens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.feed.models import Entry, FeedToken, Wanted

_TOKEN = "SELECT id, name, collections, created_at, last_used_at FROM feed_tokens"  # noqa: S105  a statement


async def newest(
    conn: Connection, wanted: Wanted, *, before: tuple[datetime, UUID] | None, limit: int, characters: int
) -> list[Entry]:
    """What was collected, newest first, with the first `characters` of each text. Uses documents_newest."""
    rows = await conn.fetch(
        """SELECT d.id, d.platform, d.external_id, d.url, d.title, d.author, d.published_at, d.collected_at, d.language,
                  left(v.text, $8) AS beginning,
                  ARRAY(SELECT c.name FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                         WHERE l.document_id = d.id AND (c.name = ANY($6::text[]) OR $6 IS NULL)
                         ORDER BY c.name) AS collections
             FROM documents d
             JOIN document_versions v ON v.document_id = d.id AND v.version = d.version
            WHERE ($1::timestamptz IS NULL OR (d.collected_at, d.id) < ($1, $2))
              AND (d.platform = ANY($3::text[]) OR $3 = '{}')
              AND ($4::text[] = '{}' OR EXISTS (
                    SELECT FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                     WHERE l.document_id = d.id AND c.name = ANY($4)))
              AND ($5::uuid[] = '{}' OR EXISTS (
                    SELECT FROM source_documents s WHERE s.document_id = d.id AND s.source_id = ANY($5)))
              AND ($6::text[] IS NULL OR EXISTS (
                    SELECT FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                     WHERE l.document_id = d.id AND c.name = ANY($6)))
            ORDER BY d.collected_at DESC, d.id DESC
            LIMIT $7""",
        before[0] if before else None,
        before[1] if before else None,
        wanted.platforms,
        wanted.collections,
        wanted.source_ids,
        wanted.allowed,
        limit,
        characters,
    )
    return [Entry(**row) for row in rows]


async def library_made_at(conn: Connection) -> datetime:
    """When this library began: what tells it from another."""
    return await conn.fetchval("SELECT min(applied_at) FROM schema_migrations")


async def unknown_collections(conn: Connection, names: Sequence[str]) -> list[str]:
    """Of these names, those that no collection has."""
    rows = await conn.fetch(
        """SELECT n.name FROM unnest($1::text[]) AS n (name)
            WHERE NOT EXISTS (SELECT FROM collections c WHERE c.name = n.name)""",
        names,
    )
    return [row["name"] for row in rows]


async def add_token(
    conn: Connection, token_id: UUID, token_hash: bytes, name: str, collections: Sequence[str] | None
) -> FeedToken:
    row = await conn.fetchrow(
        """INSERT INTO feed_tokens (id, hash, name, collections) VALUES ($1, $2, $3, $4)
           RETURNING id, name, collections, created_at, last_used_at""",
        token_id,
        token_hash,
        name,
        collections,
    )
    assert row is not None
    return FeedToken(**row)


async def tokens(conn: Connection, *, before: UUID | None, limit: int) -> list[FeedToken]:
    """Newest first: UUIDv7 ids sort by time."""
    rows = await conn.fetch(
        f"{_TOKEN} WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before,
        limit,
    )
    return [FeedToken(**row) for row in rows]


async def find_token(conn: Connection, token_hash: bytes) -> FeedToken | None:
    """By its hash: of how much of a token is right, the time that this takes says nothing."""
    row = await conn.fetchrow(f"{_TOKEN} WHERE hash = $1", token_hash)
    return FeedToken(**row) if row else None


async def note_use(conn: Connection, token_id: UUID) -> None:
    """A row is written once an hour at most."""
    await conn.execute(
        """UPDATE feed_tokens SET last_used_at = now()
            WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 hour')""",
        token_id,
    )


async def delete_token(conn: Connection, token_id: UUID) -> bool:
    return bool(await conn.fetchval("DELETE FROM feed_tokens WHERE id = $1 RETURNING true", token_id))
