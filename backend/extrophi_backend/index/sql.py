"""Every statement about embedding models, vectors and what waits for one."""

from collections.abc import Sequence
from datetime import timedelta

from extrophi_backend.db import Connection
from extrophi_backend.index.models import EmbeddingModel, Pending

_MODEL = "id, name, dimensions, endpoint, state"


async def models_in_use(conn: Connection) -> list[EmbeddingModel]:
    """The active model and the one being built, the active first."""
    rows = await conn.fetch(
        f"SELECT {_MODEL} FROM embedding_models WHERE state IN ('active', 'building') ORDER BY state"  # noqa: S608
    )
    return [EmbeddingModel(**row) for row in rows]


async def add_model(conn: Connection, name: str, dimensions: int, endpoint: str, state: str) -> EmbeddingModel:
    """Record a model and make its index. In a transaction."""
    row = await conn.fetchrow(
        f"""INSERT INTO embedding_models (name, dimensions, endpoint, state, activated_at)
            VALUES ($1, $2, $3, $4, CASE WHEN $4 = 'active' THEN now() END) RETURNING {_MODEL}""",  # noqa: S608
        name,
        dimensions,
        endpoint,
        state,
    )
    assert row is not None
    model = EmbeddingModel(**row)
    await conn.execute(
        f"""CREATE INDEX embeddings_hnsw_{model.id} ON embeddings
            USING hnsw ((vector::halfvec({model.dimensions})) halfvec_cosine_ops) WHERE model_id = {model.id}"""
    )
    return model


async def queue_everything(conn: Connection, model_id: int) -> None:
    """Ask for all embeddings that the model does not have."""
    await conn.execute(
        """INSERT INTO embedding_queue (model_id, hash)
           SELECT DISTINCT $1::smallint, c.embedding_hash FROM chunks c
            WHERE NOT EXISTS (SELECT FROM embeddings e WHERE e.model_id = $1 AND e.hash = c.embedding_hash)
           ON CONFLICT DO NOTHING""",
        model_id,
    )


async def claim(conn: Connection, model_id: int, limit: int, lease: timedelta) -> list[Pending]:
    """Texts to embed, ours until the lease runs out. Those that no chunk has any more are dropped."""
    rows = await conn.fetch(
        """UPDATE embedding_queue q SET claimed_until = now() + $3::interval
            WHERE model_id = $1
              AND hash IN (SELECT hash FROM embedding_queue
                            WHERE model_id = $1 AND state = 'pending' AND run_after <= now()
                              AND (claimed_until IS NULL OR claimed_until < now())
                            ORDER BY run_after LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING q.hash, (SELECT c.text FROM chunks c WHERE c.embedding_hash = q.hash LIMIT 1) AS text""",
        model_id,
        limit,
        lease,
    )
    orphans = [row["hash"] for row in rows if row["text"] is None]
    if orphans:
        await conn.execute(
            "DELETE FROM embedding_queue WHERE model_id = $1 AND hash = ANY($2::bytea[])", model_id, orphans
        )
    return [Pending(row["hash"], row["text"]) for row in rows if row["text"] is not None]


async def store(conn: Connection, model_id: int, hashes: Sequence[bytes], vectors: Sequence[str]) -> None:
    """Keep vectors, given as pgvector writes them, at unit length; they wait no longer. In a transaction."""
    await conn.execute(
        """INSERT INTO embeddings (model_id, hash, vector)
           SELECT $1, n.hash, l2_normalize(n.vector::vector)::halfvec
             FROM unnest($2::bytea[], $3::text[]) AS n (hash, vector)
            WHERE EXISTS (SELECT FROM chunks c WHERE c.embedding_hash = n.hash)
           ON CONFLICT DO NOTHING""",
        model_id,
        hashes,
        vectors,
    )
    await conn.execute("DELETE FROM embedding_queue WHERE model_id = $1 AND hash = ANY($2::bytea[])", model_id, hashes)


async def give_back(conn: Connection, model_id: int, hashes: Sequence[bytes], wait: timedelta, error: str) -> None:
    """Try again after `wait`: the endpoint was at fault, not the text."""
    await conn.execute(
        """UPDATE embedding_queue
              SET claimed_until = NULL, run_after = now() + $3::interval, attempts = attempts + 1, error = $4
            WHERE model_id = $1 AND hash = ANY($2::bytea[])""",
        model_id,
        hashes,
        wait,
        error,
    )


async def fail(conn: Connection, model_id: int, hashes: Sequence[bytes], error: str) -> None:
    """These texts never get an embedding."""
    await conn.execute(
        """UPDATE embedding_queue SET state = 'failed', claimed_until = NULL, error = $3
            WHERE model_id = $1 AND hash = ANY($2::bytea[])""",
        model_id,
        hashes,
        error,
    )


async def activate_if_whole(conn: Connection, model_id: int) -> bool:
    """Make the model being built the active one, once nothing waits for it. In a transaction."""
    waits = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM embedding_queue WHERE model_id = $1 AND state = 'pending')", model_id
    )
    if waits:
        return False
    await conn.execute("UPDATE embedding_models SET state = 'retired' WHERE state = 'active' AND id <> $1", model_id)
    await conn.execute("UPDATE embedding_models SET state = 'active', activated_at = now() WHERE id = $1", model_id)
    return True


async def has_chunks(conn: Connection) -> bool:
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM chunks)"))
