"""What the library already holds, as collectors may ask it: of their platform, their job and its source."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from extrophi_backend.collectors.models import Address, Head, Platform
from extrophi_backend.db import Pool
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.documents import visits
from extrophi_backend.jobs import frontier, misses, sql


@dataclass(frozen=True, slots=True)
class Library:
    """What the library already holds of one platform: `Known`, from PostgreSQL."""

    pool: Pool
    platform: Platform
    job_id: UUID
    source_id: UUID | None

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        async with self.pool.acquire() as conn:
            return await documents_sql.validators(conn, self.platform, external_ids)

    async def heads(self, external_ids: Sequence[str]) -> Mapping[str, Head]:
        async with self.pool.acquire() as conn:
            return await documents_sql.heads(conn, self.platform, external_ids)

    async def collected(self, external_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        async with self.pool.acquire() as conn:
            return await documents_sql.validators(conn, self.platform, external_ids, source_id=self.source_id)

    async def typed(self, external_ids: Sequence[str]) -> Collection[str]:
        async with self.pool.acquire() as conn:
            return await visits.typed(conn, self.platform, external_ids)

    async def external_ids(self, prefix: str) -> Sequence[str]:
        async with self.pool.acquire() as conn:
            return await documents_sql.external_ids(conn, self.platform, prefix)

    async def memo(self, name: str) -> Any:
        async with self.pool.acquire() as conn:
            return await sql.memo(conn, self.platform, name)

    async def memos(self, names: Sequence[str]) -> Mapping[str, Any]:
        async with self.pool.acquire() as conn:
            return await sql.memos(conn, self.platform, names)

    async def not_due(self, targets: Sequence[str]) -> Collection[str]:
        if self.source_id is None:
            return ()
        async with self.pool.acquire() as conn:
            return await misses.not_due(conn, self.source_id, targets)

    async def waiting(self, most: int, *, beyond: int | None = None) -> Sequence[Address]:
        async with self.pool.acquire() as conn:
            return await frontier.waiting(conn, self.job_id, most, beyond=beyond)

    async def met(self, keys: Sequence[bytes]) -> Mapping[bytes, Address]:
        async with self.pool.acquire() as conn:
            return await frontier.met(conn, self.job_id, keys)

    async def patterns(self, names: Sequence[str]) -> Mapping[str, Any]:
        async with self.pool.acquire() as conn:
            return await frontier.patterns(conn, self.job_id, names)
