"""What surrounds every request: its id, who may enter, how often, how much, where to, and how long it is quiet."""

import logging
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extrophi_orchestrator.errors import OrchestratorError
from extrophi_orchestrator.gateway.passing import pass_on, too_large
from extrophi_orchestrator.gateway.routing import route
from extrophi_orchestrator.health.metrics import count
from extrophi_orchestrator.http import cors
from extrophi_orchestrator.http.access import OPEN_PATHS, Access, Head, read_head
from extrophi_orchestrator.http.problems import for_error, internal
from extrophi_orchestrator.http.rates import Rates, neighbourhood
from extrophi_orchestrator.log import event, request_id

_log = logging.getLogger(__name__)

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LIMITS = {
    "/api/documents": 40_000_000,
    "/api/uploads": 1_100_000_000,
    "/api/archives": 1_100_000_000,
    "/v1/embeddings": 40_000_000,
}
_LIMIT = 1_000_000
_DRAFTS = "/api/drafts"
_DRAFTS_LIMIT = 32_000_000  # as backend has it
_ALWAYS = [(b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]


class Quiet:
    """How long nobody has asked for anything. A stream that is open counts as somebody asking."""

    def __init__(self) -> None:
        self._open = 0
        self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        return 0.0 if self._open else time.monotonic() - self._last

    @contextmanager
    def asking(self) -> Generator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._last = time.monotonic()


class Surroundings:
    """ASGI middleware. What a component answers goes past FastAPI: its routing would cost more than passing on."""

    def __init__(self, app: ASGIApp, *, access: Access, rates: Rates, quiet: Quiet) -> None:
        self.app = app
        self.access = access
        self.rates = rates
        self.quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        name = given.decode() if _ID.fullmatch(given) else uuid4().hex
        token = request_id.set(name)
        added = [(b"x-request-id", name.encode()), *_ALWAYS]
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                told = message.get("headers", [])
                names = {header for header, _ in told}
                message["headers"] = [*told, *(one for one in added if one[0] not in names or one[0] == b"vary")]
            await send(message)

        try:
            await self._admit(scope, receive, send_with_id, name, added)
        except OrchestratorError as error:
            if started:
                _log.warning(event("request.broken_off", code=error.code, detail=error.detail))
                return
            await for_error(error, scope["path"])(scope, receive, send_with_id)
        except Exception:  # noqa: BLE001  the edge: here the request still has its id, and who asked is known
            _log.exception(event("request.failed", path=scope["path"]))
            if not started:
                await internal(scope["path"])(scope, receive, send_with_id)
        finally:
            request_id.reset(token)

    async def _admit(
        self, scope: Scope, receive: Receive, send: Send, name: str, added: list[tuple[bytes, bytes]]
    ) -> None:
        method: str = scope["method"]
        path: str = scope["path"]
        head = read_head(scope["headers"], scope["http_version"])
        asker = self.access.identify(head, path, scope["http_version"])
        if asker.foreign and self.access.keys:  # without keys, no page of another origin may ever ask
            if cors.is_preflight(method, head):
                added += cors.preflight(asker.foreign, head)
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body"})
                return
            added += cors.shared(asker.foreign)
        if path in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        if not asker.near:
            client = scope.get("client") or ("",)
            self.rates.take(asker.key or neighbourhood(client[0]))
        state = scope.setdefault("state", {})
        state["asker"] = asker
        if self.access.opens_by_token(asker, method, path, scope["query_string"]):
            state["without_key"] = True
        else:
            self.access.check(asker, method, path, head)
        with self.quiet.asking():
            await self._answer(scope, receive, send, head, name)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, head: Head, name: str) -> None:
        limit = _limit(scope["path"])
        if int(head.get(b"content-length", b"0")) > limit:
            raise too_large(limit)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        found = route(raw.partition(b"?")[0])
        if found is None:
            await self.app(scope, _bounded(receive, limit), send)
            return
        component, path = found
        upstreams = scope["app"].state.upstreams
        began = time.perf_counter()
        try:
            status = await pass_on(
                upstreams, component, path, scope, receive, send, request_id=name, limit=limit
            )  # fmt: skip
        except OrchestratorError as error:
            count(component, error.status, time.perf_counter() - began)
            raise
        count(component, status, time.perf_counter() - began)


def _limit(path: str) -> int:
    if path.startswith(_DRAFTS):
        return _DRAFTS_LIMIT
    return _LIMITS.get(path, _LIMIT)


def _bounded(receive: Receive, limit: int) -> Receive:
    """The body as it comes, up to the limit, however its length was told."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, too_large(limit).detail)
        return message

    return counted
