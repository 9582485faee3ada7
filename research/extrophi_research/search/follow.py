"""Follow the change log, so that what was written is found by word within a second.

All rows from the settled position on are applied at once; the position itself moves only up to the oldest running
transaction, so a transaction that commits late is never missed. Applying a row again does no harm. An index that
begins is built from the documents there are, and follows the log from the transaction on that was the oldest then.
"""

import asyncio
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg

from extrophi_research.db import Pool
from extrophi_research.http.problems import DATABASE_AWAY
from extrophi_research.log import event
from extrophi_research.search import sql
from extrophi_research.search.keyword import START, IndexBroken, IndexInUse, KeywordIndex, Position

_log = logging.getLogger(__name__)
_BATCH = 500
_BATCH_BYTES = 2_000_000
"""Of text that is read at once; a longer document is a batch of its own."""
_LOOK_SECONDS = 1.0
_COMMIT_SECONDS = 0.4
_LONGEST_PAUSE = 60.0
_LAST_SEQ = 2**63 - 1


class Follower:
    """Keeps one index up to date."""

    def __init__(self, pool: Pool, dsn: str, index: KeywordIndex) -> None:
        self._pool = pool
        self._dsn = dsn
        self._index = index
        self._applied: set[Position] = set()  # beyond the settled position
        self._waiting = False  # for a commit; also after the database went away in between
        self._known = False
        self._woken = asyncio.Event()
        self.missing = ""
        """Why the index is not whole, where that is more than that it is being built."""

    async def run(self) -> None:
        """Follow until cancelled. A database that is away is waited for, an index that fails is made anew."""
        listening = asyncio.create_task(self._listen())
        pause = _LOOK_SECONDS
        try:
            while True:
                pause = _LOOK_SECONDS if await self._look() else min(2 * pause, _LONGEST_PAUSE)
                self._woken.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        # What was written wakes nobody who waits because of a fault: it would only fail again.
                        await (self._woken.wait() if pause == _LOOK_SECONDS else asyncio.sleep(pause))
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _look(self) -> bool:
        """Catch up once. False: something is at fault that a moment will not mend."""
        try:
            if not self._index.is_open:
                await self._index.thread(self._index.open)
            if self._index.broken:
                return await self._renew("a search met it")
            await self._know_database()
            await self.catch_up()
        except DATABASE_AWAY as error:
            _log.info(event("index.waits", on="database", error=type(error).__name__))
            self._known = False  # it may be another that comes back
        except IndexInUse:
            self._fails("another process uses its folder: give each its own EXTROPHI_DATA")
            return False
        except IndexBroken as error:
            return await self._renew(str(error))
        except Exception as error:  # noqa: BLE001  the edge of a task: the index would be stale for ever, and silent
            _log.error(event("index.fails"), exc_info=error)
            self._fails(f"it could not be brought up to date ({type(error).__name__})")
            return False
        else:
            self.missing, self._index.whole = "", True
        return True

    async def _renew(self, reason: str) -> bool:
        self._fails("its files cannot be used; it is built anew", reason=reason)
        self._known = self._waiting = False
        self._applied.clear()
        try:
            await self._index.thread(self._index.renew)
        except (IndexBroken, IndexInUse) as error:
            who = f"user {os.getuid()} or group {os.getgid()}"
            why = (
                f"its files cannot be used, nor made anew: {who} has to be able to write EXTROPHI_DATA, with space left"
            )
            self._fails(why, reason=str(error))
        # Not at once: on a full disk it would fail again and again.
        return False

    def _fails(self, why: str, **fields: object) -> None:
        if why != self.missing:
            _log.error(event("index.fails", why=why, **fields))
        self.missing, self._index.whole = why, False

    async def _know_database(self) -> None:
        """Build it when it was made from another database, from a later state of this one, or misses some changes."""
        if self._known:
            return
        async with self._pool.acquire() as conn:
            database, horizon = await sql.database(conn)
            trimmed = await sql.is_trimmed_after(conn, self._index.position)
        if self._index.database != database or self._index.position[0] >= horizon or trimmed:
            self._index.whole = False
            await self._index.thread(self._index.clear, database)
            self._applied.clear()
        if self._index.position == START:
            await self._build()
        self._known = True

    async def _build(self) -> None:
        """Index the documents there are. What is written meanwhile is in the log, after where this leaves off."""
        async with self._pool.acquire() as conn:
            position = (await sql.oldest_running(conn) - 1, _LAST_SEQ)
        last = UUID(int=0)
        committed = time.monotonic()
        while True:
            async with self._pool.acquire() as conn:
                ids = await sql.document_ids(conn, last, _BATCH)
            if not ids:
                break
            await self._apply(ids)
            last = ids[-1]
            if time.monotonic() > committed + 5 * _COMMIT_SECONDS:
                await self._index.thread(self._index.commit, START)
                committed = time.monotonic()
        await self._index.thread(self._index.commit, position)

    async def catch_up(self) -> None:
        """Apply all changes there are, batch by batch."""
        position = self._index.position
        oldest = 0
        settled = position
        committed = time.monotonic()
        while True:
            async with self._pool.acquire() as conn:
                running, rows = await sql.changes(conn, position, _BATCH)
            # The first look decides: what was settled then can have no smaller row that commits later.
            oldest = oldest or running
            documents = sorted({one for txid, seq, one in rows if (txid, seq) not in self._applied})
            settled = max([settled, *((txid, seq) for txid, seq, _ in rows if txid < oldest)])
            if documents:
                await self._apply(documents)
                self._applied |= {(txid, seq) for txid, seq, _ in rows}
                self._waiting = True
            last = len(rows) < _BATCH
            # A commit costs as much as some hundred documents: while there are many, not after each batch.
            due = self._waiting and (last or time.monotonic() > committed + _COMMIT_SECONDS)
            if due or (last and settled != self._index.position):
                await self._index.thread(self._index.commit, settled)
                self._applied = {one for one in self._applied if one > settled}
                self._waiting, committed = False, time.monotonic()
            if last:
                return
            position = rows[-1][:2]

    async def _apply(self, documents: Sequence[UUID]) -> None:
        """Index these documents as they are now, as many at once as fit."""
        async with self._pool.acquire() as conn:
            sizes = await sql.chunk_bytes(conn, documents)
        for some in _batches(documents, sizes):
            async with self._pool.acquire() as conn:
                chunks = await sql.index_chunks(conn, some)
            await self._index.thread(self._index.apply, some, chunks)

    async def _listen(self) -> None:
        while True:
            with suppress(*DATABASE_AWAY, asyncpg.PostgresError):
                await self._listen_once()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _listen_once(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "extrophi-index"})
        ended = asyncio.Event()

        def end(_: object) -> None:
            ended.set()

        def wake(*_: object) -> None:
            self._woken.set()

        try:
            connection.add_termination_listener(end)
            await connection.add_listener("extrophi_changes", wake)
            await ended.wait()
        finally:
            connection.terminate()


def _batches(documents: Sequence[UUID], sizes: Mapping[UUID, int]) -> Iterator[list[UUID]]:
    batch: list[UUID] = []
    held = 0
    for one in documents:
        size = sizes.get(one, 0)
        if batch and held + size > _BATCH_BYTES:
            yield batch
            batch, held = [], 0
        batch.append(one)
        held += size
    if batch:
        yield batch
