"""Reading what was found: its sentences, how near each is to the question, and whether any of it is about it."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from extrophi_research.embeddings.local import LocalModel, Vectors
from extrophi_research.search import analysis
from extrophi_research.search.models import Chunk
from extrophi_research.search.sentences import sentences

ABOUT = 0.55
"""Least nearness of the nearest passage. Measured (bench/abstention.py, docs/decisions/0005): passages that answer
reach 0.57 to 1.3, the nearest of a library on something else 0.0 to 0.61."""
_COVERAGE_WEIGHT = 0.3
_COVERED = 0.4
"""Least share of the question's terms, for a question in a script that the local model does not know."""
_LONGEST = 400
_PIECE = 240
"""Characters. What has no stops (a transcript, a list) is quoted in pieces, cut between words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`chunk.text[start:end]`."""

    chunk: Chunk
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, sentence by sentence: `vectors[n]`, of unit length, is that of `sentences[n]`."""

    question: str
    asked: Vectors
    """The question's vector."""
    sentences: Sequence[Sentence]
    vectors: Vectors

    def of(self, chunk: Chunk) -> list[int]:
        """The numbers of a chunk's sentences."""
        return [n for n, one in enumerate(self.sentences) if one.chunk.chunk_id == chunk.chunk_id]


def read(model: LocalModel, question: str, chunks: Sequence[Chunk]) -> Reading:
    """Read chunks with the question in mind. Takes the local model's time: not for an event loop's thread.

    The local model judges, whatever model search uses: what a cosine of 0.5 means differs from model to model.
    """
    found = [Sentence(chunk, start, end) for chunk in chunks for start, end in quotable(chunk.text)]
    vectors, _ = model.embed([question, *(one.text for one in found)])
    return Reading(question, vectors[0], found, vectors[1:])


def quotable(text: str) -> Iterator[tuple[int, int]]:
    """Spans that can be quoted by themselves: sentences, and pieces of what goes on without a stop."""
    for start, end in sentences(text):
        at = start
        while end - at > _LONGEST:
            cut = text.rfind(" ", at + 1, at + _PIECE) + 1 or at + _PIECE
            yield at, at + len(text[at:cut].rstrip())
            at = cut
        yield at, end


def is_about(reading: Reading) -> bool:
    """Whether the best of what was found is about the question at all."""
    return nearness(reading) >= (ABOUT if _is_known_script(reading.question) else _COVERED)


def nearness(reading: Reading) -> float:
    """That of the nearest passage: its meaning as a whole and that of its best sentence, and the words it shares.

    A name that the model has never seen is found by its letters; a question with every word misspelt, or in other
    words, by its meaning. Neither alone tells a near topic from the topic.
    """
    terms = set(analysis.asked(reading.question))
    by_meaning = _is_known_script(reading.question)
    likeness = reading.vectors @ reading.asked
    best = 0.0
    for chunk in {one.chunk.chunk_id: one.chunk for one in reading.sentences}.values():
        numbers = reading.of(chunk)
        covered = len(terms & set(analysis.tokens(chunk.text))) / max(1, len(terms))
        if not by_meaning:
            best = max(best, covered)
            continue
        middle = reading.vectors[numbers].mean(0)
        whole = float(middle @ reading.asked) / max(float(np.linalg.norm(middle)), 1e-6)
        best = max(best, (whole + float(likeness[numbers].max())) / 2 + _COVERAGE_WEIGHT * covered)
    return best


def missing(reading: Reading) -> list[str]:
    """The words of the question, as written, that nothing found holds."""
    held = {term for chunk in {one.chunk.chunk_id: one.chunk for one in reading.sentences}.values()
            for term in (*analysis.tokens(chunk.text), *analysis.tokens(chunk.title))}  # fmt: skip
    words: dict[str, None] = {}
    for word in _WORD.findall(reading.question):
        terms = analysis.asked(word)
        telling = any(analysis.analysed(one).telling for one in analysis.words(word))
        if telling and terms and not held.intersection(terms):
            words.setdefault(word)
    return list(words)


_WORD = re.compile(r"[^\W_][\w'’.+#-]*[\w+#]|[^\W_]")


def _is_known_script(text: str) -> bool:
    """The model's vocabulary is English's: of other scripts it sees single letters, or none."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(unicodedata.name(character, "").startswith(("LATIN", "FULLWIDTH LATIN")) for character in letters)
    return 2 * latin >= len(letters)
