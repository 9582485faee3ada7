"""A library to measure on: a real PostgreSQL, documents as backend stores them, research over it."""

import asyncio
import hashlib
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import numpy as np

from extrophi_backend.index.chunking import blocks_of, chunk_spans
from extrophi_cli.embedded.postgres import Postgres
from extrophi_research.app import create_app
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, NAME, LocalModel, Vectors
from extrophi_research.settings import Settings

REPO = Path(__file__).parent.parent
CACHE = REPO / "bench" / ".cache"
DATA = REPO / "tests" / "data"
"""What is measured on; its README files tell of origin and licence."""
_SCHEMA = REPO / "backend" / "extrophi_backend" / "schema"


@asynccontextmanager
async def database() -> AsyncGenerator[tuple[str, Connection]]:
    """A migrated database on a server of its own, gone afterwards: its DSN, and a connection."""
    with tempfile.TemporaryDirectory(prefix="xb-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101  the server's user looks into it; once, before anything waits
        server = Postgres(data=Path(folder) / "postgres", sockets=Path(folder) / "run")
        await asyncio.to_thread(server.make)
        process = server.start()
        try:
            await asyncio.to_thread(server.wait_ready, process)
            dsn = f"postgresql://postgres@/postgres?host={server.sockets}"
            connection = await asyncpg.connect(dsn)
            for file in [*sorted((_SCHEMA / "migrations").glob("*.sql")), *sorted((_SCHEMA / "views").glob("*.sql"))]:
                await connection.execute(file.read_text())
            yield dsn, connection
            await connection.close()
        finally:
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(process.wait, 30)


@dataclass(frozen=True, slots=True)
class Stored:
    document_id: uuid.UUID
    chunks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of documents, document_versions and chunks."""

    documents: list[tuple[object, ...]]
    versions: list[tuple[object, ...]]
    chunks: list[tuple[object, ...]]


def rows_of(documents: dict[str, tuple[str, str]]) -> tuple[Rows, dict[str, Stored]]:
    """Documents by external id: (title, text), chunked as backend chunks."""
    now = datetime.now(UTC)
    stored: dict[str, Stored] = {}
    rows = Rows([], [], [])
    for external_id, (title, text) in documents.items():
        one, whole = uuid.uuid4(), hashlib.sha256(text.encode()).digest()
        spans = list(chunk_spans(text, list(blocks_of(text, markdown=False))))
        stored[external_id] = Stored(one, [text[span.start : span.end] for span in spans])
        rows.documents.append((one, "files", external_id, title, whole, now))
        rows.versions.append((one, 1, text, title, whole))
        rows.chunks.extend(
            (uuid.uuid4(), one, 1, n, s.start, s.end, s.heading, text[s.start : s.end], _hash(text[s.start : s.end]))
            for n, s in enumerate(spans)
        )
    return rows, stored


async def copy(connection: Connection, rows: Rows) -> None:
    """Write the rows, with those in the change log."""
    async with connection.transaction():
        columns = ["id", "platform", "external_id", "title", "content_hash", "collected_at"]
        await connection.copy_records_to_table("documents", records=rows.documents, columns=columns)
        columns = ["document_id", "version", "text", "title", "content_hash"]
        await connection.copy_records_to_table("document_versions", records=rows.versions, columns=columns)
        columns = ["id", "document_id", "version", "ordinal", "start_offset", "end_offset", "heading", "text"]
        await connection.copy_records_to_table("chunks", records=rows.chunks, columns=[*columns, "embedding_hash"])
        changes = [(row[0],) for row in rows.documents]
        await connection.copy_records_to_table("changes", records=changes, columns=["document_id"])
        await connection.execute("NOTIFY extrophi_changes")


async def store(connection: Connection, documents: dict[str, tuple[str, str]]) -> dict[str, Stored]:
    """Documents by external id: (title, text), as backend stores them."""
    rows, stored = await asyncio.to_thread(rows_of, documents)
    await copy(connection, rows)
    return stored


async def store_vectors(connection: Connection, hashes: Sequence[bytes], vectors: Vectors) -> None:
    """Make the local model the active one, with its index and these vectors."""
    model = await connection.fetchval(
        "INSERT INTO embedding_models (name, dimensions, endpoint, state) VALUES ($1, $2, 'local', 'active')"
        " RETURNING id",
        NAME,
        DIMENSIONS,
    )
    texts = ["[" + ",".join(map(str, row)) + "]" for row in vectors.tolist()]
    await connection.execute(
        "INSERT INTO embeddings (model_id, hash, vector) SELECT $1, * FROM"
        " (SELECT hash, vector::halfvec FROM unnest($2::bytea[], $3::text[]) AS given (hash, vector)) AS all_of_them",
        model,
        list(hashes),
        texts,
    )
    await connection.execute(
        f"CREATE INDEX embeddings_hnsw_{model} ON embeddings USING hnsw"
        f" ((vector::halfvec({DIMENSIONS})) halfvec_cosine_ops) WHERE model_id = {model}"
    )
    await connection.execute("ANALYZE")


def embed(texts: Sequence[str]) -> tuple[list[bytes], Vectors]:
    """Distinct texts' hashes and vectors by the local model; what was embedded before is kept in bench/.cache."""
    CACHE.mkdir(exist_ok=True)
    wanted = {_hash(text): text for text in texts}
    with sqlite3.connect(CACHE / "embeddings.sqlite") as cache:
        cache.execute("CREATE TABLE IF NOT EXISTS vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL)")
        known: dict[bytes, bytes] = dict(cache.execute("SELECT hash, vector FROM vectors").fetchall())
        missing = [key for key in wanted if key not in known]
        if missing:
            model = LocalModel()
            for at in range(0, len(missing), 256):
                part = missing[at : at + 256]
                vectors, _ = model.embed([wanted[key] for key in part])
                rows = [(key, vector.tobytes()) for key, vector in zip(part, vectors, strict=True)]
                cache.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
                cache.commit()
                known.update(rows)
    return list(wanted), np.array([np.frombuffer(known[key], np.float32) for key in wanted])


@asynccontextmanager
async def research(dsn: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Research's own app over that database, its keyword index built, behind an HTTP client."""
    with tempfile.TemporaryDirectory(prefix="xb-") as folder:
        app = create_app(Settings(DATABASE_URL=dsn, EXTROPHI_DATA=folder))  # pyright: ignore[reportCallIssue]
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://research", timeout=60) as client,
        ):
            while (await client.get("/ready")).status_code != 200:  # noqa: ASYNC110  what a client can see
                await asyncio.sleep(0.1)
            yield client


@asynccontextmanager
async def served(component: str, **settings: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A component as a process of its own, behind an HTTP client."""
    with tempfile.TemporaryDirectory(prefix="xb-") as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        of_folder = {"EXTROPHI_DATA": folder, "EXTROPHI_HOST": "127.0.0.1", "EXTROPHI_PORT": str(port)}
        with (Path(folder) / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", component, env=dict(os.environ) | of_folder | settings, stdout=log, stderr=log
            )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client:
                while not await _answers(client):
                    assert process.returncode is None, (Path(folder) / "log").read_text()
                    await asyncio.sleep(0.1)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).status_code == 200
    except httpx.TransportError:
        return False


def loopback() -> socket.socket:
    """A socket to serve on. asyncio turns Nagle's delay of 40 ms off only where it is told that this is TCP."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    return listening


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
