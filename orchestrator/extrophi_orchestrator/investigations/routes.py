from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from extrophi_orchestrator.errors import UpstreamFailed, UpstreamSlow
from extrophi_orchestrator.gateway.passing import Upstreams, key_refused, pass_on
from extrophi_orchestrator.gateway.pool import HEALTH_HINT
from extrophi_orchestrator.http.problems import responses
from extrophi_orchestrator.log import request_id

router = APIRouter(prefix="/api/investigations", tags=["investigations"])

Id = Annotated[UUID, Path(description="An investigation's id.")]
_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Its events, until the end."}
}


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Any text that backend can store."""


class NewInvestigation(BaseModel):
    """A question, and where to look."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "Why?", "targets": ["https://example.org/post"]}]}
    )
    question: Annotated[Text, Field(min_length=1, max_length=8000)]
    targets: Annotated[list[Annotated[Text, Field(min_length=1, max_length=8000)]], Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 100
    scope: Literal["targets", "library"] = "targets"


class Accepted(BaseModel):
    id: UUID


@router.post(
    "",
    status_code=202,
    summary="Collect targets, then answer a question from them",
    response_model=Accepted,
    responses=responses() | _EVENT_STREAM,
)
async def create(
    request: Request, body: NewInvestigation, accept: Annotated[str, Header(max_length=1000)] = "application/json"
) -> Response:
    """202 with the id, or by `Accept: text/event-stream` its events. It goes on when the client leaves."""
    upstreams: Upstreams = request.app.state.upstreams
    try:
        made = await upstreams.client.post(
            f"{upstreams.urls['backend']}/investigations",
            json=body.model_dump(),
            headers=upstreams.headers(request_id.get()),
        )
    except httpx.TimeoutException as error:
        raise UpstreamSlow("backend did not answer in time.", hint=HEALTH_HINT) from error
    except httpx.HTTPError as error:
        raise UpstreamFailed("backend cannot be reached.", hint=HEALTH_HINT) from error
    if made.status_code == 401:
        raise key_refused("backend")
    if made.status_code != 201:
        kept = {name: made.headers[name] for name in ("content-type", "retry-after") if name in made.headers}
        return Response(made.content, made.status_code, headers=kept)
    held: dict[str, Any] = made.json()
    if held["status"] == "running":  # it has failed at once where no target can be collected
        request.app.state.drivers.start(held)
    location = f"/api/investigations/{held['id']}"
    if "text/event-stream" in accept:
        return _Passing(f"/investigations/{held['id']}/events", request, reading=True, location=location)
    return JSONResponse({"id": held["id"]}, 202, headers={"Location": location})


# These are documented by backend, whose answers they pass on (docs/openapi.py).


@router.get("", include_in_schema=False)
async def index(request: Request) -> Response:
    return _Passing("/investigations", request, query=request.scope["query_string"])


@router.get("/{id}", include_in_schema=False)
async def read(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}", request)


@router.get("/{id}/events", include_in_schema=False)
async def events(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}/events", request)


@router.post("/{id}/cancel", include_in_schema=False)
async def cancel(request: Request, id: Id) -> Response:  # noqa: A002  the contract's name
    return _Passing(f"/investigations/{id}/cancel", request)


class _Passing(Response):
    """What backend answers on a path, sent as it comes. No body goes there: none of these paths has one."""

    def __init__(
        self, path: str, request: Request, *, query: bytes = b"", reading: bool = False, location: str | None = None
    ) -> None:
        super().__init__()
        self._location = location
        self._path = path
        self._query = query
        self._upstreams: Upstreams = request.app.state.upstreams
        self._reading = reading

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if not name.startswith(b"content-")]
        method = "GET" if self._reading else scope["method"]
        scope = dict(scope) | {"method": method, "headers": headers, "query_string": self._query}

        async def send_located(message: Message) -> None:
            if self._location is not None and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"location", self._location.encode())]
            await send(message)

        await pass_on(
            self._upstreams,
            "backend",
            self._path.encode(),
            scope,
            receive,
            send_located,
            request_id=request_id.get(),
            limit=0,
            bodiless=True,
        )
