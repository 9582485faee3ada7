from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_research.answer.service import Answer, answer
from extrophi_research.http.fields import Question
from extrophi_research.http.problems import responses
from extrophi_research.http.sse import Event, EventStream
from extrophi_research.http.state import App
from extrophi_research.search.schemas import CitationOut, FiltersIn

router = APIRouter(tags=["answer"])


class AnswerIn(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "Why do long articles get read less on phones?"}]}
    )
    question: Question
    limit: Annotated[int, Field(ge=1, le=100, strict=True)] = 8
    filters: FiltersIn = FiltersIn()


class NumberedCitation(CitationOut):
    n: int


class AnswerOut(BaseModel):
    answer: str
    citations: list[NumberedCitation]
    abstained: bool
    model: str
    searched: dict[str, Any]
    degraded: str | None


@router.post(
    "/answer",
    summary="Answer a question with citations",
    response_model=AnswerOut,
    responses=responses() | {200: {"content": {"text/event-stream": {}}}},
)
async def post_answer(
    app: App, body: AnswerIn, accept: Annotated[str, Header(max_length=1000)] = "application/json"
) -> Response:
    """JSON, or by `Accept: text/event-stream` the events `citations`, `delta`, `done`."""
    made = _out(await answer(app, body.question, body.limit, body.filters.filters()))
    if "text/event-stream" in accept:
        return EventStream(_events(made))
    return JSONResponse(made.model_dump(mode="json"))


async def _events(made: AnswerOut) -> AsyncGenerator[Event, None]:
    whole = made.model_dump(mode="json")
    yield Event("citations", whole["citations"])
    for part in made.answer.split("\n\n"):
        yield Event("delta", {"text": part if made.answer.startswith(part) else f"\n\n{part}"})
    yield Event("done", whole)


def _out(made: Answer) -> AnswerOut:
    citations = [
        NumberedCitation(n=n, **CitationOut.model_validate(one).model_dump()) for n, one in enumerate(made.citations, 1)
    ]
    return AnswerOut(
        answer=made.text,
        citations=citations,
        abstained=made.abstained,
        model=made.model,
        searched=made.searched,
        degraded=made.degraded,
    )
