"""Evidence for a passage of a draft: what was collected that bears on it, and that it does not quote already."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from extrophi_research.answer.asking import as_query
from extrophi_research.answer.reading import quotable
from extrophi_research.search import analysis
from extrophi_research.search.citations import cite
from extrophi_research.search.models import Chunk, Filters, Found, Hit
from extrophi_research.search.service import chunks_of, search
from extrophi_research.state import State

_SHORTEST = 5
"""Words. A draft that holds "That is why." does not quote the first text that says so."""
_MORE = 5
"""Hits asked for beyond the limit, for those that turn out to hold nothing new."""


async def evidence(app: State, text: str, limit: int, filters: Filters, as_of: datetime | None = None) -> Found:
    """Hits for a passage. Each quotes a sentence that the passage does not hold word for word.

    Writers have what they quote; a hit of which the passage holds every sentence (the draft itself, collected) is left
    out. A hit of which it holds some stays, with another sentence: what surrounds a quotation is evidence.
    """
    query = as_query(text, "text")
    wanted = min(limit + _MORE, 100)
    found = await search(app, query, limit=wanted, filters=filters, as_of=as_of)
    async with app.pool.acquire() as conn:
        chunks = await chunks_of(conn, found)
    passage = _Passage(text)
    hits = [new for hit in found.items if hit.chunk_id in chunks and (new := passage.anew(hit, chunks[hit.chunk_id]))]
    return replace(found, items=hits[:limit])


class _Passage:
    """A passage of a draft, by its words."""

    def __init__(self, text: str) -> None:
        self._words = _spaced(text)
        self._terms = set(analysis.asked(text))

    def anew(self, hit: Hit, chunk: Chunk) -> Hit | None:
        """The hit, quoting the best sentence that the passage does not hold; None if it holds all of them."""
        if not self._holds(hit.citation.quote):
            return hit
        others = [span for span in quotable(chunk.text) if not self._holds(chunk.text[slice(*span)])]
        telling = [span for span in others if len(_words(chunk.text[slice(*span)])) >= _SHORTEST]
        if not telling:
            return None
        return replace(hit, citation=cite(chunk, self._best(chunk, telling)))

    def _best(self, chunk: Chunk, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
        return max(spans, key=lambda span: len(self._terms & set(analysis.tokens(chunk.text[slice(*span)]))))

    def _holds(self, sentence: str) -> bool:
        return len(_words(sentence)) >= _SHORTEST and _spaced(sentence) in self._words


def _spaced(text: str) -> str:
    """Its words alone, as written but for case and marks: how a quotation is set in a draft does not matter."""
    return f" {' '.join(_words(text))} "


def _words(text: str) -> list[str]:
    return analysis.parts(text)
