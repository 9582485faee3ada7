"""Passing requests on: bodies and streams as they come, in both directions, gathered in neither."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from extrophi_orchestrator.errors import (
    OrchestratorError,
    SlowClient,
    TooLarge,
    Unavailable,
    UpstreamFailed,
    UpstreamSlow,
)
from extrophi_orchestrator.gateway.pool import HEALTH_HINT, Pool
from extrophi_orchestrator.gateway.routing import Component
from extrophi_orchestrator.gateway.wire import Answer, Connection, Headers, Silent, WireError
from extrophi_orchestrator.log import event

_log = logging.getLogger(__name__)

# RFC 9110, section 7.6.1.
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade http2-settings".split()
)
# What is ours to say, or nobody's: the inner request's length and key, and where it claims to come from.
_NOT_SENT = _HOP_BY_HOP | frozenset(
    b"host authorization cookie x-request-id expect content-length forwarded x-forwarded-for x-forwarded-host "
    b"x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-server x-real-ip x-api-key origin "
    b"x-extrophi-without-key".split()
)
_NOT_PASSED = _HOP_BY_HOP | frozenset([b"x-request-id", b"date", b"server"])
_BODILESS = frozenset([204, 304])
# May be sent again when a connection breaks before anything came (RFC 9110, section 9.2.1).
_SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
_WATCH_AFTER_SECONDS = 0.05  # most answers are there before; a task for each would cost more than they do
_RACE_SECONDS = 1.0
CLIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The two components: `pools` for what is passed on, `client` for what the orchestrator asks itself."""

    client: httpx.AsyncClient
    urls: Mapping[Component, str]
    pools: Mapping[Component, Pool]
    service_key: str | None
    answer_seconds: float
    followed: set[Connection] = field(default_factory=set[Connection])
    """Those that carry events to somebody."""

    def end_events(self) -> None:
        """End all streams of events, since this process stops. Whoever reads them resumes elsewhere, or later."""
        for connection in self.followed:
            connection.fail(Unavailable("The orchestrator is stopping.", hint="Ask again.", retry_after=1))

    def headers(self, request_id: str) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.service_key}"} if self.service_key else {}
        return key | {"X-Request-Id": request_id}


async def pass_on(
    upstreams: Upstreams,
    component: Component,
    path: bytes,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    request_id: str,
    limit: int,
    bodiless: bool = False,
) -> int:
    """Send the request to a component and its answer to the client; returns the status.

    `path` is as the component knows it, made of what `route` lets through; no more than `limit` bytes of the body are
    passed on, and none if it was read already (`bodiless`).

    Raises:
        OrchestratorError: before anything was sent to the client. A component that fails is named in it.
    """
    pool = upstreams.pools[component]
    given: list[tuple[bytes, bytes]] = scope["headers"]
    length, chunked = (None, False) if bodiless else _framing(given)
    head = _head(pool, upstreams, scope, path, request_id, length, chunked=chunked)
    first, more = b"", False
    method: str = scope["method"]
    try:
        if length or chunked:  # a small body travels with its head
            first, more = await _part(receive)
            if len(first) > limit:
                raise too_large(limit)
        sent = head + (_chunk(first, more=more) if chunked else first)
        request = _Request(method, sent, length, len(first), more, limit, follows=path.endswith(b"/events"))
        began = asyncio.get_running_loop().time()
        try:
            return await _exchange(upstreams, component, request, receive, send, fresh=False)
        except _HungUp as error:
            # Research only reads, whatever the method. And a reset that comes at once says that it was never read: a
            # server that goes down resets what it had yet to read or to accept (RFC 9293, section 3.6.1; with Linux,
            # also when it is killed). But what a replica died of long after must not be another's end, too.
            at_once = asyncio.get_running_loop().time() - began < _RACE_SECONDS
            again = method in _SAFE or (at_once and (error.reset or component == "research"))
            if more or not again:  # a body that did not travel whole is gone
                hint = "It may have been done all the same: look before you send it again."
                raise UpstreamFailed(f"{component} hung up before it answered.", hint=hint) from error
            return await _exchange(upstreams, component, request, receive, send, fresh=True)
    except ClientDisconnect:
        return 499  # as nginx counts them


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as it goes out; `sent` is its head with the first part of its body."""

    method: str
    sent: bytes
    length: int | None
    seen: int
    more: bool
    limit: int
    follows: bool
    """Whether it asks for events, which whoever reads them can resume."""


class _HungUp(Exception):
    """A connection ended before a byte came: one that had been used before, or (`reset`) that was never served."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


async def _exchange(
    upstreams: Upstreams, component: Component, request: _Request, receive: Receive, send: Send, *, fresh: bool
) -> int:
    pool = upstreams.pools[component]
    connection = await pool.take(fresh=fresh)
    client = _Client(connection, receive, request)
    if request.follows:
        upstreams.followed.add(connection)
    try:
        connection.begin(request.method.encode(), request.sent)
        client.start()
        try:
            answer = await _answer(connection, client, upstreams.answer_seconds)
        except Silent as error:
            _log.warning(event("upstream.slow", component=component, method=request.method))
            raise UpstreamSlow(f"{component} did not answer in time.", hint=HEALTH_HINT) from error
        except WireError as error:
            if not fresh and not error.came and (connection.used or error.reset):
                raise _HungUp(reset=error.reset) from error
            _log.warning(event("upstream.failed", component=component, method=request.method, error=error))
            raise UpstreamFailed(f"{component} did not answer as it should: {error}.", hint=HEALTH_HINT) from error
        if answer.status == 401:
            raise key_refused(component)
        await _give(answer, connection, send, component, upstreams.answer_seconds)
    finally:
        upstreams.followed.discard(connection)
        client.stop()
        if client.more:  # an answer may come before the body has ended; what is left of it must reach no other request
            connection.close()
        pool.give_back(connection)
    return answer.status


