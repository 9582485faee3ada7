"""A library whose database has no pgvector: its vectors are bytes, until it gets one and they are moved there."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import Pool, make_pool
from extrophi_backend.index.embedding import embed_pending
from extrophi_backend.schema.migrate import is_migrated, migrate
from extrophi_backend.settings import Settings
from extrophi_backend.vectors import halves, sql
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.moving import keep_moving
from extrophi_backend.vectors.outbox import keep_telling
from tests.embeddings_endpoint import EmbeddingsEndpoint


@pytest.fixture
async def bare(empty_database: str) -> str:
    """An empty database whose server knows no pgvector (it does not look where the extension is)."""
    await _said(empty_database, "ALTER DATABASE {} SET extension_control_path = '/nowhere'")
    return empty_database


async def _said(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement.format(await connection.fetchval("SELECT current_database()")))
    await connection.close()


async def test_it_is_refused_unless_chroma_is_chosen(bare: str) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await migrate(bare)
    await migrate(bare, "chroma")
    await migrate(bare, "chroma")
    connection = await asyncpg.connect(bare)
    assert await is_migrated(connection)
    assert await sql.is_plain(connection)
    await connection.close()
    with pytest.raises(asyncpg.FeatureNotSupportedError):  # nothing is embedded yet: it is as good as new
        await migrate(bare, "pgvector")


async def test_vectors_are_moved_from_plain_bytes_to_pgvector(
    bare: str, chroma: str, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await migrate(bare, "chroma")
    more = {"embeddings_url": HttpUrl(endpoint.url), "embeddings_model": "first", "chroma_url": HttpUrl(chroma)}
    settings = settings.model_copy(update={"database_url": SecretStr(bare), "vector_store": "chroma"} | more)
    async with _backend(settings) as (api, pool, client):
        documents = [{"platform": "files", "external_id": str(n), "text": f"text {n}"} for n in range(30)]
        assert (await api.post("/documents", json={"documents": documents})).status_code == 200
        assert await embed_pending(pool, client, settings) == 30
        before = {row["hash"]: row["vector"] for row in await pool.fetch("SELECT hash, vector FROM embeddings")}
        refused = await api.post("/vectors/migrate", json={"to": "pgvector"})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    await migrate(bare, "pgvector")  # there are vectors now: they stay where they are

    await _said(bare, "ALTER DATABASE {} RESET extension_control_path")
    async with _backend(settings.model_copy(update={"vector_store": "pgvector"})) as (api, pool, _):
        health = (await api.get("/health")).json()["dependencies"]
        assert "`extrophi vectors migrate --to pgvector` moves them" in health["vectors"]
        assert (await api.post("/vectors/migrate", json={"to": "pgvector"})).status_code == 202
        async with asyncio.timeout(60):
            while (await api.get("/vectors")).json()["store"] != "pgvector":
                await asyncio.sleep(0.05)
        rows = await pool.fetch(
            """SELECT e.hash, halfvec_send(e.vector) AS sent, v.bytes FROM embeddings e
                 JOIN read_v1.embeddings v USING (model_id, hash)"""
        )
        assert {row["hash"]: row["sent"] for row in rows} == {row["hash"]: row["bytes"] for row in rows} == before
        async with pool.acquire() as conn:
            assert await sql.models_without_index(conn) == {}


@asynccontextmanager
async def _backend(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Pool, httpx.AsyncClient]]:
    """A client of its API, its worker's part in vectors at work, the pool, and a client of others."""
    app, pool = create_app(settings), await make_pool(settings.database_url.get_secret_value(), name="test")
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as api,
    ):
        telling = asyncio.create_task(keep_telling(pool, Chroma(client, str(settings.chroma_url))))
        moving = asyncio.create_task(keep_moving(pool))
        yield api, pool, client
        telling.cancel()
        moving.cancel()
        await asyncio.wait({telling, moving})
    await pool.close()


def test_halves_are_pgvectors() -> None:
    packed = halves.pack([3.0, 0.0, -4.0])
    assert packed == struct.pack(">hh3e", 3, 0, 0.6, 0.0, -0.8)
    assert list(halves.unpack(packed)) == pytest.approx([0.6, 0, -0.8], abs=1e-3)
    assert halves.text(packed).startswith("[0.6")
