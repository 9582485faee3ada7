import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

from extrophi_backend.errors import InvalidInput, LeaseLost, NotFound
from extrophi_backend.http.fields import JSONArray, JSONObject, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.sse import Event, EventStream
from extrophi_backend.http.state import App, State
from extrophi_backend.investigations import sql
from extrophi_backend.investigations.models import Change, Investigation, Status

router = APIRouter(prefix="/investigations", tags=["investigations"])

LOOK_AGAIN_SECONDS = 5.0  # for when a notification was missed
Id = Annotated[UUID, Path(description="An investigation's id.")]


class NewInvestigation(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "Why?", "targets": ["https://example.org/post"]}]}
    )
    question: Annotated[Text, Field(min_length=1, max_length=8000)]
    targets: Annotated[list[Annotated[Text, Field(min_length=1, max_length=8000)]], Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 100
    scope: Literal["targets", "library"] = "targets"


class Created(BaseModel):
    id: UUID
    fence: int


class InvestigationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    question: str
    targets: list[str]
    limit: int
    scope: str
    status: Status
    job_ids: list[UUID]
    answer: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Claimed(InvestigationOut):
    fence: int


class EventIn(BaseModel):
    event: Annotated[Text, Field(min_length=1, max_length=50)]
    data: JSONObject | JSONArray


class ProgressIn(BaseModel):
    fence: Annotated[int, Field(ge=0, le=2**62)]
    events: Annotated[list[EventIn], Field(max_length=1000)] = []
    job_ids: Annotated[list[UUID], Field(max_length=50)] | None = None
    status: Status | None = None
    answer: JSONObject | None = None
    error: JSONObject | None = None


class ProgressOut(BaseModel):
    cancel_requested: bool


@router.post("", status_code=201, summary="Store an investigation; the creator drives it", responses=responses())
async def create(app: App, body: NewInvestigation) -> Created:
    if not body.question.strip():
        raise InvalidInput("question: there is nothing in it.", field="question", hint="Ask something.")
    investigation_id = uuid7()
    async with app.pool.acquire() as conn:
        fence = await sql.insert(conn, investigation_id, body.question, body.targets, body.limit, body.scope)
    return Created(id=investigation_id, fence=fence)


@router.post(
    "/claims",
    summary="Take an investigation whose driver is gone",
    response_model=Claimed,
    responses=responses() | {204: {"description": "There is none"}},
)
async def claim(app: App) -> Claimed | Response:
    async with app.pool.acquire() as conn:
        found = await sql.claim(conn)
    return Response(status_code=204) if found is None else Claimed.model_validate(found)


@router.get("/{id}", summary="An investigation, and its answer once there is one", responses=responses())
async def read(app: App, id: Id) -> InvestigationOut:  # noqa: A002  the contract's name
    return InvestigationOut.model_validate(await _get(app, id))


@router.post("/{id}/cancel", summary="Ask for its end; one that has ended stays as it is", responses=responses())
async def cancel(app: App, id: Id) -> InvestigationOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        await sql.request_cancel(conn, id)
    return InvestigationOut.model_validate(await _get(app, id))


@router.post("/{id}/progress", summary="Append events, under the driver's fence", responses=responses(409))
async def progress(app: App, id: Id, body: ProgressIn) -> ProgressOut:  # noqa: A002  the contract's name
    change = Change(body.status, body.job_ids, body.answer, body.error)
    async with app.pool.acquire() as conn, conn.transaction():
        cancel_requested = await sql.progress(conn, id, body.fence, change)
        if cancel_requested is None:
            raise LeaseLost(f"Investigation {id} has ended, is unknown, or has another driver.")
        await sql.append(conn, id, [(one.event, one.data) for one in body.events])
    return ProgressOut(cancel_requested=cancel_requested)


@router.get(
    "/{id}/events",
    summary="Its events from the first on, as Server-Sent Events",
    response_class=StreamingResponse,
    responses=responses() | {200: {"content": {"text/event-stream": {}}, "description": "Events, until the end."}},
)
async def events(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    last_event_id: Annotated[str | None, Header(max_length=40, description="Go on after this event.")] = None,
) -> EventStream:
    await _get(app, id)
    seen = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    return EventStream(_follow(app, id, min(seen, 2**62)))


async def _follow(app: State, investigation_id: UUID, seen: int) -> AsyncGenerator[Event, None]:
    with app.notifications.subscribed("extrophi_investigations", str(investigation_id)) as changed:
        while True:
            changed.clear()
            ended = (await _get(app, investigation_id)).finished_at is not None  # asked before the events
            async with app.pool.acquire() as conn:
                stored = await sql.events_after(conn, investigation_id, seen)
            for one in stored:
                seen = one.seq
                yield Event(one.event, one.data, id=str(seen))
            if stored:
                continue
            if ended:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await changed.wait()


async def _get(app: State, investigation_id: UUID) -> Investigation:
    async with app.pool.acquire() as conn:
        found = await sql.get(conn, investigation_id)
    if found is None:
        raise NotFound(f"There is no investigation {investigation_id}.")
    return found
