"""Bring a database to the newest schema: numbered SQL files in order, under one lock, each once."""

import logging
from importlib.resources import files

from extrophi_backend.db import Connection, connect
from extrophi_backend.log import event

_log = logging.getLogger(__name__)
NO_PGVECTOR = "it has no pgvector: use the image docker.io/pgvector/pgvector:pg16 instead of postgres:16-alpine"
_LOCK = 0x6578_7472  # "extr": two at once wait for each other


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing, and publish the views anew. Returns the names of the migrations applied.

    Raises:
        Unreachable: There is no database.
        asyncpg.PostgresError: The statement at fault; that migration and those after it are not applied.
    """
    connection = await connect(dsn, server_settings={"application_name": "extrophi-migrate"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute("SET lock_timeout = '10s'")
        return await _apply(connection)
    finally:
        await connection.close()


async def _apply(connection: Connection) -> list[str]:
    await connection.execute(
        """CREATE TABLE IF NOT EXISTS schema_migrations
           (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"""
    )
    done = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    applied: list[str] = []
    for name in migrations():
        if name in done:
            continue
        async with connection.transaction():
            await connection.execute(_sql("migrations", name))
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
        _log.info(event("schema.migrated", name=name))
        applied.append(name)
    async with connection.transaction():
        await connection.execute(_sql("views", "read_v1.sql"))
    return applied


async def is_migrated(connection: Connection) -> bool:
    """Whether every migration of this release is applied."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return False
    done = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    return done >= set(migrations())


async def has_pgvector(connection: Connection) -> bool:
    """Whether the server has the extension, installed in this database or not."""
    return await connection.fetchval("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")


def migrations() -> list[str]:
    """Names of this release's migrations, in order."""
    folder = files("extrophi_backend.schema") / "migrations"
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))


def _sql(folder: str, name: str) -> str:
    return (files("extrophi_backend.schema") / folder / name).read_text(encoding="utf-8")
