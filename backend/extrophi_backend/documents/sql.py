"""Every statement about documents, their versions, chunks and links."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record
from uuid_utils.compat import uuid7

from extrophi_backend.captures.store import Place
from extrophi_backend.collectors.models import Head
from extrophi_backend.db import Connection, copy
from extrophi_backend.documents.models import (
    AnchorJSON,
    Document,
    Existing,
    KeptCapture,
    Links,
    Prepared,
    Version,
)
from extrophi_backend.documents.visits import IS_VISITED
from extrophi_backend.index.hashing import embedding_hash

Key = tuple[str, str]
"""Platform and external id."""


async def content_hashes(conn: Connection, platform: str, external_ids: Sequence[str]) -> dict[Key, bytes]:
    """Of the documents that exist. Uses the unique index on (platform, external_id), also where it seems not worth it.

    A join with the ids would go through the whole table while that is small, once for each page of a first collection.
    """
    rows = await conn.fetch(
        "SELECT external_id, content_hash FROM documents WHERE platform = $1 AND external_id = ANY($2::text[])",
        platform,
        external_ids,
    )
    return {(platform, row["external_id"]): row["content_hash"] for row in rows}


async def insert_new(conn: Connection, documents: Sequence[Prepared]) -> dict[Key, Existing]:
    """Insert those that do not exist, and give them. Sorted by key, so that two writers cannot deadlock."""
    rows = await conn.fetch(
        """INSERT INTO documents (id, platform, external_id, url, canonical_url, title, author, published_at,
                                  language, content_hash, validators, collected_at, gone_at, state)
           SELECT n.*, CASE WHEN n.gone_at IS NULL THEN 'collected' ELSE 'gone' END
             FROM (SELECT id, platform, external_id, url, canonical_url, title, author, published_at, language,
                          content_hash, validators, coalesce(collected_at, now()), gone_at
                     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                                 $8::timestamptz[], $9::text[], $10::bytea[], $11::jsonb[], $12::timestamptz[],
                                 $13::timestamptz[])
                       AS g (id, platform, external_id, url, canonical_url, title, author, published_at, language,
                             content_hash, validators, collected_at, gone_at)) AS n
           ON CONFLICT (platform, external_id) DO NOTHING
           RETURNING id, platform, external_id, version, content_hash, collected_at, false AS is_gone""",
        [uuid7() for _ in documents],
        *_columns(documents),
    )
    return _by_key(rows)


async def lock_existing(conn: Connection, keys: Sequence[Key]) -> dict[Key, Existing]:
    """Documents that are there, locked until the end of the transaction."""
    if not keys:
        return {}
    rows = await conn.fetch(
        """SELECT d.id, d.platform, d.external_id, d.version, d.content_hash, d.collected_at,
                  d.state = 'gone' AS is_gone
             FROM documents d
             JOIN unnest($1::text[], $2::text[]) AS k (platform, external_id) USING (platform, external_id)
            ORDER BY d.platform, d.external_id
              FOR UPDATE OF d""",
        [platform for platform, _ in keys],
        [external_id for _, external_id in keys],
    )
    return _by_key(rows)


async def update_changed(conn: Connection, ids: Sequence[UUID], documents: Sequence[Prepared]) -> dict[UUID, datetime]:
    """Give each document its new head; its version number goes up by one. Returns when each was collected."""
    rows = await conn.fetch(
        """UPDATE documents d
              SET version = d.version + 1, url = n.url, canonical_url = n.canonical_url, title = n.title,
                  author = n.author, published_at = n.published_at, language = n.language,
                  content_hash = n.content_hash, validators = n.validators, gone_at = n.gone_at,
                  state = CASE WHEN n.gone_at IS NULL THEN 'collected' ELSE 'gone' END, reason = NULL,
                  collected_at = coalesce(n.collected_at, now()), seen_at = now()
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::timestamptz[], $9::text[], $10::bytea[], $11::jsonb[], $12::timestamptz[],
                         $13::timestamptz[])
               AS n (id, platform, external_id, url, canonical_url, title, author, published_at, language,
                     content_hash, validators, collected_at, gone_at)
            WHERE d.id = n.id
        RETURNING d.id, d.collected_at""",
        ids,
        *_columns(documents),
    )
    return {row["id"]: row["collected_at"] for row in rows}


async def mark_seen(conn: Connection, ids: Sequence[UUID], validators: Sequence[Mapping[str, Any] | None]) -> None:
    """Documents that were looked at and had not changed. None leaves the validators as they are.

    A row is written when that tells something: `seen_at` is right to the day.
    """
    await conn.execute(
        """UPDATE documents d
              SET seen_at = now(), state = 'collected', reason = NULL, gone_at = NULL,
                  validators = coalesce(n.validators, d.validators)
             FROM unnest($1::uuid[], $2::jsonb[]) AS n (id, validators)
            WHERE d.id = n.id
              AND (d.seen_at < now() - interval '1 day' OR d.state <> 'collected'
                   OR n.validators IS DISTINCT FROM d.validators AND n.validators IS NOT NULL)""",
        ids,
        validators,
    )


async def mark_gone(conn: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Documents that vanished at their source; those that were not known as gone before."""
    if not ids:
        return []
    rows = await conn.fetch(
        """UPDATE documents SET state = 'gone', reason = NULL, gone_at = now()
            WHERE id = ANY($1::uuid[]) AND state <> 'gone' RETURNING id""",
        ids,
    )
    return [row["id"] for row in rows]


