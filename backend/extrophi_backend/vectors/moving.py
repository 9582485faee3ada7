"""Moving all vectors to the other store. Nothing is embedded anew, and search goes on with the old store until the end.

To ChromaDB, the outbox does it. To pgvector, indexes are made: over the column as it is, or, where the database had no
pgvector before, over a new one that is filled first. Each step can be stopped anywhere, and is gone on with.
"""

import asyncio
import logging
from collections.abc import Sequence

from extrophi_backend.db import Connection, Pool
from extrophi_backend.errors import Conflict
from extrophi_backend.log import event
from extrophi_backend.schema.migrate import between_others, has_pgvector, publish_embeddings
from extrophi_backend.vectors import halves, outbox, sql
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.models import Store, StoreName

_log = logging.getLogger(__name__)
_ROWS = 1000


async def begin(pool: Pool, chroma: Chroma | None, to: StoreName) -> Store:
    """Move there from now on, or go on with it. To where the vectors are already: give up the move away from there.

    Raises:
        Conflict: There is no Chroma server, or no pgvector.
        ChromaAway: It does not answer.
        Unavailable: An index is being made.
    """
    async with pool.acquire() as conn:
        store = await sql.store(conn)
        if to == "chroma" and store.name != "chroma":
            if chroma is None:
                hint = "Set VECTOR_STORE=chroma, or CHROMA_URL, and restart."
                raise Conflict("There is no Chroma server.", hint=hint)
            await chroma.check()
        if to == "pgvector" and store.name != "pgvector" and not await has_pgvector(conn):
            hint = "Use the image docker.io/pgvector/pgvector:pg16 with its volume."
            raise Conflict("The database has no pgvector.", hint=hint)
        async with conn.transaction():
            if store.name == "pgvector":
                await _begin_from_pgvector(conn, to)
            # Else no table is locked: whoever writes vectors tells the outbox before and after.
            if not await sql.move(conn, store.name, to):
                raise Conflict("The vectors have just been moved.", hint="`extrophi vectors` shows where they are.")
        return await sql.store(conn)


async def _begin_from_pgvector(conn: Connection, to: StoreName) -> None:
    await sql.lock_vectors(conn)
    store = await sql.store(conn)
    if to == "pgvector" and store.moving_to == "chroma":
        await sql.forget_outbox(conn)
        for model_id in await sql.model_ids(conn):
            await sql.tell_to_drop(conn, model_id)
    if to == "chroma" and store.name == "pgvector" and store.moving_to is None:
        await sql.forget_outbox(conn)  # of an earlier move: what is there is filled up
        for model_id in await sql.model_ids(conn):
            await sql.tell_all(conn, model_id)


async def pause(pool: Pool) -> Store:
    """Let the move rest. Raises Conflict where there is none."""
    async with pool.acquire() as conn:
        if not await sql.pause(conn):
            raise Conflict("Nothing is being moved.", hint="POST /vectors/migrate begins.")
        return await sql.store(conn)


async def keep_moving(pool: Pool) -> None:
    """Get on with moves, for ever: beside whoever empties the outbox, since an index may take hours."""

    async def look() -> bool:
        async with outbox.owned(pool, sql.MOVING) as conn:
            return conn is not None and await go_on(conn)

    await outbox.keep(look)


async def go_on(conn: Connection) -> bool:
    """Take the next steps of a move, where there is one: then True. No transaction may be open."""
    store = await sql.store(conn)
    if not store.is_moving:
        if store.name == "chroma" and store.moving_to is None:
            await sql.drop_indexes(conn)  # where whoever moved died just before it
        return False
    if store.moving_to == "pgvector" and not await _make_indexes(conn):
        return True
    if store.moving_to == "chroma" and await sql.count_waiting(conn):
        return True
    async with conn.transaction():
        await sql.lock_vectors(conn)
        store = await sql.store(conn)
        if not store.is_moving:
            return False
        to_chroma = store.moving_to == "chroma"
        if await (sql.count_waiting(conn) if to_chroma else sql.models_without_index(conn)):
            return True
        if not to_chroma:
            await sql.forget_outbox(conn)
            for model_id in await sql.model_ids(conn):
                await sql.tell_to_drop(conn, model_id)
        await sql.arrive(conn)
    _log.info(event("vectors.moved", to=store.moving_to))
    return True


async def _make_indexes(conn: Connection) -> bool:
    """Whether all are there. False where the move was stopped meanwhile, or has more to do."""
    if await sql.is_plain(conn) and not await _make_column(conn):
        return False
    for model_id, dimensions in (await sql.models_without_index(conn)).items():
        if not (await sql.store(conn)).is_moving:
            return False
        await sql.make_index(conn, model_id, dimensions)
    return True


async def _make_column(conn: Connection) -> bool:
    """Let a column of pgvector's type take the place of the plain bytes. False where the move was stopped meanwhile."""
    await sql.add_column(conn)
    last = (0, b"")
    while rows := await sql.unfilled(conn, _ROWS, after=last):
        if not (await sql.store(conn)).is_moving:
            return False
        await sql.fill(conn, await asyncio.to_thread(_written, rows))
        last = rows[-1][:2]

    async def swap() -> bool:
        await conn.execute("LOCK TABLE embeddings IN SHARE ROW EXCLUSIVE MODE")
        if await sql.unfilled(conn, 1):  # some came meanwhile: the next look fills them
            return False
        await sql.swap_column(conn)
        await publish_embeddings(conn)
        return True

    return await between_others(conn, swap)


def _written(rows: Sequence[tuple[int, bytes, bytes]]) -> list[tuple[int, bytes, str]]:
    return [(model_id, name, halves.text(packed)) for model_id, name, packed in rows]
