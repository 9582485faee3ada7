"""Errors as RFC 9457 problem details, with a `code` for programs and a `hint` for people."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from typing_extensions import override

from extrophi_orchestrator.errors import OrchestratorError


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
    openai: bool = False,
) -> JSONResponse:
    """A problem, or, under /v1, an error in OpenAI's shape."""
    if openai:
        kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
        text = _sendable(f"{detail} {hint}".strip())
        error = {"message": text, "type": kind, "param": field, "code": "invalid_api_key" if status == 401 else code}
        return JSONResponse({"error": error}, status, headers=headers)
    body = Problem(
        type=f"urn:extrophi:problem:{code}",
        title=title,
        status=status,
        detail=_sendable(detail),
        code=code,
        hint=hint,
        field=_sendable(field) if field is not None else None,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type="application/problem+json"
    )


def _sendable(text: str) -> str:
    """A name that someone made up may hold half a surrogate pair, which JSON in UTF-8 cannot."""
    return text.encode(errors="replace").decode()


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: the problems it may answer with, beside those that every route may."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = {401, 404, 405, 413, 422, 500, 503}
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
    421: "This is not that host",
    422: "This cannot be read",
    429: "Too many requests",
    500: "Something went wrong here",
    502: "A component failed",
    503: "A part of Extrophi is out of reach",
    504: "A component did not answer in time",
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
    """Every error that the app knows is a problem. A bug becomes one in what surrounds it, where it has its id."""
    app.add_exception_handler(OrchestratorError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


def for_error(error: OrchestratorError, path: str) -> JSONResponse:
    """What an error of ours looks like on a path."""
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in {400, 408, 501}:  # where this request ends, and the next begins, is not certain
        headers["Connection"] = "close"
    return problem(
        error.status,
        error.code,
        error.title,
        error.detail,
        hint=error.hint,
        field=error.field,
        headers=headers,
        openai=is_openai(path),
    )


def is_openai(path: str) -> bool:
    """Whether errors on this path have OpenAI's shape."""
    return path == "/v1" or path.startswith("/v1/")


async def _on_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OrchestratorError)
    return for_error(error, request.url.path)


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors: Sequence[Any] = error.errors()
    first = errors[0]
    where = [str(part) for part in first["loc"] if part not in {"body", "query", "path", "header"}]
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


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI's word for a body that it cannot decode
        return problem(422, "invalid_body", _TITLES[422], "The body cannot be read.", hint="Send JSON as UTF-8.")
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
        openai=is_openai(request.url.path),
    )


def internal(path: str) -> JSONResponse:
    """What a bug looks like on a path."""
    return problem(
        500,
        "internal",
        _TITLES[500],
        "This is a fault of Extrophi's.",
        hint="The log has it under the request's id.",
        openai=is_openai(path),
    )
