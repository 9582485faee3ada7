"""Whether two documents are the same text: one article on two sites, with another frame around it.

Texts are compared by their words, in runs of three. The same text is one whose words are almost all in the other, in
about the same amount, and where no word *within* the shared text was replaced by another: documents that share a
template differ just there, in a name or a number, while sites differ around the text or put something into it.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from extrophi_research.search import analysis

_RUN = 3
"""Words in a row that are compared as one: shorter runs are shared by chance, longer ones break at each change."""
_OVERLAP = 0.3
"""Of two chunks: their least share of common runs, since other chunk borders cut the same text differently."""
_CONTAINED = 0.8
"""Of two documents: the least share of the shorter one that is in the other."""
_LENGTHS = 0.5
"""A note that is quoted whole in a long article is not the same text."""
_REPLACED = 0.02
"""Most words that were replaced within the shared text; a misprint mended is no other text, a changed number is."""
_LONGEST_REPLACED = 12
"""A longer run of other words is something put in, an advertisement say."""
_BYLINE_WITHIN = 30
_BY = frozenset("by von par por di da door av af от przez".split())
"""Who wrote it stands near the beginning, after one of these words, and may be another on another site."""

Run = tuple[str, ...]
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Shape:
    """A text as it is compared."""

    words: Sequence[str]

    @cached_property
    def runs(self) -> dict[Run, int]:
        """Each run of words, and where it stands first. A text of fewer words is one run."""
        found: dict[Run, int] = {}
        for at in range(max(1, len(self.words) - _RUN + 1)):
            found.setdefault(tuple(self.words[at : at + _RUN]), at)
        return found


def shape(text: str) -> Shape:
    return Shape(analysis.parts(text))


def runs(text: str) -> set[int]:
    """The hashes of a chunk's runs, roughly: enough to tell which documents are worth a comparison."""
    words = _WORD.findall(text.lower())
    if len(words) * 20 < len(text):  # no spaces between words
        words = analysis.parts(text)
    return set(map(hash, zip(words, words[1:], words[2:], strict=False))) or {hash(tuple(words))}


@dataclass(slots=True)
class Overlaps:
    """Which of the chunks seen so far share so much with a new one that their documents may be the same text."""

    _seen: list[set[int]] = field(default_factory=list[set[int]])
    _all: set[int] = field(default_factory=set[int])
    _fewest: int = sys.maxsize

    def add(self, of_chunk: set[int]) -> None:
        self._seen.append(of_chunk)
        self._all |= of_chunk
        self._fewest = min(self._fewest, len(of_chunk))

    def find(self, of_chunk: set[int]) -> list[int]:
        """Their numbers, in the order they were added."""
        shared = of_chunk & self._all
        if len(shared) < _OVERLAP * min(len(of_chunk), self._fewest):
            return []
        return [
            number
            for number, seen in enumerate(self._seen)
            if len(shared & seen) >= _OVERLAP * min(len(of_chunk), len(seen))
        ]


def same_text(one: Shape, other: Shape) -> bool:
    """Whether two documents are the same text."""
    if one.words == other.words:
        return True
    shorter, longer = sorted((one, other), key=lambda each: len(each.words))
    if not shorter.words or len(shorter.words) < _LENGTHS * len(longer.words):
        return False
    if _shared(shorter, longer) < _CONTAINED:
        return False
    replaced = _replaced(shorter, longer)
    replaced = [one for one in replaced if one.at > _BYLINE_WITHIN or shorter.words[one.at - 1] not in _BY]
    count = sum(len(one.words) for one in replaced)
    return count <= _REPLACED * len(shorter.words) and not any(one.has_digit for one in replaced)


def _shared(one: Shape, other: Shape) -> float:
    return len(one.runs.keys() & other.runs.keys()) / min(len(one.runs), len(other.runs))


@dataclass(frozen=True, slots=True)
class _Replaced:
    """Words of both texts that stand in each other's place, and where in the first of them."""

    at: int
    words: Sequence[str]

    @property
    def has_digit(self) -> bool:
        return any(character.isdigit() for word in self.words for character in word)


def _replaced(one: Shape, other: Shape) -> list[_Replaced]:
    """Where `other` has different words than `one`, with common words on both sides."""
    words, runs = one.words, other.runs
    replaced: list[_Replaced] = []
    last: int | None = None  # where the latest common run starts in `one`
    for at in range(len(words) - _RUN + 1):
        run = tuple(words[at : at + _RUN])
        if run not in runs:
            continue
        if last is not None and at > last + 1:
            before = runs[tuple(words[last : last + _RUN])] + _RUN
            ours, theirs = at - (last + _RUN), runs[run] - before
            if 0 < theirs <= _LONGEST_REPLACED and 0 < ours <= _LONGEST_REPLACED:
                different = [*words[last + _RUN : at], *other.words[before : before + theirs]]
                replaced.append(_Replaced(last + _RUN, different))
        last = at
    return replaced
