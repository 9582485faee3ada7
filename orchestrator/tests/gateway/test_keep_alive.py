"""Connections to a component are kept, and the component may close one just as a request goes out."""

import asyncio
import select
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from extrophi_orchestrator.errors import UpstreamBusy, UpstreamFailed, UpstreamSlow
from extrophi_orchestrator.gateway.pool import Pool
from orchestrator.tests.servers import Exchange, Handler, Upstream, front_door, upstream


async def test_one_connection_carries_one_request_after_another(client: httpx.AsyncClient, backend: Upstream) -> None:
    for _ in range(10):
        assert (await client.get("/api/stats")).status_code == 200
        assert (await client.post("/api/jobs", json={})).status_code == 200
    assert len(backend.seen) == 20
    assert backend.connections == 1


def hangs_up_on_the_second(*, reset: bool = False) -> Handler:
    """A component that takes the second request of each connection, and closes it with not a word."""
    counts: dict[asyncio.StreamWriter, int] = {}  # not by its id, which the next connection's may get

    async def serve(exchange: Exchange) -> None:
        counts[exchange.writer] = counts.get(exchange.writer, 0) + 1
        if counts[exchange.writer] == 1:
            await exchange.body()
            await exchange.answer(b"done")
            return
        if reset:
            sock = exchange.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.keep = False
        exchange.writer.transport.abort()

    return serve


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_safe_request_that_lost_the_race_is_sent_again(
    client: httpx.AsyncClient, backend: Upstream, method: str, *, reset: bool
) -> None:
    backend.handler = hangs_up_on_the_second(reset=reset)
    for _ in range(2):
        assert (await client.request("GET", "/api/stats")).content == b"done"
        assert (await client.request(method, "/api/stats")).status_code == 200
        backend.seen.clear()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_request_that_changes_something_is_not_sent_again(
    client: httpx.AsyncClient, backend: Upstream, method: str
) -> None:
    backend.handler = hangs_up_on_the_second()
    assert (await client.get("/api/stats")).content == b"done"
    answer = await client.request(method, "/api/jobs")
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unreachable")
    assert "look before you send it again" in answer.json()["hint"]
    assert [exchange.method for exchange in backend.seen] == ["GET", method]


async def test_what_is_asked_of_research_is_sent_again_whatever_its_method(
    client: httpx.AsyncClient, research: Upstream
) -> None:
    """It changes nothing there. But a body that came in parts is gone."""
    research.handler = hangs_up_on_the_second()
    for _ in range(2):
        assert (await client.post("/api/search", json={"query": "heron"})).content == b"done"

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"x" * 50_000
            await asyncio.sleep(0.05)

    answer = await client.post("/api/search", content=parts())
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unreachable")


