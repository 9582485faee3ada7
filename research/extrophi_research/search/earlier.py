"""What the library held at a date: the older versions of documents that changed since.

The indexes hold the newest versions only. Documents that have not changed since the date are found as always; of the
others, the version of that date is read and looked through here, by word. That costs something for each document that
changed, and is bounded.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from extrophi_research.search import analysis
from extrophi_research.search.models import Chunk
from extrophi_research.search.query import Query

MOST_DOCUMENTS = 3000
"""That changed since the date, and are looked through."""
MOST_BYTES = 16_000_000
"""Of their texts."""
_LONGEST = 900
"""Characters of a chunk, as backend cuts them."""
_K1, _B = 1.2, 0.75  # as tantivy has them (Robertson & Zaragoza, 2009)
_LENGTH = 120.0
"""Terms of a chunk, roughly; what is longer is thought to say less of each."""
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")
_WORD = re.compile(r"\S")
_SQUEEZED = str.maketrans("", "", ".,'’-")
"""What may stand within a word, and stands in few terms."""


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a document that was its newest at the date."""

    document_id: UUID
    version: int
    platform: str
    external_id: str
    title: str
    author: str | None
    published_at: datetime | None
    url: str | None
    anchors: Sequence[tuple[int, Mapping[str, Any]]]
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk of an older version that holds words of the query, with its BM25 score."""

    chunk: Chunk
    score: float


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found in older versions. `documents`: their BM25 scores; `holders` hold every quoted phrase."""

    chunks: Sequence[Match]
    documents: Mapping[UUID, float]
    holders: Collection[UUID]


def look_through(versions: Sequence[Version], query: Query, rarity: Mapping[str, float]) -> Matches:
    """Find the chunks that hold a word of the query, best first. Takes seconds for megabytes: not for an event loop.

    Args:
        versions: One of each document.
        query: Its excluded words leave out whole documents.
        rarity: How much each term that the query looks for tells.
    """
    needles = [_needle(term) for term in rarity]
    found: list[Match] = []
    documents: dict[UUID, float] = {}
    holders: set[UUID] = set()
    for version in versions:
        if any(_holds(version, excluded) for excluded in query.excluded):
            continue
        in_title = Counter(analysis.tokens(version.title))
        whole = Counter(in_title)
        for start, end in spans(version.text):
            squeezed = analysis.fold(version.text[start:end]).translate(_SQUEEZED)
            if not any(needle in squeezed for needle in needles):
                continue  # most do not, and to tell their terms would take far longer
            terms = Counter(analysis.tokens(version.text[start:end]))
            whole += terms
            score = _score(terms + in_title, rarity)
            if score and not rarity.keys().isdisjoint(terms):
                found.append(Match(_chunk(version, start, end), score))
        if (score := _score(whole, rarity)) > 0:
            documents[version.document_id] = score
            if query.phrases and all(_holds(version, phrase) for phrase in query.phrases):
                holders.add(version.document_id)
    found.sort(key=lambda one: (-one.score, one.chunk.chunk_id))
    return Matches(found, documents, holders)


def rarity(terms: Sequence[str], chunks: int, holding: Sequence[int]) -> dict[str, float]:
    """The inverse document frequency of each term, which so many of the library's `chunks` hold."""
    return {
        term: math.log(1 + (max(chunks, held) - held + 0.5) / (held + 0.5))
        for term, held in zip(terms, holding, strict=True)
    }


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Chunks of a text: paragraphs, packed or cut to some 900 characters, without the white space around them."""
    start = end = 0
    for at, until in _paragraphs(text):
        if start < end and until - start > _LONGEST:
            yield start, end
            start = end
        if start == end:
            start = at
        end = until
        while end - start > _LONGEST:
            cut = text.rfind(" ", start + 1, start + _LONGEST) + 1 or start + _LONGEST
            yield start, start + len(text[start:cut].rstrip())
            rest = _WORD.search(text, cut, end)
            start = rest.start() if rest else end
    if start < end:
        yield start, end


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for blank in [*((found.start(), found.end()) for found in _BLANK.finditer(text)), (len(text), len(text))]:
        part = text[at : blank[0]]
        if part.strip():
            yield at + len(part) - len(part.lstrip()), at + len(part.rstrip())
        at = blank[1]


def _chunk(version: Version, start: int, end: int) -> Chunk:
    return Chunk(
        chunk_id=uuid5(version.document_id, f"{version.version} {start} {end}"),
        document_id=version.document_id,
        version=version.version,
        start=start,
        end=end,
        text=version.text[start:end],
        platform=version.platform,
        external_id=version.external_id,
        title=version.title,
        author=version.author,
        published_at=version.published_at,
        url=version.url,
        anchors=version.anchors,
    )


def _score(terms: Mapping[str, int], rarity: Mapping[str, float]) -> float:
    length = sum(terms.values())
    norm = _K1 * (1 - _B + _B * length / _LENGTH)
    return sum(
        weight * terms[term] * (_K1 + 1) / (terms[term] + norm) for term, weight in rarity.items() if term in terms
    )


def _needle(term: str) -> str:
    """What every spelling of a term's word holds, nearly: a stem's last letter may be another (pony, poni)."""
    squeezed = term.translate(_SQUEEZED)
    return squeezed[: max(3, len(squeezed) - 1)]


def _holds(version: Version, words: str) -> bool:
    """Whether a version holds a word, or a phrase word for word."""
    parts = analysis.parts(words)
    if len(parts) == 1:
        terms = set(analysis.asked(words))
        return not terms.isdisjoint(analysis.tokens(f"{version.title}\n{version.text}"))
    bounded = f" {' '.join(parts)} "
    return any(bounded in f" {' '.join(analysis.parts(text))} " for text in (version.title, version.text))
