"""Every statement about embedding models, vectors and what waits for one."""

from collections.abc import Sequence
from datetime import timedelta

from asyncpg import Record

from extrophi_backend.db import Connection
from extrophi_backend.index.models import EmbeddingModel, Pending, Progress
from extrophi_backend.vectors import halves
from extrophi_backend.vectors import sql as vectors

MAX_DIMENSIONS = 4000
"""What pgvector's HNSW takes of a halfvec (its README, "Half-Precision Vectors")."""
_ORPHANS = 10_000
_VECTORS = 0x7665_6374  # "vect"
_MODEL = "id, name, dimensions, endpoint, state"


async def models_in_use(conn: Connection) -> list[EmbeddingModel]:
    """The active model and the one being built, the active first."""
    rows = await conn.fetch(
        f"SELECT {_MODEL} FROM embedding_models WHERE state IN ('active', 'building') ORDER BY state"  # noqa: S608
    )
    return [EmbeddingModel(**row) for row in rows]


async def lock_models(conn: Connection) -> None:
    """Nobody else changes the models, and no document is being written that has not heard of them.

    Whoever writes chunks holds a ROW SHARE lock until its commit (`queue`): its chunks are
    either seen by `queue_everything`, or queued by itself. `embeddings` is locked first, as those who store vectors
    do it, since the other way round the two would wait for each other.

    Raises:
        Unavailable: An index is being made.
    """
    await vectors.lock_vectors(conn, "SHARE")
    await conn.execute("LOCK TABLE embedding_models IN EXCLUSIVE MODE")


async def find(conn: Connection, name: str, endpoint: str | None) -> EmbeddingModel | None:
    """The model of that name; where several endpoints have one, the newest."""
    row = await conn.fetchrow(
        f"""SELECT {_MODEL} FROM embedding_models
             WHERE name = $1 AND ($2::text IS NULL OR endpoint = $2) ORDER BY id DESC LIMIT 1""",  # noqa: S608
        name,
        endpoint,
    )
    return EmbeddingModel(**row) if row else None


async def state_of(conn: Connection, model_id: int) -> str | None:
    return await conn.fetchval("SELECT state FROM embedding_models WHERE id = $1", model_id)


async def build_again(conn: Connection, model_id: int) -> None:
    await conn.execute("UPDATE embedding_models SET state = 'building' WHERE id = $1", model_id)


async def retry_failed(conn: Connection, model_id: int) -> None:
    await conn.execute(
        """UPDATE embedding_queue SET state = 'pending', attempts = 0, run_after = now(), error = NULL
            WHERE model_id = $1 AND state = 'failed'""",
        model_id,
    )


async def drop_model(conn: Connection, model_id: int) -> None:
    """Its vectors, its queue and its index go with it. In a transaction."""
    await conn.execute(f"DROP INDEX IF EXISTS embeddings_hnsw_{model_id}")
    await vectors.tell_to_drop(conn, model_id)
    await conn.execute("DELETE FROM embedding_models WHERE id = $1", model_id)


async def progress(conn: Connection, *, before: int | None = None, limit: int = 100) -> list[Progress]:
    """The newest model first."""
    rows = await conn.fetch(
        f"""{_PROGRESS} WHERE $1::int IS NULL OR m.id < $1 ORDER BY m.id DESC LIMIT $2""", before, limit
    )
    return [_progress(row) for row in rows]


async def progress_of(conn: Connection, model_id: int) -> Progress:
    row = await conn.fetchrow(f"{_PROGRESS} WHERE m.id = $1", model_id)
    assert row is not None
    return _progress(row)


_PROGRESS = f"""
    SELECT {_MODEL}, created_at, activated_at,
           (SELECT count(*)::int FROM embeddings e WHERE e.model_id = m.id) AS embedded,
           (SELECT count(*)::int FROM embedding_queue q WHERE q.model_id = m.id AND q.state = 'pending') AS pending,
           (SELECT count(*)::int FROM embedding_queue q WHERE q.model_id = m.id AND q.state = 'failed') AS failed
      FROM embedding_models m
"""  # noqa: S608  a constant of ours


def _progress(row: Record) -> Progress:
    return Progress(
        EmbeddingModel(row["id"], row["name"], row["dimensions"], row["endpoint"], row["state"]),
        row["embedded"],
        row["pending"],
        row["failed"],
        row["created_at"],
        row["activated_at"],
    )


async def orphans(conn: Connection) -> list[bytes]:
    """Hashes of vectors whose text no chunk has any more (documents change): some thousands at a time."""
    rows = await conn.fetch(
        """SELECT DISTINCT hash FROM (
               SELECT e.hash FROM embeddings e
                WHERE NOT EXISTS (SELECT FROM chunks c WHERE c.embedding_hash = e.hash) LIMIT $1) AS found""",
        _ORPHANS,
    )
    return [row["hash"] for row in rows]


