"""Bring a database to the newest schema: numbered SQL files in order, under one lock, each once."""

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import TypeVar

import asyncpg

from extrophi_backend.db import Connection, connect
from extrophi_backend.log import event
from extrophi_backend.vectors.sql import is_plain

T = TypeVar("T")
_log = logging.getLogger(__name__)
NO_PGVECTOR = (
    "it has no pgvector: use the image docker.io/pgvector/pgvector:pg16 instead of postgres:16-alpine,"
    " or VECTOR_STORE=chroma"
)
_LOCK = 0x6578_7472  # "extr": two at once wait for each other
_LOCK_SECONDS = 30.0
_PUBLISHED = """
SELECT obj_description(to_regnamespace('read_v1'), 'pg_namespace') = $1
   AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS name WHERE to_regclass(name) IS NULL AND to_regproc(name) IS NULL)
"""


async def migrate(dsn: str, vector_store: str = "pgvector") -> list[str]:
    """Apply what is missing, and publish the views if they have changed. Returns the names of the migrations applied.

    A library that has no embedding model yet will have its vectors in `vector_store`; another keeps them where they
    are.

    Raises:
        Unreachable: There is no database.
        asyncpg.PostgresError: The statement at fault; that migration and those after it are not applied.
    """
    connection = await connect(dsn, server_settings={"application_name": "extrophi-migrate"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        return await _apply(connection, vector_store)
    finally:
        await connection.close()


async def _apply(connection: Connection, vector_store: str) -> list[str]:
    if vector_store == "pgvector" and not await _is_in_chroma(connection):
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await connection.execute(
        """CREATE TABLE IF NOT EXISTS schema_migrations
           (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"""
    )
    done = await _done(connection)
    applied = [name for name in migrations() if name not in done]
    for name in applied:
        await between_others(connection, partial(_apply_one, connection, name))
        _log.info(event("schema.migrated", name=name))
    if not await _has_models(connection):
        await between_others(connection, partial(_choose, connection, vector_store))
    # One that lacks a migration of the database's, in the middle of an update, publishes nothing: research may be
    # newer, too. So a change of the views comes with a migration, be it an empty one.
    if done <= set(migrations()) and (applied or not await _is_published(connection)):
        await between_others(connection, partial(publish_views, connection))
    return applied


async def between_others(connection: Connection, change: Callable[[], Awaitable[T]]) -> T:
    """Change the schema in one transaction, in a moment in which nobody holds what it locks.

    Searches go on meanwhile. Were it to wait as long as PostgreSQL lets it (deadlock_timeout, 1 s), one of them might
    be ended in its place; but only after that time PostgreSQL ends a vacuum of its own that is in the way. So it waits
    shortly, and now and then longer.

    Raises:
        asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError: no such moment came for half a minute.
    """
    deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
    turn = 0
    while True:
        turn += 1
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{2000 if turn % 10 == 0 else 200}ms'")
                return await change()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311


async def _apply_one(connection: Connection, name: str) -> None:
    await connection.execute(_sql("migrations", name))
    await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)


async def _done(connection: Connection) -> set[str]:
    return {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}


async def _has_models(connection: Connection) -> bool:
    return await connection.fetchval("SELECT EXISTS (SELECT FROM embedding_models)")


async def _choose(connection: Connection, vector_store: str) -> None:
    """Where a library that has no vectors yet will have them."""
    await connection.execute("LOCK TABLE embeddings IN SHARE MODE")  # in this order, as who adds a model does
    await connection.execute("LOCK TABLE embedding_models IN EXCLUSIVE MODE")
    if await _has_models(connection):
        return
    await connection.execute("UPDATE vector_store SET name = $1, moving_to = NULL, paused = false", vector_store)
    if vector_store == "pgvector" and await is_plain(connection):  # it began without
        await connection.execute("DROP VIEW IF EXISTS read_v1.embeddings")
        await connection.execute("ALTER TABLE embeddings DROP COLUMN vector, ADD COLUMN vector halfvec NOT NULL")
        if await connection.fetchval("SELECT to_regnamespace('read_v1')"):
            await publish_embeddings(connection)


async def publish_views(connection: Connection) -> None:
    """Make what `research` reads, and note what was made. In a transaction."""
    await connection.execute(_sql("views", "read_v1.sql"))
    await publish_embeddings(connection)
    await connection.execute(f"COMMENT ON SCHEMA read_v1 IS '{_digest()}'")


async def publish_embeddings(connection: Connection) -> None:
    """Make the one view anew that changes with the type of its column: to touch others would lock out searches."""
    await connection.execute(_sql("views", "read_v1_embeddings.sql"))


async def uses_chroma(dsn: str) -> bool:
    """Whether a migrated library's vectors are in ChromaDB, or on their way there or back."""
    connection = await connect(dsn, server_settings={"application_name": "extrophi-migrate"})
    try:
        return await connection.fetchval("SELECT name = 'chroma' OR moving_to IS NOT NULL FROM vector_store")
    finally:
        await connection.close()


async def _is_in_chroma(connection: Connection) -> bool:
    """Whether the library's vectors are in ChromaDB, whatever the settings say."""
    if await connection.fetchval("SELECT to_regclass('vector_store')") is None:
        return False
    return await connection.fetchval(
        "SELECT name = 'chroma' AND EXISTS (SELECT FROM embedding_models) FROM vector_store"
    )


async def is_migrated(connection: Connection) -> bool:
    """Whether every migration of this release is applied."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return False
    return await _done(connection) >= set(migrations())


async def has_pgvector(connection: Connection) -> bool:
    """Whether the server has the extension, installed in this database or not."""
    return await connection.fetchval("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")


def migrations() -> list[str]:
    """Names of this release's migrations, in order."""
    folder = files("extrophi_backend.schema") / "migrations"
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))


async def _is_published(connection: Connection) -> bool:
    """Whether the views are this release's, and all there."""
    names = re.findall(r"(?:VIEW|REPLACE FUNCTION) (read_v1\.\w+)", _views())
    return bool(await connection.fetchval(_PUBLISHED, _digest(), names))


def _digest() -> str:
    return sha256(_views().encode()).hexdigest()


def _views() -> str:
    return "".join(_sql("views", name) for name in ("read_v1.sql", "read_v1_embeddings.sql"))


def _sql(folder: str, name: str) -> str:
    return (files("extrophi_backend.schema") / folder / name).read_text(encoding="utf-8")
