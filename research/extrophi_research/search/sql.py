"""What search reads, through the views of read_v1 only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from extrophi_research.db import Connection
from extrophi_research.embeddings.service import ActiveModel
from extrophi_research.search.models import Candidate, Chunk, Filters

# $1 to $8 are the filters; an empty array is no filter.
_PASSES = """
    (cardinality($1::text[]) = 0 OR d.platform = ANY($1))
    AND (cardinality($2::text[]) = 0 OR EXISTS (
          SELECT FROM read_v1.collection_documents l JOIN read_v1.collections n ON n.id = l.collection_id
           WHERE l.document_id = d.id AND n.name = ANY($2)))
    AND (cardinality($3::uuid[]) = 0 OR EXISTS (
          SELECT FROM read_v1.source_documents s WHERE s.document_id = d.id AND s.source_id = ANY($3)))
    AND (cardinality($4::uuid[]) = 0 OR EXISTS (
          SELECT FROM read_v1.job_documents j WHERE j.document_id = d.id AND j.job_id = ANY($4)))
    AND (cardinality($5::text[]) = 0 OR lower(d.author) = ANY($5))
    AND (cardinality($6::text[]) = 0 OR d.language = ANY($6))
    AND ($7::timestamptz IS NULL OR d.published_at >= $7)
    AND ($8::timestamptz IS NULL OR d.published_at < $8)"""


async def nearest(
    conn: Connection, model: ActiveModel, vector: Sequence[float], filters: Filters, limit: int
) -> list[Candidate]:
    """The chunks whose vectors are nearest, with their cosine similarity.

    Uses the model's HNSW index, scanned on until enough rows pass the filters (pgvector's iterative scans), so the
    expression and the condition are those of the index, as literals. In a transaction.
    """
    await conn.execute("SET LOCAL hnsw.iterative_scan = strict_order")
    await conn.execute(f"SET LOCAL hnsw.ef_search = {min(max(limit, 40), 1000)}")
    distance = f"(e.vector::halfvec({model.dimensions})) <=> $9::halfvec({model.dimensions})"
    rows = await conn.fetch(
        f"""SELECT c.id AS chunk_id, c.document_id, 1 - ({distance}) AS score
              FROM read_v1.embeddings e
              JOIN read_v1.chunks c ON c.embedding_hash = e.hash
              JOIN read_v1.documents d ON d.id = c.document_id
             WHERE e.model_id = {model.id} AND {_PASSES}
             ORDER BY {distance} LIMIT $10""",  # noqa: S608  numbers of our own table
        *_arguments(filters),
        f"[{','.join(map(repr, vector))}]",
        limit,
    )
    return [Candidate(**row) for row in rows]


async def has_vectors(conn: Connection, model: ActiveModel) -> bool:
    """Whether anything is embedded under this model."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM read_v1.embeddings WHERE model_id = $1)", model.id))


async def passing(conn: Connection, chunk_ids: Sequence[UUID], filters: Filters) -> dict[UUID, UUID]:
    """Of these chunks, those that still exist and pass the filters, with their documents."""
    rows = await conn.fetch(
        f"""SELECT c.id, c.document_id FROM unnest($9::uuid[]) AS w (id)
              JOIN read_v1.chunks c ON c.id = w.id
              JOIN read_v1.documents d ON d.id = c.document_id
             WHERE {_PASSES}""",  # noqa: S608  as above
        *_arguments(filters),
        chunk_ids,
    )
    return {row["id"]: row["document_id"] for row in rows}


async def similarities(
    conn: Connection, model: ActiveModel, vector: Sequence[float], chunk_ids: Sequence[UUID]
) -> dict[UUID, float]:
    """The cosine similarity of chunks that were found by word."""
    rows = await conn.fetch(
        f"""SELECT c.id, 1 - (e.vector::halfvec({model.dimensions}) <=> $2::halfvec({model.dimensions})) AS similarity
              FROM read_v1.chunks c JOIN read_v1.embeddings e ON e.hash = c.embedding_hash
             WHERE c.id = ANY($1::uuid[]) AND e.model_id = {model.id}""",  # noqa: S608  as above
        chunk_ids,
        f"[{','.join(map(repr, vector))}]",
    )
    return {row["id"]: row["similarity"] for row in rows}


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


async def coverage(conn: Connection, filters: Filters) -> dict[str, Any]:
    """What there was to search: how many documents, of which platforms, over which dates."""
    row = await conn.fetchrow(
        f"""SELECT count(*)::int AS documents, array_agg(DISTINCT d.platform) FILTER (WHERE d.platform IS NOT NULL)
                   AS platforms, min(d.published_at) AS published_from, max(d.published_at) AS published_to
              FROM read_v1.documents d WHERE {_PASSES}""",  # noqa: S608  as above
        *_arguments(filters),
    )
    assert row is not None
    return dict(row)


def _arguments(filters: Filters) -> tuple[Any, ...]:
    return (
        list(filters.platforms),
        list(filters.collections),
        list(filters.source_ids),
        list(filters.job_ids),
        [author.lower() for author in filters.authors],
        list(filters.languages),
        filters.published_after,
        filters.published_before,
    )
