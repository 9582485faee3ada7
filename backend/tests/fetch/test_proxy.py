"""The browser's way out, spoken to as a browser does: with what it lets through, and what it does not."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_network

import pytest

from extrophi_backend.fetch.proxy import Pass, Proxy
from tests.web_server import Reply, WebServer, serving

SERVED = ip_network("127.0.0.0/8")
NAMES = {"site.example": ["127.0.0.1"], "inside.example": ["10.0.0.7"], "two.example": ["127.0.0.1", "10.0.0.7"]}


async def resolve(host: str) -> Sequence[str]:
    if host in NAMES:
        return NAMES[host]
    if host.replace(".", "").isdigit() or ":" in host:
        return [host]
    raise OSError(host)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        server.pages["/"] = Reply("<p>Here.")
        yield server


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy(allow=[SERVED], resolve=resolve)
    await proxy.start()
    yield proxy
    await proxy.close()


def admit(proxy: Proxy, max_bytes: int = 1_000_000, max_connections: int = 10) -> Pass:
    return proxy.admit(max_bytes=max_bytes, max_connections=max_connections)


def shown(page: Pass) -> str:
    return "Basic " + base64.b64encode(f"{page.name}:{page.password}".encode()).decode()


async def ask(proxy: Proxy, request: str, page: Pass | None = None, *more: str) -> bytes:
    """All that comes back for one request; of a tunnel, for one that is sent through it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    lines = [request, "Connection: close", *more, *([f"Proxy-Authorization: {shown(page)}"] if page else []), "", ""]
    writer.write("\r\n".join(lines).encode())
    found = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            found = await reader.read(12)
            if request.startswith("CONNECT") and found.endswith(b"200"):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
                found = b""
            while chunk := await reader.read(65536):
                found += chunk
    await leave(writer)
    return found


async def leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_page_is_had_in_plain_http_and_through_a_tunnel(proxy: Proxy, server: WebServer) -> None:
    page = admit(proxy)
    plain = await ask(proxy, f"GET http://site.example:{server.port}/ HTTP/1.1", page, "Host: x", "X-Own: 1")
    assert plain.startswith(b"HTTP/1.1 200")
    assert b"<p>Here." in plain
    tunnelled = await ask(proxy, f"CONNECT site.example:{server.port} HTTP/1.1", page, "Host: x")
    assert tunnelled.startswith(b"HTTP/1.1 200")
    assert tunnelled.endswith(b"<p>Here.")
    assert server.requests["/"] == 2


async def test_the_server_is_told_its_own_name_and_no_pass(proxy: Proxy, server: WebServer) -> None:
    url = f"http://site.example:{server.port}/"
    await ask(proxy, f"GET {url} HTTP/1.1", admit(proxy), "Host: other.example", "Proxy-Connection: keep-alive")
    told = {name.lower(): value for name, value in server.headers["/"].items()}
    assert told == {"host": f"site.example:{server.port}", "connection": "close"}


@pytest.mark.parametrize("method", ["GET http://site.example:{port}/", "CONNECT site.example:{port}"])
async def test_nobody_without_a_pass_gets_anywhere(proxy: Proxy, server: WebServer, method: str) -> None:
    request = f"{method.format(port=server.port)} HTTP/1.1"
    stranger = Pass("name", "password", 1000, 10)
    gone = admit(proxy)
    proxy.leave(gone)
    guessed = admit(proxy)
    for page in (None, stranger, gone, Pass(guessed.name, "password", 1000, 10)):
        assert (await ask(proxy, request, page, "Host: x")).startswith(b"HTTP/1.1 407 ")
    assert not server.requests


@pytest.mark.parametrize(
    "host",
    ["10.0.0.7", "169.254.169.254", "192.168.1.1", "[fe80::1]", "[::ffff:10.0.0.7]", "[64:ff9b::a00:7]", "0.0.0.0",
     "inside.example", "two.example", "0xa.0.0.7", "167772167", "012.0.0.7", "10.7", "inside.example."],
)  # fmt: skip
async def test_what_is_private_is_refused_in_every_notation(proxy: Proxy, host: str) -> None:
    page = admit(proxy)
    for request in (f"GET http://{host}/ HTTP/1.1", f"CONNECT {host}:443 HTTP/1.1"):
        assert (await ask(proxy, request, page, "Host: x")).startswith(b"HTTP/1.1 403 ")
    assert len(page.refused) == 1


