"""Passing requests on: bodies and streams as they come, in both directions, gathered in neither."""

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from extrophi_orchestrator.gateway.routing import Component
from extrophi_orchestrator.http.problems import problem
from extrophi_orchestrator.log import event

_log = logging.getLogger(__name__)

# RFC 9110, section 7.6.1, and what is ours to say: the length and the key of the inner request.
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade".split()
)
_NOT_SENT = _HOP_BY_HOP | frozenset(b"host authorization cookie x-request-id expect".split())


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The two components, over one pool of connections."""

    client: httpx.AsyncClient
    urls: dict[Component, str]
    service_key: str | None

    def headers(self, request_id: str) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.service_key}"} if self.service_key else {}
        return key | {"X-Request-Id": request_id}


async def pass_on(
    upstreams: Upstreams, component: Component, path: str, scope: Scope, receive: Receive, send: Send, request_id: str
) -> None:
    """Send the request to a component and its answer to the client. A component that fails is a problem naming it."""
    query = scope["query_string"].decode("latin-1")
    given = list(scope["headers"])
    named = {name.strip().lower() for key, value in given if key == b"connection" for name in value.split(b",")}
    headers = [(name, value) for name, value in given if name not in _NOT_SENT | named]
    headers += [(name.encode(), value.encode()) for name, value in upstreams.headers(request_id).items()]
    has_body = any(name in {b"content-length", b"transfer-encoding"} for name, _ in given)
    request = upstreams.client.build_request(
        scope["method"],
        f"{upstreams.urls[component]}{path}{'?' + query if query else ''}",
        headers=headers,
        content=_body(receive) if has_body else None,
    )
    try:
        answer = await upstreams.client.send(request, stream=True)
    except ClientDisconnect:
        return
    except httpx.HTTPError as error:
        _log.warning(event("upstream.failed", component=component, error=type(error).__name__))
        await _failed(component, path, error)(scope, receive, send)
        return
    try:
        passed = [(name.lower(), value) for name, value in answer.headers.raw]
        dropped = _HOP_BY_HOP | {b"x-request-id", b"date", b"server"}
        start: Message = {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": [(name, value) for name, value in passed if name not in dropped],
        }
        await send(start)
        async for part in answer.aiter_raw():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await answer.aclose()


async def _body(receive: Receive) -> AsyncGenerator[bytes, None]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _failed(component: Component, path: str, error: httpx.HTTPError) -> JSONResponse:
    match error:
        case httpx.PoolTimeout():
            status, code, detail = 503, "upstream_busy", f"{component} has more to do than it can."
        case httpx.TimeoutException():
            status, code, detail = 504, "upstream_timeout", f"{component} did not answer in time."
        case _:
            status, code, detail = 502, "upstream_unreachable", f"{component} cannot be reached."
    hint = "Try again in a moment; GET /health says how each component is."
    return problem(status, code, "A component failed", detail, hint=hint, openai=path.startswith("/v1/"))
