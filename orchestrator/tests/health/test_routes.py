import asyncio
import time

import httpx
import pytest

from orchestrator.tests.servers import Exchange, Handler, Upstream


def says(body: bytes, status: str = "200 OK") -> Handler:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, status)

    return answer


async def hang(exchange: Exchange) -> None:
    await exchange.gone()


async def trickle(exchange: Exchange) -> None:
    """A byte now and then: each on time, the whole never."""
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    exchange.keep = False
    while not exchange.writer.transport.is_closing():
        await exchange.send(b" ")
        await asyncio.sleep(0.1)


async def flood(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
    exchange.keep = False
    while not exchange.writer.transport.is_closing():
        await exchange.send(b" " * 65_536)


async def test_the_health_of_all_is_told_in_one_call(
    client: httpx.AsyncClient, backend: Upstream, research: Upstream
) -> None:
    backend.handler = says(b'{"status": "ok", "database": "ok"}')
    research.handler = says(b'{"status": "ok"}')
    told = (await client.get("/health")).json()
    assert told["status"] == "ok"
    assert told["components"] == {"backend": {"status": "ok", "database": "ok"}, "research": {"status": "ok"}}
    assert backend.seen[0].header("authorization") is None


@pytest.mark.parametrize(
    "broken",
    [hang, trickle, flood, says(b"[1]"), says(b"nonsense"), says(b'"ok"'), says(b"{}", "500 Internal Server Error")],
)
async def test_whatever_a_component_does_health_and_ready_come_soon(
    client: httpx.AsyncClient, backend: Upstream, research: Upstream, broken: Handler
) -> None:
    backend.handler = says(b'{"status": "ok"}')
    research.handler = broken
    health, ready = await asyncio.gather(client.get("/health", timeout=10), client.get("/ready", timeout=10))
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["components"] == {"backend": {"status": "ok"}, "research": {"status": "unreachable"}}
    assert ready.status_code == 503
    assert list(ready.json()["missing"]) == ["research"]


async def test_it_is_ready_only_when_both_are(client: httpx.AsyncClient, backend: Upstream, research: Upstream) -> None:
    backend.handler = says(b'{"ready": true}')
    research.handler = says(b'{"ready": true}')
    assert (await client.get("/ready")).status_code == 200
    backend.handler = says(b'{"ready": false, "missing": {"database": "away"}}', "503 Service Unavailable")
    async with asyncio.timeout(10):
        while (answer := await client.get("/ready")).status_code == 200:  # for the second that it is taken for fresh
            await asyncio.sleep(0.05)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "missing": {"backend": {"database": "away"}}}


async def test_it_is_not_ready_where_its_key_is_refused(
    client: httpx.AsyncClient, backend: Upstream, research: Upstream
) -> None:
    async def guarded(exchange: Exchange) -> None:
        right = exchange.target == "/ready" or exchange.header("authorization") == "Bearer another"
        await exchange.answer(b"{}", "200 OK" if right else "401 Unauthorized")

    backend.handler = guarded
    research.handler = says(b"{}")
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["missing"].keys() == {"backend"}
    assert "EXTROPHI_SERVICE_KEY" in answer.json()["missing"]["backend"]


async def test_many_who_ask_are_answered_by_one_look(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.3)
        await exchange.answer(b'{"status": "ok"}')

    backend.handler = slow
    told = await asyncio.gather(*(client.get("/health") for _ in range(50)))
    assert {answer.json()["components"]["backend"]["status"] for answer in told} == {"ok"}
    assert len(backend.seen) == 1


@pytest.mark.parametrize("path", ["/health", "/ready?self=1", "/metrics", "/"])
async def test_a_look_at_the_head_alone_is_answered(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_alone_it_asks_nobody(client: httpx.AsyncClient, backend: Upstream, research: Upstream) -> None:
    backend.handler = research.handler = hang
    assert (await client.get("/health?self=1")).json()["components"] == {}
    assert (await client.get("/ready?self=1")).status_code == 200
    assert not backend.seen
    assert not research.seen


async def test_metrics_count_what_was_passed_on(client: httpx.AsyncClient, backend: Upstream) -> None:
    def counted(text: str) -> float:
        line = 'extrophi_gateway_requests_total{component="backend",status="418"} '
        return sum(float(row.removeprefix(line)) for row in text.splitlines() if row.startswith(line))

    before = counted((await client.get("/metrics")).text)
    backend.handler = says(b"{}", "418 I'm a teapot")
    await client.get("/api/stats")
    answer = await client.get("/metrics")
    assert counted(answer.text) == before + 1
    assert answer.headers["content-type"].startswith("text/plain")


async def test_an_open_stream_counts_as_somebody_asking(client: httpx.AsyncClient, research: Upstream) -> None:
    async def wait(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await exchange.gone()

    research.handler = wait
    async with client.stream("POST", "/api/answer", json={}):
        await asyncio.sleep(0.3)
        assert (await client.get("/health?self=1")).json()["idle_seconds"] == 0
    deadline = time.monotonic() + 20
    while (await client.get("/health?self=1")).json()["idle_seconds"] == 0:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
