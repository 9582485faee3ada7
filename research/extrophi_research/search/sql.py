"""What search reads, through the views of read_v1 only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from extrophi_research.db import Connection
from extrophi_research.embeddings.service import ActiveModel
from extrophi_research.search.models import Chunk, Filters

_CONDITIONS = {
    "platforms": "d.platform = ANY({})",
    "collections": """d.id IN (SELECT l.document_id FROM read_v1.collection_documents l
                               JOIN read_v1.collections n ON n.id = l.collection_id WHERE n.name = ANY({}::text[]))""",
    "source_ids": "d.id IN (SELECT document_id FROM read_v1.source_documents WHERE source_id = ANY({}::uuid[]))",
    "job_ids": "d.id IN (SELECT document_id FROM read_v1.job_documents WHERE job_id = ANY({}::uuid[]))",
    "authors": "lower(d.author) = ANY({}::text[])",
    "languages": "d.language = ANY({}::text[])",
    "published_after": "d.published_at >= {}::timestamptz",
    "published_before": "d.published_at < {}::timestamptz",
}

# Whether a chunk is all there is of its document; chunks are numbered from 0. Not by EXISTS: the planner would read
# the second chunk of every document into a hash.
_ALONE = """c.ordinal = 0 AND (SELECT n.ordinal FROM read_v1.chunks n
                               WHERE n.document_id = c.document_id AND n.ordinal = 1) IS NULL AS alone"""

_MOST_SCANNED = 200_000
"""Rows of the vector index that a query with a filter looks at; pgvector's own 20,000 would starve rare matches."""


@dataclass(frozen=True, slots=True)
class Near:
    """A chunk and its cosine similarity."""

    chunk_id: UUID
    document_id: UUID
    similarity: float
    alone: bool


async def nearest(
    conn: Connection,
    model: ActiveModel,
    vector: str,
    filters: Filters,
    limit: int,
    among: Collection[UUID] | None = None,
) -> list[Near]:
    """The chunks whose vectors are nearest, with their cosine similarity.

    Uses the model's HNSW index (pgvector), so the expression and the condition are those of the index, as literals.
    With filters it is scanned on until enough rows pass (iterative scans). Of few documents (`among`) all chunks are
    compared. The limit is a literal, too: of a parameter the planner thinks it may be a tenth of the table, and reads
    all chunks. The connection's settings change, until it goes back to its pool.
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
        return [Near(*row) for row in rows]
    settings = f"SET hnsw.ef_search = {min(max(limit, 40), 1000)}"
    if where:
        settings += f"; SET hnsw.iterative_scan = strict_order; SET hnsw.max_scan_tuples = {_MOST_SCANNED}"
    elif limit > 1000:
        settings += "; SET hnsw.iterative_scan = strict_order"
    await conn.execute(settings)
    if where:
        source = f"""read_v1.embeddings e
              JOIN read_v1.chunks c ON c.embedding_hash = e.hash
              JOIN read_v1.documents d ON d.id = c.document_id
             WHERE e.model_id = {model.id} AND {where}
             ORDER BY {distance} LIMIT {limit}"""
    else:
        source = f"""(SELECT e.hash, e.vector FROM read_v1.embeddings e WHERE e.model_id = {model.id}
                       ORDER BY {distance} LIMIT {limit}) AS e
              JOIN read_v1.chunks c ON c.embedding_hash = e.hash
             ORDER BY {distance}"""  # noqa: S608  as above
    rows = await conn.fetch(
        f"SELECT c.id, c.document_id, 1 - {distance} AS similarity, {_ALONE} FROM {source}",  # noqa: S608  as above
        vector,
        *arguments,
    )
    return [Near(*row) for row in rows]


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


async def has_vectors(conn: Connection, model: ActiveModel) -> bool:
    """Whether anything is embedded under this model."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM read_v1.embeddings WHERE model_id = $1)", model.id))


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
    """Everything that hits show of these chunks."""
    rows = await conn.fetch(
        """SELECT c.id AS chunk_id, c.document_id, c.version, c.start_offset AS start, c.end_offset AS "end", c.text,
                  d.platform, d.external_id, v.title, v.author, v.published_at, v.url, v.anchors
             FROM read_v1.chunks c
             JOIN read_v1.documents d ON d.id = c.document_id
             JOIN read_v1.versions v ON v.document_id = c.document_id AND v.version = c.version
            WHERE c.id = ANY($1::uuid[])""",
        chunk_ids,
    )
    return {row["chunk_id"]: Chunk(**row) for row in rows}


async def texts(conn: Connection, document_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The whole texts of documents, in their newest version."""
    rows = await conn.fetch(
        """SELECT d.id, v.text FROM read_v1.documents d
             JOIN read_v1.versions v ON v.document_id = d.id AND v.version = d.version
            WHERE d.id = ANY($1::uuid[])""",
        document_ids,
    )
    return {row["id"]: row["text"] for row in rows}


async def coverage(conn: Connection, filters: Filters) -> dict[str, Any]:
    """What there was to search: how many documents, of which platforms, over which dates."""
    where, arguments = _where(filters, 1)
    row = await conn.fetchrow(
        f"""SELECT count(*)::int AS documents, array_agg(DISTINCT d.platform) FILTER (WHERE d.platform IS NOT NULL)
                   AS platforms, min(d.published_at) AS published_from, max(d.published_at) AS published_to
              FROM read_v1.documents d WHERE {where or "true"}""",  # noqa: S608  as above
        *arguments,
    )
    assert row is not None
    return dict(row)


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
        if name == "authors":
            value = [author.lower() for author in value]
        parts.append(condition.format(f"${first + len(arguments)}"))
        arguments.append(value)
    return " AND ".join(parts), arguments
