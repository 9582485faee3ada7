import asyncio
import re
from contextlib import suppress

import httpx
import pytest

from orchestrator.tests.servers import Door, Exchange, Upstream, front_door, read_answer, upstream

MEGABYTE = 1 << 20


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def test_a_body_is_passed_on_before_it_has_all_come(door: Door, backend: Upstream) -> None:
    first: asyncio.Event = asyncio.Event()
    received = 0

    async def count(exchange: Exchange) -> None:
        nonlocal received
        async for part in exchange.parts():
            received += len(part)
            first.set()
        await exchange.answer()

    backend.handler = count
    chunk = b"x" * MEGABYTE
    async with door.connected() as (reader, writer):
        writer.write(request("POST", "/api/uploads", "Transfer-Encoding: chunked"))
        for number in range(200):
            writer.write(b"%x\r\n%b\r\n" % (MEGABYTE, chunk))
            if number == 0:
                async with asyncio.timeout(20):
                    await first.wait()  # with 199 MB to go
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        status, _, _ = await read_answer(reader)
    assert status == 200
    assert received == 200 * MEGABYTE


async def test_a_body_of_known_length_keeps_its_length(client: httpx.AsyncClient, backend: Upstream) -> None:
    bodies: list[bytes] = []

    async def keep(exchange: Exchange) -> None:
        bodies.append(await exchange.body())
        await exchange.answer()

    backend.handler = keep
    body = bytes(range(256)) * 40_000
    assert (await client.post("/api/documents", content=body)).status_code == 200
    assert backend.seen[0].header("content-length") == str(len(body))
    assert backend.seen[0].header("transfer-encoding") is None
    assert bodies == [body]


