"""Tells ChromaDB of the vectors that came and went. PostgreSQL has them all, and can tell them anew at any time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from extrophi_backend.db import Connection, Pool, is_away
from extrophi_backend.log import event
from extrophi_backend.vectors import halves, moving, sql
from extrophi_backend.vectors.chroma import Chroma, ChromaAway, Missing
from extrophi_backend.vectors.models import Store, Waiting

_log = logging.getLogger(__name__)
BATCH = 500
IDLE_SECONDS = 0.5
_UNUSED_SECONDS = 2.0
"""Between looks, where nothing is in ChromaDB and another may have begun to move it there."""
_LONGEST_WAIT = 30.0
_LOOK_SECONDS = 60.0
"""How often the collections are counted."""


async def keep_telling(pool: Pool, chroma: Chroma | None) -> None:
    """Empty the outbox and get on with a move, for ever. What is away is waited for, and said once."""
    wait = IDLE_SECONDS
    known: set[int] = set()
    looked = monotonic()
    away = False
    while True:
        await asyncio.sleep(wait)
        if monotonic() > looked + _LOOK_SECONDS:
            known.clear()
            looked = monotonic()
        try:
            async with _owned(pool) as conn:
                store = await work(conn, chroma, known) if conn is not None else None
            wait = IDLE_SECONDS if store and store.uses_chroma else _UNUSED_SECONDS
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
            if not away:
                expected = is_away(error) or isinstance(error, ChromaAway)
                _log.warning(event("vectors.waits", error=str(error)), exc_info=None if expected else error)
            away = True
            wait = min(wait * 2, _LONGEST_WAIT)
            known.clear()
        else:
            away = False


async def work(conn: Connection, chroma: Chroma | None, known: set[int]) -> Store:
    """Tell all that is to be told now, and take the next step of a move. The caller owns the outbox.

    Args:
        conn: No transaction may be open on it.
        chroma: None where there is no Chroma server.
        known: Models whose collections are known to be whole; filled here.

    Returns:
        What the store was in the end.
    """
    store = await sql.store(conn)
    if chroma is not None and not (store.paused and store.name == "pgvector"):
        if store.uses_chroma:
            await _find_lost(conn, chroma, store, known)
        while rows := await sql.waiting(conn, BATCH):
            try:
                await _tell(conn, chroma, store, rows)
            except Missing:
                known.clear()
                return store
            store = await sql.store(conn)
            if store.paused and store.name == "pgvector":
                return store
    if store.moving_to and not store.paused:
        await moving.go_on(conn, store)
        return await sql.store(conn)
    return store


async def _find_lost(conn: Connection, chroma: Chroma, store: Store, known: set[int]) -> None:
    """Make the collections. Where one holds less than PostgreSQL (its volume was lost, say), tell it all."""
    if known >= set(await sql.model_ids(conn)):
        return
    for model_id, count in (await sql.counts(conn)).items():
        if model_id not in known:
            await chroma.open(store.collection(model_id))
            held = await chroma.count(store.collection(model_id))
            if held < count:
                _log.warning(event("vectors.told_again", model=model_id, held=held, of=count))
                await sql.tell_all(conn, model_id)
            known.add(model_id)
    if store.name == "chroma" and store.moving_to is None:
        await sql.drop_indexes(conn)  # where whoever moved died just before it


async def _tell(conn: Connection, chroma: Chroma, store: Store, rows: Sequence[Waiting]) -> None:
    of_models: defaultdict[int, list[Waiting]] = defaultdict(list)
    for row in rows:
        of_models[row.model_id].append(row)
    for model_id, its in of_models.items():
        collection = store.collection(model_id)
        if any(row.hash is None for row in its):
            await chroma.drop(collection)
        if store.uses_chroma and its[0].has_model:
            # Both are of this moment, and each once: a hash may be there in several rows.
            there = {row.hash.hex(): halves.unpack(row.packed) for row in its if row.hash and row.packed}
            gone = {row.hash.hex() for row in its if row.hash and not row.packed}
            if there:
                await chroma.put(collection, list(there), list(there.values()))
            if gone:
                await chroma.take(collection, list(gone))
    await sql.told(conn, [row.seq for row in rows])


@asynccontextmanager
async def _owned(pool: Pool) -> AsyncGenerator[Connection | None]:
    """A connection whose outbox nobody else empties meanwhile; None where somebody does."""
    async with pool.acquire() as conn:
        if not await sql.own_outbox(conn):
            yield None
            return
        try:
            yield conn
        finally:
            if not conn.is_closed():
                await sql.leave_outbox(conn)
