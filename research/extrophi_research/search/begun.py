"""A word that is still being typed, and what it may become.

The index holds stems: `studies` is there as `studi`, which does not begin with `studie`. So beside all that begins with
what was typed, there are the stems of what it would be with the rest of an ending.
"""

import re
from dataclasses import dataclass

from extrophi_research.search import analysis

_LEAST = 2
"""Letters. One alone begins a tenth of all words."""
_ENDINGS = ("ing", "ings", "ed", "ies", "es", "ers", "ly", "ation", "ations", "ment", "ments", "ness", "able", "ive")


@dataclass(frozen=True, slots=True)
class Begun:
    """What is typed of the last word of a query."""

    prefix: str
    stems: frozenset[str]

    @property
    def pattern(self) -> str:
        """Of the terms that it may become."""
        return "|".join([f"{re.escape(self.prefix)}.*", *sorted(map(re.escape, self.stems))])

    def becomes(self, term: str) -> bool:
        return term.startswith(self.prefix) or term in self.stems


def begun(text: str) -> Begun | None:
    """The word that a text ends in the middle of; None where it does not.

    What is written without spaces is found by its characters, however many of them are typed yet.
    """
    folded = analysis.fold(text)
    words = analysis.words(folded)
    if not words or not folded.endswith(words[-1]) or analysis.is_unspaced(words[-1]):
        return None
    prefix = analysis.analysed(words[-1]).parts[-1]
    if len(prefix) < _LEAST:
        return None
    stems = {
        term
        for ending in _ENDINGS
        for typed in range(1, len(ending))
        if prefix.endswith(ending[:typed]) and len(prefix) - typed > 2
        for term in analysis.tokens(prefix[:-typed] + ending)
    }
    return Begun(prefix, frozenset(one for one in stems if not one.startswith(prefix)))
