"""What asyncpg raises when a connection is cut says that the database is away, wherever it was cut."""

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from extrophi_backend.db import Unreachable, copy, is_away, make_pool
from extrophi_research.db import make_pool as research_pool

MANY = 1000


@pytest.mark.parametrize("cut_after", [0, 1, 7, 400, MANY - 1])
@pytest.mark.parametrize("length", [10, 100_000])
async def test_a_connection_cut_in_the_middle_of_a_copy(database: str, cut_after: int, length: int) -> None:
    pool = await make_pool(database, name="test")

    def rows(pid: int) -> Iterator[tuple[str]]:
        for number in range(MANY):
            yield ("x" * length,)
            if number == cut_after:
                os.kill(pid, signal.SIGTERM)  # what pg_terminate_backend does

    async def copy_in() -> None:
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("CREATE TEMP TABLE copied (text text)")
            await copy(conn, "copied", ["text"], rows(conn.get_server_pid()))

    try:
        with pytest.raises(Exception) as raised:  # noqa: PT011  asyncpg promises no certain one
            await copy_in()
        assert is_away(raised.value)
        assert await pool.fetchval("SELECT 1") == 1  # the pool has let go of what was cut
    finally:
        await pool.close()


def test_what_asyncpg_says_of_a_connection_cut_off_is_told_from_a_wrong_setting() -> None:
    """Of one that was cut as its pool took it back it says InternalClientError: only chance brings that about."""
    assert is_away(asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"))
    assert is_away(asyncpg.InterfaceError("the underlying connection is closed"))
    assert not is_away(asyncpg.exceptions.ClientConfigurationError("invalid DSN"))


@pytest.mark.parametrize("times", [5, 6])
async def test_a_name_may_be_unknown_for_a_moment(database: str, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """As name servers of container engines have it when containers come and go. Research's pool does likewise."""
    unknown = iter(range(times))
    connect = asyncpg.connect

    async def resolves_later(*given: Any, **more: Any) -> Any:
        if next(unknown, None) is not None:
            raise socket.gaierror(socket.EAI_NONAME, "Name does not resolve")
        return await connect(*given, **more)

    monkeypatch.setattr(asyncpg, "connect", resolves_later)
    for make in (make_pool, research_pool):
        unknown = iter(range(times))
        async with await make(database, name="test") as pool:
            if times == 5:
                assert await pool.fetchval("SELECT 1") == 1
                continue
            with pytest.raises((Unreachable, socket.gaierror)):
                await pool.fetchval("SELECT 1")
