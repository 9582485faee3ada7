"""Follow the change log, so that what was written is found by word within a second.

All rows from the settled position on are applied at once; the position itself moves only up to the oldest running
transaction, so a transaction that commits late is never missed. Applying a row again does no harm.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg

from extrophi_research.db import Connection, Pool
from extrophi_research.http.problems import DATABASE_AWAY
from extrophi_research.log import event
from extrophi_research.search.keyword import IndexedChunk, KeywordIndex, Position

_log = logging.getLogger(__name__)
_BATCH = 500
_LOOK_SECONDS = 1.0
_COMMIT_SECONDS = 0.4


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
        self.whole = False
        """Whether all that was committed when last looked is in the index."""

    async def run(self) -> None:
        """Follow until cancelled; a database that is away is waited for."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    await self._know_database()
                    await self.catch_up()
                    self.whole = True
                except DATABASE_AWAY as error:
                    _log.info(event("index.waits", on="database", error=type(error).__name__))
                self._woken.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._woken.wait()
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _know_database(self) -> None:
        """Start anew when the index was made from another database, or from a later state of this one."""
        if self._known:
            return
        async with self._pool.acquire() as conn:
            database, horizon = await _database(conn)
        if self._index.database != database or self._index.position[0] >= horizon:
            await asyncio.to_thread(self._index.clear, database)
            self._applied.clear()
        self._known = True

    async def catch_up(self) -> None:
        """Apply all changes there are, batch by batch."""
        position = self._index.position
        oldest = 0
        settled = position
        committed = time.monotonic()
        while True:
            async with self._pool.acquire() as conn:
                running, rows = await _changes(conn, position, _BATCH)
                # The first look decides: what was settled then can have no smaller row that commits later.
                oldest = oldest or running
                documents = sorted({one for txid, seq, one in rows if (txid, seq) not in self._applied})
                chunks = await _chunks(conn, documents)
            settled = max([settled, *((txid, seq) for txid, seq, _ in rows if txid < oldest)])
            if documents:
                await asyncio.to_thread(self._index.apply, documents, chunks)
                self._applied |= {(txid, seq) for txid, seq, _ in rows}
                self._waiting = True
            last = len(rows) < _BATCH
            # A commit costs as much as some hundred documents: while there are many, not after each batch.
            due = self._waiting and (last or time.monotonic() > committed + _COMMIT_SECONDS)
            if due or (last and settled != self._index.position):
                await asyncio.to_thread(self._index.commit, settled)
                self._applied = {one for one in self._applied if one > settled}
                self._waiting, committed = False, time.monotonic()
            if last:
                return
            position = rows[-1][:2]

    async def _listen(self) -> None:
        while True:
            with suppress(*DATABASE_AWAY):
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


async def _database(conn: Connection) -> tuple[str, int]:
    """Which database this is, also after it was restored elsewhere; and the transaction that is to come next."""
    row = await conn.fetchrow(
        """SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || d.oid AS database,
                  pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS horizon
             FROM pg_database d WHERE d.datname = current_database()"""
    )
    assert row is not None
    return row["database"], row["horizon"]


async def _changes(conn: Connection, after: Position, limit: int) -> tuple[int, list[tuple[int, int, UUID]]]:
    """The oldest running transaction, and the changes after a position, by one snapshot."""
    rows = await conn.fetch(
        """SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, c.txid::text::bigint AS txid, c.seq,
                  c.document_id
             FROM (SELECT) AS one
             LEFT JOIN LATERAL (
                  SELECT txid, seq, document_id FROM read_v1.changes
                   WHERE (txid, seq) > ($1::text::xid8, $2::bigint) ORDER BY txid, seq LIMIT $3) c ON true""",
        str(after[0]),
        after[1],
        limit,
    )
    return rows[0]["oldest"], [(r["txid"], r["seq"], r["document_id"]) for r in rows if r["txid"] is not None]


async def _chunks(conn: Connection, documents: Sequence[UUID]) -> list[IndexedChunk]:
    if not documents:
        return []
    rows = await conn.fetch(
        """SELECT c.id, c.document_id, d.title, c.text FROM read_v1.chunks c
             JOIN read_v1.documents d ON d.id = c.document_id WHERE c.document_id = ANY($1::uuid[])
            ORDER BY c.document_id, c.ordinal""",
        documents,
    )
    return [IndexedChunk(**row) for row in rows]