async def mark_gone_since(conn: Connection, ids: Sequence[UUID], moments: Sequence[datetime]) -> list[UUID]:
    """Documents that another library saw vanish at their source, unless they were seen here later than that."""
    if not ids:
        return []
    rows = await conn.fetch(
        """UPDATE documents d SET state = 'gone', gone_at = n.gone_at
             FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, gone_at)
            WHERE d.id = n.id AND d.state <> 'gone' AND n.gone_at > d.seen_at
        RETURNING d.id""",
        ids,
        moments,
    )
    return [row["id"] for row in rows]


async def insert_versions(
    conn: Connection, documents: Sequence[tuple[UUID, int, Prepared]], collected_at: Mapping[UUID, datetime]
) -> None:
    """The text and the head of each (id, version)."""
    await copy(
        conn,
        "document_versions",
        columns=[
            "document_id", "version", "text", "format", "url", "canonical_url", "title", "author", "published_at",
            "language", "content_hash", "anchors", "blocks", "capture_key", "capture_start",
            "capture_length", "capture_media_type", "screenshot_key", "collected_at",
        ],
        records=[
            (
                document_id, version, prepared.collected.text, prepared.collected.format, prepared.collected.url,
                prepared.collected.canonical_url, prepared.collected.title, prepared.collected.author,
                prepared.collected.published_at, prepared.collected.language, prepared.content_hash,
                prepared.anchors,
                [[block.start, block.end, block.level] for block in prepared.collected.blocks],
                *(astuple(prepared.capture) if prepared.capture else (None, None, None)),
                prepared.collected.capture.media_type if prepared.collected.capture else None, prepared.screenshot_key,
                collected_at[document_id],
            )
            for document_id, version, prepared in documents
        ],
    )  # fmt: skip


async def replace_chunks(conn: Connection, documents: Sequence[tuple[UUID, int, Prepared]]) -> set[bytes]:
    """The chunks of each document's newest version, in place of those before. Returns their embedding hashes."""
    replaced = [document_id for document_id, version, _ in documents if version > 1]
    if replaced:
        await conn.execute("DELETE FROM chunks WHERE document_id = ANY($1::uuid[])", replaced)
    records: list[tuple[UUID, UUID, int, int, int, int, str, str, bytes, Sequence[AnchorJSON] | None]] = []
    for document_id, version, prepared in documents:
        anchors = prepared.anchors
        offsets = [offset for offset, _ in anchors]
        for ordinal, span in enumerate(prepared.chunks):
            text = prepared.collected.text[span.start : span.end]
            first, after = bisect_right(offsets, span.start) - 1, bisect_left(offsets, span.end)
            here = anchors[max(first, 0) : after] if anchors else None
            records.append(
                (
                    uuid7(), document_id, version, ordinal, span.start, span.end, span.heading, text,
                    embedding_hash(text), here,
                )
            )  # fmt: skip
    await copy(
        conn,
        "chunks",
        columns=[
            "id", "document_id", "version", "ordinal", "start_offset", "end_offset", "heading", "text",
            "embedding_hash", "anchors",
        ],
        records=records,
    )  # fmt: skip
    return {record[8] for record in records}


async def link(conn: Connection, ids: Sequence[UUID], links: Links) -> list[UUID]:
    """Put documents into the collection, if any, and note their source and job.

    Returns:
        Those whose collection or source is new: indexes have to hear of it.
    """
    rows = await conn.fetch(
        """WITH collected AS (
               INSERT INTO collection_documents (collection_id, document_id)
               SELECT $2, id FROM unnest($1::uuid[]) AS d (id) WHERE $2::uuid IS NOT NULL
               ON CONFLICT DO NOTHING RETURNING document_id
           ), sourced AS (
               INSERT INTO source_documents (source_id, document_id)
               SELECT $3, id FROM unnest($1::uuid[]) AS d (id) WHERE $3::uuid IS NOT NULL
               ON CONFLICT DO NOTHING RETURNING document_id
           ), worked AS (
               INSERT INTO job_documents (job_id, document_id)
               SELECT $4, id FROM unnest($1::uuid[]) AS d (id) WHERE $4::uuid IS NOT NULL
               ON CONFLICT DO NOTHING
           )
           SELECT document_id FROM collected UNION SELECT document_id FROM sourced""",
        ids,
        links.collection_id,
        links.source_id,
        links.job_id,
    )
    return [row["document_id"] for row in rows]


