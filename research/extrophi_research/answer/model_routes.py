"""What writes answers, and whether it does. Its key is never told."""

import asyncio
import time
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from extrophi_research.answer.chat import ChatFailed, ChatModel, Message
from extrophi_research.answer.models import EXTRACTIVE
from extrophi_research.answer.routes import Chat
from extrophi_research.http.problems import responses

router = APIRouter(prefix="/answer/model", tags=["answer"])

_LONGEST_TEST_SECONDS = 20.0
"""For the first words: a model on this machine may have to be loaded first."""


class AnswerModel(BaseModel):
    """`model` is `extractive`, and `url` null, where no chat model is set: answers are quotations then."""

    model: str
    url: str | None
    is_elsewhere: Annotated[bool, Field(description="Whether questions, and passages for them, leave this machine.")]


class TestedModel(AnswerModel):
    """`extractive`: there is nothing to ask. `detail` says what came of it, in words."""

    state: Literal["ok", "failed", "extractive"]
    detail: str
    took_ms: float


@router.get("", summary="What writes answers", responses=responses())
async def read(chat: Chat) -> AnswerModel:
    return _out(chat)


@router.post("/test", summary="Ask the chat model for a word", responses=responses())
async def test(chat: Chat) -> TestedModel:
    """Nothing of the library is sent."""
    began = time.monotonic()
    state, detail = await _asked(chat)
    took_ms = round((time.monotonic() - began) * 1000, 1)
    return TestedModel(**_out(chat).model_dump(), state=state, detail=detail, took_ms=took_ms)


async def _asked(chat: ChatModel | None) -> tuple[Literal["ok", "failed", "extractive"], str]:
    if chat is None:
        return "extractive", "No chat model is set: answers are quotations."
    try:
        async with asyncio.timeout(_LONGEST_TEST_SECONDS), aclosing(chat.stream(_QUESTION)) as parts:
            async for part in parts:
                if isinstance(part, str) and part.strip():
                    return "ok", f"{chat.name} at {chat.host} answers."
    except ChatFailed as failure:
        return "failed", f"It did not work: {failure}."
    except TimeoutError:
        return "failed", f"It did not work: the chat model at {chat.host} said nothing in {_LONGEST_TEST_SECONDS:g} s."
    return "failed", f"It did not work: the chat model at {chat.host} answered nothing."


_QUESTION = (Message("user", "Answer with the single word: yes."),)


def _out(chat: ChatModel | None) -> AnswerModel:
    if chat is None:
        return AnswerModel(model=EXTRACTIVE, url=None, is_elsewhere=False)
    return AnswerModel(model=chat.name, url=chat.url, is_elsewhere=chat.is_elsewhere)
