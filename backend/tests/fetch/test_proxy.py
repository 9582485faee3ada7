"""The browser's way out, spoken to as a browser does: with what it lets through, and what it does not."""

import asyncio
import base64
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_network
from typing import Self, cast

import pytest

from extrophi_backend.fetch.passes import Pass
from extrophi_backend.fetch.proxy import Proxy
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


class Raw:
    """A server that says just what it is told to, and keeps what it was told."""

    def __init__(self, *says: bytes, at_once: bool = False) -> None:
        self.told = b""
        self._says = says
        self._at_once = at_once
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if not self._at_once:
                self.told = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *(\d+)", self.told)
                self.told += await reader.readexactly(int(length[1]) if length else 0)
            for part in self._says:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.01)
        await leave(writer)

    def request(self, method: str = "GET") -> str:
        return f"{method} http://site.example:{self.port}/ HTTP/1.1"


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "says",
    [
        (ANSWER,),
        tuple(bytes([byte]) for byte in ANSWER),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ANSWER,),
        (b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER),
        (ANSWER.replace(b"\r\n", b"\n"),),
    ],
    ids=["whole", "byte by byte", "after hints", "after a continue", "with bare line ends"],
)
async def test_an_answer_comes_whole_without_what_is_for_the_next_hop(proxy: Proxy, says: tuple[bytes, ...]) -> None:
    async with Raw(*says) as server:
        found = await ask(proxy, server.request(), admit(proxy), "Host: x")
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [b"HTTP/1.1 200 OK", b"Content-Length: 2", b"X-End: 2", b"Connection: close"]
    assert body == b"ok"


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 200 OK\r\nX: 1", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, b"<p>Of old", b"HTTP/1.1 2\r\n\r\n"],
)
async def test_what_is_no_whole_answer_is_a_502(proxy: Proxy, says: bytes) -> None:
    async with Raw(says) as server:
        assert (await ask(proxy, server.request(), admit(proxy), "Host: x")).startswith(b"HTTP/1.1 502 ")


async def test_an_answer_that_breaks_off_ends_the_connection(proxy: Proxy) -> None:
    async with Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as server:
        assert (await ask(proxy, server.request(), admit(proxy), "Host: x")).endswith(b"\r\n\r\nhalf")


async def test_a_body_goes_with_its_request(proxy: Proxy) -> None:
    body = "x" * 200_000
    async with Raw(ANSWER) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        head = (server.request("POST"), f"Proxy-Authorization: {shown(admit(proxy))}", f"Content-Length: {len(body)}")
        writer.write("\r\n".join((*head, "", body)).encode())
        assert (await reader.read()).endswith(b"\r\n\r\nok")
        await leave(writer)
    assert server.told.endswith(b"\r\n\r\n" + body.encode())
    assert b"Proxy" not in server.told


async def test_a_server_that_speaks_first_is_heard_after_the_tunnel_is_there(proxy: Proxy) -> None:
    async with Raw(b"220 Welcome\r\n", at_once=True) as server:
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            target = f"site.example:{server.port}"
            pass_on = f"Proxy-Authorization: {shown(admit(proxy))}"
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{pass_on}\r\n\r\n".encode())
            assert await reader.read() == b"HTTP/1.1 200 Connection established\r\n\r\n220 Welcome\r\n"
            await leave(writer)


async def test_a_connection_goes_on_after_what_was_refused(proxy: Proxy, server: WebServer) -> None:
    page = admit(proxy)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    given = f"Proxy-Authorization: {shown(page)}\r\n"
    dead = "http://nowhere.example/"
    for method, url, headers, status in (
        ("GET", dead, "", 407), ("GET", dead, given, 502), ("GET", dead, given, 502), ("CONNECT", "x:1", given, 502),
        ("CONNECT", "inside.example:1", given, 403), ("GET", f"http://site.example:{server.port}/", given, 200),
    ):  # fmt: skip
        writer.write(f"{method} {url} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 %d " % status)
    await leave(writer)


