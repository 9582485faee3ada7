import os

import asyncpg
import pytest
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


@pytest.mark.xdist_group("any")
def test_tests_of_one_group_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """Where it is otherwise, each process starts what they share for itself: an Extrophi, its library, images."""
    assert "PYTEST_XDIST_WORKER" not in os.environ or request.node.nodeid.endswith("@any")
