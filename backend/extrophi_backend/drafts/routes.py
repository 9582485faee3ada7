from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from extrophi_backend.drafts import service, sql
from extrophi_backend.drafts.images import MEDIA_TYPES, NAME
from extrophi_backend.drafts.models import Draft
from extrophi_backend.drafts.schemas import (
    ChangedDraft,
    DraftHead,
    DraftOut,
    Drafts,
    ImageOut,
    NewDraft,
    RevisionHead,
    RevisionOut,
    Revisions,
    draft_out,
    head,
    revision_head,
)
from extrophi_backend.errors import InvalidInput
from extrophi_backend.http.cursors import moment, number, read_cursor, write_cursor
from extrophi_backend.http.etags import is_known, read_revision, write_revision
from extrophi_backend.http.fields import Cursor, Limit, Sought
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/drafts", tags=["drafts"])

Id = Annotated[UUID, Path(description="A draft's id.")]
_BYTES = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "",
    status_code=201,
    summary="Store a draft",
    responses=responses(409) | {200: {"model": DraftOut, "description": "It was stored before."}},
)
async def create(app: App, response: Response, body: NewDraft) -> DraftOut:
    """With an id of the client's, the same again is stored once."""
    content = body.content()
    made, is_new = await service.create(app.pool, body.id, content, _now())
    if not is_new:
        response.status_code = 200
    # As seen from the path that was asked, whatever is before it.
    response.headers["Location"] = f"drafts/{made.id}"
    draft, written = await service.read(app.pool, made.id)
    response.headers.update(_tag(draft))
    return draft_out(draft, written)


@router.get("", summary="List drafts, the newest change first", responses=responses())
async def index(
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    query: Sought = None,
    trashed: Annotated[bool, Query(description="Those in the trash, instead of the others.")] = False,  # noqa: FBT002
) -> Drafts:
    """`query` is found in title and text as it stands, whatever the case."""
    before = read_cursor(cursor, moment, UUID) if cursor is not None else None
    async with app.pool.acquire() as conn:
        found = await sql.newest(
            conn,
            trashed=trashed,
            query=query,
            before=(before[0], before[1]) if before else None,
            limit=limit + 1,
        )
    last = found[limit - 1] if len(found) > limit else None
    return Drafts(
        items=[DraftHead(**head(one)) for one in found[:limit]],
        next_cursor=write_cursor(last.updated_at.isoformat(), str(last.id)) if last else None,
    )


@router.get(
    "/{id}",
    summary="A draft with its text",
    response_model=DraftOut,
    responses=responses() | {304: {"description": "It is as it was."}},
)
async def read(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=8000)] = None,
) -> DraftOut | Response:
    """Its ETag is its revision. In the trash it has none: nothing can be saved over it there."""
    fresh = {"Cache-Control": "private, no-cache"}
    if if_none_match is not None:
        known = _tag(await service.get(app.pool, id))
        if known and is_known(known["ETag"], if_none_match):
            return Response(status_code=304, headers=known | fresh)
    draft, written = await service.read(app.pool, id)
    response.headers.update(_tag(draft) | fresh)
    return draft_out(draft, written)


@router.put("/{id}", summary="Save a draft over the revision that was read", responses=responses(409, 412, 428))
async def save(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    response: Response,
    body: ChangedDraft,
    if_match: Annotated[str | None, Header(max_length=8000, description='`"3"`: the ETag of what was read.')] = None,
) -> DraftHead:
    """Every save is a revision; fewer of them are kept the older they are.

    What is there already changes nothing, whatever revision If-Match names. Over one that the client has not seen
    nothing is saved: 412, with the `revision` there is.
    """
    seen = read_revision(if_match)
    saved = await service.save(app.pool, id, seen, body.content(), mark=body.mark, now=_now())
    response.headers.update(_tag(saved))
    return DraftHead(**head(saved))


@router.delete("/{id}", status_code=204, summary="Put a draft into the trash", responses=responses(409))
async def delete(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    *,
    for_good: Annotated[bool, Query(description="Remove it, with all its revisions; only from the trash.")] = False,
) -> Response:
    """The trash lets go of it after 30 days."""
    if for_good:
        await service.remove(app.pool, id)
    else:
        await service.trash(app.pool, id, _now())
    return Response(status_code=204)


@router.post("/{id}/recover", summary="Bring a draft back from the trash", responses=responses())
async def recover(app: App, id: Id, response: Response) -> DraftHead:  # noqa: A002  the contract's name
    recovered = await service.recover(app.pool, id)
    response.headers.update(_tag(recovered))
    return DraftHead(**head(recovered))


@router.get("/{id}/revisions", summary="A draft's revisions, newest first", responses=responses())
async def revisions(app: App, id: Id, limit: Limit = 50, cursor: Cursor = None) -> Revisions:  # noqa: A002
    (before,) = read_cursor(cursor, number) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.revisions(conn, id, before=before, limit=limit + 1)
    if not found:
        await service.get(app.pool, id)
    return Revisions(
        items=[RevisionHead(**revision_head(one)) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].revision)) if len(found) > limit else None,
    )


@router.get("/{id}/revisions/{revision}", summary="A revision with its text", responses=responses())
async def revision(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    revision: Annotated[int, Path(ge=1, le=2**31 - 1)],
) -> RevisionOut:
    found, written = await service.revision(app.pool, id, revision)
    return RevisionOut(
        **revision_head(found), text=written.text, bibliography=[dict(item) for item in written.bibliography]
    )


@router.post(
    "/{id}/images",
    status_code=201,
    summary="Keep an image of a draft's",
    responses=responses(409, 415) | {200: {"model": ImageOut, "description": "It was there."}},
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, _BYTES)}},
)
async def keep_image(app: App, id: Id, request: Request, response: Response) -> ImageOut:  # noqa: A002
    """The image itself is the body, at most 20 MB. One that no revision mentions is removed after 30 days."""
    try:
        body = await request.body()
    except ClientDisconnect:
        raise InvalidInput("The image did not come whole.", hint="Send it again.") from None
    image, is_new = await service.keep_image(app.pool, id, body, _now())
    if not is_new:
        response.status_code = 200
    return ImageOut(name=image.name, media_type=image.media_type, bytes=len(body))


@router.get(
    "/{id}/images/{name}",
    summary="An image",
    response_class=Response,
    responses=responses() | {200: {"content": dict.fromkeys(MEDIA_TYPES, _BYTES), "description": "Its bytes."}},
)
async def image(
    app: App,
    id: Id,  # noqa: A002  the contract's name
    name: Annotated[str, Path(pattern=f"^{NAME}$")],
) -> Response:
    found = await service.image(app.pool, id, name)
    return Response(
        found.body,
        media_type=found.media_type,
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
            "Cache-Control": "private, max-age=31536000, immutable",  # another image has another name
        },
    )


def _tag(draft: Draft) -> dict[str, str]:
    """The revision, which alone says nothing of the trash: who has one from before must hear that it is there."""
    return {} if draft.trashed_at is not None else {"ETag": write_revision(draft.revision)}


def _now() -> datetime:
    return datetime.now(UTC)
