"""What surrounds every request: its id, who may enter, what is passed on, how long it is quiet."""

import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extrophi_orchestrator.gateway.passing import pass_on
from extrophi_orchestrator.gateway.routing import route
from extrophi_orchestrator.http.access import OPEN_PATHS, Access
from extrophi_orchestrator.http.problems import problem
from extrophi_orchestrator.log import request_id

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LIMITS = {"/api/documents": 40_000_000, "/api/uploads": 1_100_000_000, "/v1/embeddings": 40_000_000}
_LIMIT = 1_000_000


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

    def __init__(self, app: ASGIApp, *, access: Access, quiet: Quiet) -> None:
        self.app = app
        self.access = access
        self.quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        name = given.decode() if _ID.fullmatch(given) else uuid4().hex
        token = request_id.set(name)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", name.encode()),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        try:
            refusal = self.access.refusal(scope["path"], headers)
            if refusal is not None:
                answer = problem(refusal.status, refusal.code, refusal.title, refusal.detail, hint=refusal.hint)
                await answer(scope, receive, send_with_id)
            elif scope["path"] in OPEN_PATHS:
                await self.app(scope, receive, send_with_id)
            else:
                with self.quiet.asking():
                    await self._answer(scope, receive, send_with_id, headers, name)
        finally:
            request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes], name: str) -> None:
        limit = _LIMITS.get(scope["path"], _LIMIT)
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            detail = f"The body is larger than the {limit // 1_000_000} MB that this path takes."
            await problem(413, "too_large", "This is too large", detail, hint="Send it in smaller parts.")(
                scope, receive, send
            )
            return
        found = route(scope.get("raw_path", scope["path"].encode()).split(b"?")[0])
        if found is None:
            await self.app(scope, receive, send)
        else:
            component, path = found
            await pass_on(scope["app"].state.upstreams, component, path, scope, receive, send, name)
