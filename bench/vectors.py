"""Vectors in pgvector and in ChromaDB, 100,000 of them: how fast they come in, how fast and how well they are found.

    python -m bench.vectors [--chunks 100000] [--queries 100]

Ingest is from a vector at hand until it can be found: by backend's own statements in its own batches, with the index
made before, and through the outbox. Beside it stands bare Chroma, given the same vectors by the same client. Searches
ask research over HTTP, with questions of the judged collections; each peer is the store alone, asked for as many, with
vectors made up as those that are stored. Recall is of the ten nearest, against all vectors compared. All in one run, on
one PostgreSQL, one after the other.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
import httpx
import numpy as np
import uvloop

from bench.judged import cranfield, medline
from bench.library import DATA, database, served
from bench.made_up import made_up_vectors, store_made_up
from extrophi_backend.db import make_pool
from extrophi_backend.index import sql as index
from extrophi_backend.vectors import halves, outbox, sql
from extrophi_backend.vectors.chroma import Chroma
from extrophi_cli.embedded.services import free_ports
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, NAME, Vectors
from tests.servers import chroma_server

_BATCH = 64
_TOP = 10
_CANDIDATES = 60
"""As many as a search asks its store for."""


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--chunks", type=int, default=100_000)
    arguments.add_argument("--queries", type=int, default=100)
    given = arguments.parse_args()
    collections = [cranfield(given.data / "retrieval"), medline(given.data / "retrieval")]
    queries = [query for one in collections for query in one.queries][: given.queries]
    port = free_ports(1)[0]
    chroma_url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="xb-") as folder, chroma_server(Path(folder), port):
        async with database() as (dsn, connection), httpx.AsyncClient(trust_env=False, timeout=600) as client:
            hashes = await store_made_up(connection, collections, given.chunks)
            made = made_up_vectors(len(hashes) + len(queries))
            vectors, near = made[: len(hashes)], made[len(hashes) :]
            chroma = Chroma(client, chroma_url)
            bench = _Bench(dsn, connection, hashes, vectors, queries, near)
            print(f"{len(hashes)} vectors, {len(queries)} queries, medians after a round of warming")
            rows = {
                "pgvector": await bench.of_pgvector(),
                "ChromaDB": await bench.of_chroma(chroma),
            }
            bare = await bench.of_bare_chroma(chroma)
            print(f"{'':<34}{'pgvector':>12}{'ChromaDB':>12}{'bare Chroma':>14}")
            for name in rows["pgvector"]:
                both = "".join(f"{rows[store][name]:>12.2f}" for store in rows)
                print(f"{name:<34}{both}{f'{bare[name]:.2f}' if name in bare else '–':>14}")
            ratio = bare["vectors a second, ingest"] / rows["ChromaDB"]["vectors a second, ingest"]
            print(f"ingest through the outbox takes {ratio:.2f} times what bare Chroma does")


class _Bench:
    def __init__(
        self,
        dsn: str,
        connection: Connection,
        hashes: Sequence[bytes],
        vectors: Vectors,
        queries: Sequence[str],
        near: Vectors,
    ) -> None:
        self.dsn = dsn
        self.connection = connection
        self.hashes = hashes
        self.vectors = vectors
        self.queries = queries
        self.near = near
        best = [np.argpartition(-(vectors @ vector), _TOP)[:_TOP] for vector in near]
        self.nearest = [{hashes[row] for row in rows.tolist()} for rows in best]

    async def of_pgvector(self) -> dict[str, float]:
        number = await self._model()
        ingest = await self._timed(self._store(number))
        await self.connection.execute("ANALYZE")
        alone = await asyncpg.connect(self.dsn, server_settings={"hnsw.ef_search": str(_CANDIDATES)})

        async def nearest(vector: Sequence[float]) -> list[bytes]:
            rows = await alone.fetch(
                f"SELECT hash FROM embeddings WHERE model_id = {number} ORDER BY"
                f" vector::halfvec({DIMENSIONS}) <=> $1::halfvec({DIMENSIONS}) LIMIT {_CANDIDATES}",
                str(list(vector)),
            )
            return [row[0] for row in rows]

        found = await self._found(nearest) | await self._searched()
        await alone.close()
        await self.connection.execute("DELETE FROM embedding_models")
        return {"vectors a second, ingest": len(self.hashes) / ingest} | found

    async def of_chroma(self, chroma: Chroma) -> dict[str, float]:
        await self.connection.execute("UPDATE vector_store SET name = 'chroma'")
        number = await self._model()
        pool = await make_pool(self.dsn, name="bench")
        telling = asyncio.create_task(outbox.keep_telling(pool, chroma))

        async def until_told() -> None:
            await self._store(number)
            while await sql.count_waiting(self.connection):  # noqa: ASYNC110  as who watches would
                await asyncio.sleep(0.05)

        ingest = await self._timed(until_told())
        telling.cancel()
        await asyncio.wait({telling})
        await pool.close()
        store = await sql.store(self.connection)

        async def nearest(vector: Sequence[float]) -> list[bytes]:
            found = await chroma.nearest(store.collection(number), vector, _CANDIDATES)
            return [bytes.fromhex(one) for one, _ in found]

        return (
            {"vectors a second, ingest": len(self.hashes) / ingest}
            | await self._found(nearest)
            | await self._searched(CHROMA_URL=chroma.url)
        )

    async def of_bare_chroma(self, chroma: Chroma) -> dict[str, float]:
        await chroma.open("bare")
        rows = [array("f", row) for row in self.vectors.tolist()]

        async def put() -> None:
            for at in range(0, len(rows), outbox.BATCH):
                some = slice(at, at + outbox.BATCH)
                await chroma.put("bare", [one.hex() for one in self.hashes[some]], rows[some])

        return {"vectors a second, ingest": len(rows) / await self._timed(put())}

    async def _model(self) -> int:
        async with self.connection.transaction():
            return (await index.add_model(self.connection, NAME, DIMENSIONS, "local", "active")).id

    async def _store(self, number: int) -> None:
        for at in range(0, len(self.hashes), _BATCH):
            packed = [halves.pack(row) for row in self.vectors[at : at + _BATCH].tolist()]
            async with self.connection.transaction():
                await index.store(self.connection, number, self.hashes[at : at + _BATCH], packed)

    async def _found(self, nearest: Callable[[Sequence[float]], Awaitable[list[bytes]]]) -> dict[str, float]:
        took: list[float] = []
        right = 0
        for turn in range(2):
            for vector, best in zip(self.near, self.nearest, strict=True):
                given = vector.tolist()
                began = time.perf_counter()
                found = await nearest(given)
                if turn:
                    took.append(time.perf_counter() - began)
                    right += len(best.intersection(found[:_TOP]))
        return {
            f"ms, {_CANDIDATES} nearest, store alone": statistics.median(took) * 1000,
            f"recall of the {_TOP} nearest": right / (_TOP * len(self.near)),
        }

    async def _searched(self, **backend: str) -> dict[str, float]:
        """Research over HTTP, and backend behind it, which has the store's address."""
        found: dict[str, float] = {}
        async with (
            served("extrophi_backend", DATABASE_URL=self.dsn, EXTROPHI_ROLE="api", **backend) as api,
            served("extrophi_research", DATABASE_URL=self.dsn, BACKEND_URL=str(api.base_url)) as research,
        ):
            while (await research.get("/ready")).status_code != 200:  # noqa: ASYNC110  what a client can see
                await asyncio.sleep(0.2)
            for mode in ("vector", "hybrid"):
                took: list[float] = []
                for turn in range(2):
                    for query in self.queries:
                        body = {"query": f"{query} {turn}", "limit": _TOP, "mode": mode}  # no query comes twice
                        began = time.perf_counter()
                        answer = (await research.post("/search", json=body)).raise_for_status().json()
                        assert answer["degraded"] is None, answer["degraded"]
                        if turn:
                            took.append(time.perf_counter() - began)
                found[f"ms, search, {mode}, p50"] = statistics.median(took) * 1000
        return found

    async def _timed(self, work: Awaitable[None]) -> float:
        began = time.perf_counter()
        await work
        return time.perf_counter() - began


if __name__ == "__main__":
    uvloop.run(main())
