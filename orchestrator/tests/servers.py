"""The orchestrator as people reach it, and components that behave as real ones may: well, slowly, badly, not at all."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from extrophi_orchestrator.server import Server, make_server
from extrophi_orchestrator.settings import Settings


@dataclass
class Exchange:
    """One request as it came over the wire, and the way to answer it."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    keep: bool = True
    """Whether the connection is kept for another request."""
    _read: bool = False

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, found
        return found[0] if found else None

    async def part(self) -> bytes:
        """The next chunk of a body that comes in chunks; empty at its end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        data = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        self._read = size == 0
        return data

    async def body(self) -> bytes:
        if self.header("transfer-encoding") == "chunked":
            return b"".join([part async for part in self.parts()])
        self._read = True
        return await self.reader.readexactly(int(self.header("content-length") or 0))

    async def parts(self) -> AsyncGenerator[bytes]:
        while part := await self.part():
            yield part

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", headers: bytes = b"") -> None:
        await self.send(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n" % (status.encode(), len(body), headers) + body)

    async def gone(self) -> None:
        """Until whoever asked has left."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    @property
    def finished(self) -> bool:
        return self.keep and (self._read or self.header("content-length") in {None, "0"})


Handler = Callable[[Exchange], Awaitable[None]]


async def well(exchange: Exchange) -> None:
    await exchange.body()
    await exchange.answer()


@dataclass
class Upstream:
    """A component at `port`, which answers by `handler`."""

    handler: Handler = well
    port: int = 0
    seen: list[Exchange] = field(default_factory=list[Exchange])
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def upstream(handler: Handler = well) -> AsyncGenerator[Upstream]:
    component = Upstream(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known = False
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                exchange = Exchange(head, reader, writer)
                if exchange.target.endswith(
                    "/investigations/claims"
                ):  # the orchestrator looks for work of its own accord
                    await exchange.send(b"HTTP/1.1 204 No Content\r\n\r\n")
                    continue
                component.connections += not known
                known = True
                component.seen.append(exchange)
                await component.handler(exchange)
                if not exchange.finished:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    component.port = server.sockets[0].getsockname()[1]
    try:
        yield component
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(set(tasks))


@dataclass
class Door:
    """A running orchestrator."""

    port: int
    server: Server
    serving: "asyncio.Task[None]"

    async def stop(self) -> None:
        """As a signal would."""
        self.server.should_exit = True
        await self.serving

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def raw(self, request: bytes) -> bytes:
        """Everything that comes back until it hangs up. A request says `Connection: close`, or is refused."""
        async with self.connected() as (reader, writer):
            writer.write(request)
            async with asyncio.timeout(20):
                return await reader.read()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One whole answer with a length or chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    status = int(head[0].split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return status, headers, body
    return status, headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def front_door(backend: str, research: str, **settings: str) -> AsyncGenerator[Door]:
    """An orchestrator on a free port of loopback. `EXTROPHI_HOST` says where it believes to be bound."""
    made = Settings.model_validate(
        {"BACKEND_URL": backend, "RESEARCH_URL": research, "EXTROPHI_HOST": "127.0.0.1"} | settings
    )
    server = make_server(made)
    server.config.host, server.config.port, server.config.timeout_graceful_shutdown = "127.0.0.1", 0, 1
    serving = asyncio.create_task(server._serve())
    while not server.started:
        assert not serving.done(), serving.result()
        await asyncio.sleep(0.005)
    try:
        yield Door(server.servers[0].sockets[0].getsockname()[1], server, serving)
    finally:
        server.should_exit = True
        await serving
