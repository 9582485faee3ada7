"""The story of an answer: find passages, judge whether they are about the question, quote the best sentences."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extrophi_research.answer.extractive import Quoted, candidates, choose, escaped
from extrophi_research.http.state import State
from extrophi_research.search import analysis, sql
from extrophi_research.search.citations import cite
from extrophi_research.search.models import Chunk, Citation, Filters, Found
from extrophi_research.search.service import search

ABOUT = 0.35
"""Least cosine of the question and the best passage under all-MiniLM-L6-v2 for which the passage is about it."""
_COVERED = 0.6
"""Where there are no vectors: least share of the question's words that the best passage holds."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    citations: Sequence[Citation]
    abstained: bool
    searched: dict[str, Any]
    degraded: str | None
    model: str = "extractive"


async def answer(app: State, question: str, limit: int, filters: Filters) -> Answer:
    """Answer from what was collected; say so where it holds nothing on the question."""
    # A question's dashes and quotation marks are prose, not operators of a query.
    asked = " ".join(word.lstrip("-").replace('"', "") for word in question.split()) or question
    found = await search(app.pool, app.index, app.embedder, asked, limit=limit, group="none", filters=filters)
    async with app.pool.acquire() as conn:
        covered = await sql.coverage(conn, filters)
        chunks = await sql.chunks(conn, [hit.chunk_id for hit in found.items])
    searched = {
        "documents": covered["documents"],
        "platforms": sorted(covered["platforms"] or []),
        "published_from": covered["published_from"].isoformat() if covered["published_from"] else None,
        "published_to": covered["published_to"].isoformat() if covered["published_to"] else None,
        "nearest": [{"title": hit.citation.title, "deep_link": hit.citation.deep_link} for hit in found.items[:3]],
    }
    sentences = candidates(found.items)
    if not sentences or not _is_about(question, found):
        return _abstention(searched, found)
    vectors, _ = await asyncio.to_thread(app.model.embed, [question, *(one.text for one in sentences)])
    chosen = choose(question, sentences, vectors[1:], vectors[0])
    return _compose(chosen, chunks, searched, found.degraded)


def _is_about(question: str, found: Found) -> bool:
    nearest = max((hit.similarity for hit in found.items if hit.similarity is not None), default=None)
    if nearest is not None:
        return nearest >= ABOUT
    wanted = {term for term in analysis.tokens(question) if term not in analysis.STOP_WORDS}
    return any(len(wanted & set(analysis.tokens(hit.text))) >= _COVERED * len(wanted) for hit in found.items)


def _compose(
    chosen: Sequence[Quoted], chunks: dict[Any, Chunk], searched: dict[str, Any], degraded: str | None
) -> Answer:
    citations: list[Citation] = []
    parts: list[str] = []
    for quoted in chosen:
        if quoted.hit.chunk_id not in chunks:  # deleted a moment ago
            continue
        citations.append(cite(chunks[quoted.hit.chunk_id], (quoted.start, quoted.end)))
        parts.append(f"“{escaped(quoted.text)}” [{len(citations)}]")
    return Answer("\n\n".join(parts), citations, abstained=False, searched=searched, degraded=degraded)


def _abstention(searched: dict[str, Any], found: Found) -> Answer:
    count = searched["documents"]
    if count == 0:
        text = "Nothing has been collected yet that this question could be answered from. Collect something first."
    else:
        text = f"Nothing in the {count} collected document{'s' if count != 1 else ''} answers this."
        titles = [hit.citation.title for hit in found.items[:3] if hit.citation.title]
        if titles:
            text += " The nearest are: " + "; ".join(dict.fromkeys(titles)) + "."
        text += " Collect pages or files on it, and ask again."
    return Answer(text, [], abstained=True, searched=searched, degraded=found.degraded)
