"""The pool of PostgreSQL connections."""

import json
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection


async def make_pool(dsn: str, *, name: str, most: int = 10) -> Pool:
    """A pool that connects when first used, so that a database that is not there yet does not end the start."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=most,
        init=_prepare,
        timeout=10,
        server_settings={"application_name": f"extrophi-{name}", "timezone": "UTC", "jit": "off"},
    )


async def _prepare(connection: "asyncpg.Connection[Any]") -> None:
    # Binary, since COPY knows no other: jsonb is a version byte and the text (jsonb_recv in jsonb.c).
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=_load, schema="pg_catalog", format="binary")


def _dump(value: Any) -> bytes:
    return b"\x01" + json.dumps(value, ensure_ascii=False).encode()


def _load(value: bytes) -> Any:
    return json.loads(value[1:])
