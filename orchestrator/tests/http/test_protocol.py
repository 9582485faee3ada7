"""What uvicorn leaves open in its HTTP/1.1, as a client meets it."""

import asyncio
import time

import pytest

from extrophi_orchestrator.http import protocol
from orchestrator.tests.servers import Door, Exchange, Upstream, read_answer

GET = b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_nonsense_after_a_request_is_never_told_within_its_answer(door: Door, backend: Upstream) -> None:
    """Nor before it: the client would take the refusal for the answer to its request."""

    async def slow(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
        await asyncio.sleep(0.5)
        await exchange.send(b"x" * 500)

    for wait in (0, 0.2):
        backend.handler = slow
        async with door.connected() as (reader, writer):
            writer.write(GET + (GET if wait else b""))
            await asyncio.sleep(wait)
            writer.write(b"nonsense\r\n\r\n")
            async with asyncio.timeout(10):
                told = await reader.read()
        assert b"HTTP/1.1 400" not in told


async def test_a_body_that_cannot_be_read_is_refused_once(door: Door, backend: Upstream) -> None:
    told = await door.raw(
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n"
    )
    assert told.startswith(b"HTTP/1.1 400")
    assert told.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("nothing", [b"\r\n", b"\r\n\r\n"])
async def test_an_empty_line_keeps_no_connection(door: Door, nothing: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    async with door.connected() as (reader, writer):
        writer.write(GET)
        assert (await read_answer(reader))[0] == 200
        writer.write(nothing)
        async with asyncio.timeout(10):
            assert await reader.read() == b""


async def test_a_client_that_stops_reading_holds_nothing_for_ever(
    door: Door, backend: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.5)
    left = asyncio.Event()

    async def flood(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        exchange.keep = False
        try:
            while True:
                await exchange.send(b"x" * 65_536)
        except ConnectionError:
            left.set()

    backend.handler = flood
    async with door.connected() as (_, writer):
        writer.write(GET)
        async with asyncio.timeout(20):
            await left.wait()


async def test_a_client_that_reads_slowly_gets_all_of_it(
    door: Door, backend: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 2.0)
    size = 8_000_000

    async def much(exchange: Exchange) -> None:
        await exchange.answer(b"x" * size)

    backend.handler = much
    async with door.connected() as (reader, writer):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        got, began = 0, time.monotonic()
        while got < size:
            part = await reader.read(65_536)
            assert part, got
            got += len(part)
            await asyncio.sleep(0.04)
    assert time.monotonic() - began > 3