async def put_into(conn: Connection, ids: Sequence[UUID], collection_ids: Sequence[UUID]) -> list[UUID]:
    """Put each document into the collection of the same place in the other list. Returns those that are new in one."""
    rows = await conn.fetch(
        """INSERT INTO collection_documents (collection_id, document_id)
           SELECT DISTINCT collection_id, id FROM unnest($1::uuid[], $2::uuid[]) AS l (id, collection_id)
           ON CONFLICT DO NOTHING RETURNING document_id""",
        ids,
        collection_ids,
    )
    return [row["document_id"] for row in rows]


async def log_changes(conn: Connection, ids: Sequence[UUID], *, deleted: bool = False) -> None:
    """Tell the indexes; they are woken when this transaction commits."""
    if ids:
        await conn.execute(
            "INSERT INTO changes (document_id, deleted) SELECT id, $2 FROM unnest($1::uuid[]) AS d (id)", ids, deleted
        )
        await conn.execute("NOTIFY extrophi_changes")


async def get(conn: Connection, document_id: UUID, version: int | None) -> Document | None:
    """A document in its newest or another version, with its text."""
    row = await conn.fetchrow(
        f"""SELECT d.id, v.version, d.platform, d.external_id, v.url, v.canonical_url, v.title, v.author,
                  v.published_at, v.collected_at, v.language, v.format, d.state, d.gone_at, d.reason, d.seen_at,
                  CASE WHEN {IS_VISITED} THEN d.next_visit_at END AS next_visit_at, d.cited_at, v.text, v.anchors,
                  v.blocks, (SELECT count(*)::int FROM highlights h WHERE h.document_id = d.id) AS highlights,
                  v.screenshot_key IS NOT NULL AS has_screenshot,
                  ARRAY(SELECT c.name FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                         WHERE l.document_id = d.id ORDER BY c.name) AS collections
             FROM documents d
             JOIN document_versions v ON v.document_id = d.id AND v.version = coalesce($2, d.version)
            WHERE d.id = $1""",  # noqa: S608  a text of ours
        document_id,
        version,
    )
    return Document(**row) if row else None


async def versions(conn: Connection, document_id: UUID, *, before: int | None, limit: int) -> list[Version]:
    """The newest first."""
    rows = await conn.fetch(
        """SELECT version, title, collected_at, length(text) AS characters, octet_length(text) AS bytes
             FROM document_versions
            WHERE document_id = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3""",
        document_id,
        before,
        limit,
    )
    return [Version(**row) for row in rows]


async def version_before(conn: Connection, document_id: UUID, version: int) -> int | None:
    return await conn.fetchval(
        "SELECT max(version) FROM document_versions WHERE document_id = $1 AND version < $2", document_id, version
    )


async def texts(conn: Connection, document_id: UUID, versions: Sequence[int]) -> dict[int, str]:
    """The texts of some versions."""
    rows = await conn.fetch(
        "SELECT version, text FROM document_versions WHERE document_id = $1 AND version = ANY($2::int[])",
        document_id,
        versions,
    )
    return {row["version"]: row["text"] for row in rows}


async def capture(conn: Connection, document_id: UUID, version: int | None) -> KeptCapture | None:
    row = await conn.fetchrow(
        """SELECT v.capture_key AS key, v.capture_start AS start, v.capture_length AS length,
                  coalesce(v.capture_media_type, 'application/octet-stream') AS media_type
             FROM documents d
             JOIN document_versions v ON v.document_id = d.id AND v.version = coalesce($2, d.version)
            WHERE d.id = $1 AND v.capture_key IS NOT NULL""",
        document_id,
        version,
    )
    return KeptCapture(Place(row["key"], row["start"], row["length"]), row["media_type"]) if row else None


async def count_states(conn: Connection) -> dict[str, int]:
    rows = await conn.fetch("SELECT state, count(*)::int AS n FROM documents GROUP BY 1 ORDER BY 1")
    return {row["state"]: row["n"] for row in rows}


