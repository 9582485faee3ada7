import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response

from extrophi_backend.documents import comparing, service, sql
from extrophi_backend.documents.models import KeptCapture
from extrophi_backend.documents.pushed import read_pushed
from extrophi_backend.documents.schemas import (
    DiffOut,
    DocumentOut,
    PushedDocuments,
    SavedItem,
    SavedItems,
    VersionOut,
    Versions,
    body,
    diff_out,
    head,
)
from extrophi_backend.errors import NotFound, TooLarge
from extrophi_backend.http.cursors import number, read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/documents", tags=["documents"])
MAX_PUSH_BYTES = 32_000_000

VersionQuery = Annotated[int | None, Query(alias="version", ge=1, le=2**31 - 1, description="Default: the newest.")]
Id = Annotated[UUID, Path(description="A document's id.")]


@router.post("", summary="Push documents in", responses=responses())
async def push(app: App, body: PushedDocuments) -> SavedItems:
    """All or nothing. The same again changes nothing. A 422 names the index of the document at fault."""
    if sum(len(one.text.encode()) for one in body.documents) > MAX_PUSH_BYTES:
        raise TooLarge("The documents' texts are larger than 32 MB together.", hint="Send them in smaller batches.")
    pushed = await asyncio.gather(*(read_pushed(one, index) for index, one in enumerate(body.documents)))
    saved = await service.push(app.pool, pushed)
    return SavedItems(items=[SavedItem(id=one.id, external_id=one.external_id, status=one.status) for one in saved])


@router.get("/{id}", summary="A document with its text", responses=responses(410))
async def read(app: App, id: Id, version: VersionQuery = None) -> DocumentOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        found = await service.read(conn, id, version)
    return DocumentOut(**head(found), **body(found), highlights=found.highlights)


@router.delete("/{id}", status_code=204, summary="Delete a document for good", responses=responses(410))
async def delete(app: App, id: Id) -> Response:  # noqa: A002  the contract's name
    await service.delete(app.pool, app.captures, id)
    return Response(status_code=204)


@router.get("/{id}/versions", summary="A document's versions, newest first", responses=responses(410))
async def versions(app: App, id: Id, limit: Limit = 100, cursor: Cursor = None) -> Versions:  # noqa: A002  the contract's name
    (before,) = read_cursor(cursor, number) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.versions(conn, id, before=before, limit=limit + 1)
        if not found and before is None:
            await service.missing(conn, id)
    counts = await comparing.count_lines(app.pool, id, found)
    return Versions(
        items=[
            VersionOut(
                version=v.version,
                title=v.title,
                collected_at=v.collected_at,
                characters=v.characters,
                bytes=v.bytes,
                lines_added=counts[v.version][0] if v.version in counts else None,
                lines_removed=counts[v.version][1] if v.version in counts else None,
            )
            for v in found[:limit]
        ],
        next_cursor=write_cursor(str(found[limit - 1].version)) if len(found) > limit else None,
    )


@router.get(
    "/{id}/diff",
    summary="What changed between two versions",
    response_model=DiffOut,
    responses=responses(410)
    | {200: {"content": {"text/plain": {}}, "description": "As JSON; or by Accept, as `diff -u` tells it."}},
)
async def diff(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    older: Annotated[
        int | None, Query(alias="from", ge=1, le=2**31 - 1, description="Default: the one before.")
    ] = None,
    newer: Annotated[int | None, Query(alias="to", ge=1, le=2**31 - 1, description="Default: the newest.")] = None,
    accept: Annotated[str, Header(max_length=1000)] = "application/json",
) -> DiffOut | Response:
    """By lines, and by words within lines that were revised. A version has 400,000 lines at most to be compared."""
    before, after = await comparing.versions(app.pool, id, older, newer)
    if "text/plain" in accept and "application/json" not in accept:
        return Response(
            await comparing.unified(before, after),
            media_type="text/plain; charset=utf-8",
            headers={"X-Content-Type-Options": "nosniff"},
        )
    return diff_out(before, after, await comparing.diff(before, after))


@router.get(
    "/{id}/capture",
    summary="The bytes as fetched",
    response_class=Response,
    responses=responses(410) | {200: {"content": {"*/*": {}}, "description": "The bytes, never to be run."}},
)
async def capture(app: App, id: Id, version: VersionQuery = None) -> Response:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        kept = await sql.capture(conn, id, version)
        if kept is None and await sql.get(conn, id, version) is None:
            await service.missing(conn, id)
    nothing = NotFound(f"Document {id} has no capture.", hint="Documents pushed in have none.")
    return await _kept(app, kept, nothing)


@router.get(
    "/{id}/screenshot",
    summary="How a browser showed the page",
    response_class=Response,
    responses=responses(410) | {200: {"content": {"image/webp": {}}, "description": "The page, as far as it is kept."}},
)
async def screenshot(app: App, id: Id, version: VersionQuery = None) -> Response:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        kept = await sql.screenshot(conn, id, version)
        if kept is None and await sql.get(conn, id, version) is None:
            await service.missing(conn, id)
    hint = "Pages have one that a browser had to render (`has_screenshot`)."
    return await _kept(app, kept, NotFound(f"Document {id} has no screenshot.", hint=hint))


async def _kept(app: App, kept: KeptCapture | None, nothing: NotFound) -> Response:
    """The bytes. Raises `nothing` where there are none."""
    body = await app.captures.get(kept.place) if kept else None
    if kept is None or body is None:
        raise nothing
    # It was written by strangers: a browser may show it, and run nothing of it.
    return Response(
        body,
        media_type=kept.media_type,
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
        },
    )
