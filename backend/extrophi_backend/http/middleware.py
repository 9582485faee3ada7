"""What surrounds every request: its id, the service key, the limit of its body."""

import hmac
import logging
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from extrophi_backend.errors import TooLarge
from extrophi_backend.http.origin import is_of_here
from extrophi_backend.http.problems import internal, problem
from extrophi_backend.log import event, request_id

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health", "/ready", "/metrics"})
_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LIMITS = {
    "/documents": 40_000_000,
    "/uploads": 1_100_000_000,
    "/archives": 1_100_000_000,
    "/vectors/query": 5_000_000,
}  # 32 MB of text are more as JSON
_LIMIT = 1_000_000
_DRAFTS = "/drafts"
_DRAFTS_LIMIT = 32_000_000  # 8 MB of text and 2 MB beside it, as JSON that escapes all but ASCII; images are smaller
NO_KEY = "Set EXTROPHI_SERVICE_KEY, to the same value in orchestrator, research and backend."


class Surroundings:
    """ASGI middleware. Without a service key, only a process bound to loopback answers more than OPEN_PATHS."""

    def __init__(self, app: ASGIApp, *, service_key: str | None, on_loopback: bool) -> None:
        self.app = app
        self.service_key = service_key
        self.on_loopback = on_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        name = given.decode() if _ID.fullmatch(given) else str(uuid7())
        token = request_id.set(name)

        begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-request-id", name.encode())]
            await send(message)

        try:
            if scope["path"] not in OPEN_PATHS and not self._may_enter(headers.get(b"authorization", b"")):
                refused = problem(
                    401,
                    "unauthorized",
                    "A key is needed",
                    "This component answers only to the others of its Extrophi.",
                    hint="Send EXTROPHI_SERVICE_KEY as a bearer token, or go through the orchestrator."
                    if self.service_key
                    else NO_KEY,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refused(scope, receive, send_with_id)
                return
            if scope["path"] not in OPEN_PATHS and self.service_key is None and not is_of_here(headers):
                refused = problem(
                    403,
                    "foreign_origin",
                    "This page may not ask",
                    "Only this machine is answered, under its own name, and no page of another site.",
                    hint="Ask http://127.0.0.1 or http://localhost, or set EXTROPHI_SERVICE_KEY and send it.",
                )
                await refused(scope, receive, send_with_id)
                return
            limit = _limit(scope["path"])
            await self._bounded(limit, scope, receive, send_with_id, headers.get(b"content-length", b""))
        except Exception:  # the edge: here the request still has its id
            _log.exception(event("request.failed", path=scope["path"]))
            if begun:  # half an answer is sent: the connection has to break
                raise
            await internal()(scope, receive, send_with_id)
        finally:
            request_id.reset(token)

    def _may_enter(self, authorization: bytes) -> bool:
        if self.service_key is None:
            return self.on_loopback
        return hmac.compare_digest(authorization, b"Bearer " + self.service_key.encode())

    async def _bounded(self, limit: int, scope: Scope, receive: Receive, send: Send, declared: bytes) -> None:
        seen = 0
        detail = f"The body is larger than the {limit // 1_000_000} MB that this path takes."

        async def receive_bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise TooLarge(detail, hint="Send it in smaller parts.")
            return message

        if declared.isdigit() and int(declared) > limit:
            refused = problem(413, TooLarge.code, TooLarge.title, detail, hint="Send it in smaller parts.")
            await refused(scope, receive, send)
            return
        await self.app(scope, receive_bounded, send)


def _limit(path: str) -> int:
    if path.startswith(_DRAFTS):
        return _DRAFTS_LIMIT
    return _LIMITS.get(path, _LIMIT)
