"""Comparing vectors: in PostgreSQL by pgvector, or, where backend keeps them in ChromaDB, by asking it.

In both, the vectors themselves are in PostgreSQL. What ChromaDB does is to find the nearest among many; few are read
and compared here.
"""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr
from pydantic_core import to_json

from extrophi_research.db import Pool
from extrophi_research.embeddings.models import ActiveModel
from extrophi_research.search import sql
from extrophi_research.search.models import Filters
from extrophi_research.search.sql import Embedded, Near

_SECONDS = 10.0
_HEAD = 4
"""Bytes before the numbers of a vector."""
_FEW = 20_000
"""Chunks of few documents: up to so many are read and compared here."""
_NARROW = 500
"""Candidates. When so many hold too few that pass the filters, ChromaDB is told which vectors pass."""
_TOLD = 50_000
"""Vectors, at most."""


class StoreAway(Exception):
    """Nearest vectors cannot be looked for now; the text says why."""


class StoreMoved(Exception):
    """The vectors are in PostgreSQL by now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The query's vector."""

    model: ActiveModel
    vector: Sequence[float]

    @property
    def halves(self) -> "NDArray[np.float32]":
        """As it is compared: pgvector and ChromaDB have all vectors in half precision."""
        return np.array(self.vector, np.float16).astype(np.float32)

    @property
    def literal(self) -> str:
        """As pgvector reads it. Of a number it keeps eleven bits; to cut the digits off takes twice as long."""
        return to_json(self.vector).decode()


@dataclass(frozen=True, slots=True)
class Looked:
    """What is nearest, and whether there is no more. `behind`: the store is still to be told of some vectors."""

    near: list[Near]
    is_all: bool
    behind: bool


@dataclass(frozen=True, slots=True)
class Vectors:
    """Asks whoever has them."""

    pool: Pool
    client: httpx.AsyncClient
    backend_url: str
    service_key: SecretStr | None

    async def nearest(
        self, asked: Asked, filters: Filters, limit: int, among: Collection[UUID] | None = None
    ) -> "Looked":
        """The chunks whose vectors are nearest, with their cosines, the nearest first.

        From ChromaDB come fewer than `limit` where some of what it found does not pass the filters.

        Raises:
            StoreAway: ChromaDB, or backend before it, does not answer.
            StoreMoved: Ask again, by the model as it is now.
        """
        if asked.model.store == "chroma":
            async with self.pool.acquire() as conn:
                few = among is not None and await sql.count_chunks(conn, among) <= _FEW
            if among is not None and few:
                return await self._of_few(asked, among, limit)
            return await self._of_chroma(asked, filters, limit, narrow=among is not None)
        async with self.pool.acquire() as conn:
            near, is_all = await sql.nearest(conn, asked.model, asked.literal, filters, limit, among)
            return Looked(near, is_all, behind=False)

    async def similarities(self, asked: Asked, chunk_ids: Sequence[UUID]) -> list[Near]:
        """How near these chunks are."""
        async with self.pool.acquire() as conn:
            if asked.model.store == "chroma":
                return compare(asked, await sql.vectors(conn, asked.model, chunk_ids))
            return await sql.similarities(conn, asked.model, asked.literal, chunk_ids)

    async def _of_few(self, asked: Asked, document_ids: Collection[UUID], limit: int) -> "Looked":
        best: list[Near] = []
        seen = 0
        async with self.pool.acquire() as conn, conn.transaction(readonly=True):
            async for part in sql.vectors_of(conn, asked.model, document_ids):
                seen += len(part)
                best = heapq.nlargest(limit, [*best, *compare(asked, part)], key=lambda one: one.similarity)
        return Looked(best, seen <= limit, behind=False)

    async def _of_chroma(self, asked: Asked, filters: Filters, limit: int, *, narrow: bool) -> "Looked":
        among: list[bytes] | None = None
        if filters.any and (narrow or limit > _NARROW):
            async with self.pool.acquire() as conn:
                among = await sql.hashes_passing(conn, asked.model, filters, _TOLD)
        found, behind = await self._query(asked, limit, among)
        async with self.pool.acquire() as conn:
            chunks = await sql.chunks_of_hashes(conn, asked.model, list(found), filters)
        near = [Near(one.chunk_id, one.document_id, found[one.hash], one.alone) for one in chunks]
        return Looked(sorted(near, key=lambda one: -one.similarity), len(found) < limit, behind)

    async def _query(self, asked: Asked, limit: int, among: Sequence[bytes] | None) -> tuple[dict[bytes, float], bool]:
        """Hashes of the nearest with their similarities, and whether ChromaDB is still to be told of some vectors."""
        body: dict[str, object] = {"model_id": asked.model.id, "vector": asked.halves.tolist(), "limit": limit}
        if among is not None:
            body["among"] = [one.hex() for one in among]
        key = self.service_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        address = f"{self.backend_url.rstrip('/')}/vectors/query"
        try:
            answer = await self.client.post(address, json=body, headers=headers, timeout=_SECONDS)
            if answer.status_code == HTTPStatus.CONFLICT:
                raise StoreMoved
            if not answer.is_success:
                raise StoreAway(f"backend cannot look into ChromaDB ({answer.status_code})")
            found = answer.json()
            hashes = [bytes.fromhex(one) for one in found["hashes"]]
            return dict(zip(hashes, map(float, found["similarities"]), strict=True)), bool(found["behind"])
        except httpx.HTTPError as error:
            raise StoreAway(f"backend does not answer ({type(error).__name__})") from error
        except (ValueError, LookupError, TypeError) as error:
            raise StoreAway(f"backend's answer cannot be read ({type(error).__name__})") from error


def compare(asked: Asked, others: Sequence[Embedded]) -> list[Near]:
    """The cosines of vectors with the query's, as pgvector and ChromaDB compare them."""
    if not others:
        return []
    rows = np.frombuffer(b"".join([one.vector[_HEAD:] for one in others]), ">f2").reshape(len(others), -1)
    rows = rows.astype(np.float32)
    wanted = asked.halves
    cosines = rows @ wanted / np.sqrt(np.einsum("ij,ij->i", rows, rows) * (wanted @ wanted))
    return [
        Near(one.chunk_id, one.document_id, cosine, one.alone)
        for one, cosine in zip(others, cosines.tolist(), strict=True)
    ]