async def drop_orphans(conn: Connection, hashes: Sequence[bytes]) -> None:
    """Delete vectors, unless a chunk came to need them. In a transaction that has `own_vectors`."""
    await conn.execute(
        """DELETE FROM embeddings e
            WHERE e.hash = ANY($1::bytea[]) AND NOT EXISTS (SELECT FROM chunks c WHERE c.embedding_hash = e.hash)""",
        hashes,
    )


async def add_model(conn: Connection, name: str, dimensions: int, endpoint: str, state: str) -> EmbeddingModel:
    """Record a model and make its index, where pgvector is looked into. In a transaction."""
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
    if (await vectors.store(conn)).name == "pgvector":
        await conn.execute(vectors.index_of(model.id, model.dimensions))
    return model


async def share_vectors(conn: Connection) -> None:
    """Until the end of the transaction, nobody deletes a vector: one that is there now need not be made.

    Taken before any row is locked, here and in `own_vectors`, so that the two cannot wait for each other.
    """
    await conn.execute("SELECT pg_advisory_xact_lock_shared($1)", _VECTORS)


async def own_vectors(conn: Connection) -> None:
    """Until the end of the transaction, nobody writes chunks: a vector that none needs now may be deleted."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _VECTORS)


async def queue(conn: Connection, hashes: Sequence[bytes]) -> None:
    """Ask for the embeddings that the active and the building model do not have yet."""
    # A model that is being recorded now does not see our chunks, nor we it: one of us waits (`lock_models`).
    await conn.execute("LOCK TABLE embedding_models IN ROW SHARE MODE")
    await conn.execute(
        """INSERT INTO embedding_queue (model_id, hash)
           SELECT m.id, h.hash FROM embedding_models m, unnest($1::bytea[]) AS h (hash)
            WHERE m.state IN ('active', 'building')
              AND NOT EXISTS (SELECT FROM embeddings e WHERE e.model_id = m.id AND e.hash = h.hash)
            ORDER BY m.id, h.hash
           ON CONFLICT DO NOTHING""",
        hashes,
    )


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
    """Texts to embed, ours until the lease runs out; `text` is None where no chunk has it any more."""
    rows = await conn.fetch(
        """UPDATE embedding_queue q SET claimed_until = now() + $3::interval
            WHERE model_id = $1
              AND hash IN (SELECT hash FROM embedding_queue
                            WHERE model_id = $1 AND state = 'pending' AND run_after <= now()
                              AND (claimed_until IS NULL OR claimed_until < now())
                            ORDER BY run_after LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING q.hash, q.attempts, (SELECT c.text FROM chunks c WHERE c.embedding_hash = q.hash LIMIT 1) AS text""",
        model_id,
        limit,
        lease,
    )
    return [Pending(row["hash"], row["text"], row["attempts"]) for row in rows]


async def renew(conn: Connection, model_id: int, hashes: Sequence[bytes], lease: timedelta) -> None:
    """Keep claimed texts. Those stored meanwhile are not asked for again by it."""
    await conn.execute(
        """UPDATE embedding_queue SET claimed_until = now() + $3::interval
            WHERE model_id = $1 AND hash = ANY($2::bytea[]) AND claimed_until IS NOT NULL""",
        model_id,
        hashes,
        lease,
    )


async def drop_unneeded(conn: Connection, hashes: Sequence[bytes]) -> None:
    """Ask no more for texts that no chunk has. In a transaction that has `own_vectors`."""
    await conn.execute(
        """DELETE FROM embedding_queue q
            WHERE q.hash = ANY($1::bytea[]) AND NOT EXISTS (SELECT FROM chunks c WHERE c.embedding_hash = q.hash)""",
        hashes,
    )


async def store(conn: Connection, model_id: int, hashes: Sequence[bytes], packed: Sequence[bytes]) -> None:
    """Keep vectors (see `vectors.halves`); they wait no longer. In a transaction."""
    await vectors.share_vectors(conn)
    plain = await vectors.is_plain(conn)
    kind = "bytea" if plain else "text"
    await conn.execute(
        f"""INSERT INTO embeddings (model_id, hash, vector)
           SELECT $1, n.hash, n.vector{"" if plain else "::halfvec"}
             FROM unnest($2::bytea[], $3::{kind}[]) AS n (hash, vector)
           ON CONFLICT DO NOTHING""",  # noqa: S608  types of ours
        model_id,
        hashes,
        packed if plain else [halves.text(one) for one in packed],
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
    retired = await conn.fetchval(
        "UPDATE embedding_models SET state = 'retired' WHERE state = 'active' AND id <> $1 RETURNING id", model_id
    )
    await conn.execute("DELETE FROM embedding_queue WHERE model_id = $1", retired)
    await conn.execute("UPDATE embedding_models SET state = 'active', activated_at = now() WHERE id = $1", model_id)
    await conn.execute("NOTIFY extrophi_changes")  # who searches asks which model is active
    return True


async def has_chunks(conn: Connection) -> bool:
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM chunks)"))
