"""Words as the keyword index knows them: one function for what is indexed and for what is asked.

Unicode is folded (NFKC, case, accents of Latin letters); English is stemmed; Chinese, Japanese, Korean and Thai, which
put no spaces between words, become characters and overlapping pairs of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import Stemmer

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_MARKS = re.compile("[\u0300-\u036f]")
_LONGEST = 64

# Words that say nothing about a text; long questions are full of them. Snowball's English list, shortened to what
# occurs in questions.
STOP_WORDS = frozenset(
    (
        "a about above after again against all also am an and any are as at be because been before being below between "
        "both but by can could did do does doing down during each few for from further had has have having he her here "
        "hers him his how i if in into is it its itself just me more most my no nor not of off on once only or other "
        "our ours out over own same she should so some such than that the their theirs them then there these they this "
        "those through to too under until up very was we were what when where which while who whom why will with would "
        "you your yours"
    ).split()
)


def tokens(text: str) -> Iterator[str]:
    """The terms of a text, in order."""
    for word in words(text):
        yield from terms(word)


def words(text: str) -> Iterator[str]:
    """The folded words of a text, in order, runs of an unspaced script as one."""
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    folded = unicodedata.normalize("NFKC", folded)
    for match in _WORD.finditer(folded):
        yield match[0][:_LONGEST]


@lru_cache(maxsize=100_000)
def terms(word: str) -> tuple[str, ...]:
    """The terms of one folded word."""
    if word[0].isascii():
        bare = word.removesuffix("'s").removesuffix("’s").replace("'", "").replace("’", "")
        return (_stemmer().stemWord(bare or word),)
    if _UNSPACED_START.match(word):
        # Each character and each pair: a word of one character is found as well, and a phrase is a run of both.
        return tuple(word[at : at + size] for at in range(len(word)) for size in (1, 2) if at + size <= len(word))
    return (word,)


def asked_terms(word: str) -> tuple[str, ...]:
    """What a query looks for: of an unspaced script the pairs, which tell more than the characters in them."""
    found = terms(word)
    return tuple(term for term in found if len(term) == 2) or found if _UNSPACED_START.match(word) else found


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    return Stemmer.Stemmer("english")