async def _answer(connection: Connection, client: "_Client", seconds: float) -> Answer:
    """The head of the answer. The time runs from the last part of the body that was taken."""
    wait = seconds
    while True:
        try:
            return await connection.head(wait)
        except Silent:
            wait = client.moved + seconds - asyncio.get_running_loop().time()
            if wait <= 0:
                raise


async def _give(answer: Answer, connection: Connection, send: Send, component: Component, seconds: float) -> None:
    status = answer.status
    named = _named_by_connection(answer.headers)
    passed = [(name, value) for name, value in answer.headers if name not in _NOT_PASSED and name not in named]
    if status in _BODILESS:  # the server in front of us would wait for as many bytes
        passed = [(name, value) for name, value in passed if name != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": passed})
    try:
        last = False
        while not last:
            part, last = await connection.read(seconds)
            await send({"type": "http.response.body", "body": part, "more_body": not last})
    except Unavailable:  # we stop; whoever follows comes back
        await send({"type": "http.response.body", "body": b""})
    except (WireError, OrchestratorError) as error:
        # An answer that is cut must look cut: leaving it without its end makes the server close the connection.
        _log.warning(event("upstream.cut", component=component, error=error))


class _Client:
    """The client's side of an exchange: the rest of its body, and whether it is still there."""

    def __init__(self, connection: Connection, receive: Receive, request: _Request) -> None:
        self._connection = connection
        self._receive = receive
        self._request = request
        self._seen = request.seen
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.more = request.more
        self.moved = self._loop.time()

    def start(self) -> None:
        if self.more:
            self._watch()
        else:
            self._timer = self._loop.call_later(_WATCH_AFTER_SECONDS, self._watch)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _watch(self) -> None:
        self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        request = self._request
        try:
            while self.more:
                part, more = await _part(self._receive)
                self._seen += len(part)
                if self._seen > request.limit:
                    raise too_large(request.limit)
                await self._connection.write(part if request.length is not None else _chunk(part, more=more))
                self.more = more
                self.moved = self._loop.time()
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except (OrchestratorError, ClientDisconnect) as error:
            self._connection.fail(error)
        else:
            self._connection.fail(ClientDisconnect())


async def _part(receive: Receive) -> tuple[bytes, bool]:
    """The next part of the body, and whether there is more. Raises ClientDisconnect, SlowClient."""
    try:
        async with asyncio.timeout(CLIENT_SECONDS):
            message = await receive()
    except TimeoutError:
        detail = f"No more of the body came for {CLIENT_SECONDS:.0f} s."
        raise SlowClient(detail, hint="Send it again.") from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _framing(headers: list[tuple[bytes, bytes]]) -> tuple[int | None, bool]:
    """The body's length if it was told, and whether it comes in chunks. It was checked that it is not both."""
    for name, value in headers:
        if name == b"content-length":
            return int(value), False
        if name == b"transfer-encoding":
            return None, True
    return None, False


def _head(
    pool: Pool, upstreams: Upstreams, scope: Scope, path: bytes, request_id: str, length: int | None, *, chunked: bool
) -> bytes:
    """The head of the request to the component, framed anew: nothing of how the client framed it is left."""
    given: list[tuple[bytes, bytes]] = scope["headers"]
    query: bytes = scope["query_string"]
    target = b"%b%b?%b" % (pool.prefix, path, query) if query else pool.prefix + path
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target), b"host: " + pool.host]
    named = _named_by_connection(given)
    lines += [b"%b: %b" % one for one in given if one[0] not in _NOT_SENT and one[0] not in named]
    lines.append(b"x-request-id: " + request_id.encode())
    if scope.get("state", {}).get("without_key"):  # backend asks for a token then
        lines.append(b"x-extrophi-without-key: 1")
    if upstreams.service_key:
        lines.append(b"authorization: Bearer " + upstreams.service_key.encode())
    if chunked:
        lines.append(b"transfer-encoding: chunked")
    elif length is not None or scope["method"] in {"POST", "PUT", "PATCH"}:
        lines.append(b"content-length: %d" % (length or 0))
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\0" in head:
        raise ValueError("a line break within a header")  # the server lets none through; were it to, nothing goes out
    return head + b"\r\n\r\n"


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Header names that Connection declares to be of this hop only."""
    for name, value in headers:
        if name == b"connection" and value.lower() not in {b"keep-alive", b"close"}:
            values = [value for name, value in headers if name == b"connection"]
            return frozenset(token.strip().lower() for value in values for token in value.split(b","))
    return frozenset()


def _chunk(part: bytes, *, more: bool) -> bytes:
    data = b"%x\r\n%b\r\n" % (len(part), part) if part else b""
    return data if more else data + b"0\r\n\r\n"


def key_refused(component: Component) -> UpstreamFailed:
    """People's keys are checked here: a component's 401 is about our own."""
    hint = "EXTROPHI_SERVICE_KEY has to be the same in orchestrator, research and backend."
    return UpstreamFailed(f"{component} refuses the orchestrator's EXTROPHI_SERVICE_KEY.", hint=hint)


def too_large(limit: int) -> TooLarge:
    size = f"{limit // 1_000_000} MB" if limit >= 1_000_000 else f"{limit} bytes"
    return TooLarge(f"The body is larger than the {size} that this path takes.", hint="Send it in smaller parts.")
