from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.collectors.models import Scope
from extrophi_backend.collectors.reach import reach_of
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Name, Text, stored
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.jobs import misses
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs.models import Status
from extrophi_backend.jobs.routes import Depth, JobError, JobOut
from extrophi_backend.jobs.routes import out as job_out
from extrophi_backend.sources import service, sql
from extrophi_backend.sources.schedule import check_zone, parse_schedule
from extrophi_backend.sources.sql import Source
from extrophi_backend.sources.states import STATES, State, reason_of, state_of

router = APIRouter(prefix="/sources", tags=["sources"])

Id = Annotated[UUID, Path(description="A source's id.")]
Wish = Literal["active", "paused"]
Schedule = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=200,
        description="When to look again: `auto` (as often as something new appears), `never`, an interval (`90m`, `6h`,"
        " `1d`, `2w`), or the five fields of cron (`0 7 * * 1-5`).",
    ),
]
TimeZone = Annotated[Text, Field(min_length=1, max_length=100, description="Of cron's fields: IANA's name.")]
Title = Annotated[Text, Field(max_length=2000)]
DocumentLimit = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class NewSource(BaseModel):
    """A target to come back to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"target": "https://example.org/feed.xml"}]}
    )
    target: Annotated[Text, Field(min_length=1, max_length=8000)]
    title: Title = ""
    collection: Name = "default"
    limit: DocumentLimit = 100
    scope: Annotated[
        Scope | None,
        Field(
            description="The page (or what a feed or sitemap lists), or the whole site; null: a site's front is a site."
        ),
    ] = None
    depth: Depth = None
    collect: Annotated[bool, Field(strict=True, description="Whether a new source is collected at once.")] = True
    schedule: Schedule = "auto"
    time_zone: TimeZone = "UTC"


class SourceChange(BaseModel):
    """What is left out, or null, stays as it is. One that reaches further than before is looked at as a whole, soon."""

    model_config = ConfigDict(extra="forbid")
    title: Title | None = None
    state: Wish | None = None
    limit: DocumentLimit | None = None
    scope: Annotated[Scope | None, Field(description="A page goes without a depth; a page made a site has 5.")] = None
    depth: Depth = None
    schedule: Schedule | None = None
    time_zone: TimeZone | None = None


class LastJob(BaseModel):
    id: UUID
    status: Status
    error: JobError | None
    failed: int
    created_at: datetime
    finished_at: datetime | None


class Reason(BaseModel):
    """Why it is in its state, or what it waits for. `code` is for programs."""

    code: str
    detail: str
    hint: str = ""


class SourceOut(BaseModel):
    """A source, and how it is.

    `next_run_at` is when it is looked at next by itself; null where it is not: paused, gone, or never to be.
    """

    id: UUID
    platform: str
    target: str
    typed: Annotated[str, Field(description="The target as it was given.")]
    title: str
    collection: str
    limit: int
    scope: Scope
    depth: int | None
    state: State
    reason: Reason | None
    schedule: str
    time_zone: str
    looked_at: datetime | None
    next_run_at: datetime | None
    documents: int
    last_job: LastJob | None
    created_at: datetime
    updated_at: datetime


class Sources(BaseModel):
    items: list[SourceOut]
    next_cursor: str | None


class MissOut(BaseModel):
    """A document that could not be had yet, or not any more."""

    target: str
    state: State
    reason: Reason
    tries: int
    tried_at: datetime
    next_try_at: datetime


class Misses(BaseModel):
    items: list[MissOut]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    summary="Add a source, and collect it",
    responses=responses()
    | {200: {"model": SourceOut, "description": "It was there already, in this spelling or another."}},
)
async def create(app: App, body: NewSource, response: Response) -> SourceOut:
    target = await app.registry.find(body.target)
    reach = reach_of(target.platform, body.scope or target.scope, body.depth)
    check_zone(body.time_zone)
    schedule = parse_schedule(body.schedule, body.time_zone)
    async with app.pool.acquire() as conn, conn.transaction():
        source_id, is_new = await service.add(
            conn,
            target,
            title=body.title,
            collection=body.collection,
            limit=body.limit,
            collect=body.collect,
            schedule=schedule,
            time_zone=body.time_zone,
            reach=reach,
        )
        found = await service.get(conn, source_id)
    if body.collect:  # one that was there may go on in another spelling
        await app.tell_workers()
    response.status_code = 201 if is_new else 200
    return _out(found)


@router.get("", summary="List sources, newest first", responses=responses())
async def index(
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    platform: Annotated[str | None, Query(max_length=20, pattern=r"^[a-z]+$")] = None,
    state: Annotated[
        list[State | Literal["active"]] | None,
        Query(description="Only those in one of these states; `active` is all but `paused`.", max_length=20),
    ] = None,
) -> Sources:
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    states = {one for name in state or () for one in ([name] if name != "active" else set(STATES) - {"paused"})}
    async with app.pool.acquire() as conn:
        found = await sql.newest(conn, before=before, platform=platform, states=sorted(states), limit=limit + 1)
    more = len(found) > limit
    return Sources(
        items=[_out(one) for one in found[:limit]], next_cursor=write_cursor(str(found[limit - 1].id)) if more else None
    )


@router.get("/{id}", summary="A source, and how its last job went", responses=responses())
async def read(app: App, id: Id) -> SourceOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        return _out(await service.get(conn, id))


@router.get("/{id}/misses", summary="What could not be had of a source, why, and until when", responses=responses())
async def list_misses(app: App, id: Id, limit: Limit = 50, cursor: Cursor = None) -> Misses:  # noqa: A002  as above
    (after,) = read_cursor(cursor, stored) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        await service.get(conn, id)
        found = await misses.of_source(conn, id, after=after, limit=limit + 1)
    more = len(found) > limit
    return Misses(
        items=[
            MissOut(
                target=one.target,
                state=state_of(one.code),
                reason=Reason.model_validate(reason_of(one.code, one.detail).json),
                tries=one.tries,
                tried_at=one.tried_at,
                next_try_at=one.next_try_at,
            )
            for one in found[:limit]
        ],
        next_cursor=write_cursor(found[limit - 1].target) if more else None,
    )


@router.patch(
    "/{id}",
    summary="Rename, pause (it is not collected), resume, limit or reschedule a source, or change how far it reaches",
    responses=responses(),
)
async def change(app: App, id: Id, body: SourceChange) -> SourceOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        await service.change(
            conn,
            id,
            title=body.title,
            state=body.state,
            limit=body.limit,
            scope=body.scope,
            depth=body.depth,
            schedule=body.schedule,
            time_zone=body.time_zone,
        )
        return _out(await service.get(conn, id))


@router.delete("/{id}", status_code=204, summary="Collect a source no more; its documents stay", responses=responses())
async def delete(app: App, id: Id) -> Response:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        await service.remove(conn, id)
    return Response(status_code=204)


@router.post(
    "/{id}/jobs",
    status_code=202,
    summary="Collect a source now; while a job of it is open, that one",
    responses=responses(409),
)
async def collect(app: App, id: Id) -> JobOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        job = await jobs.get(conn, await service.collect_now(conn, await service.get(conn, id)))
    await app.tell_workers()
    return job_out(job)


def _out(source: Source) -> SourceOut:
    return SourceOut(
        id=source.id,
        platform=source.platform,
        target=source.target,
        typed=source.typed,
        title=source.title,
        collection=source.collection,
        limit=source.document_limit,
        scope=source.scope,
        depth=source.depth,
        state=source.state,
        reason=Reason.model_validate(source.reason) if source.reason else None,
        schedule=source.schedule,
        time_zone=source.time_zone,
        looked_at=source.looked_at,
        next_run_at=source.next_run_at,
        documents=source.documents,
        last_job=LastJob.model_validate(source.last_job) if source.last_job else None,
        created_at=source.created_at,
        updated_at=source.updated_at,
    )
