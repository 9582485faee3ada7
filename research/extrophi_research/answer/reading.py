"""Reading what was found: its sentences, how near each is to the question, and whether any of it is about it."""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal
from uuid import UUID

import numpy as np

from extrophi_research.embeddings.local import LocalModel, Vectors
from extrophi_research.search import analysis
from extrophi_research.search.models import Chunk
from extrophi_research.search.sentences import CLOSERS, sentences

ABOUT = 0.67
"""Least nearness of the nearest passage. Measured (bench/abstention.py, docs/decisions/0005): of questions of ours,
passages that answer reach 0.76 to 1.4, the nearest of a library on something else 0.0 to 0.57; between them lie near
topics."""
_COVERAGE_WEIGHT = 0.5
_COVERED = 0.45
"""Least share of the question's terms, weighed, for a question in a script that the local model does not know."""
_LONGEST, _LONGEST_WITHOUT_STOP = 700, 400
_PIECE = 240
"""Characters. What has no stops (a transcript, a list) is quoted in pieces, cut between words."""
_CLOSE = 0.8
"""Least likeness (difflib's ratio) of a word that no text holds to the one that was meant: two letters swapped, one
left out or one too many, in a word of five."""
_SHORTEST_MISSPELT = 5

Kind = Literal["sentence", "item", "question", "heading", "piece"]
"""What can be quoted: a whole sentence; a list's item or a table's row without a stop; or what answers nothing by
itself, the last being a part of something longer, or words without an end."""
_ENDED = re.compile(rf"(?:[.!…؟۔।॥]|[。！｡][」』）]*){CLOSERS}$")
_ASKS = re.compile(rf"[?？؟][」』）]*{CLOSERS}$")
_ITEM = re.compile(r"(?:[-*+•|]|\d+[.)])[ \t]+")
_HEADING = re.compile(r"#{1,6}[ \t]+")

Holding = Callable[[Sequence[str]], tuple[int, Sequence[int]]]
"""Of some terms: how many chunks there are, and how many of them hold each."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`chunk.text[start:end]`."""

    chunk: Chunk
    start: int
    end: int
    kind: Kind = "sentence"

    @property
    def text(self) -> str:
        return self.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, sentence by sentence: `vectors[n]`, of unit length, is that of `sentences[n]`."""

    question: str
    terms: Mapping[str, float]
    """What the question asks for, and how much each tells: the rarer, the more. Empty if it holds stop words only."""
    asked: Vectors
    """The question's vector."""
    sentences: Sequence[Sentence]
    vectors: Vectors

    @property
    def by_meaning(self) -> bool:
        """Whether the question's vector says anything."""
        return is_known_script(self.question)

    def of(self, chunk: Chunk) -> list[int]:
        """The numbers of a chunk's sentences."""
        return [n for n, one in enumerate(self.sentences) if one.chunk.chunk_id == chunk.chunk_id]

    def covered(self, terms: Collection[str]) -> float:
        """How much of the question these terms hold, from 0 to 1."""
        held = sum(weight for term, weight in self.terms.items() if term in terms)
        return held / max(1e-6, sum(self.terms.values()))


def equally(terms: Sequence[str]) -> tuple[int, Sequence[int]]:
    """For want of a library: all terms tell the same."""
    return 1, [1] * len(terms)


def read(model: LocalModel, question: str, chunks: Sequence[Chunk], holding: Holding = equally) -> Reading:
    """Read chunks with the question in mind. Takes the local model's time: not for an event loop's thread.

    The local model judges, whatever model search uses: what a cosine of 0.5 means differs from model to model.

    Args:
        model: The local model.
        question: As asked.
        chunks: What was found.
        holding: How many chunks of the library hold a term: without it, all tell the same.
    """
    found = [Sentence(chunk, *span) for chunk in chunks for span in _spans(chunk.text)]
    vectors, _ = model.embed([question, *(one.text for one in found)])
    return Reading(question, _weighed(question, chunks, holding), vectors[0], found, vectors[1:])


def quotable(text: str) -> Iterator[tuple[int, int]]:
    """Spans that can be quoted by themselves: sentences, and pieces of what goes on without a stop."""
    for start, end, _ in _spans(text):
        yield start, end


def _spans(text: str) -> Iterator[tuple[int, int, Kind]]:
    for start, end in sentences(text):
        kind = _kind(text[start:end])
        mark = _ITEM.match(text, start, end) or _HEADING.match(text, start, end)
        at = mark.end() if mark else start  # a quotation does without it
        if end - at <= (_LONGEST_WITHOUT_STOP if kind == "piece" else _LONGEST):
            yield (at, end, kind) if at < end else (start, end, "piece")
            continue
        while end - at > _LONGEST_WITHOUT_STOP:
            cut = text.rfind(" ", at + 1, at + _PIECE) + 1 or at + _PIECE
            yield at, at + len(text[at:cut].rstrip()), "piece"
            at = cut
        yield at, end, "piece"


