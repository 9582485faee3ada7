from asyncio import timeout
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.collectors.models import MAX_DEPTH, Purpose, Scope
from extrophi_backend.collectors.reach import reach_of
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, LastEventId, Limit, Name, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.sse import Event, EventStream
from extrophi_backend.http.state import App, State
from extrophi_backend.jobs import board, service, sql
from extrophi_backend.jobs.models import Job, Status

router = APIRouter(prefix="/jobs", tags=["jobs"])

LOOK_AGAIN_SECONDS = 5.0  # for when a notification was missed
Id = Annotated[UUID, Path(description="A job's id.")]
Depth = Annotated[
    int | None,
    Field(ge=0, le=MAX_DEPTH, strict=True, description="Steps from a site's front that are gone; 5 if null."),
]


class NewJobIn(BaseModel):
    """A target, collected once."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"target": "https://example.org/post", "limit": 100}]}
    )
    target: Annotated[Text, Field(min_length=1, max_length=8000)]
    limit: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 100
    collection: Name = "default"
    scope: Annotated[Scope, Field(description="The page (or what a feed or sitemap lists), or the whole site.")] = (
        "page"
    )
    depth: Depth = None


class Progress(BaseModel):
    found: int
    created: int
    updated: int
    unchanged: int
    failed: int


class FailureOut(BaseModel):
    target: str
    code: str
    detail: str


class LeftExample(BaseModel):
    """An address that was left, and how many there are of its kind."""

    target: str
    count: int


class LeftOut(BaseModel):
    """Addresses that a site's pages lead to and that were not asked for.

    They seem to be of a place without end: a calendar, a filter, a program that makes pages up. One that is wanted is
    had as a target of its own. At most 50,000 are counted.
    """

    count: int
    examples: Annotated[list[LeftExample], Field(description="One of each kind; those with the most first.")]


class Indexing(BaseModel):
    """Chunks of the job's documents that wait for an embedding, and that never get one."""

    pending: int
    failed: int


class JobError(BaseModel):
    code: str
    detail: str
    hint: str = ""


class ListedJob(BaseModel):
    id: UUID
    target: str
    typed: Annotated[str, Field(description="The target as it was given; of an archive, its file's name.")]
    platform: str
    source_id: UUID | None
    source_title: str | None
    collection: str
    limit: int
    purpose: Annotated[Purpose, Field(description="What it looks at: all, what is new, or known documents again.")]
    scope: Scope
    depth: int | None
    status: Status
    progress: Progress
    failures: list[FailureOut]
    left_out: Annotated[LeftOut | None, Field(description="Null if nothing was, or the job has not ended.")]
    error: JobError | None
    attempts: int
    cancel_requested: Annotated[bool, Field(description="A running job is told to end at its next page.")]
    run_after: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobOut(ListedJob):
    indexing: Annotated[Indexing | None, Field(description="Of a job that has ended.")]


class Jobs(BaseModel):
    items: list[ListedJob]
    next_cursor: str | None


@router.post("", status_code=202, summary="Collect a target once", responses=responses())
async def create(app: App, body: NewJobIn) -> JobOut:
    target = await app.registry.find(body.target)
    reach = reach_of(target.platform, body.scope, body.depth)
    async with app.pool.acquire() as conn, conn.transaction():
        made = await service.create(conn, target, collection=body.collection, limit=body.limit, reach=reach)
    await app.tell_workers()
    return out(made)


@router.get("", summary="List jobs, newest first", responses=responses())
async def index(
    app: App, limit: Limit = 50, cursor: Cursor = None, status: Annotated[Status | None, Query()] = None
) -> Jobs:
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.newest(conn, before=before, status=status, limit=limit + 1)
    more = len(found) > limit
    return Jobs(
        items=[_listed(one) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].id)) if more else None,
    )


@router.get(
    "/events",
    summary="All jobs after each change, as Server-Sent Events",
    response_class=StreamingResponse,
    responses=responses()
    | {200: {"content": {"text/event-stream": {}}, "description": "Events `job`, and one `listed` after the first."}},
)
async def all_events(app: App, status: Annotated[Status | None, Query()] = None) -> EventStream:
    """The newest 100 jobs, or those of a status, newest first; then `listed`; then each job after each change.

    Whoever comes back begins anew. A job that was told is told once more when it is not of the status any more.
    """
    return EventStream(_follow_all(app, status))


@router.get("/{id}", summary="A job, and how far it is", responses=responses())
async def read(app: App, id: Id) -> JobOut:  # noqa: A002  the contract's name
    return out(await _get(app, id))


@router.post("/{id}/cancel", summary="Cancel a job; one that has ended stays as it is", responses=responses())
async def cancel(app: App, id: Id) -> JobOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        await service.cancel(conn, id)
    return out(await _get(app, id))


@router.get(
    "/{id}/events",
    summary="The job after each change, as Server-Sent Events",
    response_class=StreamingResponse,
    responses=responses() | {200: {"content": {"text/event-stream": {}}, "description": "Events `job`."}},
)
async def events(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    last_event_id: LastEventId = 0,
) -> EventStream:
    await _get(app, id)
    return EventStream(_follow(app, id, last_event_id))


async def _follow(app: State, job_id: UUID, seen: int) -> AsyncGenerator[Event, None]:
    with app.notifications.subscribed("extrophi_jobs", str(job_id)) as changed:
        while True:
            changed.clear()
            job = await _get(app, job_id)
            if job.revision > seen:
                seen = job.revision
                yield Event("job", out(job).model_dump(mode="json"), id=str(seen))
            if job.finished_at is not None:
                return
            with suppress(TimeoutError):
                async with timeout(LOOK_AGAIN_SECONDS):
                    await changed.wait()


async def _follow_all(app: State, status: Status | None) -> AsyncGenerator[Event, None]:
    async with aclosing(board.follow(app.pool, app.notifications, status)) as changes:
        async for job in changes:
            yield Event("job", _listed(job).model_dump(mode="json")) if job else Event("listed", {})


async def _get(app: State, job_id: UUID) -> Job:
    async with app.pool.acquire() as conn:
        return await service.get(conn, job_id)


def out(job: Job) -> JobOut:
    """A job as it crosses HTTP."""
    counted = {"pending": job.indexing.pending, "failed": job.indexing.failed} if job.indexing else None
    return JobOut.model_validate(_fields(job) | {"indexing": counted})


def _listed(job: Job) -> ListedJob:
    return ListedJob.model_validate(_fields(job))


def _fields(job: Job) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(job, name) for name in ListedJob.model_fields if hasattr(job, name)}
    return fields | {
        "limit": job.document_limit,
        "progress": {name: getattr(job, name) for name in Progress.model_fields},
    }
