"""Requests that two servers could read in two ways: none may reach a component as anything but itself."""

import asyncio

import pytest

from orchestrator.tests.servers import Door, Exchange, Upstream, read_answer

POST = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\n"
INNER = b"GET /api/stats?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Content-Length: 0\r\nContent-Length: 50\r\n\r\n" + INNER,
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + INNER,
        POST + b"Content-Length: 0, 50\r\n\r\n" + INNER,
        POST + b"Content-Length: +5\r\n\r\nhello" + INNER,
        POST + b"Content-Length: 0x5\r\n\r\nhello" + INNER,
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"X: a\r\n Content-Length: 50\r\n\r\n" + INNER,
        POST + b"X: a\nContent-Length: 50\r\n\r\n" + INNER,
        POST + b"X: a\rContent-Length: 50\r\n\r\n" + INNER,
        POST + b"X: a\0b\r\n\r\n" + INNER,
        POST + b"Content-Length\0: 5\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\n\r\n5;\nx\r\nhello\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n" + INNER,
        b"POST /api/jobs HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 50\r\n\r\n" + INNER,
        POST.replace(b"\r\n", b"\n") + b"\n" + INNER,
        b"POST /api/jobs\r\nHost: localhost\r\n\r\n" + INNER,
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nConnection: close\r\n\r\n",
        b"POST /api/jobs HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST /api/jobs HTTP/2.0\r\nHost: localhost\r\n\r\n" + INNER,
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n" + INNER,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + INNER,
    ],
)
async def test_what_can_be_read_in_two_ways_is_refused(door: Door, backend: Upstream, request_: bytes) -> None:
    """The connection is closed on what was refused: what follows on it is not known to be a request."""

    async def read(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer()

    backend.handler = read
    told = await door.raw(request_)
    assert told.split(b" ")[1] == b"400", told[:100]
    assert b"application/problem+json" in told
    assert not [exchange for exchange in backend.seen if "smuggled" in exchange.target]


async def test_a_coding_that_is_not_known_is_said_to_be(door: Door, backend: Upstream) -> None:
    told = await door.raw(POST + b"Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")
    assert told.split(b" ")[1] == b"501"
    assert not backend.seen


async def test_a_body_that_looks_like_a_request_stays_a_body(door: Door, backend: Upstream) -> None:
    bodies: list[bytes] = []

    async def keep(exchange: Exchange) -> None:
        bodies.append(await exchange.body())
        await exchange.answer()

    backend.handler = keep
    async with door.connected() as (reader, writer):
        for framing in (b"Content-Length: %d\r\n\r\n" % len(INNER), b"Transfer-Encoding: chunked\r\n\r\n"):
            chunked = b"chunked" in framing
            body = b"%x;ext=1\r\n%b\r\n0\r\n" % (len(INNER), INNER) + INNER if chunked else INNER
            if chunked:
                body = b"%x;ext=1\r\n%b\r\n0\r\nAuthorization: Bearer other\r\n\r\n" % (len(INNER), INNER)
            writer.write(POST + framing + body)
            assert (await read_answer(reader))[0] == 200
    assert bodies == [INNER, INNER]
    assert [exchange.method for exchange in backend.seen] == ["POST", "POST"]
    assert b"other" not in backend.seen[1].head


async def test_a_request_to_upgrade_is_answered_as_it_is_and_ends_its_connection(door: Door, backend: Upstream) -> None:
    told = await door.raw(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert told.split(b" ")[1] == b"200"
    assert b"connection: close" in told
    assert backend.seen[0].header("upgrade") is None


async def test_headers_that_never_end_are_refused(door: Door, backend: Upstream) -> None:
    async with door.connected() as (reader, writer):
        writer.write(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(100):
            if not writer.transport.is_closing():  # it may have been refused already
                writer.write(b"x" * 4096)
            await asyncio.sleep(0)
        status, headers, _ = await read_answer(reader)
    assert (status, headers["content-type"], headers["connection"]) == (431, "application/problem+json", "close")
    assert not backend.seen


@pytest.mark.parametrize("headers", [b"X: %b\r\n" % (b"x" * 70_000), b"X: y\r\n" * 101])
async def test_headers_that_are_too_large_or_too_many_are_refused(
    door: Door, backend: Upstream, headers: bytes
) -> None:
    told = await door.raw(b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
    assert told.split(b" ")[1] == b"431"
    assert b"headers_too_large" in told
    assert not backend.seen


async def test_large_bodies_do_not_count_as_headers(door: Door, backend: Upstream) -> None:
    body = b"x" * 300_000
    async with door.connected() as (reader, writer):
        for _ in range(3):
            writer.write(POST + b"Content-Length: 300000\r\n\r\n" + body + POST[:20])
            assert (await read_answer(reader))[0] == 200
            writer.write(POST[20:] + b"Content-Length: 0\r\n\r\n")
            assert (await read_answer(reader))[0] == 200
