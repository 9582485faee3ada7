"""The browser's only way out: a proxy on loopback whose connections are all made by the guard.

A page's names are resolved here, once, and connected to as checked (guard.py): the browser itself resolves nothing.
Each page has a pass of its own, without which the proxy answers nobody, and which bounds what the page may take. What
is refused is answered with 403: the page lacks that part, and goes on.
"""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial

import h11
import httpcore
import httpx

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import host_of, parse
from extrophi_backend.fetch.errors import FetchFailed

_CHUNK = 64 * 1024
_HEAD_BYTES = 64 * 1024
_CONNECT_SECONDS = 10.0
_HEAD_SECONDS = 60.0
"""For a request to come whole. The browser keeps connections for later ones; a page's end ends them all."""
_UNKNOWN_SECONDS = 5.0
"""The same, for who has shown no pass."""
_MOST_UNKNOWN = 200
_RESOLVING = 8
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
    b"upgrade",
})  # fmt: skip
"""RFC 9110, 7.6.1. `Transfer-Encoding` stays: h11 frames by it on either side."""
_REASONS = {400: b"Bad Request", 403: b"Forbidden", 407: b"Proxy Authentication Required", 502: b"Bad Gateway"}


class _Spent(Exception):
    """The page has had what it may take."""


@dataclass(eq=False, slots=True)
class Pass:
    """One page's leave to go out. Not to be used after `revoke`."""

    name: str
    password: str
    bytes_left: int
    connections_left: int
    refused: set[str] = field(default_factory=set[str])
    """Hosts that the guard refused."""
    spent: str | None = None
    """What the page wanted more of than it may have."""
    running: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    names: dict[str, "asyncio.Task[Sequence[str]]"] = field(default_factory=dict[str, "asyncio.Task[Sequence[str]]"])
    """What its names resolve to: each is asked for once, whatever the page does."""

    def revoke(self) -> None:
        """End all its connections."""
        for task in (*self.running, *self.names.values()):
            task.cancel()

    def take_connection(self) -> None:
        if self.connections_left <= 0:
            self._end("connections")
        self.connections_left -= 1

    def take(self, count: int) -> None:
        self.bytes_left -= count
        if self.bytes_left < 0:
            self._end("bytes")

    def _end(self, what: str) -> None:
        self.spent = self.spent or what
        raise _Spent


