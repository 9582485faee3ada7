from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.sources import sql as sources_sql

router = APIRouter(tags=["stats"])


class OpenJobs(BaseModel):
    queued: int
    running: int


class Stats(BaseModel):
    documents: int
    chunks: int
    embedded: int
    pending: int
    failed: int
    jobs: OpenJobs
    platforms: dict[str, int]
    sources: Annotated[dict[str, int], Field(description="How many are in each state.")]
    states: Annotated[dict[str, int], Field(description="How many documents are in each state.")]


@router.get("/stats", summary="How much there is, and how much of it waits", responses=responses())
async def stats(app: App) -> Stats:
    """`pending`: chunks that wait for an embedding; `failed`: those that never get one."""
    async with app.pool.acquire() as conn:
        row = await conn.fetchrow(
            """WITH active AS (SELECT id FROM embedding_models WHERE state = 'active'),
                    total AS (SELECT count(*)::int AS n FROM chunks),
                    failed AS (SELECT count(*)::int AS n FROM chunks c
                                JOIN embedding_queue q ON q.hash = c.embedding_hash AND q.state = 'failed'
                                JOIN active a ON a.id = q.model_id),
                    embedded AS (SELECT count(*)::int AS n FROM chunks c
                                  JOIN embeddings e ON e.hash = c.embedding_hash JOIN active a ON a.id = e.model_id)
               SELECT (SELECT count(*)::int FROM documents) AS documents, total.n AS chunks, embedded.n AS embedded,
                      failed.n AS failed, total.n - embedded.n - failed.n AS pending,
                      (SELECT count(*)::int FROM jobs WHERE status = 'queued') AS queued,
                      (SELECT count(*)::int FROM jobs WHERE status = 'running') AS running
                 FROM total, failed, embedded"""
        )
        sources = await sources_sql.count_states(conn)
        states = await documents_sql.count_states(conn)
        platforms = await conn.fetch("SELECT platform, count(*)::int AS n FROM documents GROUP BY 1 ORDER BY 1")
    assert row is not None
    return Stats(
        documents=row["documents"],
        chunks=row["chunks"],
        embedded=row["embedded"],
        pending=row["pending"],
        failed=row["failed"],
        jobs=OpenJobs(queued=row["queued"], running=row["running"]),
        platforms={one["platform"]: one["n"] for one in platforms},
        sources=sources,
        states=states,
    )
