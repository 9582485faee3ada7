"""Tells ChromaDB of the vectors that came and went. PostgreSQL has them all, and can tell them anew at any time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from extrophi_backend.db import Connection, Pool, is_away
from extrophi_backend.errors import BackendError
from extrophi_backend.log import event
from extrophi_backend.vectors import halves, sql
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
    """Empty the outbox, for ever. What is away is waited for, and said once."""
    known: set[int] = set()
    looked = monotonic()

    async def look() -> bool:
        nonlocal looked
        if monotonic() > looked + _LOOK_SECONDS:
            known.clear()
            looked = monotonic()
        async with owned(pool, sql.OUTBOX) as conn:
            if conn is None or chroma is None:
                return False
            try:
                await tell(conn, chroma, known)
            except BaseException:
                known.clear()
                raise
            return (await sql.store(conn)).uses_chroma

    await keep(look)


async def tell(conn: Connection, chroma: Chroma, known: set[int]) -> None:
    """Tell all that is to be told now. The caller owns the outbox.

    Args:
        conn: No transaction may be open on it.
        chroma: The server.
        known: Models whose collections are known to be whole; filled here.
    """
    vanished = False
    while True:
        store = await sql.store(conn)
        if store.paused and store.name == "pgvector":
            return
        if store.uses_chroma:
            await _find_lost(conn, chroma, store, known)
        rows = await sql.waiting(conn, BATCH)
        if not rows:
            return
        try:
            await _tell(conn, chroma, store, rows)
        except Missing:  # a collection went meanwhile: it is made, and all of it told
            if vanished:
                raise ChromaAway("Its collections vanish.") from None
            vanished = True
            known.clear()


async def keep(look: Callable[[], Awaitable[bool]]) -> None:
    """Look for work for ever; oftener where `look` says that there may be more soon. What fails is tried again."""
    wait, away = IDLE_SECONDS, False
    while True:
        await asyncio.sleep(wait)
        try:
            wait, away = IDLE_SECONDS if await look() else _UNUSED_SECONDS, False
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
            if not away:
                expected = is_away(error) or isinstance(error, BackendError)
                _log.warning(event("vectors.waits", error=str(error)), exc_info=None if expected else error)
            wait, away = min(wait * 2, _LONGEST_WAIT), True


async def _find_lost(conn: Connection, chroma: Chroma, store: Store, known: set[int]) -> None:
    """Make the collections. One that holds more or less than PostgreSQL (it lost its volume, say) is filled anew."""
    for model_id in set(await sql.model_ids(conn)) - known:
        await chroma.open(store.collection(model_id))
        # Nobody else tells meanwhile: what is told is all that it should hold, unless there is more to tell.
        count = await sql.count_told(conn, model_id)
        held = await chroma.count(store.collection(model_id))
        if count is None:
            continue  # to be looked at once there is no more
        if held != count:
            _log.warning(event("vectors.told_again", model=model_id, held=held, of=count))
            async with conn.transaction():
                await sql.tell_to_drop(conn, model_id)
                await sql.tell_all(conn, model_id)
        known.add(model_id)


async def _tell(conn: Connection, chroma: Chroma, store: Store, rows: Sequence[Waiting]) -> None:
    of_models: defaultdict[int, list[Waiting]] = defaultdict(list)
    for row in rows:
        of_models[row.model_id].append(row)
    for model_id, its in of_models.items():
        collection = store.collection(model_id)
        if any(row.hash is None for row in its):
            await chroma.drop(collection)
            if store.uses_chroma and its[0].has_model:
                await chroma.open(collection)
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
async def owned(pool: Pool, work: int) -> AsyncGenerator[Connection | None]:
    """A connection while nobody else does this work (one of sql's numbers); None where somebody does."""
    async with pool.acquire() as conn:
        try:
            is_ours = await sql.own(conn, work)
            try:
                yield conn if is_ours else None
            finally:
                if is_ours and not conn.is_closed():
                    await sql.leave(conn, work)
        except BaseException:
            conn.terminate()  # it may hold the lock still: cut off, nobody has heard the answer
            raise