@pytest.fixture
def going(backend: Upstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of a replica that takes no more connections: those that came are in its queue. Another is well."""

    async def addresses(name: str) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"] if name == "127.0.0.1" else [name]

    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", addresses)
    with socket.create_server(("127.0.0.2", backend.port)) as listening:
        yield listening


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_what_a_replica_that_stops_has_not_read_goes_to_another(
    going: socket.socket, client: httpx.AsyncClient, backend: Upstream, method: str
) -> None:
    asking = asyncio.create_task(client.request(method, "/api/jobs", content=b"{}"))
    while not select.select([going], [], [], 0)[0]:  # it is in the queue
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    going.close()
    assert (await asking).status_code == 200
    assert [exchange.method for exchange in backend.seen] == [method]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_a_replica_died_of_goes_to_no_other(
    going: socket.socket, client: httpx.AsyncClient, backend: Upstream, method: str
) -> None:
    going.setblocking(False)
    asking = asyncio.create_task(client.request(method, "/api/jobs", content=b"{}"))
    connection, _ = await asyncio.get_running_loop().sock_accept(going)
    with connection:
        while b"{}" not in await asyncio.get_running_loop().sock_recv(connection, 65536):
            pass
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unreachable")
    assert not backend.seen


@contextmanager
def silent_at(host: str, port: int) -> Iterator[int]:
    """Where nothing answers: the queue is full, and what comes now is dropped. Gives the port."""
    with ExitStack() as open_ones:
        silent = open_ones.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(4):
            waiting = open_ones.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())
        yield silent.getsockname()[1]


@pytest.mark.parametrize("order", [("2", "3", "1"), ("3", "2", "1"), ("3", "1", "2")])
async def test_replicas_that_are_gone_hold_nobody_up(
    backend: Upstream, monkeypatch: pytest.MonkeyPatch, order: Sequence[str]
) -> None:
    """One refuses; of the other nothing is heard at all, as where a container was stopped a moment ago."""
    with silent_at("127.0.0.3", backend.port):

        async def addresses(name: str) -> list[str]:
            assert name == "backend"
            return [f"127.0.0.{last}" for last in order]

        monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", addresses)
        pool = Pool("backend", f"http://backend:{backend.port}")
        pool.give_back(await pool.take())
        pool.close()


async def test_its_name_is_looked_up_again_where_nothing_answers(
    backend: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that was stopped and started has another address; its name may lead to the old one for a while."""
    with silent_at("127.0.0.3", backend.port):
        looked_up = iter(["127.0.0.3", "127.0.0.3", "127.0.0.1"])

        async def addresses(name: str) -> list[str]:
            return [next(looked_up)]

        monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", addresses)
        pool = Pool("backend", f"http://backend:{backend.port}")
        pool.give_back(await pool.take())
        pool.close()
        assert next(looked_up, None) is None


async def test_a_name_that_is_unknown_now_and_then_is_found(backend: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the machine's own name server answers before the one that knows containers."""
    answers = iter([False, False, False, True])

    async def addresses(name: str) -> list[str]:
        if not next(answers):
            raise socket.gaierror(socket.EAI_NONAME, f"{name} does not resolve")
        return ["127.0.0.1"]

    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", addresses)
    pool = Pool("backend", f"http://backend:{backend.port}")
    taken = await asyncio.gather(pool.take(), pool.take())  # of one look-up
    assert next(answers, None) is None
    for connection in taken:
        pool.give_back(connection)
    pool.close()
    await asyncio.sleep(0.05)  # until the server has seen that


async def test_while_its_name_cannot_be_resolved_a_component_is_where_it_was(
    backend: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known(name: str) -> list[str]:
        return [{"backend": "127.0.0.1"}[name]]

    async def unknown(name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, f"{name} does not resolve")

    pool, stranger = (Pool(name, f"http://{name}:{backend.port}") for name in ("backend", "stranger"))
    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", known)
    pool.give_back(await pool.take())
    pool.close()
    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", unknown)
    pool.give_back(await pool.take())
    pool.close()
    with pytest.raises(UpstreamFailed):
        await stranger.take()

    async def never(name: str) -> list[str]:
        await asyncio.sleep(60)
        return [name]

    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", never)
    pool.give_back(await pool.take())
    pool.close()
    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.addresses", unknown)
    monkeypatch.setattr("extrophi_orchestrator.gateway.pool.STALE_SECONDS", 0.0)
    with pytest.raises(UpstreamFailed):  # another may have its address by now
        await pool.take()


async def test_a_safe_request_is_sent_again_only_once(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def once(exchange: Exchange) -> None:
        if len(backend.seen) == 1:
            await exchange.answer()
        else:
            exchange.keep = False
            exchange.writer.transport.abort()

    backend.handler = once
    await client.get("/api/stats")
    assert (await client.get("/api/stats")).status_code == 502
    assert len(backend.seen) == 3


async def test_a_connection_that_the_component_closed_is_not_used_for_what_may_not_be_sent_twice(
    client: httpx.AsyncClient, backend: Upstream
) -> None:
    async def close_after(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer()
        exchange.keep = False

    backend.handler = close_after
    for _ in range(50):  # each meets a connection that is being closed, seen by the event loop or not
        assert (await client.post("/api/jobs", json={})).status_code == 200
    assert backend.connections == 50


async def test_a_component_that_says_it_closes_is_believed(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def close_later(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(headers=b"Connection: Close\r\n")
        await exchange.gone()
        exchange.keep = False

    backend.handler = close_later
    for _ in range(5):
        assert (await client.post("/api/jobs", json={})).status_code == 200
    assert backend.connections == 5


async def test_words_that_nobody_asked_for_end_an_idle_connection(client: httpx.AsyncClient, backend: Upstream) -> None:
    heard, said = asyncio.Event(), asyncio.Event()

    async def talk(exchange: Exchange) -> None:
        await exchange.answer(b"good")
        await heard.wait()
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        said.set()

    backend.handler = talk
    for _ in range(5):
        heard.clear()
        said.clear()
        assert (await client.get("/api/stats")).content == b"good"
        heard.set()
        await said.wait()
    assert backend.connections == 5


async def test_connections_are_bounded_and_whoever_waits_is_told(backend: Upstream) -> None:
    pool = Pool("backend", backend.url, most=2, wait_seconds=0.1)
    first, second = await pool.take(), await pool.take()
    with pytest.raises(UpstreamBusy) as refused:
        await pool.take()
    assert refused.value.retry_after
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give_back(first)
    third = await waiting
    pool.give_back(second)
    pool.give_back(third)
    again = [await pool.take(), await pool.take()]  # no slot was lost on the way
    for connection in again:
        pool.give_back(connection)


async def test_one_who_waits_in_vain_or_leaves_takes_no_place(backend: Upstream) -> None:
    pool = Pool("backend", backend.url, most=1, wait_seconds=5)
    held = await pool.take()
    leaving = [asyncio.create_task(pool.take()) for _ in range(5)]
    await asyncio.sleep(0.01)
    for task in leaving:
        task.cancel()
    await asyncio.wait(leaving)
    assert all(task.cancelled() for task in leaving)
    pool.give_back(held)
    async with asyncio.timeout(5):
        pool.give_back(await pool.take())


async def test_a_component_that_takes_no_connection_is_slow_not_down() -> None:
    with silent_at("127.0.0.1", 0) as port:
        pool = Pool("research", f"http://127.0.0.1:{port}", connect_seconds=[0.1, 0.1])
        with pytest.raises(UpstreamSlow, match="research"):
            await pool.take()


async def test_a_component_below_a_path_is_reached_there(research: Upstream) -> None:
    async with (
        upstream() as below,
        front_door(below.url + "/inner/", research.url) as door,
        httpx.AsyncClient(base_url=door.url) as client,
    ):
        assert (await client.get("/api/documents?x=1")).status_code == 200
        assert below.seen[0].target == "/inner/documents?x=1"