async def screenshot(conn: Connection, document_id: UUID, version: int | None) -> KeptCapture | None:
    row = await conn.fetchrow(
        """SELECT v.screenshot_key AS key, 'image/webp' AS media_type
             FROM documents d
             JOIN document_versions v ON v.document_id = d.id AND v.version = coalesce($2, d.version)
            WHERE d.id = $1 AND v.screenshot_key IS NOT NULL""",
        document_id,
        version,
    )
    return KeptCapture(Place(row["key"]), row["media_type"]) if row else None


async def was_deleted(conn: Connection, document_id: UUID) -> bool:
    return bool(await conn.fetchval("SELECT true FROM deleted_documents WHERE id = $1", document_id))


async def capture_keys(conn: Connection, document_id: UUID) -> list[str]:
    """Of all its versions' captures, screenshots among them."""
    rows = await conn.fetch(
        """SELECT DISTINCT k.key
             FROM document_versions v, unnest(ARRAY[v.capture_key, v.screenshot_key]) AS k (key)
            WHERE v.document_id = $1 AND k.key IS NOT NULL""",
        document_id,
    )
    return [row["key"] for row in rows]


async def delete(conn: Connection, document_ids: Sequence[UUID]) -> set[UUID]:
    """Remove documents with all their versions, and the vectors that no other chunk needs. Returns those there were.

    In a transaction that alone may delete vectors (`index.service.own_vectors`).
    """
    hashes = await conn.fetch(
        "SELECT DISTINCT embedding_hash FROM chunks WHERE document_id = ANY($1::uuid[])", document_ids
    )
    rows = await conn.fetch("DELETE FROM documents WHERE id = ANY($1::uuid[]) RETURNING id", document_ids)
    deleted = [row["id"] for row in rows]
    await conn.execute("INSERT INTO deleted_documents (id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", deleted)
    await conn.execute(
        """WITH orphan AS (
               SELECT h.hash FROM unnest($1::bytea[]) AS h (hash)
                WHERE NOT EXISTS (SELECT FROM chunks c WHERE c.embedding_hash = h.hash)
           ), unqueued AS (
               DELETE FROM embedding_queue q USING orphan o WHERE q.hash = o.hash
           )
           DELETE FROM embeddings e USING orphan o WHERE e.hash = o.hash""",
        [row["embedding_hash"] for row in hashes],
    )
    return set(deleted)


async def validators(
    conn: Connection, platform: str, external_ids: Sequence[str], *, source_id: UUID | None = None
) -> dict[str, Mapping[str, Any]]:
    """Of those that exist; with a source, of those that it has brought."""
    rows = await conn.fetch(
        """SELECT external_id, validators FROM documents d
            WHERE platform = $1 AND external_id = ANY($2::text[])
              AND ($3::uuid IS NULL OR EXISTS (SELECT FROM source_documents s
                                                WHERE s.source_id = $3 AND s.document_id = d.id))""",
        platform,
        external_ids,
        source_id,
    )
    return {row["external_id"]: row["validators"] for row in rows}


async def heads(conn: Connection, platform: str, external_ids: Sequence[str]) -> dict[str, Head]:
    """Of those that exist."""
    rows = await conn.fetch(
        """SELECT external_id, version, validators FROM documents
            WHERE platform = $1 AND external_id = ANY($2::text[])""",
        platform,
        external_ids,
    )
    return {row["external_id"]: Head(row["version"], row["validators"]) for row in rows}


async def external_ids(conn: Connection, platform: str, prefix: str) -> list[str]:
    """Those that start with `prefix` and are not gone."""
    rows = await conn.fetch(
        """SELECT external_id FROM documents
            WHERE platform = $1 AND starts_with(external_id, $2) AND state <> 'gone' ORDER BY external_id""",
        platform,
        prefix,
    )
    return [row["external_id"] for row in rows]


def _columns(documents: Sequence[Prepared]) -> tuple[list[Any], ...]:
    found = [prepared.collected for prepared in documents]
    return (
        [one.platform for one in found],
        [one.external_id for one in found],
        [one.url for one in found],
        [one.canonical_url for one in found],
        [one.title for one in found],
        [one.author for one in found],
        [one.published_at for one in found],
        [one.language for one in found],
        [prepared.content_hash for prepared in documents],
        [dict(one.validators) for one in found],
        [prepared.kept.collected_at if prepared.kept else None for prepared in documents],
        [prepared.kept.gone_at if prepared.kept else None for prepared in documents],
    )


def _by_key(rows: Sequence[Record]) -> dict[Key, Existing]:
    return {
        (row["platform"], row["external_id"]): Existing(
            row["id"], row["version"], row["content_hash"], row["collected_at"], row["is_gone"]
        )
        for row in rows
    }
