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
from typing_extensions import override

from extrophi_backend.db import DATABASE_AWAY, is_away
from extrophi_backend.errors import AmbiguousTarget, BackendError, Choice, DraftChanged, DraftExists
from extrophi_backend.log import event

_log = logging.getLogger(__name__)


class ChoiceOut(BaseModel):
    target: str
    platform: str
    title: str


class Problem(BaseModel):
    """RFC 9457, section 3, with our `code`, `hint` and, for input, the `field` at fault.

    `choices` where the input may mean several things: each as it would have to be given, and what it is. `revision`
    where a draft has another than the client knows of: the one it has.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    field: str | None = None
    choices: list[ChoiceOut] | None = None
    revision: int | None = None


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    hint: str = "",
    field: str | None = None,
    choices: Sequence[Choice] = (),
    revision: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=f"urn:extrophi:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        field=field,
        choices=[ChoiceOut.model_validate(one, from_attributes=True) for one in choices] or None,
        revision=revision,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type="application/problem+json"
    )


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
    428: "It is not said what was read",
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
    """Every error that leaves the app is a problem; what nobody foresaw becomes one in `Surroundings`."""
    app.add_exception_handler(BackendError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, _on_database)
    app.add_exception_handler(asyncpg.TransactionRollbackError, _on_collision)


async def _on_ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BackendError)
    headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    return problem(
        error.status,
        error.code,
        error.title,
        error.detail,
        hint=error.hint,
        field=error.field,
        choices=error.choices if isinstance(error, AmbiguousTarget) else (),
        revision=error.revision if isinstance(error, DraftChanged | DraftExists) else None,
        headers=headers,
    )


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
    if isinstance(error.__cause__, BackendError):  # raised while FastAPI read the body: too large, say
        return await _on_ours(request, error.__cause__)
    if error.status_code == 400:
        return problem(
            422, "invalid_body", _TITLES[422], f"The body cannot be read. {error.detail}", hint="Send it as UTF-8."
        )
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    title = _TITLES.get(error.status_code, "The request cannot be served")
    hints = {404: "See /openapi.json for the paths there are.", 405: "The Allow header says which methods it takes."}
    return problem(
        error.status_code,
        code,
        title,
        str(error.detail),
        hint=hints.get(error.status_code, ""),
        headers=dict(error.headers or {}),
    )


async def _on_database(request: Request, error: Exception) -> JSONResponse:
    if not is_away(error):
        raise error
    _log.warning(event("database.away", path=request.url.path, error=f"{type(error).__name__}: {error}"))
    return problem(
        503,
        "database_unavailable",
        _TITLES[503],
        "The database is out of reach or not migrated yet.",
        hint="Try again in a moment; /ready says what is missing.",
        headers={"Retry-After": "2"},
    )


async def _on_collision(request: Request, error: Exception) -> JSONResponse:
    _log.warning(event("database.collision", path=request.url.path, error=type(error).__name__))
    return problem(
        503,
        "busy",
        _TITLES[503],
        "Two requests wanted to change the same at once; nothing of this one was kept.",
        hint="Send it again.",
        headers={"Retry-After": "1"},
    )


def internal() -> JSONResponse:
    """For what nobody foresaw."""
    return problem(
        500, "internal", _TITLES[500], "This is a fault of Extrophi's.", hint="The log has it under the request's id."
    )
