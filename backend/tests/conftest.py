from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import Connection, Pool, make_pool
from extrophi_backend.settings import Settings
from tests.embeddings_endpoint import EmbeddingsEndpoint, serving


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """The defaults, whatever this machine's environment says, over this test's own database."""
    defaults = Settings.model_construct()
    return defaults.model_copy(update={"database_url": SecretStr(database), "data": tmp_path, "port": 8002})


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    pool = await make_pool(database, name="test")
    yield pool
    await pool.close()


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection:
        yield connection


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The whole app over its own PostgreSQL, reached as HTTP reaches it."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://backend"
        ) as client,
    ):
        yield client


@pytest.fixture
def endpoint() -> Iterator[EmbeddingsEndpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def plan(conn: Connection) -> Callable[[Awaitable[Any]], Awaitable[str]]:
    """How PostgreSQL answers the last statement of a call over `conn`, if it may not read a table from end to end."""

    async def explain(call: Awaitable[Any]) -> str:
        seen: list[Any] = []
        with conn.query_logger(seen.append):
            await call
        await conn.execute("SET enable_seqscan = off")
        return "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {seen[-1].query}", *seen[-1].args))

    return explain
