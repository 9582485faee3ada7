"""A real backend over a real PostgreSQL, the jobs of which a test moves by hand; research is a local server."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from extrophi_cli.embedded.postgres import Postgres
from extrophi_orchestrator.investigations import service
from orchestrator.tests.servers import Door, Exchange, Upstream, front_door
from tests.contracts.services import Service, running
from tests.servers import dsn_of
from tests.system.running import free_port

ANSWER = {"answer": "At dawn. [1]", "citations": [{"n": 1}], "abstained": False, "model": "extractive"}


@dataclass
class Kept:
    """backend, which can be killed and started anew where it was."""

    dsn: str
    root: Path
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)
    _service: Service | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = {"DATABASE_URL": self.dsn, "EXTROPHI_FILES_ROOTS": str(self.root)}
        self._service = self._running.enter_context(running("backend", self.port, **settings))

    def kill(self) -> None:
        assert self._service is not None
        self._service.process.send_signal(signal.SIGKILL)
        self._service.process.wait()

    def close(self) -> None:
        self._running.close()

    async def execute(self, statement: str, *arguments: Any) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    async def jobs_end(self, status: str = "succeeded") -> None:
        """All jobs there are, as if a worker had done them."""
        await self.execute(
            "UPDATE jobs SET status = $1, finished_at = now(), revision = revision + 1 WHERE finished_at IS NULL",
            status,
        )


@pytest.fixture(scope="module")
def kept(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    name = f"kept_{free_port()}"

    async def admin(statement: str) -> None:
        connection = await asyncpg.connect(dsn_of(postgres, "postgres"))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(admin(f"CREATE DATABASE {name} TEMPLATE {template}"))
    backend = Kept(dsn_of(postgres, name), tmp_path_factory.mktemp("notes"))
    backend.start()
    yield backend
    backend.close()
    asyncio.run(admin(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def note(kept: Kept) -> str:
    path = kept.root / "heron.md"
    path.write_text("Herons hunt at dawn.")
    return str(path)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_LOOK_SECONDS", 0.2)


@dataclass
class Asking:
    """Somebody who asks at a door."""

    client: httpx.AsyncClient

    async def make(self, *targets: str, question: str = "When do herons hunt?", **more: Any) -> str:
        body = {"question": question, "targets": targets} | more
        told = await self.client.post("/api/investigations", json=body)
        assert told.status_code == 202, told.text
        assert told.headers["location"] == f"/api/investigations/{told.json()['id']}"
        return told.json()["id"]

    async def read(self, made: str) -> Any:
        return (await self.client.get(f"/api/investigations/{made}")).raise_for_status().json()

    async def ended(self, made: str) -> Any:
        async with asyncio.timeout(30):
            while (found := await self.read(made))["finished_at"] is None:
                await asyncio.sleep(0.05)
        return found

    @asynccontextmanager
    async def events(self, made: str, last: str | None = None) -> AsyncGenerator[AsyncIterator["Heard"]]:
        headers = {} if last is None else {"Last-Event-ID": last}
        async with self.client.stream("GET", f"/api/investigations/{made}/events", headers=headers) as response:
            yield read_events(response)

    async def heard(self, made: str, last: str | None = None) -> list["Heard"]:
        """All events up to the end."""
        async with asyncio.timeout(30), self.events(made, last) as events:
            return [one async for one in events]


@dataclass(frozen=True)
class Heard:
    id: str
    name: str
    data: Any


async def read_events(response: httpx.Response) -> AsyncIterator[Heard]:
    begun = b""
    async for part in response.aiter_bytes():
        *blocks, begun = (begun + part).split(b"\n\n")
        for block in blocks:
            if not block.startswith(b":"):
                number, name, data = block.decode().split("\n")
                yield Heard(number.removeprefix("id: "), name.removeprefix("event: "), json.loads(data[6:]))


@asynccontextmanager
async def asking(kept: Kept, research: Upstream) -> AsyncGenerator[tuple[Asking, Door]]:
    async with (
        front_door(kept.url, research.url) as door,
        httpx.AsyncClient(base_url=door.url, timeout=20, trust_env=False) as client,
    ):
        yield Asking(client), door


@pytest.fixture
async def asker(kept: Kept, research: Upstream) -> AsyncIterator[Asking]:
    research.handler = answer
    async with asking(kept, research) as (one, _):
        yield one


def sse(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def stream(exchange: Exchange, *events: bytes, end: bool = True) -> None:
    await exchange.body()
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for one in events:
        await exchange.send(b"%x\r\n%b\r\n" % (len(one), one))
    if end:
        await exchange.send(b"0\r\n\r\n")
    else:
        exchange.keep = False


async def answer(exchange: Exchange) -> None:
    """What research answers: an extractive answer of two words."""
    await stream(
        exchange,
        sse("citations", ANSWER["citations"]),
        sse("delta", {"text": "At "}),
        sse("delta", {"text": "dawn. [1]"}),
        sse("done", ANSWER),
    )
