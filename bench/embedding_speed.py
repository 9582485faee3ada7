"""Re-index throughput: the backend's embedding of a library through research's /v1, against the bare model.

    python -m bench.embedding_speed [--texts 2000]

The peer is onnxruntime as it comes, on the same texts, sorted by length, in batches of 32 in one loop. What is compared
is all that a re-index does: claim texts, send them over HTTP, embed, send vectors back, store them under the model's
index.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
import uvicorn

from bench.judged import cranfield, medline
from bench.library import DATA, database, loopback, store
from extrophi_backend.db import make_pool
from extrophi_backend.index.embedding import embed_pending
from extrophi_backend.settings import Settings
from extrophi_research.app import create_app
from extrophi_research.embeddings.local import LocalModel, model_file, tokenizer
from extrophi_research.settings import Settings as ResearchSettings

LEAST_RATIO = 0.9
_BATCH = 32


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--texts", type=int, default=2000)
    given = arguments.parse_args()
    documents = {
        f"{one.name} {number}": document
        for one in (cranfield(given.data / "retrieval"), medline(given.data / "retrieval"))
        for number, document in one.documents.items()
    }
    async with database() as (dsn, connection):
        await store(connection, documents)
        await connection.execute(
            "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks ORDER BY embedding_hash OFFSET $1)", given.texts
        )
        texts = [row[0] for row in await connection.fetch("SELECT min(text) FROM chunks GROUP BY embedding_hash")]
        bare = [await asyncio.to_thread(_bare, texts)]
        ours = await _reindexed(dsn, len(texts))
        bare.append(await asyncio.to_thread(_bare, texts))
    # Before and after: a machine that others use, or that heats up, changes within minutes.
    peer = len(texts) / (sum(bare) / 2)
    rate = len(texts) / ours
    print(f"{len(texts)} texts")
    print(f"{'bare model, sorted':<24}{peer:>8.1f} texts/s")
    print(f"{'re-index':<24}{rate:>8.1f} texts/s   ratio {rate / peer:.2f} (at least {LEAST_RATIO})")


def _bare(texts: list[str]) -> float:
    LocalModel()  # has it keep no telemetry, which has to be said before it is imported
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(str(model_file()), providers=["CPUExecutionProvider"])
    reading = tokenizer()
    names = {one.name for one in session.get_inputs()}
    warming = dict.fromkeys(names, np.ones((1, 8), np.int64))
    session.run(None, warming)
    began = time.perf_counter()
    encodings = sorted(reading.encode_batch(texts), key=lambda one: len(one.ids))
    for start in range(0, len(encodings), _BATCH):
        batch = encodings[start : start + _BATCH]
        longest = max(len(one.ids) for one in batch)
        ids = np.array([one.ids + [0] * (longest - len(one.ids)) for one in batch], np.int64)
        feed = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        session.run(None, {name: value for name, value in feed.items() if name in names})
    return time.perf_counter() - began


async def _reindexed(dsn: str, count: int) -> float:
    with tempfile.TemporaryDirectory(prefix="xb-") as folder:
        app = create_app(ResearchSettings(DATABASE_URL=dsn, EXTROPHI_DATA=folder))  # pyright: ignore[reportCallIssue]
        listening = loopback()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = Settings(DATABASE_URL=dsn, RESEARCH_URL=address)  # pyright: ignore[reportCallIssue]
        pool = await make_pool(dsn, name="bench")
        async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
            while not server.started or (await client.get(f"{address}/ready")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await client.post(f"{address}/v1/embeddings", json={"input": "The model is loaded."})
            began = time.perf_counter()
            stored = await embed_pending(pool, client, settings)
            took = time.perf_counter() - began
        assert stored == count, (stored, count)
        await pool.close()
        server.should_exit = True
        await serving
    return took


if __name__ == "__main__":
    asyncio.run(main())
