"""Hybrid search over HTTP among 100,000 chunks, against its parts: one embedding, one HNSW and one BM25 query.

    python -m bench.search_speed [--chunks 100000] [--queries 200]

The vectors are made up, around centres as texts gather around subjects; the texts are drawn from the words of
Cranfield and Medline. All is warm and in one process. The parts and the search are measured twice: taking turns, query
by query, so that all meet the machine in the same state; and each in a loop of its own, where each finds its code and
data in the cores' caches.
"""

import argparse
import asyncio
import json
import re
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import tantivy
import uvicorn
import uvloop

from bench.judged import cranfield, medline
from bench.library import DATA, database, loopback, store_vectors
from bench.made_up import made_up_vectors, store_made_up
from extrophi_research.app import create_app
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, LocalModel
from extrophi_research.search import analysis
from extrophi_research.search.query import parse
from extrophi_research.settings import Settings

MOST_RATIO = 1.5
_TOP = 10
_WHOLE = "POST /search, hybrid"


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--chunks", type=int, default=100_000)
    arguments.add_argument("--queries", type=int, default=200)
    given = arguments.parse_args()
    collections = [cranfield(given.data / "retrieval"), medline(given.data / "retrieval")]
    queries = [query for one in collections for query in one.queries][: given.queries]
    async with database() as (dsn, connection):
        hashes = await store_made_up(connection, collections, given.chunks)
        await store_vectors(connection, hashes, made_up_vectors(len(hashes)))
        await measure(dsn, connection, queries)


async def measure(dsn: str, connection: Connection, queries: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="xb-") as folder:
        app = create_app(Settings(DATABASE_URL=dsn, EXTROPHI_DATA=folder))  # pyright: ignore[reportCallIssue]
        listening = loopback()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_keep_alive=600))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=600, trust_env=False) as client:
            while not server.started or (await client.get("/ready")).status_code != 200:  # noqa: ASYNC110  as a client
                await asyncio.sleep(0.1)
            chunks = await connection.fetchval("SELECT count(*) FROM chunks")
            model: LocalModel = app.state.extrophi.model
            alone = await asyncpg.connect(dsn)  # with pgvector's settings as they come
            index = tantivy.Index.open(f"{folder}/keywords/chunks")
            index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
            searcher = index.searcher()
            model_id = await connection.fetchval("SELECT id FROM embedding_models")
            vectors = {query: str(model.embed([query])[0][0].tolist()) for query in queries}

            asking = _Asking(*await asyncio.open_connection(*listening.getsockname()))

            async def embedding(query: str) -> None:
                model.embed([query])

            async def nearest(query: str) -> None:
                await alone.fetch(
                    f"SELECT hash FROM embeddings WHERE model_id = {model_id} ORDER BY"
                    f" vector::halfvec({DIMENSIONS}) <=> $1::halfvec({DIMENSIONS}) LIMIT {_TOP}",
                    vectors[query],
                )

            async def words(query: str) -> None:
                terms = analysis.asked(parse(query).text)
                parts = [
                    (tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "terms", term)) for term in terms
                ]
                for _, found in searcher.search(tantivy.Query.boolean_query(parts), _TOP).hits:
                    searcher.doc(found)

            async def search(query: str) -> None:
                # A query is embedded anew each time: the last ones are remembered, and that is not to be measured.
                app.state.extrophi.embedder.forget()
                await asking.post("/search", {"query": query, "limit": _TOP})

            print(f"{chunks} chunks, {len(queries)} queries, {_TOP} hits, medians of two rounds after one of warming")
            parts = {"query embedding": embedding, "one HNSW query": nearest, "one BM25 query": words}
            all_of_them = {**parts, _WHOLE: search}
            turns = await _medians(all_of_them, queries)
            loops = {name: (await _medians({name: one}, queries))[name] for name, one in all_of_them.items()}
            print(f"{'':<28}{'in turns':>12}{'in a loop':>12}")
            for name in parts:
                print(f"{name:<28}{turns[name]:>9.2f} ms{loops[name]:>9.2f} ms")
            sums = [sum(took[name] for name in parts) for took in (turns, loops)]
            print(f"{'the parts together':<28}{sums[0]:>9.2f} ms{sums[1]:>9.2f} ms")
            print(f"{_WHOLE:<28}{turns[_WHOLE]:>9.2f} ms{loops[_WHOLE]:>9.2f} ms")
            ratios = turns[_WHOLE] / sums[0], loops[_WHOLE] / sums[1]
            print(f"{'ratio':<28}{ratios[0]:>9.2f}   {ratios[1]:>9.2f}   (at most {MOST_RATIO})")
            asking.writer.close()
            await alone.close()
        server.should_exit = True
        await serving


@dataclass(frozen=True, slots=True)
class _Asking:
    """One connection that is kept, and no more around it: httpx takes milliseconds of the loop that serves, too."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, path: str, body: object) -> None:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer.lower())
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert length is not None, answer
        await self.reader.readexactly(int(length[1]))


async def _medians(those: Mapping[str, Callable[[str], Awaitable[None]]], queries: Sequence[str]) -> dict[str, float]:
    """Milliseconds of each, by its name."""
    took: dict[str, list[float]] = {name: [] for name in those}
    for turn in range(3):
        for query in queries:
            for name, one in those.items():
                began = time.perf_counter()
                await one(query)
                if turn:
                    took[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) * 1000 for name, times in took.items()}


if __name__ == "__main__":
    uvloop.run(main())  # as uvicorn does
