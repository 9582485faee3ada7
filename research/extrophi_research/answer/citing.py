"""The numbers in what a chat model writes: found as the text streams in, and checked against the passages.

A number that stands in brackets is held back until it is whole. It is then one of three: a citation, if the passage
says what its sentence says; a source's own number that the model copied, or part of code, which is escaped; or neither,
and is left out with the space before it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from extrophi_research.answer.passages import MARKER, Passage
from extrophi_research.answer.reading import Reading, Sentence, about, asked_terms, is_ended, is_known_script
from extrophi_research.embeddings.local import Vectors
from extrophi_research.search import analysis
from extrophi_research.search.sentences import sentences

SUPPORTS = 0.75
"""Least support of a claim by a sentence: its cosine and half the share of the claim's terms that it holds. Measured
(bench/citations.py, docs/decisions/0005) on sentences that say what a passage says in other words (0.76 to 1.4), and on
sentences near its topic that it does not say (0.1 to 0.8)."""
HELD = 0.55
"""Least share of a claim's terms, in a script that the model does not know: there its cosines mean nothing."""
_NAMES = "|".join({word[:length] for word in ("passages", "sources") for length in range(len(word) + 1)})
_SUP = "|".join("<sup>"[:length] for length in range(1, 5))
_OPEN = r"[\[【［]|\((?=\s*(?:passages?|sources?)\b)|<(?=sup>)"
_START = re.compile(
    rf"(?<!\s)(?P<space>\s*)(?:\\[\[\]]|(?P<open>{_OPEN}))"
    rf"|(?<!\s)(?P<tail>\s*(?:\(\s*(?:{_NAMES})|{_SUP})\Z|\s+\\?\Z|\\\Z)",
    re.IGNORECASE,
)
_LONGEST = 60
"""Characters between brackets; what holds more is no marker, whether it comes whole or in pieces."""
_UNFINISHED = re.compile(
    rf"[\[【［][^\[\]【】［］]{{0,{_LONGEST}}}|[(<][^()<>]{{0,{_LONGEST}}}|<sup>[^<>]{{0,{_LONGEST}}}(?:<(?:/(?:s(?:up?)?)?)?)?"
)
_HALF = re.compile(rf"[\[【［][\d\s,;–—-]{{0,{_LONGEST}}}")
"""Of a marker, at the end of an answer that was cut off: nothing to show."""
_RANGES = re.compile(r"(\d+)\s*[–—-]\s*(\d+)|(\d+)")
_LINES = re.compile(r"(?::\d+)?†.*", re.DOTALL)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_UNITS = {word: value for value, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen".split())}  # fmt: skip
_TENS = {word: 10 * value for value, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}  # fmt: skip
_VAGUE = frozenset("01")
"""As words they are no figures: "one of them", "zero in on"."""
_SPELLED = re.compile(rf"\b(?:({'|'.join(_TENS)})(?:[\s-]({'|'.join(_UNITS)}))?|({'|'.join(_UNITS)}))\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not(?!\s+only\b)|no|never|none|nor|neither|nothing|without|cannot|hardly|nicht|kein\w*|nie|niemals|ohne|jamais|aucune?|nunca"
    r"|jamás|sin|ningún|ninguna|не|ни|нет|никогда|без)\b|n['’]t\b",
    re.IGNORECASE,
)
_UN = re.compile(r"\b(?:un|in|im|non-?|dis)([a-z]{5,})", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:()–—]|\s-\s|\b(?:but|although|though|while|whereas|because|if|when)\b", re.IGNORECASE)
_LIST_MARK = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s+")
_MOST_OF_CLAIM = 1000
FEWEST_TERMS = 3
"""That tell something, of words that a citation can be checked for; before fewer, it belongs to what follows."""
_CITATION = re.compile(r"(?<!\\)\[\d+\]")
_LEADING = re.compile(r"(?:\[\d+\]\s*)+")
_FENCE = re.compile(r"(?m)^[ \t]*(?:```|~~~)")
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
    for first, last, single in _RANGES.findall(_LINES.sub("", written)):
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

    def sentence(self) -> tuple[int, int]:
        """Where the sentence begins that a marker here ends or interrupts, and where it ends."""
        before = self.text.rstrip()
        floor = max(0, len(before) - _MOST_OF_CLAIM)
        spans = list(sentences(before[floor:]))
        return (floor + spans[-1][0], floor + spans[-1][1]) if spans else (len(before), len(before))

    def claims(self) -> list[str]:
        """What a marker here stands for: the sentence that it ends or interrupts, and what of it no marker has yet."""
        start, end = self.sentence()
        whole = _claim(self.text[start:end])
        own = self.text[self._marked :].strip(" \t\n,;:.").rpartition("\n")[2]
        claims = [whole, own] if own and own in whole and len(asked_terms(own)) >= FEWEST_TERMS else [whole]
        return [claim for claim in claims if claim]

    def opening(self, space: str) -> int | None:
        """Where the sentence begins that a marker here stands at the beginning of, if it does.

        Args:
            space: What stands between the text and the marker.
        """
        start, end = self.sentence()
        if "\n" in space or start == end:
            return len(self.text)
        one = self.text[start:end]
        return None if len(asked_terms(one)) >= (1 if is_ended(one) else FEWEST_TERMS) else start

    def following(self, start: int, *, more: bool) -> str | None:
        """The sentence that begins at `start`; None while more of it may come."""
        text = self.text[start : start + _MOST_OF_CLAIM]
        spans = list(sentences(text))
        over = len(spans) > 1 or len(text) == _MOST_OF_CLAIM or (spans and "\n" in text[spans[0][1] :])
        if more and not over:
            return None
        return _claim(text[slice(*spans[0])]) if spans else ""

    def in_fence(self) -> bool:
        return len(_FENCE.findall(self.text)) % 2 == 1

    def in_backticks(self) -> bool:
        return self.text.rpartition("\n")[2].count("`") % 2 == 1


def _claim(sentence: str) -> str:
    """A sentence without what makes it an item of a list."""
    return _LIST_MARK.sub("", sentence, count=1) if _LIST_MARK.match(sentence) else sentence


def is_no_marker(marker: Marker, prose: Prose) -> bool:
    """Whether it is part of code, or an interval: passages are numbered from 1, and cited in prose."""
    if re.search(r"(?<!\d)0+(?!\d)", _LINES.sub("", marker.written)):
        return True
    if prose.in_fence():
        return True
    return prose.in_backticks() and not marker.space and prose.text[-1:].isalnum()


def uncited(text: str) -> tuple[int, int]:
    """Of an answer: how many of its sentences have no citation, and how many sentences say something at all."""
    cited: list[bool] = []
    for start, end in sentences(text):
        one = text[start:end]
        if cited and (leading := _LEADING.match(one)):  # "… at dawn. [1] They …"
            cited[-1] = True
            one = one[leading.end() :]
        if len(asked_terms(_CITATION.sub("", one))) >= FEWEST_TERMS:
            cited.append(_CITATION.search(one) is not None)
    return cited.count(False), len(cited)


def is_sources_own(prose: Prose, written: str, passages: Sequence[Passage]) -> bool:
    """Whether a passage has this very number after these very words: the model copied it."""
    before = " ".join(prose.text[-80:].split()[-2:])
    if not before:
        return False
    copied = f"{before} {written}".casefold().replace(" ", "")
    return any(copied in "".join(passage.chunk.text.split()).casefold() for passage in passages)


def supporting(claims: Sequence[str], vectors: Vectors, passage: Passage, reading: Reading) -> Sentence | None:
    """The sentence of a passage that supports one of these claims best; None where none does.

    Figures are not a matter of likeness: each that the claim holds must be in the passage. Nor are negations: what one
    side denies and the other says is no support.
    """
    found = [n for n in reading.of(passage.chunk) if reading.sentences[n].kind not in ("question", "heading")]
    texts = [reading.sentences[n].text for n in found]
    best: tuple[float, int] | None = None
    for claim, vector in zip(claims, vectors, strict=True):
        if not found or not _figures(claim, vague=False) <= _figures(about(passage.chunk)):
            continue
        terms = set(asked_terms(claim))
        held = np.array([len(terms & set(analysis.tokens(text))) / max(1, len(terms)) for text in texts])
        known = is_known_script(claim)
        support = reading.vectors[found] @ vector + 0.5 * held if known else held
        support[[_denies(claim, text) != _denies(text, claim) for text in texts]] = 0
        top = int(support.argmax())
        if support[top] >= (SUPPORTS if known else HELD) and (best is None or support[top] > best[0]):
            best = (float(support[top]), found[top])
    return reading.sentences[best[1]] if best else None


def _denies(text: str, other: str) -> bool:
    """Whether a text denies what another text speaks of: the clause that shares most with it holds a negation."""
    words = set(analysis.tokens(other))
    most, denied = 0, False
    for clause in _CLAUSE.split(text):
        shared = len(words & set(asked_terms(clause)))
        denies = _NEGATION.search(clause) is not None or any(
            analysis.analysed(word.lower()).terms[0] in words for word in _UN.findall(clause)
        )
        if shared > most or (shared == most and denied and not denies) or (not most and denies):
            most, denied = shared, denies
    return denied


def _figures(text: str, *, vague: bool = True) -> set[str]:
    """The numbers of a text, in digits as they are indexed, and those below a hundred in words.

    Args:
        text: Any text.
        vague: Whether "one" and "zero" in words count as well.
    """
    folded = analysis.fold(text)
    written = {analysis.analysed(figure).terms[0] for figure in _FIGURE.findall(folded)}
    spelled = {
        str(_TENS[tens.lower()] + _UNITS.get(unit.lower(), 0) if tens else _UNITS[alone.lower()])
        for tens, unit, alone in _SPELLED.findall(folded)
    }
    return written | (spelled if vague else spelled - _VAGUE)


@dataclass(slots=True)
class Numbering:
    """Citations by the number that a reader sees: from 1, in order of first use, one for each sentence quoted."""

    cited: list[Sentence] = field(default_factory=list[Sentence])

    def number(self, sentence: Sentence) -> int:
        if sentence not in self.cited:
            self.cited.append(sentence)
        return self.cited.index(sentence) + 1
