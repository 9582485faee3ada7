"""The numbers in what a chat model writes: found as the text streams in, and checked against the passages.

A number that stands in brackets is held back until it is whole. It is then one of three: a citation, if the passage
says what the sentence before it says; a source's own number that the model copied, which is escaped; or neither, and is
left out with the space before it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from extrophi_research.answer.passages import MARKER, Passage
from extrophi_research.answer.reading import Reading, Sentence
from extrophi_research.embeddings.local import Vectors
from extrophi_research.search import analysis
from extrophi_research.search.sentences import sentences

SUPPORTS = 0.75
"""Least support of a claim by a sentence: its cosine and half the share of the claim's terms that it holds. Measured
(bench/citations.py, docs/decisions/0005) on sentences that say what a passage says in other words (0.76 to 1.4), and on
sentences near its topic that it does not say (0.1 to 0.8)."""
_START = re.compile(r"(?<!\s)(?P<space>\s*)(?:\\[\[\]]|(?P<open>[\[【]))|(?<!\s)(?P<tail>\s+\\?\Z|\\\Z)")
_LONGEST = 60
"""Characters between brackets; what holds more is no marker, whether it comes whole or in pieces."""
_UNFINISHED = re.compile(rf"[\[【][^\[\]【】]{{0,{_LONGEST}}}")
_HALF = re.compile(rf"[\[【][\d\s,;–—-]{{0,{_LONGEST}}}")
"""Of a marker, at the end of an answer that was cut off: nothing to show."""
_NUMBERS = re.compile(r"(\d+)\s*[–—-]\s*(\d+)|(\d+)")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_SPELLED = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_MOST_OF_CLAIM = 1000
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@dataclass(frozen=True, slots=True)
class Marker:
    """A bracketed number, or several, with the white space before it."""

    space: str
    written: str


@dataclass(slots=True)
class MarkerReader:
    """Parts the text of a model into text and markers, whatever the pieces it comes in."""

    _held: str = ""

    def feed(self, text: str) -> Iterator[str | Marker]:
        """What is certain by now; the rest is held."""
        self._held += text.translate(_CONTROLS)
        yield from self._parts(more=True)

    def end(self) -> Iterator[str | Marker]:
        """What was held, but for white space at the end."""
        yield from self._parts(more=False)

    def _parts(self, *, more: bool) -> Iterator[str | Marker]:
        while start := _START.search(self._held):
            if start.start() > 0:
                yield self._take(start.start())
            elif start["tail"] is not None:
                if more:
                    return
                yield self._take(len(self._held)).rstrip()
            elif start["open"] and (whole := MARKER.match(self._held, start.end() - 1)) and _is_short(whole[0]):
                self._take(whole.end())
                yield Marker(start["space"], whole[0])
            elif start["open"] and more and _UNFINISHED.fullmatch(self._held, start.end() - 1):
                return
            elif start["open"] and not more and _HALF.fullmatch(self._held, start.end() - 1):
                self._take(len(self._held))
            else:
                yield self._take(start.end())
        yield self._take(len(self._held))

    def _take(self, end: int) -> str:
        taken, self._held = self._held[:end], self._held[end:]
        return taken


def _is_short(written: str) -> bool:
    return len(written) <= _LONGEST + 2


def numbers(written: str, most: int) -> list[int]:
    """The passages that a marker names, of those there are: 1 to `most`."""
    named: dict[int, None] = {}
    for first, last, single in _NUMBERS.findall(written):
        low, high = sorted(_number(one) for one in (first or single, last or single))
        named.update(dict.fromkeys(range(max(low, 1), min(high, most) + 1)))
    return list(named)


def _number(digits: str) -> int:
    return int(digits[:6])  # no more can be of use, and Python refuses to read thousands


@dataclass(slots=True)
class Prose:
    """What the model has written, without its markers."""

    text: str = ""
    _marked: int = 0
    """Where the latest marker stands."""

    def add(self, text: str) -> None:
        self.text += text

    def mark(self) -> None:
        self._marked = len(self.text)

    def claims(self) -> list[str]:
        """What a marker here stands for: the sentence that it ends or interrupts, and what of it no marker has yet."""
        before = self.text[-_MOST_OF_CLAIM:].rstrip()
        spans = list(sentences(before))
        if not spans:
            return []
        start, end = spans[-1]
        whole = before[start:end]
        own = self.text[self._marked :].strip(" \t\n,;:.").rpartition("\n")[2]
        return [whole, own] if own and own in whole and len(set(analysis.asked(own))) > 2 else [whole]


def is_sources_own(prose: Prose, written: str, passages: Sequence[Passage]) -> bool:
    """Whether a passage has this very number after these very words: the model copied it."""
    before = " ".join(prose.text[-80:].split()[-2:])
    if not before:
        return False
    copied = f"{before} {written}".casefold().replace(" ", "")
    return any(copied in "".join(passage.chunk.text.split()).casefold() for passage in passages)


def supporting(claims: Sequence[str], vectors: Vectors, passage: Passage, reading: Reading) -> Sentence | None:
    """The sentence of a passage that supports one of these claims best; None where none does.

    Figures are not a matter of likeness: each that the claim holds must be in the passage.
    """
    found = reading.of(passage.chunk)
    best: tuple[float, int] | None = None
    for claim, vector in zip(claims, vectors, strict=True):
        if not found or not _figures(claim) <= _figures(f"{passage.chunk.title}\n{passage.chunk.text}", spelled=True):
            continue
        terms = set(analysis.asked(claim))
        held = [len(terms & set(analysis.tokens(reading.sentences[n].text))) / max(1, len(terms)) for n in found]
        support = reading.vectors[found] @ vector + 0.5 * np.array(held)
        top = int(support.argmax())
        if support[top] >= SUPPORTS and (best is None or support[top] > best[0]):
            best = (float(support[top]), found[top])
    return reading.sentences[best[1]] if best else None


def _figures(text: str, *, spelled: bool = False) -> set[str]:
    """The numbers of a text written in digits, without what groups their digits; if asked, small ones in words, too."""
    written = {figure.replace(",", "") for figure in _FIGURE.findall(text)}
    if spelled:
        written |= {_SPELLED[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _SPELLED}
    return written


@dataclass(slots=True)
class Numbering:
    """Citations by the number that a reader sees: from 1, in order of first use, one for each sentence quoted."""

    cited: list[Sentence] = field(default_factory=list[Sentence])

    def number(self, sentence: Sentence) -> int:
        if sentence not in self.cited:
            self.cited.append(sentence)
        return self.cited.index(sentence) + 1
