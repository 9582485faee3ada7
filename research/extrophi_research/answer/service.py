"""The story of an answer: find passages, judge whether they are about the question, and answer from them.

In a chat model's words where one is set and does its work, in the passages' own sentences otherwise.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from extrophi_research.answer.abstaining import abstention
from extrophi_research.answer.asking import as_query
from extrophi_research.answer.chat import ChatFailed, ChatModel
from extrophi_research.answer.extractive import choose, escaped
from extrophi_research.answer.models import Answer, Cited, Nearest, Said, Searched
from extrophi_research.answer.passages import MAX_PASSAGES
from extrophi_research.answer.reading import Holding, Reading, Sentence, equally, is_about, read
from extrophi_research.answer.writing import NoAnswer, Unsupported, write
from extrophi_research.http.state import State
from extrophi_research.log import event
from extrophi_research.search import sql
from extrophi_research.search.citations import cite
from extrophi_research.search.keyword import IndexBroken, KeywordIndex
from extrophi_research.search.models import Chunk, Citation, Filters, Hit
from extrophi_research.search.service import chunks_of, search

_log = logging.getLogger(__name__)
_FEWEST = 8
"""Hits that are read at least, to judge whether anything is about the question."""
_NEAREST = 3
_WHOLE_SECONDS = 100.0
"""For an answer that is sent as a whole: below the 120 s that the orchestrator waits for a first byte."""


class BrokeOff(Exception):
    """The chat model failed after some of its answer was given."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer is made from."""

    reading: Reading
    chunks: Sequence[Chunk]
    """Those to answer from, best first."""
    searched: Searched
    degraded: str | None


async def find(app: State, question: str, limit: int, filters: Filters, as_of: datetime | None = None) -> Found:
    """Search and read. All that can be refused or be out of reach is found out here."""
    query = as_query(question, "question")
    wanted = max(limit, _FEWEST)
    found = await search(app, query, limit=wanted, group="none", filters=filters, as_of=as_of)
    async with app.pool.acquire() as conn:
        covered = await sql.coverage(conn, filters, as_of)
        known = await chunks_of(conn, found)
    chunks = [known[hit.chunk_id] for hit in found.items if hit.chunk_id in known]
    searched = Searched(
        documents=covered["documents"],
        platforms=sorted(covered["platforms"] or []),
        published_from=covered["published_from"],
        published_to=covered["published_to"],
        filtered=filters.any,
        nearest=_nearest(found.items),
        as_of=as_of,
    )
    reading = await asyncio.to_thread(read, app.model, question, chunks[:MAX_PASSAGES], _holding(app.index))
    fewer = f"Of {len(chunks)} passages, the nearest {MAX_PASSAGES} were read." if len(chunks) > MAX_PASSAGES else None
    return Found(reading, chunks[:MAX_PASSAGES][:limit], searched, _joined(found.degraded, fewer))


def _holding(index: KeywordIndex) -> Holding:
    def holding(terms: Sequence[str]) -> tuple[int, Sequence[int]]:
        try:
            return index.holding(terms)
        except IndexBroken:
            return equally(terms)

    return holding


async def answer(app: State, chat: ChatModel | None, found: Found, *, within: float = _WHOLE_SECONDS) -> Answer:
    """The whole answer. A chat model that fails on the way, or needs too many seconds, makes it an extractive one."""
    try:
        async with asyncio.timeout(within), aclosing(answering(app, chat, found)) as steps:
            async for step in steps:
                if isinstance(step, Answer):
                    return step
        raise AssertionError("an answer ends with itself")
    except BrokeOff as error:
        return _extractive(found, str(error))
    except TimeoutError:
        return _extractive(found, "the chat model took too long")


async def answering(app: State, chat: ChatModel | None, found: Found) -> AsyncGenerator[Cited | Said | Answer, None]:
    """The answer as it comes: the citations, again whenever there are more, its text in parts, then all of it.

    Raises:
        BrokeOff: The chat model failed, and some of its answer was given already.
    """
    if chat is not None and found.chunks and is_about(found.reading):
        text, cited, notes = "", list[Citation](), list[str]()
        yield Cited(cited)
        try:
            async with aclosing(write(chat, app.model, found.reading, found.chunks)) as pieces:
                async for piece in pieces:
                    if len(piece.cited) > len(cited):
                        cited = [_citation(sentence) for sentence in piece.cited]
                        yield Cited(cited)
                    notes += piece.notes
                    text += piece.text
                    if piece.text:
                        yield Said(piece.text)
        except (NoAnswer, Unsupported, ChatFailed) as error:
            made = _instead(found, chat, error, shown=len(text))
        else:
            yield Answer(text, cited, False, found.searched, _joined(found.degraded, *notes), chat.name)
            return
    else:
        made = _extractive(found)
    yield Cited(made.citations)
    for part in _paragraphs(made.text):
        yield Said(part)
    yield made


def _instead(found: Found, chat: ChatModel, error: NoAnswer | Unsupported | ChatFailed, *, shown: int) -> Answer:
    """The answer where the model gave none.

    Raises:
        BrokeOff: It failed, and some of its answer was given already.
    """
    if isinstance(error, NoAnswer):
        return replace(_abstained(found), model=chat.name)
    if isinstance(error, Unsupported):
        return _extractive(found, f"what the chat model at {chat.host} wrote is supported by no passage")
    _log.warning(event("chat.failed", host=chat.host, model=chat.name, shown=shown, reason=str(error)))
    if shown:
        raise BrokeOff(str(error)) from error
    return _extractive(found, str(error))


def _extractive(found: Found, reason: str | None = None) -> Answer:
    """The best sentences, quoted; or why there are none.

    Args:
        found: What to answer from.
        reason: Why no chat model wrote it, if one should have.
    """
    chosen: Sequence[Sentence] = ()
    if is_about(found.reading):
        chosen = choose(found.reading, [n for chunk in found.chunks for n in found.reading.of(chunk)])
    if not chosen:
        made = _abstained(found)
    else:
        text = "\n\n".join(f"“{escaped(one.text)}” [{n}]" for n, one in enumerate(chosen, 1))
        made = Answer(text, [_citation(one) for one in chosen], False, found.searched, found.degraded)
    if reason is None:
        return made
    return replace(made, degraded=_joined(found.degraded, f"Quoted from what was found: {reason}."))


def _joined(*reasons: str | None) -> str | None:
    return " ".join(filter(None, reasons)) or None


def _abstained(found: Found) -> Answer:
    return Answer(abstention(found.searched, found.reading), [], True, found.searched, found.degraded)


def _citation(sentence: Sentence) -> Citation:
    return cite(sentence.chunk, (sentence.start, sentence.end))


def _nearest(hits: Sequence[Hit]) -> list[Nearest]:
    nearest: dict[UUID, Nearest] = {}
    for hit in hits:
        one = hit.citation
        title = one.title or one.external_id
        nearest.setdefault(one.document_id, Nearest(one.document_id, title, one.platform, one.url, one.deep_link))
    return list(nearest.values())[:_NEAREST]


def _paragraphs(text: str) -> list[str]:
    """Paragraphs, with what stands between them: together they are the text."""
    first, *others = text.split("\n\n")
    return [first, *(f"\n\n{other}" for other in others)]
