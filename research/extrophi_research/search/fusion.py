"""Two rankings into one: what was found by word and what was found by meaning.

Each score is taken as its share of the best one. Both have a natural zero (no word in common; a cosine of 0), so that
nothing hangs on how many candidates were asked for, as it does when the worst candidate is made the zero.
docs/decisions/0007-how-search-ranks.md has the measurements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

KEYWORD_WEIGHT = 0.3
"""Of the sum; the rest is meaning's. The best on Cranfield and on Medline, each alone."""
SUPPORT = 0.15
"""How much a document's second nearest chunk counts beside its nearest."""


@dataclass(slots=True)
class Candidate:
    """A chunk that one of the two ways found. `words` is its BM25 score, `similarity` its cosine."""

    chunk_id: UUID
    document_id: UUID
    words: float = 0.0
    similarity: float | None = None
    alone: bool = False
    """Its document has no other chunk."""


class Ranked(NamedTuple):
    # A tuple, since each search makes a hundred: frozen dataclasses take twice as long to make.
    chunk_id: UUID
    document_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What makes scores comparable: the best of each kind, and how much words count."""

    words: float
    documents: float
    similarity: float
    weight: float


def fuse(candidates: Sequence[Candidate], documents: Mapping[UUID, float]) -> list[Ranked]:
    """Every chunk, best first.

    Args:
        candidates: In any order.
        documents: BM25 scores of whole documents.
    """
    scale = _scale(candidates, documents)
    ranked = [
        Ranked(one.chunk_id, one.document_id, _of_chunk(one, documents.get(one.document_id, 0.0), scale))
        for one in candidates
    ]
    return sorted(ranked, key=_by_score)


def fuse_by_document(
    candidates: Sequence[Candidate], documents: Mapping[UUID, float], farthest: float = 0.0
) -> list[Ranked]:
    """The best chunk of each document, the best document first.

    A document is as near as its nearest chunk, and a little of its second nearest: a document of which more than one
    place is near is more likely about it.

    Args:
        candidates: In any order.
        documents: BM25 scores of whole documents.
        farthest: The similarity that every chunk has at most that is not among the candidates.
    """
    scale = _scale(candidates, documents)
    grouped: dict[UUID, list[Candidate]] = {}
    for one in candidates:
        grouped.setdefault(one.document_id, []).append(one)
    ranked: list[Ranked] = []
    for document_id, chunks in grouped.items():
        whole = documents.get(document_id, 0.0)
        best, words = chunks[0], chunks[0].words
        if len(chunks) > 1:
            best = min(chunks, key=lambda one: (-_of_chunk(one, whole, scale), one.chunk_id))
            words = max([one.words for one in chunks])
        nearness = [one.similarity for one in chunks if one.similarity is not None]
        nearness.sort(reverse=True)
        nearness.append(nearness[0] if best.alone and nearness else farthest)
        first, second = nearness[0], nearness[1] if len(nearness) > 1 else 0.0
        nearness_of_both = (1 - SUPPORT) * first + SUPPORT * min(first, second)
        ranked.append(Ranked(best.chunk_id, document_id, _sum(words, whole, nearness_of_both, scale)))
    return sorted(ranked, key=_by_score)


def _by_score(one: Ranked) -> tuple[float, UUID]:
    """Equal ones are told apart by something: which was found first is chance."""
    return -one.score, one.chunk_id


def _scale(candidates: Sequence[Candidate], documents: Mapping[UUID, float]) -> Scale:
    words = max((one.words for one in candidates), default=0.0)
    similarity = max((one.similarity or 0.0 for one in candidates), default=0.0)
    weight = KEYWORD_WEIGHT if words and similarity > 0 else float(words > 0)
    return Scale(words or 1.0, max(documents.values(), default=1.0), max(similarity, 0.0) or 1.0, weight)


def _of_chunk(one: Candidate, whole: float, scale: Scale) -> float:
    return _sum(one.words, whole, one.similarity or 0.0, scale)


def _sum(words: float, whole: float, similarity: float, scale: Scale) -> float:
    by_word = (words / scale.words + whole / scale.documents) / 2
    return scale.weight * by_word + (1 - scale.weight) * max(similarity, 0.0) / scale.similarity
