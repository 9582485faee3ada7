import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.errors import InvalidInput
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, JSONArray, JSONObject, LastEventId, Limit, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.sse import Event, EventStream
from extrophi_backend.http.state import App, State
from extrophi_backend.investigations import service, sql
from extrophi_backend.investigations.models import Change, Held, Investigation, NewInvestigation, Status

router = APIRouter(prefix="/investigations", tags=["investigations"])

LOOK_AGAIN_SECONDS = 5.0  # for when a notification was missed
Id = Annotated[UUID, Path(description="An investigation's id.")]


class NewInvestigationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "Why?", "targets": ["https://example.org/post"]}]}
    )
    question: Annotated[Text, Field(min_length=1, max_length=8000)]
    targets: Annotated[list[Annotated[Text, Field(min_length=1, max_length=8000)]], Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 100
    scope: Literal["targets", "library"] = "targets"


class ListedInvestigation(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    question: str
    targets: list[str]
    limit: int
    scope: str
    status: Status
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Investigations(BaseModel):
    items: list[ListedInvestigation]
    next_cursor: str | None


class InvestigationOut(ListedInvestigation):
    job_ids: list[UUID]
    answer: dict[str, Any] | None


class HeldOut(InvestigationOut):
    """What its driver needs to know."""

    fence: int
    events: int


class EventIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    event: Annotated[Text, Field(min_length=1, max_length=50)]
    data: JSONObject | JSONArray


class ProgressIn(BaseModel):
    """The same again changes nothing: `seq` is the number of the first event."""

    model_config = ConfigDict(extra="forbid")
    fence: Annotated[int, Field(ge=0, le=2**62)]
    seq: Annotated[int, Field(ge=1, le=2**62)]
    events: Annotated[list[EventIn], Field(max_length=1000)] = []
    status: Status | None = None
    answer: JSONObject | None = None
    error: JSONObject | None = None
    release: bool = False


class ProgressOut(BaseModel):
    cancel_requested: bool


@router.post(
    "", status_code=201, summary="Store an investigation and its jobs; the creator drives it", responses=responses()
)
async def create(app: App, body: NewInvestigationIn) -> HeldOut:
    if not body.question.strip():
        raise InvalidInput("question: there is nothing in it.", field="question", hint="Ask something.")
    new = NewInvestigation(body.question, body.targets, body.limit, body.scope)
    found = await service.find(app.registry, new.targets)
    async with app.pool.acquire() as conn, conn.transaction():
        held = await service.create(conn, new, found)
    await app.tell_workers()
    return _held(held)


@router.get("", summary="List investigations, newest first", responses=responses())
async def index(app: App, limit: Limit = 50, cursor: Cursor = None) -> Investigations:
    """Without their answers."""
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.newest(conn, before=before, limit=limit + 1)
    return Investigations(
        items=[ListedInvestigation.model_validate(one) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].id)) if len(found) > limit else None,
    )


@router.post(
    "/claims",
    summary="Take an investigation whose driver is gone",
    response_model=HeldOut,
    responses=responses() | {204: {"description": "There is none"}},
)
async def claim(app: App) -> HeldOut | Response:
    async with app.pool.acquire() as conn, conn.transaction():
        held = await service.claim(conn)
    return Response(status_code=204) if held is None else _held(held)


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
    change = Change(body.status, body.answer, body.error, body.release)
    told = [(one.event, one.data) for one in body.events]
    async with app.pool.acquire() as conn, conn.transaction():
        return ProgressOut(cancel_requested=await service.tell(conn, id, body.fence, body.seq, told, change))


@router.get(
    "/{id}/events",
    summary="Its events from the first on, as Server-Sent Events",
    response_class=StreamingResponse,
    responses=responses() | {200: {"content": {"text/event-stream": {}}, "description": "Events, until the end."}},
)
async def events(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    last_event_id: LastEventId = 0,
) -> EventStream:
    await _get(app, id)
    return EventStream(_follow(app, id, last_event_id))


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
        return await service.get(conn, investigation_id)


def _held(held: Held) -> HeldOut:
    shown = InvestigationOut.model_validate(held.investigation).model_dump()
    return HeldOut(**shown, fence=held.investigation.fence, events=held.events)
