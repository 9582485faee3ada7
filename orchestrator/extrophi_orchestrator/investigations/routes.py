from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_orchestrator.gateway.passing import pass_on
from extrophi_orchestrator.http.problems import problem, responses
from extrophi_orchestrator.log import request_id

router = APIRouter(prefix="/api/investigations", tags=["investigations"])

Id = Annotated[UUID, Path(description="An investigation's id.")]
_UPSTREAM = responses(502, 504)


class NewInvestigation(BaseModel):
    """A question, and where to look."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "Why?", "targets": ["https://example.org/post"]}]}
    )
    question: Annotated[str, Field(min_length=1, max_length=8000)]
    targets: Annotated[list[Annotated[str, Field(min_length=1, max_length=8000)]], Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 100
    scope: Literal["targets", "library"] = "targets"


class Accepted(BaseModel):
    id: UUID


@router.post(
    "",
    status_code=202,
    summary="Collect targets, then answer a question from them",
    response_model=Accepted,
    responses=_UPSTREAM,
)
async def create(
    request: Request, body: NewInvestigation, accept: Annotated[str, Header(max_length=1000)] = "application/json"
) -> Response:
    """202 with the id, or by `Accept: text/event-stream` its events. It goes on when the client leaves."""
    upstreams = request.app.state.upstreams
    try:
        answer = await upstreams.client.post(
            f"{upstreams.urls['backend']}/investigations",
            json=body.model_dump(),
            headers=upstreams.headers(request_id.get()),
        )
    except (httpx.HTTPError, UnicodeEncodeError) as error:
        if isinstance(error, UnicodeEncodeError):
            return problem(422, "invalid_input", "This cannot be read", "Half a surrogate pair is no character.")
        detail = "backend cannot be reached."
        return problem(502, "upstream_unreachable", "A component failed", detail, hint="Try again in a moment.")
    if answer.status_code != 201:
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
    made: dict[str, Any] = answer.json()
    request.app.state.drivers.start(body.model_dump() | made)
    if "text/event-stream" in accept:
        return _Passing(f"/investigations/{made['id']}/events", request, method="GET")
    return JSONResponse({"id": made["id"]}, 202)


@router.get("/{id}", summary="An investigation, and its answer once there is one", responses=_UPSTREAM)
async def read(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}", request)


@router.get("/{id}/events", summary="Its events; resumes by Last-Event-ID", responses=_UPSTREAM)
async def events(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}/events", request)


@router.post("/{id}/cancel", summary="End it, and its jobs", responses=_UPSTREAM)
async def cancel(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}/cancel", request)


class _Passing(Response):
    """What backend answers on a path, sent as it comes."""

    def __init__(self, path: str, request: Request, method: str | None = None) -> None:
        super().__init__()
        self._path = path
        self._request = request
        self._method = method

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        upstreams = self._request.app.state.upstreams
        if self._method:  # the body was read already
            plain = [(name, value) for name, value in scope["headers"] if not name.startswith(b"content-")]
            scope = scope | {"method": self._method, "headers": plain}
        await pass_on(upstreams, "backend", self._path, scope, receive, send, request_id.get())
