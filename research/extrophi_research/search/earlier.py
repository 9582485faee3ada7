"""What the library held at a date: the older versions of documents that changed since.

The indexes hold the newest versions only. Documents that have not changed since the date are found as always; of the
others, the version of that date is read and looked through here, by word. That costs something for each document that
changed, and is bounded.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from extrophi_research.search import analysis, languages
from extrophi_research.search.models import Chunk
from extrophi_research.search.query import Query

MOST_DOCUMENTS = 3000
"""That changed since the date, and are looked through."""
MOST_BYTES = 16_000_000
"""Of their texts."""
_LONGEST = 900
"""Characters of a chunk, as backend cuts them."""
_K1, _B = 1.2, 0.75  # as tantivy has them (Robertson & Zaragoza, 2009)
_TOLD_BY = 2000
"""Characters that tell a text's language."""
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
    language: str | None
    url: str | None
    anchors: Sequence[tuple[int, Mapping[str, Any]]]
    text: str


Sought = Mapping[str, float]
"""A word that is looked for: its forms, the best of which counts, and how much each tells (inverse frequency)."""


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


def look_through(versions: Sequence[Version], query: Query, sought: Sequence[Sought]) -> Matches:
    """Find the chunks that hold a word of the query, best first. Takes seconds for megabytes: not for an event loop.

    Args:
        versions: One of each document.
        query: Its excluded words leave out whole documents.
        sought: The query's words.
    """
    forms = {form for one in sought for form in one}
    needles = [_needle(form) for form in forms]
    found: list[Match] = []
    documents: dict[UUID, float] = {}
    holders: set[UUID] = set()
    for version in versions:
        if any(_holds(version, excluded, query.languages) for excluded in query.excluded):
            continue
        language = _language(version)
        in_title = Counter(_terms(version.title, language))
        whole = Counter(in_title)
        for start, end in spans(version.text):
            squeezed = analysis.fold(version.text[start:end]).translate(_SQUEEZED)
            if not any(needle in squeezed for needle in needles):
                continue  # most do not, and to tell their terms would take far longer
            terms = Counter(_terms(version.text[start:end], language))
            whole += terms
            if not forms.isdisjoint(terms):
                found.append(Match(_chunk(version, start, end), _score(terms + in_title, sought)))
        if not forms.isdisjoint(whole):
            documents[version.document_id] = _score(whole, sought)
            if query.phrases and all(_holds(version, phrase, query.languages) for phrase in query.phrases):
                holders.add(version.document_id)
    found.sort(key=lambda one: (-one.score, one.chunk.chunk_id))
    return Matches(found, documents, holders)


def words_of(query: Query, holding: Callable[[Sequence[str]], tuple[int, Sequence[int]]]) -> list[Sought]:
    """The words that a query looks for.

    Args:
        query: As it was read.
        holding: How many chunks there are, and how many of them hold each term.
    """
    words = [(one.term, *one.others) for one in analysis.wanted(query.text, query.languages)]
    forms = [form for one in words for form in one]
    chunks, held = holding(forms)
    rarity = {
        form: math.log(1 + (max(chunks, count) - count + 0.5) / (count + 0.5))
        for form, count in zip(forms, held, strict=True)
    }
    return [{form: rarity[form] for form in one} for one in words]


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


def _language(version: Version) -> str | None:
    if version.language:
        return languages.primary(version.language)
    return analysis.language_of(analysis.parts(version.text[:_TOLD_BY]))


def _terms(text: str, language: str | None) -> list[str]:
    """The terms of a text, and what its language makes of its words, as they are in the index."""
    found = analysis.indexed(text)
    return [*found.terms.split(), *(analysis.stems(found.parts.split(), language) if language else ())]


def _score(terms: Mapping[str, int], sought: Sequence[Sought]) -> float:
    norm = _K1 * (1 - _B + _B * sum(terms.values()) / _LENGTH)

    def of_form(form: str, weight: float) -> float:
        return weight * terms[form] * (_K1 + 1) / (terms[form] + norm) if form in terms else 0.0

    return sum(max(of_form(form, weight) for form, weight in one.items()) for one in sought)


def _needle(term: str) -> str:
    """What every spelling of a term's word holds, nearly: a stem's last letter may be another (pony, poni)."""
    squeezed = term.translate(_SQUEEZED)
    return squeezed[: max(3, len(squeezed) - 1)]


def _holds(version: Version, words: str, of_languages: Sequence[str]) -> bool:
    """Whether a version holds a word in any form, or a phrase word for word."""
    parts = analysis.parts(words)
    if len(parts) == 1:
        forms = {form for one in analysis.wanted(words, of_languages) for form in (one.term, *one.others)}
        return not forms.isdisjoint(_terms(f"{version.title}\n{version.text}", _language(version)))
    bounded = f" {' '.join(parts)} "
    return any(bounded in f" {' '.join(analysis.parts(text))} " for text in (version.title, version.text))