class Proxy:
    """One per browser.

    Args:
        allow: Private networks that may be reached all the same.
        resolve: Gives a name's addresses; by default the system, asked in threads of the proxy's own: a page that asks
            for hundreds of dead names must not keep the worker from its other work.
    """

    def __init__(self, *, allow: Sequence[guard.Network] = (), resolve: guard.Resolve | None = None) -> None:
        self._allow = allow
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="proxy-names")
        self._resolve = resolve or partial(guard.resolve, threads=self._threads)
        self._passes: dict[str, Pass] = {}
        self._server: asyncio.Server | None = None
        self._unknown: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def admit(self, *, max_bytes: int, max_connections: int) -> Pass:
        """A pass for one page. `leave` takes it back."""
        made = Pass(secrets.token_hex(8), secrets.token_hex(16), max_bytes, max_connections)
        self._passes[made.name] = made
        return made

    def leave(self, page: Pass) -> None:
        self._passes.pop(page.name, None)
        page.revoke()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = {*self._unknown, *(task for page in self._passes.values() for task in page.running)}
        for page in self._passes.values():
            page.revoke()
        for task in self._unknown:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._passes.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._unknown) >= _MOST_UNKNOWN:
            writer.close()
            return
        self._unknown.add(task)
        client = _Client(reader, writer)
        try:
            await self._serve(client, task)
        except (OSError, h11.ProtocolError, TimeoutError, asyncio.IncompleteReadError, _Spent, asyncio.CancelledError):
            # Cancelled: its page has ended. Nobody else waits for this task, so that it may end quietly.
            pass
        except (httpcore.NetworkError, httpcore.TimeoutException):
            pass
        finally:
            self._unknown.discard(task)
            if client.page is not None:
                client.page.running.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, client: "_Client", task: "asyncio.Task[None]") -> None:
        while True:
            request = await client.request()
            if request is None:
                return
            page = self._page(request)
            if page is None or client.page not in {None, page}:
                await client.refuse(407, [(b"Proxy-Authenticate", b'Basic realm="Extrophi"')])
            else:
                if client.page is None:
                    client.page = page
                    page.running.add(task)
                    self._unknown.discard(task)
                if request.method == b"CONNECT":
                    await self._tunnel(client, page, request)
                    return
                await self._pass_on(client, page, request)
            if not client.next():
                return

    def _page(self, request: h11.Request) -> Pass | None:
        given = next((value for name, value in request.headers if name == b"proxy-authorization"), b"")
        kind, _, encoded = given.partition(b" ")
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
        except (binascii.Error, ValueError):
            return None
        page = self._passes.get(name)
        if kind.lower() != b"basic" or page is None or not secrets.compare_digest(password, page.password):
            return None
        return page

    async def _connect(self, client: "_Client", page: Pass, address: str) -> "tuple[httpx.URL, _Upstream] | None":
        """A connection to where `address` leads. None if there is none: then that has been answered."""
        try:
            url = _parsed(address)
        except FetchFailed:
            await client.refuse(400)
            return None
        page.take_connection()
        host, port = host_of(url), url.port or (443 if url.scheme == "https" else 80)
        try:
            backend = guard.GuardedBackend(self._allow, partial(self._addresses, page))
            stream = await backend.connect_tcp(host, port, _CONNECT_SECONDS)
        except FetchFailed as failure:
            if failure.code == "forbidden_address":
                page.refused.add(host.lower())
                await client.refuse(403)
            else:
                await client.refuse(502)
            return None
        return url, _Upstream(stream, page)

    async def _addresses(self, page: Pass, host: str) -> Sequence[str]:
        if host not in page.names:
            asking = page.names[host] = asyncio.ensure_future(self._resolve(host))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # also if all stopped waiting
        return await asyncio.shield(page.names[host])

    async def _tunnel(self, client: "_Client", page: Pass, request: h11.Request) -> None:
        # As of https, whose port need not be named; whatever travels in the tunnel.
        made = await self._connect(client, page, f"https://{request.target.decode('ascii', 'replace')}")
        if made is None:
            return
        upstream = made[1]
        try:
            early = await client.switch()
            if early:
                await upstream.write(early)
            await _first_of(client.pump(upstream.write), upstream.pump(client.write))
        finally:
            await upstream.close()

    async def _pass_on(self, client: "_Client", page: Pass, request: h11.Request) -> None:
        """One request in plain HTTP, over a connection of its own."""
        address = request.target.decode("ascii", "replace")
        if not address.lower().startswith("http://"):
            await client.refuse(400)
            return
        made = await self._connect(client, page, address)
        if made is None:
            return
        url, upstream = made
        try:
            host = (b"Host", url.netloc)
            kept = [one for one in _end_to_end(request.headers.raw_items()) if one[0].lower() != b"host"]
            target = url.raw_path or b"/"
            await upstream.send(
                h11.Request(method=request.method, target=target, headers=[host, *kept, (b"Connection", b"close")])
            )
            while isinstance(part := await client.event(_HEAD_SECONDS), h11.Data):
                page.take(len(part.data))
                await upstream.send(h11.Data(data=bytes(part.data)))
            await upstream.send(h11.EndOfMessage())
            try:
                head = await upstream.head()
            except (h11.ProtocolError, OSError, httpcore.NetworkError):
                await client.refuse(502)
                return
            answer = h11.Response(
                status_code=head.status_code, headers=_end_to_end(head.headers.raw_items()), reason=bytes(head.reason)
            )
            await client.send(answer, *upstream.arrived())
            while not upstream.has_ended:
                await upstream.receive()
                await client.send(*upstream.arrived())
        finally:
            await upstream.close()


