import asyncpg
import redis.asyncio

from extrophi_cli.embedded.valkey import Valkey


async def test_a_migrated_database_has_the_default_collection(database: str) -> None:
    connection = await asyncpg.connect(database)
    names = await connection.fetch("SELECT name FROM read_v1.collections")
    await connection.close()
    assert [row["name"] for row in names] == ["default"]


async def test_valkey_answers(valkey: Valkey) -> None:
    client = redis.asyncio.from_url(valkey.url)
    assert await client.ping()
    await client.aclose()
