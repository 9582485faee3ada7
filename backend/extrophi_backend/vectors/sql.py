"""Every statement about the vector store and what it is still to be told."""

from collections.abc import Sequence

import asyncpg

from extrophi_backend.db import Connection
from extrophi_backend.errors import Unavailable
from extrophi_backend.vectors.models import Store, Waiting

OUTBOX = 0x6F75_7462  # "outb"
MOVING = 0x6D6F_7665  # "move"
"""What one process at a time does, by an advisory lock of this number."""
_PATIENCE = "10s"
"""An index that is being made keeps others from locking the table, and whoever waits for that keeps out all writers."""


async def store(conn: Connection) -> Store:
    row = await conn.fetchrow(
        """SELECT s.name, s.moving_to, s.paused,
                  (SELECT system_identifier FROM pg_control_system())::text || '-' || d.oid AS database
             FROM vector_store s, pg_database d WHERE d.datname = current_database()"""
    )
    assert row is not None
    return Store(**row)


async def own(conn: Connection, work: int) -> bool:
    """Whether we alone may do that work now. Until `leave`, or until the connection ends."""
    return await conn.fetchval("SELECT pg_try_advisory_lock($1)", work)


async def leave(conn: Connection, work: int) -> None:
    await conn.execute("SELECT pg_advisory_unlock($1)", work)


async def waiting(conn: Connection, limit: int) -> list[Waiting]:
    """The oldest rows of the outbox, with what is true of their vectors now."""
    rows = await conn.fetch(
        """SELECT o.seq, o.model_id, o.hash, e.bytes AS packed, m.id IS NOT NULL AS has_model
             FROM (SELECT * FROM vector_outbox ORDER BY seq LIMIT $1) o
             LEFT JOIN embedding_models m ON m.id = o.model_id
             LEFT JOIN read_v1.embeddings e ON e.model_id = o.model_id AND e.hash = o.hash
            ORDER BY o.seq""",
        limit,
    )
    return [Waiting(**row) for row in rows]


async def told(conn: Connection, seqs: Sequence[int]) -> None:
    await conn.execute("DELETE FROM vector_outbox WHERE seq = ANY($1::bigint[])", seqs)


async def count_waiting(conn: Connection) -> int:
    return await conn.fetchval("SELECT count(*)::int FROM vector_outbox")


async def count_told(conn: Connection, model_id: int) -> int | None:
    """How many vectors the model has; None while the outbox speaks of some."""
    return await conn.fetchval(
        """SELECT count(*)::int FROM embeddings
            WHERE model_id = $1 AND NOT EXISTS (SELECT FROM vector_outbox WHERE model_id = $1)
           HAVING NOT EXISTS (SELECT FROM vector_outbox WHERE model_id = $1)""",
        model_id,
    )


async def is_behind(conn: Connection, model_id: int) -> bool:
    """Whether the outbox speaks of vectors of the model."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM vector_outbox WHERE model_id = $1)", model_id))


async def tell_all(conn: Connection, model_id: int) -> None:
    """Have all vectors of a model put into the store."""
    await conn.execute(
        "INSERT INTO vector_outbox (model_id, hash) SELECT model_id, hash FROM embeddings WHERE model_id = $1", model_id
    )


async def tell_to_drop(conn: Connection, model_id: int) -> None:
    """Have a model's collection taken away, where the store is ChromaDB or may soon be."""
    await conn.execute(
        """INSERT INTO vector_outbox (model_id)
           SELECT $1 FROM vector_store WHERE name = 'chroma' OR moving_to = 'chroma'""",
        model_id,
    )


async def model_ids(conn: Connection) -> list[int]:
    return [row["id"] for row in await conn.fetch("SELECT id FROM embedding_models ORDER BY id")]


async def has_vectors(conn: Connection, model_id: int) -> bool:
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM embeddings WHERE model_id = $1)", model_id))


async def lock_vectors(conn: Connection, mode: str = "SHARE ROW EXCLUSIVE") -> None:
    """Nobody writes vectors until the end of the transaction: who has written some has told the outbox, or will.

    Raises:
        Unavailable: An index is being made.
    """
    try:
        await conn.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        await conn.execute(f"LOCK TABLE embeddings IN {mode} MODE")
        await conn.execute("SET LOCAL lock_timeout = DEFAULT")
    except asyncpg.LockNotAvailableError:
        raise Unavailable(
            "The index of vectors is being made.", hint="Try again once `extrophi vectors` says that they were moved."
        ) from None


async def move(conn: Connection, of: str, to: str) -> bool:
    """Begin, go on with, or give up a move away from `of`. False where the vectors are not there any more."""
    return bool(
        await conn.fetchval(
            "UPDATE vector_store SET moving_to = nullif($2, $1), paused = false WHERE name = $1 RETURNING true", of, to
        )
    )


async def pause(conn: Connection) -> bool:
    return bool(await conn.fetchval("UPDATE vector_store SET paused = true WHERE moving_to IS NOT NULL RETURNING true"))


async def arrive(conn: Connection) -> None:
    """From now on, look where the vectors were moved to."""
    await conn.execute("UPDATE vector_store SET name = moving_to, moving_to = NULL, paused = false")
    await conn.execute("NOTIFY extrophi_changes")


