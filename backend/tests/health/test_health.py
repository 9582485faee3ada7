"""What is missing is named with the one line to change."""

from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.settings import Settings


async def readiness(settings: Settings) -> tuple[int, Any]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://b") as client:
        answer = await client.get("/ready")
        return answer.status_code, answer.json()["missing"]


async def test_ready_with_the_database_alone(settings: Settings) -> None:
    assert await readiness(settings) == (200, {})


async def test_open_to_others_without_the_service_key(settings: Settings) -> None:
    others = settings.model_copy(update={"host": "0.0.0.0"})
    status, missing = await readiness(others)
    assert status == 503
    assert "EXTROPHI_SERVICE_KEY" in missing["service_key"]
    status, missing = await readiness(others.model_copy(update={"service_key": SecretStr("k")}))
    assert (status, missing) == (200, {})


async def test_a_server_without_pgvector(settings: Settings, empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    # As on a server that does not have it: what is to be had is looked up in a view that leaves it out.
    await conn.execute(
        f"""CREATE SCHEMA without;
            CREATE VIEW without.pg_available_extensions AS
                SELECT * FROM pg_catalog.pg_available_extensions WHERE name <> 'vector';
            ALTER DATABASE {await conn.fetchval("SELECT current_database()")} SET search_path = without, pg_catalog"""
    )
    await conn.close()
    status, missing = await readiness(settings.model_copy(update={"database_url": SecretStr(empty_database)}))
    assert status == 503
    assert "pgvector/pgvector:pg16" in missing["database"]
