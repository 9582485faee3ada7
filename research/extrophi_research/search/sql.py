"""What search reads, through the views of read_v1 only."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from extrophi_research.db import EF_SEARCH, Connection
from extrophi_research.embeddings.models import ActiveModel
from extrophi_research.search.earlier import Version
from extrophi_research.search.keyword import IndexedChunk, Position
from extrophi_research.search.models import Chunk, Filters

_CONDITIONS = {
    "platforms": "d.platform = ANY({})",
    "collections": """d.id IN (SELECT l.document_id FROM read_v1.collection_documents l
                               JOIN read_v1.collections n ON n.id = l.collection_id WHERE n.name = ANY({}::text[]))""",
    "source_ids": "d.id IN (SELECT document_id FROM read_v1.source_documents WHERE source_id = ANY({}::uuid[]))",
    "job_ids": "d.id IN (SELECT document_id FROM read_v1.job_documents WHERE job_id = ANY({}::uuid[]))",
    # Lower case is PostgreSQL's on both sides: another's differs in some letters.
    "authors": "lower(d.author) = ANY(ARRAY(SELECT lower(one) FROM unnest({}::text[]) AS one))",
    # By the primary subtag (RFC 5646): who asks for English means en-US, too.
    "languages": """lower(substring(d.language FROM '^[^-_]+')) = ANY(
                    ARRAY(SELECT lower(substring(one FROM '^[^-_]+')) FROM unnest({}::text[]) AS one))""",
    "published_after": "d.published_at >= {}::timestamptz",
    "published_before": "d.published_at < {}::timestamptz",
    "collected_by": "d.collected_at <= {}::timestamptz",
}

# Whether a chunk is all there is of its document; chunks are numbered from 0. Not by EXISTS: the planner would read
# the second chunk of every document into a hash.
_ALONE = """c.ordinal = 0 AND (SELECT n.ordinal FROM read_v1.chunks n
                               WHERE n.document_id = c.document_id AND n.ordinal = 1) IS NULL AS alone"""
_VECTORS = f"""SELECT c.id, c.document_id, {_ALONE}, e.bytes FROM read_v1.chunks c
                 JOIN read_v1.embeddings e ON e.hash = c.embedding_hash AND e.model_id = $1"""  # noqa: S608  our own
_VECTORS_AT_ONCE = 5000
# Documents that were there at $1 and changed since, as they were then.
_CHANGED_SINCE = """SELECT p.id, p.platform, v.version, v.author, v.language, v.published_at, v.size
                      FROM read_v1.documents p
                     CROSS JOIN LATERAL (SELECT o.version, o.author, o.language, o.published_at,
                                                octet_length(o.text) AS size
                                           FROM read_v1.versions o
                                          WHERE o.document_id = p.id AND o.collected_at <= $1
                                          ORDER BY o.version DESC LIMIT 1) v
                     WHERE p.collected_at > $1 AND p.version > 1"""
_HELD = f"""(SELECT id, platform, author, language, published_at FROM read_v1.documents WHERE collected_at <= $1
             UNION ALL SELECT id, platform, author, language, published_at FROM ({_CHANGED_SINCE}) AS c)"""  # noqa: S608  our own


class Near(NamedTuple):
    """A chunk and its cosine similarity. `alone`: it is all there is of its document."""

    # A tuple, since each search makes a hundred: frozen dataclasses take twice as long to make.
    chunk_id: UUID
    document_id: UUID
    similarity: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Embedded:
    """A chunk and its vector."""

    chunk_id: UUID
    document_id: UUID
    alone: bool
    vector: bytes
    """As halfvec_send gives it (in pgvector's halfvec.c): four bytes, then halves, the most significant byte first."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A chunk and the hash of what is embedded of it."""

    chunk_id: UUID
    document_id: UUID
    alone: bool
    hash: bytes


async def nearest(
    conn: Connection,
    model: ActiveModel,
    vector: str,
    filters: Filters,
    limit: int,
    among: Collection[UUID] | None = None,
) -> tuple[list[Near], bool]:
    """The chunks whose vectors are nearest, with their cosine similarity; and whether there are no more.

    Uses the model's HNSW index (pgvector), so the expression and the condition are those of the index, as literals.
    How the index is read (pgvector's iterative scan) is a setting of `make_pool`'s connections. Of few documents
    (`among`) all chunks are compared. The limit is a literal, too: of a parameter the planner thinks
    it may be a tenth of the table, and reads all chunks.
    """
    where, arguments = _where(filters, 2)
    distance = _distance(model)
    if among is not None:
        # `+ 0` keeps the index out: it would walk through the whole library to find these few.
        rows = await conn.fetch(
            f"""SELECT c.id, c.document_id, 1 - {distance} AS similarity, {_ALONE}
                  FROM read_v1.chunks c
                  JOIN read_v1.embeddings e ON e.hash = c.embedding_hash AND e.model_id = {model.id}
                 WHERE c.document_id = ANY($2::uuid[])
                 ORDER BY {distance} + 0 LIMIT {limit}""",  # noqa: S608  numbers of our own
            vector,
            list(among),
        )
        return [Near(*row) for row in rows], len(rows) < limit
    if where:
        source = f"""read_v1.embeddings e
              JOIN read_v1.chunks c ON c.embedding_hash = e.hash
              JOIN read_v1.documents d ON d.id = c.document_id
             WHERE e.model_id = {model.id} AND {where}
             ORDER BY {distance} LIMIT {limit}"""
    else:
        # Rows of no chunk are kept, and left out below: they tell that there may be more.
        source = f"""(SELECT e.hash, e.vector FROM read_v1.embeddings e WHERE e.model_id = {model.id}
                       ORDER BY {distance} LIMIT {limit}) AS e
              LEFT JOIN read_v1.chunks c ON c.embedding_hash = e.hash"""  # noqa: S608  as above
    query = f"SELECT c.id, c.document_id, 1 - {distance} AS similarity, {_ALONE} FROM {source}"  # noqa: S608  as above
    if limit <= EF_SEARCH:
        rows = await conn.fetch(query, vector, *arguments)
    else:
        async with conn.transaction(readonly=True):  # which SET LOCAL ends with
            await conn.execute(f"SET LOCAL hnsw.ef_search = {min(limit, 1000)}")
            rows = await conn.fetch(query, vector, *arguments)
    near = sorted((Near(*row) for row in rows if row[0] is not None), key=lambda one: -one.similarity)
    return near, len(rows) < limit


async def similarities(conn: Connection, model: ActiveModel, vector: str, chunk_ids: Sequence[UUID]) -> list[Near]:
    """The cosine similarity of chunks that were found by word."""
    rows = await conn.fetch(
        f"""SELECT c.id, c.document_id, 1 - {_distance(model)} AS similarity, {_ALONE}
              FROM read_v1.chunks c JOIN read_v1.embeddings e ON e.hash = c.embedding_hash AND e.model_id = {model.id}
             WHERE c.id = ANY($2::uuid[])""",  # noqa: S608  as above
        vector,
        chunk_ids,
    )
    return [Near(*row) for row in rows]


async def vectors(conn: Connection, model: ActiveModel, chunk_ids: Sequence[UUID]) -> list[Embedded]:
    """The vectors of chunks, of those that have one."""
    rows = await conn.fetch(f"{_VECTORS} WHERE c.id = ANY($2::uuid[])", model.id, chunk_ids)
    return [Embedded(*row) for row in rows]


async def vectors_of(
    conn: Connection, model: ActiveModel, document_ids: Collection[UUID]
) -> AsyncGenerator[list[Embedded], None]:
    """The vectors of all chunks of documents, some at a time. In a transaction."""
    cursor = await conn.cursor(f"{_VECTORS} WHERE c.document_id = ANY($2::uuid[])", model.id, list(document_ids))
    while rows := await cursor.fetch(_VECTORS_AT_ONCE):
        yield [Embedded(*row) for row in rows]


async def hashes_passing(conn: Connection, model: ActiveModel, filters: Filters, most: int) -> list[bytes] | None:
    """The hashes of all vectors that pass the filters; None where there are more than `most`."""
    where, arguments = _where(filters, 3)
    rows = await conn.fetch(
        f"""SELECT DISTINCT c.embedding_hash FROM read_v1.documents d
              JOIN read_v1.chunks c ON c.document_id = d.id
              JOIN read_v1.embeddings e ON e.hash = c.embedding_hash AND e.model_id = $1
             WHERE {where} LIMIT $2""",  # noqa: S608  our own conditions
        model.id,
        most + 1,
        *arguments,
    )
    return [row[0] for row in rows] if len(rows) <= most else None


async def count_chunks(conn: Connection, document_ids: Collection[UUID]) -> int:
    return await conn.fetchval(
        "SELECT count(*) FROM read_v1.chunks WHERE document_id = ANY($1::uuid[])", list(document_ids)
    )


async def chunks_of_hashes(
    conn: Connection, model: ActiveModel, hashes: Sequence[bytes], filters: Filters
) -> list[Hashed]:
    """The chunks with these texts that the model embedded, and that pass the filters."""
    where, arguments = _where(filters, 3)
    rows = await conn.fetch(
        f"""SELECT c.id, c.document_id, {_ALONE}, c.embedding_hash FROM read_v1.chunks c
              JOIN read_v1.embeddings e ON e.hash = c.embedding_hash AND e.model_id = $1
              JOIN read_v1.documents d ON d.id = c.document_id
             WHERE c.embedding_hash = ANY($2::bytea[]) AND {where or "true"}""",  # noqa: S608  as above
        model.id,
        hashes,
        *arguments,
    )
    return [Hashed(*row) for row in rows]


async def has_vectors(conn: Connection, model: ActiveModel) -> bool:
    """Whether anything is embedded under this model."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM read_v1.embeddings WHERE model_id = $1)", model.id))


async def waits_for_vectors(conn: Connection, model: ActiveModel, document_ids: Collection[UUID]) -> bool:
    """Whether some of these documents' chunks are still to be embedded."""
    return bool(
        await conn.fetchval(
            """SELECT EXISTS (SELECT FROM read_v1.embedding_queue q
                                JOIN read_v1.chunks c ON c.embedding_hash = q.hash
                               WHERE q.model_id = $1 AND q.state = 'pending' AND c.document_id = ANY($2::uuid[]))""",
            model.id,
            list(document_ids),
        )
    )


async def selected(conn: Connection, filters: Filters, most: int) -> list[UUID] | None:
    """The documents that pass the filters; None where there are more than `most`."""
    where, arguments = _where(filters, 2)
    rows = await conn.fetch(
        f"SELECT d.id FROM read_v1.documents d WHERE {where} LIMIT $1",  # noqa: S608  our own conditions
        most + 1,
        *arguments,
    )
    return [row[0] for row in rows] if len(rows) <= most else None


async def passing(conn: Connection, document_ids: Collection[UUID], filters: Filters) -> set[UUID]:
    """Of these documents, those that pass the filters."""
    where, arguments = _where(filters, 2)
    rows = await conn.fetch(
        f"SELECT d.id FROM read_v1.documents d WHERE d.id = ANY($1::uuid[]) AND {where}",  # noqa: S608  as above
        list(document_ids),
        *arguments,
    )
    return {row[0] for row in rows}


async def chunks(conn: Connection, chunk_ids: Sequence[UUID]) -> dict[UUID, Chunk]:
    """Everything that hits show of these chunks. Of the anchors, those that hold for some of the chunk."""
    rows = await conn.fetch(
        """SELECT c.id AS chunk_id, c.document_id, c.version, c.start_offset AS start, c.end_offset AS "end", c.text,
                  d.platform, d.external_id, v.title, v.author, v.published_at, v.url,
                  coalesce(c.anchors, (
                     SELECT coalesce(jsonb_agg(a.anchor ORDER BY a.n), '[]')
                       FROM (SELECT anchor, n, lead((anchor->>0)::int) OVER (ORDER BY n) AS next
                               FROM jsonb_array_elements(v.anchors) WITH ORDINALITY AS given (anchor, n)) a
                      WHERE (a.anchor->>0)::int < c.end_offset AND (a.next IS NULL OR a.next > c.start_offset)
                  )) AS anchors
             FROM read_v1.chunks c
             JOIN read_v1.documents d ON d.id = c.document_id
             JOIN read_v1.versions v ON v.document_id = c.document_id AND v.version = c.version
            WHERE c.id = ANY($1::uuid[])""",
        chunk_ids,
    )
    return {row["chunk_id"]: Chunk(**row) for row in rows}


async def text_bytes(conn: Connection, document_ids: Collection[UUID]) -> dict[UUID, int]:
    """How long the whole texts of documents are. None of them is read for it."""
    rows = await conn.fetch(
        """SELECT d.id, octet_length(v.text) FROM read_v1.documents d
             JOIN read_v1.versions v ON v.document_id = d.id AND v.version = d.version
            WHERE d.id = ANY($1::uuid[])""",
        list(document_ids),
    )
    return dict(tuple(row) for row in rows)


async def text_hashes(conn: Connection, document_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Equal for equal texts."""
    rows = await conn.fetch(
        """SELECT d.id, sha256(convert_to(v.text, 'UTF8')) FROM read_v1.documents d
             JOIN read_v1.versions v ON v.document_id = d.id AND v.version = d.version
            WHERE d.id = ANY($1::uuid[])""",
        list(document_ids),
    )
    return dict(tuple(row) for row in rows)


async def texts(conn: Connection, document_ids: Collection[UUID]) -> dict[UUID, str]:
    """The whole texts of documents, in their newest version."""
    rows = await conn.fetch(
        """SELECT d.id, v.text FROM read_v1.documents d
             JOIN read_v1.versions v ON v.document_id = d.id AND v.version = d.version
            WHERE d.id = ANY($1::uuid[])""",
        list(document_ids),
    )
    return {row["id"]: row["text"] for row in rows}


async def changed_since(conn: Connection, moment: datetime, filters: Filters, most: int) -> list[tuple[UUID, int, int]]:
    """Documents that were there at a moment and changed since: the version of then, and its text's length in bytes.

    The filters are those of then, too, as far as a version has what they ask for.
    """
    where, arguments = _where(replace(filters, collected_by=None), 3)
    rows = await conn.fetch(
        f"""SELECT d.id, d.version, d.size FROM ({_CHANGED_SINCE}) AS d
             WHERE {where or "true"} ORDER BY d.id LIMIT $2""",  # noqa: S608  as above
        moment,
        most,
        *arguments,
    )
    return [(row["id"], row["version"], row["size"]) for row in rows]


async def versions(conn: Connection, wanted: Sequence[tuple[UUID, int]]) -> list[Version]:
    """Documents in some of their versions."""
    rows = await conn.fetch(
        """SELECT d.id AS document_id, v.version, d.platform, d.external_id, v.title, v.author, v.published_at,
                  v.language, v.url, v.anchors, v.text
             FROM unnest($1::uuid[], $2::int[]) AS w (id, version)
             JOIN read_v1.documents d ON d.id = w.id
             JOIN read_v1.versions v ON v.document_id = w.id AND v.version = w.version""",
        [one for one, _ in wanted],
        [version for _, version in wanted],
    )
    return [Version(**row) for row in rows]


async def coverage(conn: Connection, filters: Filters, as_of: datetime | None) -> dict[str, Any]:
    """What there was to search, now or at a moment: how many documents, of which platforms, over which dates."""
    documents, held = ("read_v1.documents", []) if as_of is None else (_HELD, [as_of])
    where, arguments = _where(filters, 1 + len(held))
    row = await conn.fetchrow(
        f"""SELECT count(*)::int AS documents, array_agg(DISTINCT d.platform) FILTER (WHERE d.platform IS NOT NULL)
                   AS platforms, min(d.published_at) AS published_from, max(d.published_at) AS published_to
              FROM {documents} d WHERE {where or "true"}""",  # noqa: S608  as above
        *held,
        *arguments,
    )
    assert row is not None
    return dict(row)


async def database(conn: Connection) -> tuple[str, int]:
    """Which database this is, also after it was restored elsewhere; and the transaction that is to come next."""
    row = await conn.fetchrow(
        """SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || d.oid AS database,
                  pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS horizon
             FROM pg_database d WHERE d.datname = current_database()"""
    )
    assert row is not None
    return row["database"], row["horizon"]


async def oldest_running(conn: Connection) -> int:
    """The oldest transaction that may still write."""
    return await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


async def is_trimmed_after(conn: Connection, position: Position) -> bool:
    """Whether the change log may have lost rows after a position. It always keeps its newest row."""
    return bool(
        await conn.fetchval(
            """SELECT (txid, seq) > ($1::text::xid8, $2::bigint) AND seq > 1
                 FROM read_v1.changes WHERE txid < pg_snapshot_xmax(pg_current_snapshot())
                ORDER BY txid, seq LIMIT 1""",
            str(position[0]),
            position[1],
        )
    )


async def changes(conn: Connection, after: Position, limit: int) -> tuple[int, list[tuple[int, int, UUID]]]:
    """The oldest running transaction, and the changes after a position, by one snapshot.

    Rows of transactions that are yet to come are of another server's past, from before the database was restored
    here: the documents they speak of were there when the index was built.
    """
    rows = await conn.fetch(
        """SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, c.txid::text::bigint AS txid, c.seq,
                  c.document_id
             FROM (SELECT) AS one
             LEFT JOIN LATERAL (
                  SELECT txid, seq, document_id FROM read_v1.changes
                   WHERE (txid, seq) > ($1::text::xid8, $2::bigint) AND txid < pg_snapshot_xmax(pg_current_snapshot())
                   ORDER BY txid, seq LIMIT $3) c ON true""",
        str(after[0]),
        after[1],
        limit,
    )
    return rows[0]["oldest"], [(r["txid"], r["seq"], r["document_id"]) for r in rows if r["txid"] is not None]


async def document_ids(conn: Connection, after: UUID, limit: int) -> list[UUID]:
    """The next documents, in the order of their ids."""
    rows = await conn.fetch("SELECT id FROM read_v1.documents WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
    return [row[0] for row in rows]


async def chunk_bytes(conn: Connection, documents: Sequence[UUID]) -> dict[UUID, int]:
    """How much text the chunks of each document hold."""
    rows = await conn.fetch(
        """SELECT document_id, sum(octet_length(text))::bigint FROM read_v1.chunks
            WHERE document_id = ANY($1::uuid[]) GROUP BY document_id""",
        documents,
    )
    return dict(tuple(row) for row in rows)


async def index_chunks(conn: Connection, documents: Sequence[UUID]) -> list[IndexedChunk]:
    """What is indexed of these documents: their chunks, together by document and in their order."""
    rows = await conn.fetch(
        """SELECT c.id, c.document_id, d.title, c.text, d.language FROM read_v1.chunks c
             JOIN read_v1.documents d ON d.id = c.document_id WHERE c.document_id = ANY($1::uuid[])
            ORDER BY c.document_id, c.ordinal""",
        documents,
    )
    return [IndexedChunk(**row) for row in rows]


def _distance(model: ActiveModel) -> str:
    # Not by way of text: PostgreSQL would read the vector's digits anew for every row.
    return f"(e.vector::halfvec({model.dimensions}) <=> $1::halfvec({model.dimensions}))"


def _where(filters: Filters, first: int) -> tuple[str, list[Any]]:
    """The conditions of the filters that are set, and their arguments, numbered from `first`."""
    parts: list[str] = []
    arguments: list[Any] = []
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is None or (isinstance(value, Sequence) and not value):
            continue
        parts.append(condition.format(f"${first + len(arguments)}"))
        arguments.append(value)
    return " AND ".join(parts), arguments