async def test_a_second_request_does_not_follow_the_first_to_its_server(proxy: Proxy, server: WebServer) -> None:
    page = admit(proxy)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    one = f"GET http://site.example:{server.port}/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {shown(page)}\r\n\r\n"
    writer.write(one.encode() + one.replace("site.example", "inside.example").encode())
    with suppress(ConnectionError):
        async with asyncio.timeout(5):
            assert b"HTTP/1.1 200" not in (await reader.read()).replace(b"HTTP/1.1 200", b"", 1)
    await leave(writer)
    assert server.requests["/"] <= 1


async def test_who_reads_slowly_is_waited_for(proxy: Proxy) -> None:
    size = 50_000_000
    async with Raw(b"HTTP/1.1 200 OK\r\n\r\n", *(b"x" * 1_000_000,) * 50) as server:
        page = admit(proxy, max_bytes=2 * size)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(f"{server.request()}\r\nProxy-Authorization: {shown(page)}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.5)
        assert 2 * size - page.bytes_left < size / 2  # the rest waits at the server
        found = 0
        while chunk := await reader.read(1_000_000):
            found += len(chunk)
        await leave(writer)
    assert found == size


@pytest.mark.parametrize("host", ["127.0.0.1:1", "inside.example"])
async def test_what_is_left_of_a_refused_body_is_no_request(proxy: Proxy, server: WebServer, host: str) -> None:
    given = f"Proxy-Authorization: {shown(admit(proxy))}\r\n"
    inner = f"GET http://site.example:{server.port}/ HTTP/1.1\r\nHost: x\r\n{given}\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(f"POST http://{host}/ HTTP/1.1\r\nHost: x\r\n{given}Content-Length: {len(inner)}\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n"))[9:12] in {b"403", b"502"}
    writer.write(inner)
    with suppress(ConnectionError):
        async with asyncio.timeout(5):
            assert await reader.read() == b""
    await leave(writer)
    assert not server.requests


async def test_a_server_that_reads_nothing_is_not_written_to_without_end(proxy: Proxy) -> None:
    held: list[asyncio.StreamWriter] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cast("asyncio.Transport", writer.transport).pause_reading()
        held.append(writer)

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    deaf_server = await asyncio.start_server(deaf, sock=listening)
    page = admit(proxy, max_bytes=100_000_000)
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    target = f"http://site.example:{listening.getsockname()[1]}/"
    head = f"POST {target} HTTP/1.1\r\nProxy-Authorization: {shown(page)}\r\nContent-Length: 60000000\r\n\r\n"
    writer.write(head.encode() + b"x" * 250_000)
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            for _ in range(50):
                writer.write(b"x" * 1_000_000)
                await writer.drain()
    assert 100_000_000 - page.bytes_left < 20_000_000  # the rest waits at the browser, or in sockets
    proxy.leave(page)
    cast("asyncio.Transport", writer.transport).abort()
    for one in held:
        cast("asyncio.Transport", one.transport).abort()
    deaf_server.close()


async def test_who_asks_and_does_not_read_is_left(proxy: Proxy) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    cast("asyncio.Transport", writer.transport).pause_reading()

    async def ask_on() -> None:
        while True:
            writer.write(b"GET http://site.example/ HTTP/1.1\r\n\r\n" * 1000)
            await writer.drain()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask_on(), 4)  # sooner than who shows no pass is left in any case
    cast("asyncio.Transport", writer.transport).abort()


async def test_a_name_that_came_too_late_is_of_use_for_the_next_request(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extrophi_backend.fetch.proxy._CONNECT_SECONDS", 0.2)

    async def slow(host: str) -> Sequence[str]:
        await asyncio.sleep(0.4)
        return NAMES[host]

    proxy = Proxy(allow=[SERVED], resolve=slow)
    await proxy.start()
    page = admit(proxy)
    request = f"GET http://site.example:{server.port}/ HTTP/1.1"
    assert (await ask(proxy, request, page, "Host: x")).startswith(b"HTTP/1.1 502 ")
    await asyncio.sleep(0.4)
    assert (await ask(proxy, request, page, "Host: x")).startswith(b"HTTP/1.1 200 ")
    await proxy.close()
