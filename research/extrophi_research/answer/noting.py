"""What answers cite, noted for backend: whether those documents change is looked at first.

An answer neither waits for it nor fails by it. Where it cannot be written, documents are looked at in their turn.
"""

import asyncio
import logging
from collections.abc import Iterable
from uuid import UUID

from asyncpg.exceptions import InsufficientPrivilegeError, ReadOnlySQLTransactionError, UndefinedFunctionError

from extrophi_research.answer import sql
from extrophi_research.db import Pool
from extrophi_research.log import event
from extrophi_research.search.models import Citation

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 1.0
_NOT_HERE = (ReadOnlySQLTransactionError, UndefinedFunctionError, InsufficientPrivilegeError)
"""It is a replica, was migrated by an older release, or lets this role read only."""


class Notes:
    """Written one statement at a time, so that many answers at once take one of the pool's connections."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting = set[UUID]()
        self._writing: asyncio.Task[None] | None = None

    def cited(self, citations: Iterable[Citation]) -> None:
        """Note what an answer cites, soon."""
        self._waiting.update(one.document_id for one in citations)
        if self._waiting and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Write what waits, if that takes but a moment."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=_GRACE_SECONDS)
            self._writing.cancel()
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        while self._waiting:
            ids = sorted(self._waiting)
            self._waiting.clear()
            try:
                async with self._pool.acquire() as conn:
                    await sql.note_cited(conn, ids)
            except _NOT_HERE as error:
                _log.debug(event("citations.not_noted", error=type(error).__name__))
            except Exception as error:  # noqa: BLE001  the edge of a task, which nobody waits for
                _log.warning(event("citations.not_noted", error=repr(error)))
