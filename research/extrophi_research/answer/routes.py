import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_research.answer.chat import ChatModel
from extrophi_research.answer.models import Answer, Cited, Said
from extrophi_research.answer.service import BrokeOff, Found, answer, answering, find
from extrophi_research.http.fields import Question
from extrophi_research.http.problems import Problem, responses
from extrophi_research.http.sse import Event, EventStream
from extrophi_research.http.state import App, State
from extrophi_research.log import event
from extrophi_research.search.models import Citation
from extrophi_research.search.schemas import AsOf, CitationOut, FiltersIn

_log = logging.getLogger(__name__)
router = APIRouter(tags=["answer"])


class AnswerIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"question": "Why do long articles get read less on phones?"}]},
    )
    question: Question
    limit: Annotated[int, Field(ge=1, le=100, strict=True)] = 8
    filters: FiltersIn = FiltersIn()
    as_of: AsOf = None


class NumberedCitation(CitationOut):
    n: int


class NearestOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    document_id: UUID
    title: str
    platform: str
    url: str | None
    deep_link: str | None


class SearchedOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    documents: int
    platforms: list[str]
    published_from: datetime | None
    published_to: datetime | None
    filtered: bool
    as_of: datetime | None = Field(description="What was searched is what the library held at this moment.")
    nearest: list[NearestOut]


class AnswerOut(BaseModel):
    answer: str
    citations: list[NumberedCitation]
    abstained: bool
    model: str
    searched: SearchedOut
    degraded: str | None


async def _chat(request: Request) -> ChatModel | None:  # async: FastAPI sends plain functions to a thread
    return cast("ChatModel | None", request.app.state.chat)


Chat = Annotated[ChatModel | None, Depends(_chat)]


@router.post(
    "/answer",
    summary="Answer a question with citations",
    response_model=AnswerOut,
    responses=responses() | {200: {"content": {"text/event-stream": {}}}},
)
async def post_answer(
    request: Request,
    app: App,
    chat: Chat,
    body: AnswerIn,
    accept: Annotated[str, Header(max_length=1000)] = "application/json",
) -> Response:
    """JSON, or by `Accept: text/event-stream` the events `citations`, `delta`, `done`; `error` if it breaks off.

    `citations` comes first, and again, whole, before the first `delta` that uses a new one. `answer` is plain text, the
    deltas together; its only unescaped numbers in brackets are `[n]`, the n-th citation.
    """
    if "text/event-stream" in accept:
        # Found before the stream begins, so that what goes wrong until then is a problem with its own status.
        found = await find(app, body.question, body.limit, body.filters.filters(), body.as_of)
        return EventStream(_events(app, chat, found))

    async def whole() -> Response:
        found = await find(app, body.question, body.limit, body.filters.filters(), body.as_of)
        made = await answer(app, chat, found)
        app.notes.cited(made.citations)
        return JSONResponse(_out(made).model_dump(mode="json"))

    return await _unless_gone(request, whole())


async def _events(app: State, chat: ChatModel | None, found: Found) -> AsyncGenerator[Event, None]:
    try:
        async with aclosing(answering(app, chat, found)) as steps:
            async for step in steps:
                if isinstance(step, Cited):
                    yield Event("citations", [one.model_dump(mode="json") for one in _numbered(step.citations)])
                elif isinstance(step, Said):
                    yield Event("delta", {"text": step.text})
                else:
                    app.notes.cited(step.citations)
                    yield Event("done", _out(step).model_dump(mode="json"))
    except BrokeOff as error:
        problem = Problem(
            type="urn:extrophi:problem:answer_broke_off",
            title="The answer broke off",
            status=502,
            detail=f"What was shown is checked, but it is not all: {error}.",
            code="answer_broke_off",
            hint="Ask again.",
        )
        yield Event("error", problem.model_dump(exclude_none=True))
    except Exception:  # noqa: BLE001  logged, and told: it is the edge of the process
        # The response has begun: no handler of the app can answer any more, and a stream that just ends tells nothing.
        _log.exception(event("answer.failed"))
        problem = Problem(
            type="urn:extrophi:problem:internal_error",
            title="Something went wrong here",
            status=500,
            detail="The answer could not be finished.",
            code="internal_error",
            hint="Ask again; the log of research says what happened.",
        )
        yield Event("error", problem.model_dump(exclude_none=True))


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """Do the work as long as someone waits for it: a stream notices by itself, a plain response does not."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=499)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _out(made: Answer) -> AnswerOut:
    return AnswerOut(
        answer=made.text,
        citations=_numbered(made.citations),
        abstained=made.abstained,
        model=made.model,
        searched=SearchedOut.model_validate(made.searched),
        degraded=made.degraded,
    )


def _numbered(citations: Sequence[Citation]) -> list[NumberedCitation]:
    return [NumberedCitation(n=n, **CitationOut.model_validate(one).model_dump()) for n, one in enumerate(citations, 1)]
