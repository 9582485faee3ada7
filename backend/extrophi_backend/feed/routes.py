from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field

from extrophi_backend.feed import atom, service, sql
from extrophi_backend.feed.models import FeedToken, Wanted
from extrophi_backend.http.cursors import moment, read_cursor, write_cursor
from extrophi_backend.http.etags import is_known
from extrophi_backend.http.fields import Cursor, Limit, Name, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(tags=["feed"])

WITHOUT_KEY = "x-extrophi-without-key"
"""The orchestrator sets it where nobody's key was given, and lets none through that came from outside."""
_MOST = 100

PlatformName = Annotated[str, Query(max_length=20, pattern=r"^[a-z]+$")]
Platforms = Annotated[list[PlatformName], Query(max_length=_MOST)]
Names = Annotated[list[Name], Query(max_length=_MOST, description="Documents in one of these collections.")]
Ids = Annotated[list[UUID], Query(max_length=_MOST, description="Documents that one of these sources has found.")]


class NewFeedToken(BaseModel):
    name: Annotated[Text, Field(max_length=200, description="What it is for, for people.")] = ""
    collections: Annotated[list[Name], Field(min_length=1, max_length=_MOST)] | None = Field(
        None, description="All that it opens; left out: everything."
    )


class FeedTokenOut(BaseModel):
    id: UUID
    name: str
    collections: list[str] | None
    created_at: datetime
    last_used_at: datetime | None = Field(description="Right to the hour.")


class MadeFeedToken(FeedTokenOut):
    token: str = Field(description="For `?token=` of /feed.atom. Shown this once.")


class FeedTokens(BaseModel):
    items: list[FeedTokenOut]
    next_cursor: str | None


@router.head("/feed.atom", include_in_schema=False)
@router.get(
    "/feed.atom",
    summary="What was collected, newest first, as an Atom feed",
    response_class=Response,
    responses=responses()
    | {
        200: {"content": {atom.MEDIA_TYPE: {}}, "description": "RFC 4287, in pages as RFC 5005 has it."},
        304: {"description": "It is as it was."},
    },
)
async def feed(
    app: App,
    request: Request,
    platform: Platforms = [],  # noqa: B006  FastAPI copies it
    collection: Names = [],  # noqa: B006
    source_id: Ids = [],  # noqa: B006
    limit: Limit = 50,
    cursor: Cursor = None,
    token: Annotated[Text | None, Query(max_length=200, description="A feed token, where no key can be sent.")] = None,
    if_none_match: Annotated[str | None, Header(max_length=8000)] = None,
) -> Response:
    """Filters may be repeated. A token opens this and nothing else; on loopback none is needed."""
    before = read_cursor(cursor, moment, UUID) if cursor is not None else None
    async with app.pool.acquire() as conn:
        allowed = await service.admit(conn, token, has_key=WITHOUT_KEY not in request.headers)
        found = await sql.newest(
            conn,
            Wanted(platform, collection, source_id, allowed),
            before=(before[0], before[1]) if before else None,
            limit=limit + 1,
            characters=atom.READ,
        )
        made_at = await sql.library_made_at(conn)
    page = found[:limit]
    chosen = [("platform", one) for one in platform] + [("collection", one) for one in collection]
    chosen += [("source_id", str(one)) for one in source_id]
    more = [("limit", str(limit))] + ([("token", token)] if token else [])
    here = [("cursor", cursor)] if cursor is not None else []
    following = None
    if len(found) > limit:
        after = write_cursor(page[-1].collected_at.isoformat(), str(page[-1].id))
        following = _address([*chosen, *more, ("cursor", after)])
    body = atom.write(
        page,
        identity=atom.feed_id(made_at, urlencode(sorted(chosen))),
        title=": ".join(["Extrophi", *([", ".join([*collection, *platform])] if collection or platform else [])]),
        made_at=made_at,
        own=_address([*chosen, *more, *here]),
        following=following,
    )
    headers = {"ETag": f'"{sha256(body).hexdigest()[:32]}"', "Cache-Control": "private, no-cache"}
    # No Last-Modified: what is deleted, moved or edited changes a feed, and leaves its newest entry as it was.
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=atom.MEDIA_TYPE, headers=headers)


@router.post("/feed-tokens", status_code=201, summary="Make a token that opens the feed alone", responses=responses())
async def make_token(app: App, body: NewFeedToken) -> MadeFeedToken:
    async with app.pool.acquire() as conn, conn.transaction():
        made, text = await service.make_token(conn, body.name, body.collections)
    return MadeFeedToken(**_out(made).model_dump(), token=text)


@router.get("/feed-tokens", summary="List feed tokens, newest first", responses=responses())
async def tokens(app: App, limit: Limit = 50, cursor: Cursor = None) -> FeedTokens:
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.tokens(conn, before=before, limit=limit + 1)
    return FeedTokens(
        items=[_out(one) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].id)) if len(found) > limit else None,
    )


@router.delete("/feed-tokens/{id}", status_code=204, summary="Revoke a feed token", responses=responses())
async def delete_token(
    app: App,
    id: Annotated[UUID, Path(description="A feed token's id.")],  # noqa: A002  the contract's name
) -> Response:
    async with app.pool.acquire() as conn:
        await service.delete_token(conn, id)
    return Response(status_code=204)


def _out(token: FeedToken) -> FeedTokenOut:
    return FeedTokenOut(**{name: getattr(token, name) for name in FeedTokenOut.model_fields})


def _address(parameters: Sequence[tuple[str, str]]) -> str:
    return f"feed.atom?{urlencode(parameters)}"
