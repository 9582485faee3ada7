"""Research over a real database, with rows as backend writes them."""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from extrophi_research.app import create_app
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, NAME, LocalModel
from extrophi_research.settings import Settings


class Library:
    """Writes what backend would: documents, chunks, links, vectors, and the change log."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self._model = LocalModel()

    async def add(
        self,
        text: str,
        *,
        title: str = "",
        platform: str = "web",
        url: str | None = None,
        author: str | None = None,
        language: str | None = None,
        published_at: datetime | None = None,
        collections: Sequence[str] = ("default",),
        anchors: Sequence[Any] = (),
        chunks: Sequence[tuple[int, int]] = (),
        notify: bool = True,
    ) -> uuid.UUID:
        one = uuid.uuid4()
        digest = hashlib.sha256(text.encode()).digest()
        await self.conn.set_type_codec(
            "jsonb", encoder=lambda value: value, decoder=lambda value: value, schema="pg_catalog"
        )
        async with self.conn.transaction():
            await self.conn.execute(
                """INSERT INTO documents (id, platform, external_id, url, title, author, language, published_at,
                                          content_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
                one, platform, str(one), url, title, author, language, published_at, digest,
            )  # fmt: skip
            await self.conn.execute(
                """INSERT INTO document_versions (document_id, version, text, url, title, author, language,
                                                  published_at, content_hash, anchors)
                   VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9)""",
                one, text, url, title, author, language, published_at, digest, _json(anchors),
            )  # fmt: skip
            await self.chunk(one, text, chunks or [(0, len(text))])
            for name in collections:
                await self.conn.execute(
                    "INSERT INTO collections (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", uuid.uuid4(), name
                )
                await self.conn.execute(
                    "INSERT INTO collection_documents SELECT id, $1 FROM collections WHERE name = $2", one, name
                )
            await self.conn.execute("INSERT INTO changes (document_id) VALUES ($1)", one)
            if notify:
                await self.conn.execute("NOTIFY extrophi_changes")
        return one

    async def chunk(self, one: uuid.UUID, text: str, spans: Sequence[tuple[int, int]]) -> None:
        for ordinal, (start, end) in enumerate(spans):
            part = text[start:end]
            await self.conn.execute(
                """INSERT INTO chunks
                       (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)
                   VALUES ($1, $2, 1, $3, $4, $5, $6, $7)""",
                uuid.uuid4(), one, ordinal, start, end, part, hashlib.sha256(part.encode()).digest(),
            )  # fmt: skip

    async def delete(self, one: uuid.UUID) -> None:
        async with self.conn.transaction():
            await self.conn.execute("DELETE FROM documents WHERE id = $1", one)
            await self.conn.execute("INSERT INTO changes (document_id, deleted) VALUES ($1, true)", one)
            await self.conn.execute("NOTIFY extrophi_changes")

    async def make_model(self, endpoint: str = "local") -> int:
        model = await self.conn.fetchval(
            """INSERT INTO embedding_models (name, dimensions, endpoint, state) VALUES ($1, $2, $3, 'active')
               RETURNING id""",
            NAME, DIMENSIONS, endpoint,
        )  # fmt: skip
        await self.conn.execute(
            f"CREATE INDEX embeddings_hnsw_{model} ON embeddings USING hnsw"
            f" ((vector::halfvec({DIMENSIONS})) halfvec_cosine_ops) WHERE model_id = {model}"
        )
        return model

    async def embed(self) -> None:
        """A vector for every chunk that has none, under the active model (made if there is none)."""
        model = await self.conn.fetchval("SELECT id FROM embedding_models WHERE state = 'active'")
        if model is None:
            model = await self.make_model()
        rows = await self.conn.fetch("SELECT DISTINCT embedding_hash, text FROM chunks")
        vectors, _ = self._model.embed([row["text"] for row in rows])
        for row, vector in zip(rows, vectors, strict=True):
            await self.conn.execute(
                "INSERT INTO embeddings VALUES ($1, $2, $3::text::halfvec) ON CONFLICT DO NOTHING",
                model, row["embedding_hash"], "[" + ",".join(map(str, vector.tolist())) + "]",
            )  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(list(value))


@pytest.fixture
async def library(database: str) -> AsyncIterator[Library]:
    conn = await asyncpg.connect(database)
    yield Library(conn)
    await conn.close()


class Research:
    """The app and a client of it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client

    async def search(self, query: str, **more: Any) -> dict[str, Any]:
        answer = await self.client.post("/search", json={"query": query} | more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def titles(self, query: str, **more: Any) -> list[str]:
        return [item["citation"]["title"] for item in (await self.search(query, **more))["items"]]

    async def finds(self, query: str, wanted: Callable[[list[str]], bool], **more: Any) -> list[str]:
        """Search until the titles found are as wanted: the index follows within a second; allow for a busy machine."""
        deadline = time.monotonic() + 30
        while True:
            found = await self.titles(query, **more)
            if wanted(found) or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.05)

    async def settled(self, status: int = 200) -> tuple[int, str]:
        """What /ready says of the keyword index, once it answers with a status; half a minute is allowed."""
        deadline = time.monotonic() + 30
        while True:
            answer = await self.client.get("/ready")
            if answer.status_code == status or time.monotonic() > deadline:
                return answer.status_code, answer.json()["missing"].get("keyword_index", "")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(dsn: str, folder: Path, **more: Any) -> AsyncIterator[Research]:
    app = create_app(Settings(DATABASE_URL=dsn, EXTROPHI_DATA=folder, **more))  # pyright: ignore[reportCallIssue]  by alias
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://research", timeout=60) as client,
    ):
        yield Research(app, client)


@pytest.fixture
async def research(library: Library, database: str, tmp_path: Path) -> AsyncIterator[Research]:
    async with running(database, tmp_path) as started:
        # Until the index is whole, a document that was added while it was being built may be found after a later one.
        assert (await started.settled())[0] == 200
        yield started


@pytest.fixture
def start_research() -> Any:
    """`async with start_research(dsn, folder) as research`, for tests that stop and start it."""
    return running
