"""Archives that are kept, as the collectors of their platforms read them."""

import asyncio
import io
from dataclasses import dataclass
from uuid import UUID

from extrophi_backend.archives import sql
from extrophi_backend.archives.models import ANEW, TARGET
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.captures.store import Captures, Place
from extrophi_backend.db import Pool
from extrophi_backend.errors import Refused


@dataclass(frozen=True, slots=True)
class KeptArchives:
    """By their targets: `Archives`, from PostgreSQL and the store of captures."""

    pool: Pool
    captures: Captures

    async def open(self, target: str) -> Archive:
        """The archive that a job's target names. Raises Refused: archive_gone, or what is wrong with it."""
        async with self.pool.acquire() as conn:
            key = await sql.capture_key(conn, UUID(target.removeprefix(TARGET)))
        body = await self.captures.get(Place(key)) if key else None
        if body is None:
            raise Refused("archive_gone", "The archive is kept no more.", hint="Import it again.")
        try:
            return await asyncio.to_thread(Archive, io.BytesIO(body))
        except BadArchive as error:
            raise Refused(error.code, error.detail, hint=ANEW) from error
