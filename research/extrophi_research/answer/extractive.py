"""An answer without a chat model: the sentences of the passages that answer best, quoted and cited."""

import re
from collections.abc import Collection

import numpy as np

from extrophi_research.answer.passages import MARKER
from extrophi_research.answer.reading import Reading, Sentence
from extrophi_research.search import analysis

SENTENCES = 5
_SHORTEST = 25
_LIKENESS = 0.6
"""Of maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): how much a sentence loses for saying it again."""
_ENDED = re.compile(r"[.!?…。！？｡]['\"”’)\]*_」』]*$")


def choose(reading: Reading, among: Collection[int]) -> list[Sentence]:
    """The best sentences, each unlike those before it.

    Args:
        reading: What was found.
        among: The numbers of the sentences to choose from.
    """
    numbers = _standing_alone(reading, among)
    if not numbers:
        return []
    found, vectors = [reading.sentences[n] for n in numbers], reading.vectors[numbers]
    wanted = set(analysis.asked(reading.question))
    near = vectors @ reading.asked
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
    return [found[n] for n in chosen]


def escaped(text: str) -> str:
    """A source's own bracketed numbers, marked as such, so that nobody takes them for ours."""
    return MARKER.sub(
        lambda found: rf"\[{found[0][1:-1]}\]" if found[0][0] == "[" else found[0], " ".join(text.split())
    )


def _standing_alone(reading: Reading, among: Collection[int]) -> list[int]:
    """Sentences that end and are no mere word; of a chunk without any (a transcript, a list, a heading), its pieces."""
    whole = [n for n in among if _is_whole(reading.sentences[n])]
    chunks_with = {reading.sentences[n].chunk.chunk_id for n in whole}
    pieces = [n for n in among if reading.sentences[n].chunk.chunk_id not in chunks_with]
    return sorted([*whole, *(n for n in pieces if len(reading.sentences[n].text) >= _SHORTEST)]) or sorted(pieces)


def _is_whole(sentence: Sentence) -> bool:
    return len(sentence.text) >= _SHORTEST and _ENDED.search(sentence.text) is not None
