from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.collectors.models import Scope
from extrophi_backend.collectors.reach import reach_of
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Name, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs.models import Status
from extrophi_backend.jobs.routes import Depth, JobError, JobOut
from extrophi_backend.jobs.routes import out as job_out
from extrophi_backend.sources import service, sql
from extrophi_backend.sources.sql import Source

router = APIRouter(prefix="/sources", tags=["sources"])

Id = Annotated[UUID, Path(description="A source's id.")]
State = Literal["active", "paused"]
Title = Annotated[Text, Field(max_length=2000)]
DocumentLimit = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class NewSource(BaseModel):
    """A target to come back to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"target": "https://example.org/feed.xml"}]})
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


class SourceChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    title: Title | None = None
    state: State | None = None
    limit: DocumentLimit | None = None


class LastJob(BaseModel):
    id: UUID
    status: Status
    error: JobError | None
    failed: int
    created_at: datetime
    finished_at: datetime | None


class SourceOut(BaseModel):
    id: UUID
    platform: str
    target: str
    title: str
    collection: str
    limit: int
    scope: Scope
    depth: int | None
    state: State
    documents: int
    last_job: LastJob | None
    created_at: datetime
    updated_at: datetime


class Sources(BaseModel):
    items: list[SourceOut]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    summary="Add a source, and collect it",
    responses=responses() | {200: {"model": SourceOut, "description": "It was there already; nothing changed."}},
)
async def create(app: App, body: NewSource, response: Response) -> SourceOut:
    target = await app.registry.find(body.target)
    reach = reach_of(target, body.scope or target.scope, body.depth)
    async with app.pool.acquire() as conn, conn.transaction():
        source_id, is_new = await service.add(
            conn,
            target,
            title=body.title,
            collection=body.collection,
            limit=body.limit,
            collect=body.collect,
            reach=reach,
        )
        found = await service.get(conn, source_id)
    if is_new and body.collect:
        await app.tell_workers()
    response.status_code = 201 if is_new else 200
    return _out(found)


@router.get("", summary="List sources, newest first", responses=responses())
async def index(
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    platform: Annotated[str | None, Query(max_length=20, pattern=r"^[a-z]+$")] = None,
    state: Annotated[State | None, Query()] = None,
) -> Sources:
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.newest(conn, before=before, platform=platform, state=state, limit=limit + 1)
    more = len(found) > limit
    return Sources(
        items=[_out(one) for one in found[:limit]], next_cursor=write_cursor(str(found[limit - 1].id)) if more else None
    )


@router.get("/{id}", summary="A source, and how its last job went", responses=responses())
async def read(app: App, id: Id) -> SourceOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        return _out(await service.get(conn, id))


@router.patch("/{id}", summary="Rename, pause (it is not collected), resume or limit a source", responses=responses())
async def change(app: App, id: Id, body: SourceChange) -> SourceOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        await sql.update(conn, id, title=body.title, state=body.state, limit=body.limit)
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
        title=source.title,
        collection=source.collection,
        limit=source.document_limit,
        scope=source.scope,
        depth=source.depth,
        state="paused" if source.state == "paused" else "active",
        documents=source.documents,
        last_job=LastJob.model_validate(source.last_job) if source.last_job else None,
        created_at=source.created_at,
        updated_at=source.updated_at,
    )
