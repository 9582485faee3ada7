"""Memory of everything that `extrophi up` starts: idle with nothing collected, and after 100,000 chunks.

    python -m bench.memory [CHUNKS]

PSS: a page that several processes share counts in equal parts with each (proc(5), smaps_rollup). The chunks' words
follow Zipf's law and their vectors lie in clusters; both are made up and loaded by COPY, since embedding so many
takes hours. Before the second reading a few hundred chunks more have been embedded for real, since a model's memory
shows only then, and searches of each mode have been answered.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import numpy as np
import psutil

from bench.library import REPO
from bench.start import environment
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, NAME

IDLE_LIMIT_MB, LOADED_LIMIT_MB = 700, 1200
_CHUNKS_PER_DOCUMENT, _WORDS_PER_CHUNK, _VOCABULARY, _CLUSTERS = 10, 150, 50_000, 500
_SETTLE_SECONDS = 10
_LAST = "quokka"
"""A word of the last chunk alone: once it is found, all is indexed."""


async def main(chunks: int) -> int:
    with tempfile.TemporaryDirectory(prefix="xm-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        settings = environment(home)
        command = [sys.executable, "-m", "extrophi_cli", "up"]
        up = subprocess.Popen(command, env=settings, cwd=REPO)  # noqa: ASYNC220  once, before anything waits
        try:
            base = f"http://127.0.0.1:{settings['EXTROPHI_PORT']}"
            async with httpx.AsyncClient(base_url=base, timeout=60) as client:
                await _until(client, "/ready", up)
                await asyncio.sleep(_SETTLE_SECONDS)
                idle = report("idle, nothing collected", up.pid, IDLE_LIMIT_MB)
                await _embed(client)
                await load(f"postgresql://postgres@/extrophi?host={home / 'run' / 'postgres'}", chunks)
                await _search(client)
                await asyncio.sleep(_SETTLE_SECONDS)
                loaded = report(f"after {chunks:,} chunks", up.pid, LOADED_LIMIT_MB)
        finally:
            up.terminate()
            up.wait(timeout=60)
    return int(not idle or not loaded)


def report(what: str, pid: int, limit: int) -> bool:
    """Print the memory of `up` and all below it, process by process; whether it is within the limit."""
    total = 0.0
    print(f"\n{what}")
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            pss, line = process.memory_full_info().pss / 1e6, process.cmdline()
            role = process.environ().get("EXTROPHI_ROLE", "")
        except psutil.NoSuchProcess:
            continue
        total += pss
        # PostgreSQL writes what a process does over its command line, padded.
        is_titled = bool(line) and line[0].startswith("postgres:")
        words = line[0].split() if is_titled else [Path(word).name for word in line[:3]]
        print(f"  {pss:7.1f} MB  {' '.join([*words, role])}")
    print(f"  {total:7.1f} MB  of {limit} MB: ratio {total / limit:.2f}")
    return total <= limit


async def load(dsn: str, chunks: int) -> None:
    """Documents, chunks and vectors, as backend would have stored them; the indexes are told."""
    connection: Connection = await asyncpg.connect(dsn)
    random = np.random.default_rng(7)
    words = np.array(["".join(random.choice(list("abcdefghilmnoprstuvy"), 7)) for _ in range(_VOCABULARY)])
    ranks = 1 / np.arange(1, _VOCABULARY + 1)
    cumulated = np.cumsum(ranks / ranks.sum())
    model = await connection.fetchval("SELECT id FROM embedding_models WHERE state = 'active'")
    if model is None:
        model = await connection.fetchval(
            "INSERT INTO embedding_models (name, dimensions, endpoint, state) VALUES ($1, $2, 'local', 'active')"
            " RETURNING id",
            NAME,
            DIMENSIONS,
        )
    centers = random.normal(size=(_CLUSTERS, DIMENSIONS))
    for first in range(0, chunks, 10_000):
        count = min(10_000, chunks - first)
        drawn = words[np.searchsorted(cumulated, random.random((count, _WORDS_PER_CHUNK)))]
        texts = [" ".join(row) for row in drawn.tolist()]
        if first + count == chunks:
            texts[-1] = f"{_LAST} {texts[-1]}"
        vectors = centers[random.integers(0, _CLUSTERS, count)] + random.normal(size=(count, DIMENSIONS))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        async with connection.transaction():
            hashes = await _store(connection, texts, first)
            await connection.copy_to_table("embeddings", source=_rows(model, hashes, vectors), format="text")
    await connection.execute(
        f"CREATE INDEX IF NOT EXISTS embeddings_hnsw_{model} ON embeddings USING hnsw"
        f" ((vector::halfvec({DIMENSIONS})) halfvec_cosine_ops) WHERE model_id = {model}",
        timeout=1800,
    )
    await connection.execute("ANALYZE")
    await connection.close()


async def _store(connection: Connection, texts: list[str], first: int) -> list[bytes]:
    documents: list[tuple[object, ...]] = []
    versions: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []
    for at in range(0, len(texts), _CHUNKS_PER_DOCUMENT):
        own, one, start = texts[at : at + _CHUNKS_PER_DOCUMENT], uuid.uuid4(), 0
        whole = "\n\n".join(own)
        digest = hashlib.sha256(whole.encode()).digest()
        documents.append((one, "files", f"made-up-{first + at}", f"Made up {first + at}", digest))
        versions.append((one, 1, whole, f"Made up {first + at}", digest))
        for ordinal, text in enumerate(own):
            key = hashlib.sha256(text.encode()).digest()
            rows.append((uuid.uuid4(), one, 1, ordinal, start, start + len(text), text, key))
            start += len(text) + 2
    copy = connection.copy_records_to_table
    await copy("documents", records=documents, columns=["id", "platform", "external_id", "title", "content_hash"])
    await copy(
        "document_versions", records=versions, columns=["document_id", "version", "text", "title", "content_hash"]
    )
    columns = ["id", "document_id", "version", "ordinal", "start_offset", "end_offset", "text", "embedding_hash"]
    await copy("chunks", records=rows, columns=columns)
    await connection.execute(
        "INSERT INTO changes (document_id) SELECT id FROM unnest($1::uuid[]) AS d (id)", [row[0] for row in documents]
    )
    await connection.execute("NOTIFY extrophi_changes")
    return [row[7] for row in rows if isinstance(row[7], bytes)]


async def _rows(
    model: int, hashes: list[bytes], vectors: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"
) -> AsyncIterator[bytes]:
    for key, vector in zip(hashes, vectors.round(4).tolist(), strict=True):
        yield f"{model}\t\\\\x{key.hex()}\t[{','.join(map(str, vector))}]\n".encode()


async def _embed(client: httpx.AsyncClient) -> None:
    """Push documents, and wait until all their chunks have an embedding."""
    text = (REPO / "examples" / "reading" / "01-why-long-articles-lose-on-phones.md").read_text()
    documents = [
        {"platform": "files", "external_id": f"real-{number}", "text": text.replace("phone", f"phone {number}")}
        for number in range(60)
    ]
    (await client.post("/api/documents", json={"documents": documents})).raise_for_status()
    deadline = time.monotonic() + 600
    while (stats := (await client.get("/api/stats")).raise_for_status().json())["pending"] or not stats["embedded"]:
        if time.monotonic() > deadline:
            raise TimeoutError("embedding does not end")
        await asyncio.sleep(0.5)


async def _search(client: httpx.AsyncClient) -> None:
    """Ask in every mode, once the keyword index has all documents."""
    deadline = time.monotonic() + 600
    query: dict[str, object] = {"query": _LAST, "mode": "keyword"}
    while not (await client.post("/api/search", json=query)).raise_for_status().json()["items"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the keyword index does not catch up")
        await asyncio.sleep(0.5)
    for mode in ("keyword", "vector", "hybrid"):
        for number in range(50):
            body = {"query": f"how do long articles get read on phone number {number}", "mode": mode}
            (await client.post("/api/search", json=body)).raise_for_status()


async def _until(client: httpx.AsyncClient, path: str, up: "subprocess.Popen[bytes]") -> None:
    while True:
        if up.poll() is not None:
            raise RuntimeError(f"`up` ended with code {up.returncode}")
        try:
            if (await client.get(path)).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
