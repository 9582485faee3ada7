"""Moving all vectors to the other store. Nothing is embedded anew, and search goes on with the old store until the end.

To ChromaDB, the outbox does it. To pgvector, indexes are made: over the column as it is, or, where the database had no
pgvector before, over a new one that is filled first. Each step can be stopped anywhere, and is gone on with.
"""

import logging

from extrophi_backend.db import Connection, Pool
from extrophi_backend.errors import Conflict
from extrophi_backend.log import event
from extrophi_backend.schema.migrate import has_pgvector, publish_views
from extrophi_backend.vectors import halves, sql
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.models import Store, StoreName

_log = logging.getLogger(__name__)
_ROWS = 2000


async def begin(pool: Pool, chroma: Chroma | None, to: StoreName) -> Store:
    """Move there from now on, or go on with it. To where the vectors are already: give up the move away from there.

    Raises:
        Conflict: There is no Chroma server, or no pgvector.
        ChromaAway: It does not answer.
    """
    async with pool.acquire() as conn:
        store = await sql.store(conn)
        if to == "chroma" and store.name != "chroma":
            if chroma is None:
                raise Conflict(
                    "There is no Chroma server.", hint="Set VECTOR_STORE=chroma, or CHROMA_URL, and restart."
                )
            await chroma.count(store.collection(0))
        if to == "pgvector" and store.name != "pgvector" and not await has_pgvector(conn):
            raise Conflict(
                "The database has no pgvector.", hint="Use the image docker.io/pgvector/pgvector:pg16 with its volume."
            )
        async with conn.transaction():
            await sql.lock_vectors(conn)
            store = await sql.store(conn)
            if to == store.name and store.moving_to == "chroma":
                await sql.forget_outbox(conn)
                for model_id in await sql.model_ids(conn):
                    await sql.tell_to_drop(conn, model_id)
            await sql.move(conn, None if to == store.name else to)
            if to == "chroma" and store.name != "chroma" and store.moving_to is None:
                for model_id in await sql.model_ids(conn):
                    await sql.tell_all(conn, model_id)
        return await sql.store(conn)


async def pause(pool: Pool) -> Store:
    """Let the move rest. Raises Conflict where there is none."""
    async with pool.acquire() as conn:
        if not await sql.pause(conn):
            raise Conflict("Nothing is being moved.", hint="POST /vectors/migrate begins.")
        return await sql.store(conn)


async def go_on(conn: Connection, store: Store) -> None:
    """Take the next step. The caller owns the outbox; no transaction is open."""
    if store.moving_to == "pgvector":
        await _make_column(conn)
        for model_id, dimensions in (await sql.models_without_index(conn)).items():
            await sql.make_index(conn, model_id, dimensions)
    async with conn.transaction():
        await sql.lock_vectors(conn)
        store = await sql.store(conn)
        if store.moving_to is None or store.paused:
            return
        unfinished = (
            await sql.count_waiting(conn) if store.moving_to == "chroma" else await sql.models_without_index(conn)
        )
        if unfinished:
            return
        if store.name == "chroma":
            for model_id in await sql.model_ids(conn):
                await sql.tell_to_drop(conn, model_id)
        await sql.arrive(conn)
    _log.info(event("vectors.moved", to=store.moving_to))
    if store.name == "pgvector":
        await sql.drop_indexes(conn)


async def _make_column(conn: Connection) -> None:
    """A column of pgvector's type, where the vectors are plain bytes."""
    if not await sql.is_plain(conn):
        return
    await sql.add_column(conn)
    while rows := await sql.unfilled(conn, _ROWS):
        await sql.fill(conn, [(one, number, halves.text(packed)) for one, number, packed in rows])
        if (await sql.store(conn)).paused:
            return
    async with conn.transaction():
        await sql.lock_vectors(conn)
        if not await sql.unfilled(conn, 1):
            await sql.swap_column(conn)
            await publish_views(conn)