async def forget_outbox(conn: Connection) -> None:
    """For who tells all anew, or nothing more. What is to be dropped of models that are gone stays."""
    await conn.execute("DELETE FROM vector_outbox WHERE model_id IN (SELECT id FROM embedding_models)")


async def models_without_index(conn: Connection) -> dict[int, int]:
    """Ids and dimensions of models whose vectors have no (whole) index of pgvector's."""
    rows = await conn.fetch(
        """SELECT m.id, m.dimensions FROM embedding_models m
            WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indisvalid
                                 AND i.indexrelid = to_regclass('embeddings_hnsw_' || m.id))"""
    )
    return dict(tuple(row) for row in rows)


async def make_index(conn: Connection, model_id: int, dimensions: int) -> None:
    """While others read and write. One that was left half made is made anew."""
    await conn.execute(f"DROP INDEX CONCURRENTLY IF EXISTS embeddings_hnsw_{model_id}", timeout=None)
    await conn.execute(index_of(model_id, dimensions, "CONCURRENTLY"), timeout=None)


def index_of(model_id: int, dimensions: int, how: str = "") -> str:
    """The statement that makes a model's index."""
    return f"""CREATE INDEX {how} embeddings_hnsw_{model_id} ON embeddings
               USING hnsw ((vector::halfvec({dimensions})) halfvec_cosine_ops) WHERE model_id = {model_id}"""


async def drop_indexes(conn: Connection) -> None:
    """Those of pgvector, where there are any."""
    rows = await conn.fetch(
        "SELECT id FROM embedding_models WHERE to_regclass('embeddings_hnsw_' || id) IS NOT NULL ORDER BY id"
    )
    for row in rows:
        await conn.execute(f"DROP INDEX CONCURRENTLY IF EXISTS embeddings_hnsw_{row['id']}")


async def share_vectors(conn: Connection) -> None:
    """Until the end of the transaction, the column keeps its type. For who writes vectors."""
    await conn.execute("LOCK TABLE embeddings IN ROW EXCLUSIVE MODE")


async def is_plain(conn: Connection) -> bool:
    """Whether vectors are kept as bytes, since there was no pgvector when the table was made."""
    return await conn.fetchval(
        """SELECT atttypid = 'bytea'::regtype FROM pg_attribute
            WHERE attrelid = 'embeddings'::regclass AND attname = 'vector'"""
    )


async def add_column(conn: Connection) -> None:
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await conn.execute("ALTER TABLE embeddings ADD COLUMN IF NOT EXISTS halves halfvec")


async def unfilled(
    conn: Connection, limit: int, *, after: tuple[int, bytes] = (0, b"")
) -> list[tuple[int, bytes, bytes]]:
    """Model, hash and bytes of vectors that the new column lacks, in the order of model and hash."""
    rows = await conn.fetch(
        """SELECT model_id, hash, vector FROM embeddings WHERE halves IS NULL AND (model_id, hash) > ($2, $3)
            ORDER BY model_id, hash LIMIT $1""",
        limit,
        *after,
    )
    return [tuple(row) for row in rows]


async def fill(conn: Connection, vectors: Sequence[tuple[int, bytes, str]]) -> None:
    """Write vectors, as pgvector reads them, into the new column."""
    await conn.execute(
        """UPDATE embeddings e SET halves = n.vector::halfvec
             FROM unnest($1::smallint[], $2::bytea[], $3::text[]) AS n (model_id, hash, vector)
            WHERE e.model_id = n.model_id AND e.hash = n.hash""",
        [one[0] for one in vectors],
        [one[1] for one in vectors],
        [one[2] for one in vectors],
    )


async def swap_column(conn: Connection) -> None:
    """Let the new column take the place of the old. The views are to be published anew."""
    await conn.execute("DROP VIEW IF EXISTS read_v1.embeddings")
    await conn.execute("ALTER TABLE embeddings DROP COLUMN vector")
    await conn.execute("ALTER TABLE embeddings RENAME COLUMN halves TO vector")
    await conn.execute("ALTER TABLE embeddings ALTER COLUMN vector SET NOT NULL")


async def index_progress(conn: Connection) -> float:
    """The share of an index that is being made now: 0 to 1."""
    share = await conn.fetchval(
        """SELECT tuples_done::float8 / nullif(tuples_total, 0) FROM pg_stat_progress_create_index
            WHERE datname = current_database() AND relid = 'embeddings'::regclass"""
    )
    return share or 0.0


async def progress(conn: Connection) -> tuple[int, int, int]:
    """How many vectors there are, how many of them the outbox still speaks of, and how many pgvector has indexed."""
    row = await conn.fetchrow(
        """SELECT count(*)::int AS total,
                  (SELECT count(*)::int FROM vector_outbox WHERE hash IS NOT NULL) AS waiting,
                  count(*) FILTER (WHERE model_id <> ALL($1::smallint[]))::int AS indexed
             FROM embeddings""",
        list(await models_without_index(conn)),
    )
    assert row is not None
    return row["total"], row["waiting"], row["indexed"]
