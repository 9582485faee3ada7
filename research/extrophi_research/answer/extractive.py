"""An answer without a chat model: the sentences of the passages that answer best, quoted and cited."""

from collections.abc import Collection, Sequence

import numpy as np

from extrophi_research.answer.passages import BRACKETED
from extrophi_research.answer.reading import Reading, Sentence, asked_terms
from extrophi_research.embeddings.local import Vectors
from extrophi_research.search import analysis

SENTENCES = 5
_FEWEST_TERMS = 2
"""That tell something, or figures: "It weighs 2 kg." does, "That is why." does not."""
_LIKENESS = 0.6
"""Of maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): how much a sentence loses for saying it again."""
_SAME = 0.95
"""Likeness of two sentences that say one thing."""
_OF_THE_BEST, _OF_THE_BEST_BY_WORD = 0.6, 0.45
"""Share of the best one's relevance that each must have. By word less: half a question's words are often one of two."""


def choose(reading: Reading, among: Collection[int]) -> list[Sentence]:
    """The best sentences, each unlike those before it.

    Args:
        reading: What was found.
        among: The numbers of the sentences to choose from.
    """
    numbers = _candidates(reading, among)
    if not numbers:
        return []
    found = [reading.sentences[n] for n in numbers]
    terms = [set(analysis.tokens(one.text)) for one in found]
    relevance = np.array([reading.covered(one) for one in terms])
    if reading.by_meaning:
        relevance = 0.75 * (reading.vectors[numbers] @ reading.asked) + 0.25 * relevance
    least = _OF_THE_BEST if reading.by_meaning else _OF_THE_BEST_BY_WORD
    alike = _alike(reading, numbers, terms)
    chosen: list[int] = []
    left = np.ones(len(found), bool)
    while left.any() and len(chosen) < SENTENCES:
        penalty = alike[:, chosen].max(1) if chosen else np.zeros(len(found))
        value = np.where(left, _LIKENESS * relevance - (1 - _LIKENESS) * penalty, -np.inf)
        best = int(value.argmax())
        if chosen and relevance[best] <= least * relevance[chosen[0]]:
            break
        chosen.append(best)
        left &= alike[best] <= _SAME
    return [found[n] for n in chosen]


def escaped(text: str) -> str:
    """A source's own bracketed numbers, marked as such, so that nobody takes them for ours."""
    return BRACKETED.sub(
        lambda found: rf"\[{found[0][1:-1]}\]" if found[0][0] == "[" else found[0], " ".join(text.split())
    )


def _candidates(reading: Reading, among: Collection[int]) -> list[int]:
    """Sentences and items that tell something; of a chunk without any (a transcript, a heading), its pieces.

    A question answers none.
    """
    kind = {n: reading.sentences[n].kind for n in sorted(among)}
    telling = [n for n in kind if len(asked_terms(reading.sentences[n].text)) >= _FEWEST_TERMS]
    whole = [n for n in telling if kind[n] in ("sentence", "item")]
    chunks_with = {reading.sentences[n].chunk.chunk_id for n in whole}
    pieces = [n for n in telling if kind[n] == "piece" and reading.sentences[n].chunk.chunk_id not in chunks_with]
    return (
        sorted(whole + pieces)
        or [n for n in kind if kind[n] not in ("question", "heading")]
        or [n for n in kind if kind[n] == "heading"]
    )


def _alike(reading: Reading, numbers: Sequence[int], terms: Sequence[set[str]]) -> Vectors:
    """How much any two sentences say the same: by meaning, or in a script that the model does not know by word."""
    words = [tuple(analysis.parts(reading.sentences[n].text)) for n in numbers]
    same = np.array([[float(one == other) for other in words] for one in words])
    if reading.by_meaning:
        vectors = reading.vectors[numbers]
        return np.maximum(vectors @ vectors.T, same)
    return np.maximum([[len(one & other) / max(1, len(one | other)) for other in terms] for one in terms], same)
