"""Follow the change log, so that what was written is found by word within a second.

All rows from the settled position on are applied at once; the position itself moves only up to the oldest running
transaction, so a transaction that commits late is never missed. Applying a row again does no harm.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg

from extrophi_research.db import Connection, Pool
from extrophi_research.http.problems import DATABASE_AWAY
from extrophi_research.log import event
from extrophi_research.search.keyword import IndexedChunk, KeywordIndex, Position

_log = logging.getLogger(__name__)
_BATCH = 2000
_LOOK_SECONDS = 1.0


class Follower:
    """Keeps one index up to date."""

    def __init__(self, pool: Pool, dsn: str, index: KeywordIndex) -> None:
        self._pool = pool
        self._dsn = dsn
        self._index = index
        self._applied: set[Position] = set()  # beyond the settled position
        self._woken = asyncio.Event()
        self.whole = False
        """Whether all that was committed when last looked is in the index."""

    async def run(self) -> None:
        """Follow until cancelled; a database that is away is waited for."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    while not await self.catch_up():
                        pass
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

    async def catch_up(self) -> bool:
        """Apply one batch of changes. True when there were no more."""
        async with self._pool.acquire() as conn:
            oldest, rows = await _changes(conn, self._index.position, _BATCH)
            fresh = any((txid, seq) not in self._applied for txid, seq, _ in rows)
            documents = sorted({document_id for _, _, document_id in rows}) if fresh else []
            chunks = await _chunks(conn, documents)
        settled = [(txid, seq) for txid, seq, _ in rows if txid < oldest]
        unsettled = [(txid, seq) for txid, seq, _ in rows if txid >= oldest]
        if fresh:
            await asyncio.to_thread(self._index.apply, documents, chunks)
            await asyncio.to_thread(self._index.commit, settled[-1] if settled else self._index.position)
        elif settled:
            await asyncio.to_thread(self._index.commit, settled[-1])
        self._applied = {position for position in self._applied | set(unsettled) if position > self._index.position}
        return len(rows) < _BATCH

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
             JOIN read_v1.documents d ON d.id = c.document_id WHERE c.document_id = ANY($1::uuid[])""",
        documents,
    )
    return [IndexedChunk(**row) for row in rows]