class _Client:
    """The browser's side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.page: Pass | None = None
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)

    async def request(self) -> h11.Request | None:
        """The next one; None if there will be none."""
        event = await self.event(_UNKNOWN_SECONDS if self.page is None else _HEAD_SECONDS)
        return event if isinstance(event, h11.Request) else None

    async def event(self, seconds: float) -> object:
        async with asyncio.timeout(seconds):
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_CHUNK))
            return event

    async def send(self, *events: "h11.Response | h11.Data | h11.EndOfMessage") -> None:
        """All of them in one piece: each write wakes the browser."""
        data = b"".join(self._http.send(event) or b"" for event in events)
        if data:
            await self.write(data)

    async def refuse(self, status: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Answer without a body. The connection is of use only if the request has been read."""
        while self._http.their_state is h11.SEND_BODY:
            if not isinstance(await self.event(_UNKNOWN_SECONDS), h11.Data):
                break
        length = [] if 200 <= status < 300 else [(b"Content-Length", b"0")]
        head = h11.Response(status_code=status, reason=_REASONS[status], headers=[*length, *headers])
        await self.send(head, h11.EndOfMessage())

    def next(self) -> bool:
        """Ready for another request; False if this connection is done with."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def switch(self) -> bytes:
        """Say that the tunnel is there. Gives what came for it already."""
        while not isinstance(event := await self.event(_UNKNOWN_SECONDS), h11.EndOfMessage | h11.ConnectionClosed):
            if not isinstance(event, h11.Data):
                break
        await self.send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
        return self._http.trailing_data[0]

    async def pump(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while chunk := await self._reader.read(_CHUNK):
            await write(chunk)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


class _Upstream:
    """A server's side. All that passes counts."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, page: Pass) -> None:
        self.has_ended = False
        """Its answer."""
        self._stream = stream
        self._page = page
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)

    async def write(self, data: bytes) -> None:
        self._page.take(len(data))
        await self._stream.write(data)

    async def read(self) -> bytes:
        chunk = await self._stream.read(_CHUNK)
        self._page.take(len(chunk))
        return chunk

    async def pump(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        while chunk := await self.read():
            await write(chunk)

    async def send(self, event: "h11.Request | h11.Data | h11.EndOfMessage") -> None:
        data = self._http.send(event) or b""
        if data:
            await self._stream.write(data)

    async def receive(self) -> None:
        self._http.receive_data(await self.read())

    def arrived(self) -> "list[h11.Data | h11.EndOfMessage]":
        """What has come of the body since the last time."""
        parts: list[h11.Data | h11.EndOfMessage] = []
        while not self.has_ended and (event := self._http.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                parts.append(h11.Data(data=bytes(event.data)))
            else:
                self.has_ended = True
                parts.append(h11.EndOfMessage())
        return parts

    async def head(self) -> h11.Response:
        """Of the answer, past what only says that it will come."""
        while True:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                await self.receive()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("no answer")

    async def close(self) -> None:
        with suppress(OSError, httpcore.NetworkError):
            await self._stream.aclose()


@lru_cache(512)
def _parsed(address: str) -> httpx.URL:
    """The same hosts are gone to again and again."""
    return parse(address)


def _end_to_end(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers without those that are for the next hop alone."""
    named = {
        part.strip().lower() for name, value in headers if name.lower() == b"connection" for part in value.split(b",")
    }
    return [
        (bytes(name), bytes(value))
        for name, value in headers
        if name.lower() not in _HOP_BY_HOP and (name.lower() not in named or name.lower() == b"host")
    ]


async def _first_of(*ways: Awaitable[None]) -> None:
    """Both ways of a tunnel, until one of them ends. Raises what that one raised."""
    tasks = {asyncio.ensure_future(way) for way in ways}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
