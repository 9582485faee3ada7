import asyncio

import asyncpg

from extrophi_backend.schema.migrate import is_migrated, migrate, migrations


async def test_an_empty_database_becomes_the_newest_and_again_changes_nothing(empty_database: str) -> None:
    conn = await asyncpg.connect(empty_database)
    try:
        assert not await is_migrated(conn)
        assert await migrate(empty_database) == migrations()
        assert await is_migrated(conn)
        assert await migrate(empty_database) == []
        assert await conn.fetchval("SELECT name FROM read_v1.collections") == "default"
    finally:
        await conn.close()


async def test_two_at_once_migrate_once(empty_database: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, len(migrations())]
