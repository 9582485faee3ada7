"""The pool of PostgreSQL connections, and what it means that the database is away."""

import asyncio
import json
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection


_NAME_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds: a busy machine takes some to tell its containers of one another


class Unreachable(ConnectionError):
    """No connection could be made."""


DATABASE_AWAY = (
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.UndefinedTableError,
    asyncpg.InterfaceError,  # a connection that was lost says so by it
    asyncpg.InternalClientError,  # and so does one that was lost in the middle of a COPY (asyncpg's issue 784)
)
"""Kinds of what is raised while the server is away, restarting, full, or not migrated yet; ask `is_away`."""


def is_away(error: BaseException) -> bool:
    """Whether the database is out of reach, so that the same may succeed later.

    asyncpg's InterfaceError is also the base of what it says of a wrong configuration; that is a ValueError, too.
    """
    return isinstance(error, DATABASE_AWAY) and not isinstance(error, ValueError)


async def connect(dsn: str, **more: Any) -> "asyncpg.Connection[Any]":
    """A connection outside of any pool. Raises Unreachable for all that the system says when there is no server."""
    try:
        for wait in _NAME_WAITS:
            try:
                return await asyncpg.connect(dsn, **more)
            except socket.gaierror:  # it may be unknown for a moment, while containers come and go
                await asyncio.sleep(wait)
        return await asyncpg.connect(dsn, **more)
    except OSError as error:  # a socket that is not there, a name that nobody knows, several addresses that refuse
        raise Unreachable(str(error)) from error


async def make_pool(dsn: str, *, name: str, most: int = 10) -> Pool:
    """A pool that connects when first used, so that a database that is not there yet does not end the start."""
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=most,
        init=_prepare,
        reset=_leave,
        connect=connect,  # pyright: ignore[reportArgumentType]  it is called with a DSN
        timeout=10,
        server_settings={"application_name": f"extrophi-{name}", "timezone": "UTC", "jit": "off"},
    )


async def copy(conn: Connection, table: str, columns: Sequence[str], records: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows in. A connection that is lost meanwhile raises TimeoutError, or another kind of what `is_away` knows.

    asyncpg alone would wait for ever for the server to take more of a long COPY.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:

        def lost(_: object) -> None:
            with suppress(RuntimeError):  # the copy has ended by itself
                limit.reschedule(loop.time())

        conn.add_termination_listener(lost)
        try:
            await conn.copy_records_to_table(table, columns=columns, records=records)
        finally:
            conn.remove_termination_listener(lost)


def containing(query: str) -> str:
    """A pattern of LIKE for texts that contain the query, whatever is in it."""
    for special in ("\\", "%", "_"):
        query = query.replace(special, f"\\{special}")
    return f"%{query}%"


async def _prepare(connection: "asyncpg.Connection[Any]") -> None:
    # Binary, since COPY knows no other: jsonb is a version byte and the text (jsonb_recv in jsonb.c).
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=_load, schema="pg_catalog", format="binary")


async def _leave(_: "asyncpg.Connection[Any]") -> None:
    """Nothing is changed on a connection for longer than a transaction: RESET ALL would cost each use a round trip.

    asyncpg itself still ends a transaction that was left open.
    """


def _dump(value: Any) -> bytes:
    return b"\x01" + json.dumps(value, ensure_ascii=False).encode()


def _load(value: bytes) -> Any:
    return json.loads(value[1:])