def _kind(text: str) -> Kind:
    if _HEADING.match(text):
        return "heading"
    if _ASKS.search(text):
        return "question"
    if _ENDED.search(text):
        return "sentence"
    return "item" if _ITEM.match(text) else "piece"


def is_ended(text: str) -> bool:
    """Whether a text ends with a stop."""
    return (_ENDED.search(text) or _ASKS.search(text)) is not None


def asked_terms(text: str) -> list[str]:
    """The terms that tell what a text is about; none if it holds stop words only.

    Of Japanese, pairs of hiragana are the grammar of any sentence: they count only where there is nothing else.
    """
    if not any(word.telling for word in analysis.analysed_words(text)):
        return []
    terms = analysis.asked(text)
    return [term for term in terms if not _HIRAGANA.fullmatch(term)] or terms


def _weighed(question: str, chunks: Sequence[Chunk], holding: Holding) -> dict[str, float]:
    """The question's terms, a misspelt one by what was meant, each with the inverse of its frequency."""
    terms = asked_terms(question)
    count, frequencies = holding(terms)
    known = dict(zip(terms, frequencies, strict=True))
    held = {term for chunk in chunks for term in terms_of(chunk)}
    meant = {term: _meant(term, held) for term in terms if not known[term]}
    others = [one for one in meant.values() if one]
    known |= dict(zip(others, holding(others)[1], strict=True))
    return {
        one: math.log1p(max(count, 1) / (known[one] or 0.5)) for term in terms for one in (meant.get(term) or term,)
    }


def _meant(term: str, held: Collection[str]) -> str | None:
    """What a word that no text holds may be a slip of."""
    if len(term) < _SHORTEST_MISSPELT or not term.isalpha():
        return None
    near = [one for one in held if one[0] == term[0] and abs(len(one) - len(term)) <= 2 and one.isalpha()]
    likeness = {one: SequenceMatcher(None, term, one).ratio() for one in sorted(near)}
    best = max(likeness, key=likeness.__getitem__, default=None)
    return best if best is not None and likeness[best] >= _CLOSE else None


def about(chunk: Chunk) -> str:
    """A chunk's text with what is known of its document: title, author, date."""
    date = f"{chunk.published_at:%B %Y %Y-%m-%d}" if chunk.published_at else ""
    return "\n".join((chunk.title, chunk.author or "", date, chunk.text))


def terms_of(chunk: Chunk) -> set[str]:
    return set(analysis.tokens(about(chunk)))


def is_about(reading: Reading) -> bool:
    """Whether the best of what was found is about the question at all."""
    return bool(reading.terms) and nearness(reading) >= (ABOUT if reading.by_meaning else _COVERED)


def nearness(reading: Reading) -> float:
    """That of the nearest passage: its meaning as a whole and that of its best sentence, and the words it shares.

    A name that the model has never seen is found by its letters; a question with every word misspelt, or in other
    words, by its meaning. Neither alone tells a near topic from the topic.
    """
    likeness = reading.vectors @ reading.asked
    best = 0.0
    for chunk in _chunks(reading):
        covered = reading.covered(terms_of(chunk))
        if not reading.by_meaning:
            best = max(best, covered)
            continue
        numbers = reading.of(chunk)
        middle = reading.vectors[numbers].mean(0)
        whole = float(middle @ reading.asked) / max(float(np.linalg.norm(middle)), 1e-6)
        best = max(best, (whole + float(likeness[numbers].max())) / 2 + _COVERAGE_WEIGHT * covered)
    return best


def missing(reading: Reading) -> list[str]:
    """The words of the question, as written, that nothing found holds."""
    held = {term for chunk in _chunks(reading) for term in terms_of(chunk)}
    words: dict[str, None] = {}
    for word in _WORD.findall(reading.question):
        terms = asked_terms(word)
        if terms and not held.intersection(terms):
            words.setdefault(word)
    return list(words)


def is_known_script(text: str) -> bool:
    """Whether the local model can read a text: its words are English's, of other scripts it sees letters, or none."""
    letters = [character for character in text if character.isalpha()]
    latin = sum(unicodedata.name(character, "").startswith(("LATIN", "FULLWIDTH LATIN")) for character in letters)
    return 2 * latin >= len(letters)


def _chunks(reading: Reading) -> list[Chunk]:
    by_id: dict[UUID, Chunk] = {one.chunk.chunk_id: one.chunk for one in reading.sentences}
    return list(by_id.values())


_WORD = re.compile(r"[^\W_][\w'’.+#-]*[\w+#]|[^\W_]")
_HIRAGANA = re.compile(r"[\u3040-\u309f]+")
