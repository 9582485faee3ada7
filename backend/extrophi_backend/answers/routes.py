from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

from extrophi_backend.answers import sql
from extrophi_backend.answers.models import Answer
from extrophi_backend.errors import AnswerExists, Conflict, NotFound
from extrophi_backend.http.cursors import moment, read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, JSONObject, Limit, Sought, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/answers", tags=["answers"])

Id = Annotated[UUID, Path(description="A kept answer's id.")]


class NewAnswer(BaseModel):
    """An answer as `POST /answer` gave it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"question": "Why?", "answer": "So. [1]", "citations": [{"n": 1}], "model": "extractive"}]
        },
    )
    id: UUID | None = Field(None, description="Made by the client, so that what it sends twice is kept once.")
    question: Annotated[Text, Field(min_length=1, max_length=8000, pattern=r"\S")]
    answer: Annotated[Text, Field(max_length=200_000)]
    citations: Annotated[list[JSONObject], Field(max_length=100)] = []
    model: Annotated[Text, Field(max_length=200)] = ""
    abstained: bool = False
    searched: JSONObject = {}


class AnswerOut(BaseModel):
    id: UUID
    question: str
    answer: str
    citations: list[dict[str, Any]]
    model: str
    abstained: bool
    searched: dict[str, Any]
    created_at: datetime


class Answers(BaseModel):
    items: list[AnswerOut]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    summary="Keep an answer",
    responses=responses(409) | {200: {"model": AnswerOut, "description": "It was kept before."}},
)
async def create(app: App, response: Response, body: NewAnswer) -> AnswerOut:
    """It is found by `GET /answers` alone, and never by a search: an answer is no source."""
    sent = body.model_dump(exclude={"id"})
    new = Answer(**sent, id=body.id or uuid7(), created_at=datetime.now(UTC))
    async with app.pool.acquire() as conn, conn.transaction():
        is_new = await sql.insert(conn, new)
        kept = new if is_new else await sql.get(conn, new.id)
    if kept is None:  # deleted in between
        raise Conflict(f"Answer {new.id} was just deleted.", hint="Send it again.")
    out = _out(kept)
    if out.model_dump(exclude={"id", "created_at"}) != sent:
        raise AnswerExists(f"Answer {new.id} is there, and is another.", hint="Send this one under another id.")
    if not is_new:
        response.status_code = 200
    response.headers["Location"] = f"answers/{kept.id}"
    return out


@router.get("", summary="List kept answers, newest first", responses=responses())
async def index(app: App, limit: Limit = 20, cursor: Cursor = None, query: Sought = None) -> Answers:
    """`query` is found in question and answer as it stands, whatever the case."""
    before = read_cursor(cursor, moment, UUID) if cursor is not None else None
    async with app.pool.acquire() as conn:
        found = await sql.newest(conn, query=query, before=(before[0], before[1]) if before else None, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Answers(
        items=[_out(one) for one in found[:limit]],
        next_cursor=write_cursor(last.created_at.isoformat(), str(last.id)) if last else None,
    )


@router.get("/{id}", summary="A kept answer", responses=responses())
async def read(app: App, id: Id) -> AnswerOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        found = await sql.get(conn, id)
    if found is None:
        raise _missing(id)
    return _out(found)


@router.delete("/{id}", status_code=204, summary="Forget a kept answer", responses=responses())
async def delete(app: App, id: Id) -> Response:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        if not await sql.delete(conn, id):
            raise _missing(id)
    return Response(status_code=204)


def _out(answer: Answer) -> AnswerOut:
    return AnswerOut(**{name: getattr(answer, name) for name in AnswerOut.model_fields})


def _missing(answer_id: UUID) -> NotFound:
    return NotFound(f"No answer {answer_id} is kept.", hint="/answers lists those that are.")