async def test_a_component_that_reads_slowly_slows_the_client_down(door: Door, backend: Upstream) -> None:
    async def never_read(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    backend.handler = never_read
    sent = 0
    async with door.connected() as (_, writer):
        writer.write(request("POST", "/api/uploads", "Transfer-Encoding: chunked"))
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while sent < 200 * MEGABYTE:
                    writer.write(b"%x\r\n%b\r\n" % (MEGABYTE, b"x" * MEGABYTE))
                    await writer.drain()
                    sent += MEGABYTE
        writer.transport.abort()
    assert sent < 50 * MEGABYTE  # what the sockets' own buffers take


async def test_a_client_that_reads_slowly_slows_the_component_down(door: Door, backend: Upstream) -> None:
    sent = 0
    stuck = asyncio.Event()

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            async with asyncio.timeout(2):
                while sent < 200 * MEGABYTE:
                    await exchange.send(b"%x\r\n%b\r\n" % (MEGABYTE, b"x" * MEGABYTE))
                    sent += MEGABYTE
        except TimeoutError:
            stuck.set()
        exchange.keep = False

    backend.handler = flood
    async with door.connected() as (reader, writer):
        reader._transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
        writer.write(request("GET", "/api/documents"))
        async with asyncio.timeout(20):
            await stuck.wait()
        writer.transport.abort()
    assert sent < 50 * MEGABYTE


async def test_an_event_arrives_before_the_next_is_sent(client: httpx.AsyncClient, research: Upstream) -> None:
    arrived = asyncio.Event()

    async def tell(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"d\r\ndata: first\n\n\r\n"
        )
        async with asyncio.timeout(20):
            await arrived.wait()
        await exchange.send(b"e\r\ndata: second\n\n\r\n0\r\n\r\n")

    research.handler = tell
    parts: list[bytes] = []
    async with client.stream("POST", "/api/answer", json={"question": "?"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        async for part in answer.aiter_raw():
            parts.append(part)
            arrived.set()
    assert parts == [b"data: first\n\n", b"data: second\n\n"]


async def test_a_large_answer_comes_whole(client: httpx.AsyncClient, backend: Upstream) -> None:
    body = bytes(range(256)) * 80_000

    async def give(exchange: Exchange) -> None:
        await exchange.answer(body)

    backend.handler = give
    answer = await client.get("/api/documents")
    assert answer.headers["content-length"] == str(len(body))
    assert answer.content == body


async def test_an_answer_without_a_length_ends_with_its_connection(
    client: httpx.AsyncClient, backend: Upstream
) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        exchange.keep = False

    backend.handler = give
    assert (await client.get("/api/stats")).content == b"all there is"


async def test_interim_answers_are_not_the_answer(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await exchange.answer(b"[]", headers=b"X-Own: 1\r\n")

    backend.handler = give
    for _ in range(2):
        answer = await client.get("/api/stats")
        assert (answer.status_code, answer.content) == (200, b"[]")
        assert "link" not in answer.headers
    assert backend.connections == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_answers_without_a_body_end_at_once(client: httpx.AsyncClient, backend: Upstream, status: str) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.send(f'HTTP/1.1 {status}\r\nETag: "1"\r\nContent-Length: 100\r\n\r\n'.encode())

    backend.handler = give
    for _ in range(2):
        answer = await client.get("/api/stats", headers={"If-None-Match": '"1"'})
        assert answer.status_code == int(status[:3])
        assert answer.headers["etag"] == '"1"'
        assert answer.content == b""
    assert backend.connections == 1


async def test_head_tells_the_length_and_sends_nothing(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")

    backend.handler = give
    for _ in range(2):
        answer = await client.head("/api/stats")
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "1234", b"")
    assert [exchange.method for exchange in backend.seen] == ["HEAD", "HEAD"]
    assert backend.connections == 1


async def test_a_body_after_head_is_not_the_next_answer(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def give(exchange: Exchange) -> None:
        if exchange.method == "HEAD":
            await exchange.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        else:
            await exchange.answer(b"good")

    backend.handler = give
    for _ in range(5):
        await client.head("/api/stats")
        assert (await client.get("/api/stats")).content == b"good"


async def test_what_follows_an_answer_is_not_the_next_answer(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        )

    backend.handler = give
    for _ in range(5):
        assert (await client.get("/api/stats")).content == b"good"
    assert backend.connections == 5


async def test_options_and_unusual_methods_are_the_components_to_refuse(
    client: httpx.AsyncClient, backend: Upstream
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b"no", "405 Method Not Allowed", b"Allow: GET\r\n")

    backend.handler = refuse
    answer = await client.request("OPTIONS", "/api/documents")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert backend.seen[0].method == "OPTIONS"


@pytest.mark.parametrize("query", ["?a=%2F&a=b%20c&&=", "?q=%C3%A9+%00", "?cursor=ab..cd==", "?a=http://x/?y=../z"])
async def test_a_query_is_passed_on_as_it_came(client: httpx.AsyncClient, backend: Upstream, query: str) -> None:
    await client.get(httpx.URL(client.base_url).copy_with(raw_path=f"/api/documents{query}".encode()))
    assert backend.seen[0].target == f"/documents{query}"


async def test_headers_of_one_hop_stay_on_it(door: Door, backend: Upstream) -> None:
    async def give(exchange: Exchange) -> None:
        hop = b"Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nServer: secret/1.0\r\n"
        await exchange.answer(headers=hop + b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: yes\r\n")

    backend.handler = give
    told = await door.raw(
        request(
            *("GET", "/api/documents", "Connection: close, X-Secret", "X-Secret: 1", "TE: trailers", "Keep-Alive: 5"),
            *("Proxy-Authorization: Basic eDp5", "Proxy-Connection: close", "X-Kept: a", "X-Kept: b"),
        )
    )
    exchange = backend.seen[0]
    names = {name for name, _ in exchange.headers}
    assert names == {"host", "x-kept", "x-request-id", "authorization"}
    assert [value for name, value in exchange.headers if name == "x-kept"] == ["a", "b"]
    assert exchange.header("host") == f"127.0.0.1:{backend.port}"
    head = told.partition(b"\r\n\r\n")[0].lower()
    assert b"x-mine" not in head
    assert b"keep-alive" not in head
    assert b"secret" not in head
    assert head.count(b"set-cookie: ") == 2
    assert b"x-kept: yes" in head


async def test_nobody_can_say_to_be_another(client: httpx.AsyncClient, backend: Upstream) -> None:
    forged = {
        "Authorization": "Bearer mine",
        "Cookie": "extrophi_session=1",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=10.0.0.1",
        "X-Real-IP": "10.0.0.1",
        "X-Api-Key": "mine",
    }
    await client.get("/api/documents", headers=forged)
    seen = backend.seen[0]
    assert seen.header("authorization") == "Bearer inner"
    assert not {name.lower() for name in forged} - {"authorization"} & {name for name, _ in seen.headers}
    assert b"mine" not in seen.head


async def test_a_request_id_is_kept_or_made_and_comes_back(client: httpx.AsyncClient, backend: Upstream) -> None:
    kept = await client.get("/api/stats", headers={"X-Request-Id": "abc-1"})
    made = await client.get("/api/stats")
    replaced = await client.get("/api/stats", headers={"X-Request-Id": "not one; a=b"})
    assert kept.headers["x-request-id"] == "abc-1" == backend.seen[0].header("x-request-id")
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])
    assert made.headers["x-request-id"] == backend.seen[1].header("x-request-id")
    assert re.fullmatch("[0-9a-f]{32}", replaced.headers["x-request-id"])


async def test_a_component_that_is_down_is_named(research: Upstream) -> None:
    async with upstream() as gone:
        pass
    async with front_door(gone.url, research.url) as door, httpx.AsyncClient(base_url=door.url) as client:
        answer = await client.get("/api/documents")
        assert answer.status_code == 502
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "upstream_unreachable"
        assert "backend" in answer.json()["detail"]
        assert "/health" in answer.json()["hint"]
        assert (await client.post("/api/search", json={})).status_code == 200


async def test_what_a_component_refuses_is_its_own_to_say(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b'{"code":"x"}', "503 Service Unavailable", b"Retry-After: 7\r\n")

    backend.handler = refuse
    answer = await client.get("/api/documents")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (503, "7", {"code": "x"})


async def test_a_component_that_does_not_answer_in_time_is_named(backend: Upstream, research: Upstream) -> None:
    async def hang(exchange: Exchange) -> None:
        await exchange.gone()

    research.handler = hang
    async with (
        front_door(backend.url, research.url, EXTROPHI_ANSWER_SECONDS="0.3") as door,
        httpx.AsyncClient(base_url=door.url) as client,
    ):
        answer = await client.post("/api/search", json={"query": "?"})
        openai = await client.post("/v1/embeddings", json={"input": "?"})
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")
    assert "research" in answer.json()["detail"]
    assert answer.json()["hint"]
    assert (openai.status_code, openai.json()["error"]["type"]) == (504, "server_error")


async def test_a_body_may_take_longer_than_an_answer(backend: Upstream, research: Upstream) -> None:
    async with (
        front_door(backend.url, research.url, EXTROPHI_ANSWER_SECONDS="2") as door,
        door.connected() as (reader, writer),
    ):
        writer.write(request("POST", "/api/uploads", "Transfer-Encoding: chunked"))
        for _ in range(10):
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.3)
        writer.write(b"0\r\n\r\n")
        status, _, _ = await read_answer(reader)
    assert status == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 700_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30_000,
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
async def test_garbage_is_no_answer(client: httpx.AsyncClient, backend: Upstream, garbage: bytes) -> None:
    async def send(exchange: Exchange) -> None:
        exchange.keep = False
        await exchange.send(garbage)

    backend.handler = send
    answer = await client.get("/api/stats")
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unreachable")
    assert "backend" in answer.json()["detail"]


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n",
    ],
)
async def test_an_answer_that_is_cut_looks_cut(client: httpx.AsyncClient, backend: Upstream, half: bytes) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.keep = False
        await exchange.send(half)

    backend.handler = cut
    got = b""
    whole = False
    with suppress(httpx.RemoteProtocolError):
        async with client.stream("GET", "/api/documents") as answer:
            async for part in answer.aiter_raw():
                got += part
            whole = True
    assert (got, whole) == (b"half", False)


async def test_a_client_that_leaves_ends_the_request_to_the_component(
    client: httpx.AsyncClient, research: Upstream
) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await exchange.body()
        asked.set()
        await exchange.gone()
        left.set()

    research.handler = wait
    asking = asyncio.create_task(client.post("/api/search", json={}))
    async with asyncio.timeout(20):
        await asked.wait()
        asking.cancel()
        await left.wait()


async def test_a_client_that_leaves_a_stream_ends_it(client: httpx.AsyncClient, research: Upstream) -> None:
    left = asyncio.Event()

    async def tell(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await exchange.gone()
        left.set()

    research.handler = tell
    async with client.stream("POST", "/api/answer", json={}) as answer:
        async for _ in answer.aiter_raw():
            break
    async with asyncio.timeout(20):
        await left.wait()


async def test_a_client_that_leaves_in_its_body_leaves_no_half_request(door: Door, backend: Upstream) -> None:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def read(exchange: Exchange) -> None:
        try:
            await exchange.body()
        except (asyncio.IncompleteReadError, ConnectionError):
            ended.set_result("cut")
            raise
        ended.set_result("whole")

    backend.handler = read
    async with door.connected() as (_, writer):
        writer.write(request("POST", "/api/uploads", "Transfer-Encoding: chunked") + b"4\r\nhalf\r\n")
        while not backend.seen:
            await asyncio.sleep(0.01)
        writer.transport.abort()
    async with asyncio.timeout(20):
        assert await ended == "cut"


async def test_an_answer_before_the_end_of_the_body_is_given_and_the_rest_reaches_nobody(
    door: Door, backend: Upstream
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b"no", "413 Content Too Large")
        await exchange.gone()
        exchange.keep = False

    backend.handler = refuse
    async with door.connected() as (reader, writer):
        writer.write(request("POST", "/api/uploads", "Transfer-Encoding: chunked") + b"4\r\nhalf\r\n")
        status, _, body = await read_answer(reader)
    assert (status, body) == (413, b"no")

    async def echo(exchange: Exchange) -> None:
        await exchange.answer(b"next")

    backend.handler = echo
    assert (await door.raw(request("GET", "/api/stats", "Connection: close"))).endswith(b"next")
    assert [exchange.method for exchange in backend.seen] == ["POST", "GET"]
    assert backend.connections == 2


async def test_a_body_that_is_expected_to_be_wanted_is_asked_for(door: Door, backend: Upstream) -> None:
    async with door.connected() as (reader, writer):
        writer.write(request("POST", "/api/documents", "Expect: 100-continue", "Content-Length: 2"))
        async with asyncio.timeout(20):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        status, _, _ = await read_answer(reader)
    assert status == 200
    assert backend.seen[0].header("expect") is None


async def test_many_at_once_each_get_their_own_answer(client: httpx.AsyncClient, backend: Upstream) -> None:
    async def echo(exchange: Exchange) -> None:
        body = await exchange.body()
        await asyncio.sleep(0.001 * (len(body) % 7))
        await exchange.answer(exchange.target.encode() + b" " + body)

    backend.handler = echo

    async def ask(number: int) -> None:
        answer = await client.post(f"/api/jobs/{number}/cancel", content=b"x" * number)
        assert answer.content == f"/jobs/{number}/cancel ".encode() + b"x" * number

    await asyncio.gather(*(ask(number) for number in range(200)))


async def test_requests_in_one_go_are_answered_in_order(door: Door, backend: Upstream) -> None:
    async def echo(exchange: Exchange) -> None:
        await exchange.answer(exchange.target.encode())

    backend.handler = echo
    pipelined = b"".join(request("GET", f"/api/jobs/{number}") for number in range(5))
    async with door.connected() as (reader, writer):
        writer.write(pipelined)
        assert [(await read_answer(reader))[2] for _ in range(5)] == [b"/jobs/%d" % number for number in range(5)]


async def test_an_endless_body_is_refused_while_it_comes(door: Door, backend: Upstream) -> None:
    cut = asyncio.Event()

    async def read(exchange: Exchange) -> None:
        try:
            await exchange.body()
        except (asyncio.IncompleteReadError, ConnectionError):
            cut.set()
            raise

    async def send_without_end(writer: asyncio.StreamWriter) -> None:
        writer.write(request("POST", "/api/jobs", "Transfer-Encoding: chunked"))
        with suppress(ConnectionError):
            while True:
                writer.write(b"%x\r\n%b\r\n" % (65_536, b"x" * 65_536))
                await writer.drain()

    backend.handler = read
    async with door.connected() as (reader, writer), asyncio.timeout(20):
        sending = asyncio.create_task(send_without_end(writer))
        status, _, body = await read_answer(reader)
        await cut.wait()
        await sending  # it is hung up on in the end
    assert status == 413
    assert b"1 MB" in body


async def test_a_length_that_is_too_large_is_refused_before_anything_is_sent(door: Door, backend: Upstream) -> None:
    async with door.connected() as (reader, writer):
        writer.write(request("POST", "/api/jobs", "Content-Length: 1000001", "Expect: 100-continue"))
        status, headers, _ = await read_answer(reader)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert not backend.seen


async def test_a_client_that_leaves_before_its_body_is_no_fault(
    door: Door, backend: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    async with door.connected() as (_, writer):
        writer.write(request("POST", "/api/documents", "Content-Length: 10"))
        await writer.drain()
    async with httpx.AsyncClient(base_url=door.url) as client:
        assert (await client.get("/api/stats")).status_code == 200  # by now it was heard of
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
    assert [exchange.target for exchange in backend.seen] == ["/stats"]
