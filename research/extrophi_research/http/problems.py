"""Errors as RFC 9457 problem details, with a `code` for programs and a `hint` for people."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from extrophi_research.errors import ResearchError
from extrophi_research.log import event

_log = logging.getLogger(__name__)

# What asyncpg raises while the server is away, restarting, full, or not migrated yet.
DATABASE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.UndefinedTableError,
    asyncpg.DeadlockDetectedError,  # what the schema's owner changed meanwhile
    asyncpg.InterfaceError,
)


class ProblemResponse(JSONResponse):
    """A problem, in the shape that whoever asked can read.

    Under /v1 that is OpenAI's: its clients look for `error.message`, and show nothing of another shape. Which path was
    asked is known when the response is sent, wherever it was made.
    """

    media_type = "application/problem+json"

    def __init__(self, problem: "Problem", headers: Mapping[str, str] | None) -> None:
        self.problem = problem
        super().__init__(problem.model_dump(exclude_none=True), problem.status, headers=headers)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/v1/"):
            await super().__call__(scope, receive, send)
            return
        kept = {name: value for name, value in self.headers.items() if not name.startswith("content-")}
        one = self.problem
        message = f"{one.detail} {one.hint}".strip()
        await openai_error(one.status, message, one.field, one.code, headers=kept)(scope, receive, send)


def openai_error(
    status: int, message: str, param: str | None, code: str, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error as OpenAI's API has it: https://platform.openai.com/docs/guides/error-codes."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    code = "invalid_api_key" if status == 401 else code
    error = {"message": _sendable(message), "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers=headers)


class Problem(BaseModel):
    """RFC 9457, section 3, with our `code`, `hint` and, for input, the `field` at fault."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    field: str | None = None


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    hint: str = "",
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=f"urn:extrophi:problem:{code}",
        title=title,
        status=status,
        detail=_sendable(detail),
        code=code,
        hint=hint,
        field=_sendable(field) if field is not None else None,
    )
    return ProblemResponse(body, headers)


def _sendable(text: str) -> str:
    """A name that someone made up may hold half a surrogate pair, which JSON in UTF-8 cannot."""
    return text.encode(errors="replace").decode()


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: the problems it may answer with, beside those that every route may."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = {401, 403, 404, 405, 413, 422, 500, 503}
    return {status: {"description": _TITLES[status], "content": content} for status in sorted(every | set(statuses))}


_TITLES = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "This page may not ask",
    404: "There is no such thing",
    405: "This path does not take this method",
    409: "This is not possible now",
    410: "This was deleted",
    412: "It changed in between",
    413: "This is too large",
    415: "Another media type is needed",
    422: "This cannot be read",
    500: "Something went wrong here",
    503: "A part of Extrophi is out of reach",
}


class App(FastAPI):
    """FastAPI's; its OpenAPI document holds the shape of problems, which routes refer to and none returns by type.

    The document is made when it is first asked for: that takes half a second, which no start has to spare.
    """

    @override
    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {"Problem": schema}
        return document


def handle_problems(app: FastAPI) -> None:
    """Every error that leaves the app is a problem."""
    app.add_exception_handler(ResearchError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, _on_database)


async def _on_ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ResearchError)
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(
        error.status, error.code, error.title, error.detail, hint=error.hint, field=error.field, headers=headers
    )


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors: Sequence[Any] = error.errors()
    first = errors[0]
    where = [str(part) for part in first["loc"][1:]]  # the first says where: body, query, path, header
    field = ".".join(where) or str(first["loc"][0])
    if first["type"] == "json_invalid":
        return problem(422, "invalid_json", _TITLES[422], "The body is not JSON.", hint="Send a JSON object.")
    return problem(
        422,
        "invalid_input",
        _TITLES[422],
        f"{field}: {first['msg']}." + (f" ({len(errors) - 1} more)" if len(errors) > 1 else ""),
        hint="See /openapi.json for what this path takes.",
        field=field,
    )


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # FastAPI's own, for a body that is no UTF-8 or nested beyond reason; what is merely no JSON gets a 422.
        return problem(422, "invalid_json", _TITLES[422], "The body is not JSON.", hint="Send a JSON object, in UTF-8.")
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "http_error")
    title = _TITLES.get(error.status_code, "The request cannot be served")
    hints = {
        404: "See /openapi.json for the paths there are.",
        405: "The Allow header says which methods it takes.",
        413: "Send it in smaller parts.",
    }
    return problem(
        error.status_code,
        code,
        title,
        str(error.detail),
        hint=hints.get(error.status_code, ""),
        headers=dict(error.headers or {}),
    )


async def _on_database(request: Request, error: Exception) -> JSONResponse:
    _log.warning(event("database.away", path=request.url.path, error=f"{type(error).__name__}: {error}"))
    return problem(
        503,
        "database_unavailable",
        _TITLES[503],
        "The database is out of reach or not migrated yet.",
        hint="Try again in a moment; /ready says what is missing.",
        headers={"Retry-After": "2"},
    )


def bug(path: str, error: Exception) -> JSONResponse:
    """What nobody thought of. The log has it, with the request's id."""
    _log.error(event("request.failed", path=path), exc_info=error)
    return problem(
        500, "internal", _TITLES[500], "This is a fault of Extrophi's.", hint="The log has it under the request's id."
    )
