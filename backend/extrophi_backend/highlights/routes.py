from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from uuid_utils.compat import uuid7

from extrophi_backend.highlights import service, sql
from extrophi_backend.highlights.models import LONGEST_NOTE, Colour, Highlight, NewHighlight
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/highlights", tags=["highlights"])

Id = Annotated[UUID, Path(description="A highlight's id.")]
Offset = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1, description="In code points of that version's text.")]
Note = Annotated[Text, Field(max_length=LONGEST_NOTE, description="Blank: none. Else it is a document, too.")]


class NewHighlightIn(BaseModel):
    """A passage to be marked. The server takes the quote from that version's text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"document_id": "01a20ce0-0000-7000-8000-000000000000", "version": 1, "start": 0, "end": 10}]
        },
    )
    id: UUID | None = Field(None, description="Made by the client, so that it may send this twice.")
    document_id: UUID
    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
    start: Offset
    end: Offset
    note: Note = ""
    colour: Colour = "yellow"


class ChangeIn(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "Is it so in winter?"}]})
    note: Note = ""
    colour: Colour = "yellow"

    @model_validator(mode="after")
    def _says_something(self) -> "ChangeIn":
        if not self.model_fields_set:
            raise ValueError("it changes nothing: give a note, a colour, or both")
        return self


class HighlightedDocument(BaseModel):
    title: str
    author: str | None
    platform: str
    url: str | None


class HighlightOut(BaseModel):
    id: UUID
    document_id: UUID
    version: int
    start: int
    end: int
    quote: str
    note: str
    colour: Colour
    note_id: UUID | None = Field(description="The document that the note is; null where there is none.")
    created_at: datetime
    updated_at: datetime
    document: HighlightedDocument


class Highlights(BaseModel):
    items: list[HighlightOut]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    summary="Highlight a passage",
    responses=responses(409, 410) | {200: {"model": HighlightOut, "description": "It was there already."}},
)
async def create(app: App, body: NewHighlightIn, response: Response) -> HighlightOut:
    new = NewHighlight(
        id=body.id or uuid7(),
        document_id=body.document_id,
        version=body.version,
        start=body.start,
        end=body.end,
        note=body.note,
        colour=body.colour,
    )
    made, is_new = await service.create(app.pool, new)
    response.status_code = 201 if is_new else 200
    return _out(made)


@router.get("", summary="List highlights, newest first", responses=responses())
async def index(
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    document_id: Annotated[UUID | None, Query(description="Those of this document, in whatever version.")] = None,
    query: Annotated[
        Text | None, Query(min_length=1, max_length=200, description="What stands in the note or the quote.")
    ] = None,
) -> Highlights:
    before = read_cursor(cursor, _moment, UUID) if cursor is not None else None
    async with app.pool.acquire() as conn:
        found = await sql.newest(
            conn,
            before=(before[0], before[1]) if before else None,
            document_id=document_id,
            query=query,
            limit=limit + 1,
        )
    page = found[:limit]
    return Highlights(
        items=[_out(one) for one in page],
        next_cursor=write_cursor(page[-1].created_at.isoformat(), str(page[-1].id)) if len(found) > limit else None,
    )


@router.get("/{id}", summary="A highlight", responses=responses())
async def read(app: App, id: Id) -> HighlightOut:  # noqa: A002  the contract's name
    return _out(await service.get(app.pool, id))


@router.patch("/{id}", summary="Change a highlight's note or colour", responses=responses(410))
async def change(app: App, id: Id, body: ChangeIn) -> HighlightOut:  # noqa: A002  the contract's name
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return _out(await service.update(app.pool, id, given.get("note"), given.get("colour")))


@router.delete("/{id}", status_code=204, summary="Delete a highlight, with its note", responses=responses(410))
async def delete(app: App, id: Id) -> Response:  # noqa: A002  the contract's name
    await service.delete(app.pool, id)
    return Response(status_code=204)


def _out(one: Highlight) -> HighlightOut:
    document = HighlightedDocument(title=one.title, author=one.author, platform=one.platform, url=one.url)
    names = HighlightOut.model_fields.keys() - {"document"}
    return HighlightOut(**{name: getattr(one, name) for name in names}, document=document)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
