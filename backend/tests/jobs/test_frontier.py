"""The frontier of a large site: its next addresses are found by an index, and each address is there once."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from extrophi_backend.collectors.models import Address
from extrophi_backend.db import Connection
from extrophi_backend.jobs import frontier


def address(number: int, rank: int = 4, **more: Any) -> Address:
    return Address(number.to_bytes(16, "big"), f"https://example.org/{number}", rank, number, **more)


async def a_job(api: httpx.AsyncClient) -> Any:
    return (await api.post("/jobs", json={"target": "https://example.org/", "scope": "site"})).json()["id"]


async def test_addresses_are_taken_in_order_each_once(api: httpx.AsyncClient, conn: Connection) -> None:
    job = await a_job(api)
    other = await a_job(api)
    await frontier.add(conn, job, [address(number, entry=[f"{number}", None]) for number in (3, 1, 2, 3)])
    await frontier.add(conn, other, [address(9)])
    await frontier.settle(conn, job, [address(1, state="read"), address(7, state="text")])
    assert [one.position for one in await frontier.waiting(conn, job, 10)] == [2, 3]
    # What is met again stays where it is, unless it is listed now; what was looked at is never taken again.
    again = [address(1, rank=3), address(2, rank=5), address(3, rank=3, entry={"url": "x"})]
    await frontier.add(conn, job, again)
    assert [(one.rank, one.position, one.entry) for one in await frontier.waiting(conn, job, 10)] == [
        (3, 3, {"url": "x"})
    ]
    assert [one.position for one in await frontier.waiting(conn, job, 10, beyond=3)] == [2]
    assert await frontier.waiting(conn, job, 10, beyond=4) == []
    await frontier.settle(conn, job, [address(3, state="read", entry=[1, 2])])
    assert [one.position for one in await frontier.waiting(conn, job, 10)] == [2]
    met = await frontier.met(conn, job, [address(number).key for number in (1, 2, 3, 4, 7)])
    assert {one.position: one.state for one in met.values()} == {1: "read", 2: "waiting", 3: "read", 7: "text"}
    await frontier.forget(conn, job)
    assert await frontier.waiting(conn, job, 10) == []
    assert len(await frontier.waiting(conn, other, 10)) == 1


async def test_what_is_put_aside_is_taken_last_and_what_is_left_is_counted(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    job = await a_job(api)
    assert await frontier.left_out(conn, job) is None
    await frontier.add(conn, job, [address(number) for number in range(20)])
    await frontier.settle(conn, job, [address(0, rank=5)])
    assert [one.position for one in await frontier.waiting(conn, job, 20)] == [*range(1, 20)]
    kinds = ["/calendar/#"] * 12 + [f"/find?q{number}" for number in range(7)]
    left = [address(number, state="trap", entry={"kind": kind}) for number, kind in enumerate(kinds, start=1)]
    await frontier.settle(conn, job, left)
    assert [one.position for one in await frontier.waiting(conn, job, 20)] == [0]
    assert await frontier.left_out(conn, job) == {
        "count": 19,
        "examples": [
            {"target": f"https://example.org/{number}", "count": count}
            for number, count in ((1, 12), (13, 1), (14, 1), (15, 1), (16, 1))
        ],
    }


async def test_a_frontier_of_100_000_is_read_by_its_index(
    api: httpx.AsyncClient, conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    job = await a_job(api)
    await frontier.add(conn, job, [address(number) for number in range(100_000)])
    await frontier.settle(conn, job, [address(number, state="read") for number in range(99_000)])
    assert [one.position for one in await frontier.waiting(conn, job, 3)] == [99_000, 99_001, 99_002]
    await conn.execute("ANALYZE frontier")
    assert "frontier_waiting" in await plan(frontier.waiting(conn, job, 50))
