"""The browser's only way out: a proxy on loopback whose connections go where the guard lets them.

A page's names are resolved here, once, and connected to as checked (guard.py): the browser itself resolves nothing.
Each page has a pass of its own, without which the proxy answers nobody, and which bounds what the page may take. What
is refused is answered with 403 or 502: the page lacks that part, and goes on.

A tunnel is passed on as it comes; of plain HTTP the two heads are rewritten, each request has a connection of its own,
and where the answer ends is for the browser to tell, as if there were no proxy.
"""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial

import httptools
import httpx
from typing_extensions import override

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import host_of, parse
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.heads import HEAD_BYTES, Headers, refusal, request_head
from extrophi_backend.fetch.passes import Pass
from extrophi_backend.fetch.sides import Server, Side

_CONNECT_SECONDS = 10.0
_HEAD_SECONDS = 60.0
"""For a request to come whole. The browser keeps connections for later ones; a page's end ends them all."""
_UNKNOWN_SECONDS = 5.0
"""The same, for who has shown no pass."""
_MOST_UNKNOWN = 200
_RESOLVING = 8


class Proxy:
    """One per browser.

    Args:
        allow: Private networks that may be reached all the same.
        resolve: Gives a name's addresses; by default the system, asked in threads of the proxy's own: a page that asks
            for hundreds of dead names must not keep the worker from its other work.
    """

    def __init__(self, *, allow: Sequence[guard.Network] = (), resolve: guard.Resolve | None = None) -> None:
        self.unknown: set[_Asker] = set()
        """Who has shown no pass yet."""
        self.going: set[asyncio.Task[None]] = set()
        """On their way to a server."""
        self._allow = allow
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="proxy-names")
        self._resolve = resolve or partial(guard.resolve, threads=self._threads)
        self._passes: dict[str, Pass] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Asker(self), "127.0.0.1", 0)

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
        for page in tuple(self._passes.values()):
            self.leave(page)
        for asker in tuple(self.unknown):
            asker.end()
        await asyncio.gather(*self.going, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def pass_of(self, headers: Headers) -> Pass | None:
        """Whose request it is."""
        given = next((value for name, value in headers if name.lower() == b"proxy-authorization"), b"")
        kind, _, encoded = given.partition(b" ")
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
        except (binascii.Error, ValueError):
            return None
        page = self._passes.get(name)
        if kind.lower() != b"basic" or page is None or not secrets.compare_digest(password, page.password):
            return None
        return page

    async def connect(self, page: Pass, url: httpx.URL, *, has_head: bool) -> "Server":
        """A connection to where `url` leads.

        Raises:
            FetchFailed: forbidden_address, name_not_resolved, connection_failed.
        """
        host, port = host_of(url), url.port or (443 if url.scheme == "https" else 80)
        resolve = partial(self._addresses, page)
        addresses = await guard.reachable(host, resolve, self._allow, _CONNECT_SECONDS)
        for address in addresses[: guard.ATTEMPTS]:
            server = Server(page, has_head=has_head)
            with suppress(OSError):  # TimeoutError is one
                await self._attempt(server, str(address), port)
                return server
        raise FetchFailed("connection_failed", f"{host[:200]} does not take connections on port {port}.")

    async def _attempt(self, server: "Server", address: str, port: int) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: server, address, port)
        except BaseException:
            server.end()
            raise

    async def _addresses(self, page: Pass, host: str) -> Sequence[str]:
        if host not in page.names:
            asking = page.names[host] = asyncio.ensure_future(self._resolve(host))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # also if all stopped waiting
        return await asyncio.shield(page.names[host])


