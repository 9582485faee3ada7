"""An answer without a chat model: the sentences of the passages that answer best, quoted and cited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from extrophi_research.embeddings.local import Vectors
from extrophi_research.search import analysis
from extrophi_research.search.models import Hit
from extrophi_research.search.sentences import sentences

SENTENCES = 5
_SHORTEST, _LONGEST = 25, 600
_LIKENESS = 0.6
"""Of maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): how much a sentence loses for saying it again."""
_ENDED = re.compile(r"[.!?…。！？]['\"”’)\]*_」』]*$")
_MARKER = re.compile(r"\[(\d[\d,\s–-]*)\]")


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of a hit: `hit.text[start:end]`, and how near it is to the question."""

    hit: Hit
    start: int
    end: int
    score: float

    @property
    def text(self) -> str:
        return self.hit.text[self.start : self.end]


def candidates(hits: Sequence[Hit]) -> list[Quoted]:
    """The sentences of the hits that could stand alone."""
    return [
        Quoted(hit, start, end, 0.0)
        for hit in hits
        for start, end in sentences(hit.text)
        if _SHORTEST <= end - start <= _LONGEST and _ENDED.search(hit.text[start:end])
    ]


def choose(question: str, found: Sequence[Quoted], vectors: Vectors, asked: Vectors) -> list[Quoted]:
    """The best sentences, each unlike those before it.

    Args:
        question: As asked.
        found: From `candidates`.
        vectors: One row of unit length per sentence.
        asked: The question's, of unit length.
    """
    wanted = {term for term in analysis.tokens(question) if term not in analysis.STOP_WORDS}
    near = vectors @ asked
    words = np.array([len(wanted & set(analysis.tokens(one.text))) / max(1, len(wanted)) for one in found])
    relevance = 0.75 * near + 0.25 * words
    chosen: list[int] = []
    while len(chosen) < min(SENTENCES, len(found)):
        penalty = (vectors @ vectors[chosen].T).max(1) if chosen else np.zeros(len(found))
        value = _LIKENESS * relevance - (1 - _LIKENESS) * penalty
        value[chosen] = -np.inf
        best = int(value.argmax())
        if chosen and relevance[best] < 0.6 * relevance[chosen[0]]:
            break
        chosen.append(best)
    return [Quoted(found[i].hit, found[i].start, found[i].end, float(relevance[i])) for i in chosen]


def escaped(text: str) -> str:
    """A source's own bracketed numbers, marked as such, so that nobody takes them for ours."""
    return _MARKER.sub(r"\\[\1\\]", " ".join(text.split()))