@pytest.mark.parametrize(
    "request_line",
    ["GET / HTTP/1.1", "GET ftp://site.example/ HTTP/1.1", "GET file:///etc/passwd HTTP/1.1", "CONNECT :443 HTTP/1.1",
     "GET http://user:password@site.example/ HTTP/1.1", "CONNECT site.example:99999 HTTP/1.1"],
)  # fmt: skip
async def test_what_is_no_web_address_is_answered_with_400(proxy: Proxy, request_line: str) -> None:
    assert (await ask(proxy, request_line, admit(proxy), "Host: x")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "method", ["GET http://nowhere.example/", "CONNECT nowhere.example:443", "CONNECT 127.0.0.1:1"]
)
async def test_who_does_not_answer_is_a_502(proxy: Proxy, method: str) -> None:
    assert (await ask(proxy, f"{method} HTTP/1.1", admit(proxy), "Host: x")).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("method", ["GET http://site.example:{port}/", "CONNECT site.example:{port}"])
async def test_a_page_gets_no_more_bytes_than_it_may(proxy: Proxy, server: WebServer, method: str) -> None:
    server.pages["/"] = Reply(b"x" * 3_000_000)
    page = admit(proxy, max_bytes=1_000_000)
    found = await ask(proxy, f"{method.format(port=server.port)} HTTP/1.1", page, "Host: x")
    assert len(found) <= 1_100_000
    assert page.spent == "bytes"


async def test_a_page_gets_no_more_connections_than_it_may(proxy: Proxy, server: WebServer) -> None:
    page = admit(proxy, max_connections=2)
    request = f"GET http://site.example:{server.port}/ HTTP/1.1"
    answers = [await ask(proxy, request, page, "Host: x") for _ in range(4)]
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200", b"HTTP/1.1 200", b"", b""]
    assert page.spent == "connections"


async def test_a_page_that_has_ended_has_no_connections(proxy: Proxy, server: WebServer) -> None:
    page = admit(proxy)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(
        f"CONNECT site.example:{server.port} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {shown(page)}\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    proxy.leave(page)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    await leave(writer)


async def test_a_name_is_resolved_once_for_a_page(server: WebServer) -> None:
    asked: list[str] = []

    async def changing(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.7"]

    proxy = Proxy(allow=[SERVED], resolve=changing)
    await proxy.start()
    page = admit(proxy)
    request = f"GET http://site.example:{server.port}/ HTTP/1.1"
    for _ in range(2):
        assert (await ask(proxy, request, page, "Host: x")).startswith(b"HTTP/1.1 200")
    assert asked == ["site.example"]
    assert (await ask(proxy, request, admit(proxy), "Host: x")).startswith(b"HTTP/1.1 403 ")
    await proxy.close()


async def test_a_broken_answer_is_a_502(proxy: Proxy, server: WebServer) -> None:
    def raw_nonsense(connection: object) -> None:
        connection.sendall(b"no http at all\r\n\r\n")  # pyright: ignore[reportAttributeAccessIssue]

    server.pages["/"] = raw_nonsense
    found = await ask(proxy, f"GET http://site.example:{server.port}/ HTTP/1.1", admit(proxy), "Host: x")
    assert found.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01", b"GET", b"A" * 100_000, b"GET http://a/ HTTP/1.1\r\nHost" + b"a" * 99_999]
)
async def test_nonsense_ends_its_connection_alone(proxy: Proxy, server: WebServer, nonsense: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(nonsense)
    writer.write_eof()
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            await reader.read()
    await leave(writer)
    found = await ask(proxy, f"GET http://site.example:{server.port}/ HTTP/1.1", admit(proxy), "Host: x")
    assert found.startswith(b"HTTP/1.1 200")