class _Asker(Side):
    """The browser's side. What httptools makes of it is told by its methods `on_…`."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy
        self._page: Pass | None = None
        self._going: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_tunnel = False
        self._early = bytearray()
        """Of a request's body, or for a tunnel, while there is no connection yet."""
        self._expect()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._proxy.unknown) >= _MOST_UNKNOWN:
            super().end()
            return
        self._proxy.unknown.add(self)
        self._wait(_UNKNOWN_SECONDS)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    @override
    def pause_writing(self) -> None:
        if self.other is None:
            self.end()  # it asks, and does not read what is answered
        super().pause_writing()

    @override
    def end(self) -> None:
        """With all that hangs on it."""
        self._proxy.unknown.discard(self)
        if self._page is not None:
            self._page.open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._going is not None:
            self._going.cancel()
        super().end()
        if self.other is not None:
            self.other.end()

    @override
    def data_received(self, data: bytes) -> None:
        if self._has_tunnel:
            self._pass_on(data)
            return
        if not self._is_read:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # also the end of a CONNECT
            rest = data[upgrade.args[0] :]
            if self._going is not None or self.other is not None:
                self._pass_on(rest)
            else:
                self._expect()
        except httptools.HttpParserError:
            self._nonsense()
        if not self._is_read and self._head_bytes > HEAD_BYTES:
            self._nonsense()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        # What the parser says of a request, it says until its end alone.
        self._is_read = True
        self._method = self._parser.get_method()
        self._is_last = not self._parser.should_keep_alive()
        if self._going is not None or self.other is not None:  # one request at a time, and one for each connection
            self.end()
            return
        page = self._proxy.pass_of(self._headers)
        if page is None or self._page not in {None, page}:
            self._refuse(407)
            return
        if self._page is None:
            self._page = page
            self._proxy.unknown.discard(self)
            page.open.add(self)
        self._wait(_HEAD_SECONDS)
        self._admitted(page)

    def on_body(self, body: bytes) -> None:
        self._pass_on(body)

    def on_message_complete(self) -> None:
        self._is_whole = True
        if self._going is None and self.other is None:
            self._forget()

    def _expect(self) -> None:
        """Another request, whatever became of the last one."""
        self._parser = httptools.HttpRequestParser(self)
        self._forget()

    def _forget(self) -> None:
        self._target = b""
        self._headers: Headers = []
        self._head_bytes = 0
        self._is_read = False
        self._is_whole = False
        self._is_last = False
        self._method = b""

    def _admitted(self, page: Pass) -> None:
        is_tunnel = self._method == b"CONNECT"
        address = self._target.decode("ascii", "replace")
        if not is_tunnel and not address.lower().startswith("http://"):
            self._refuse(400)
            return
        if any(name.lower() == b"transfer-encoding" for name, _ in self._headers):
            self._refuse(411)
            return
        try:
            # As of https, whose port need not be named; whatever travels in the tunnel.
            url = _parsed(f"https://{address}" if is_tunnel else address)
        except FetchFailed:
            self._refuse(400)
            return
        if not page.take_connection():
            self.end()
        elif (status := page.nowhere.get(host_of(url))) is not None:
            self._refuse(status)
        else:
            self.hold()
            self._going = asyncio.get_running_loop().create_task(self._go(page, url, is_tunnel=is_tunnel))
            self._proxy.going.add(self._going)
            self._going.add_done_callback(self._proxy.going.discard)

    async def _go(self, page: Pass, url: httpx.URL, *, is_tunnel: bool) -> None:
        try:
            server = await self._proxy.connect(page, url, has_head=not is_tunnel)
        except FetchFailed as failure:
            status = 403 if failure.code == "forbidden_address" else 502
            host = host_of(url)
            if status == 403:
                page.refused.add(host.lower())
            if status == 403 or (failure.code == "name_not_resolved" and page.has_looked_up(host)):
                page.nowhere[host] = status
            self._going = None
            self._early.clear()
            # What is left of a body was written by the page, and must not be read as a request.
            self._refuse(status, is_last=not (is_tunnel or self._is_whole))
            self._expect()
            self.go_on()
            return
        self._going = None
        self.other, server.other = server, self
        self.go_on()  # now: what is written below may hold it again
        if self._timer is not None:
            self._timer.cancel()
        if is_tunnel:
            self._has_tunnel = True
            self.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.write(request_head(self._method, url, self._headers))
        server.begin()
        early, self._early = bytes(self._early), bytearray()
        self._pass_on(early)

    def _pass_on(self, data: bytes) -> None:
        """To the server, or for when it is there. What has been refused has nowhere to go."""
        if self.other is not None:
            if self._page is not None and not self._page.take(len(data)):
                self.end()
            elif data:
                self.other.write(data)
        elif self._going is not None:
            self._early += data

    def _nonsense(self) -> None:
        if self._going is None and self.other is None:
            self._refuse(400, is_last=True)
        else:
            self.end()

    def _refuse(self, status: int, *, is_last: bool = False) -> None:
        """Answer without a body."""
        is_last = is_last or self._is_last
        self.write(refusal(status, is_last=is_last))
        if is_last:
            self.close()

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end)


@lru_cache(512)
def _parsed(address: str) -> httpx.URL:
    """The same hosts are gone to again and again."""
    return parse(address)
