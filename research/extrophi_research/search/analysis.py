"""Words as the keyword index knows them: one set of rules for what is indexed and for what is asked.

Unicode is folded (compatibility forms, case, accents of Latin and Greek letters). A *word* is a unit of the text as
written: `l'homme`, `e-mail`, `c++`, `3.14`, `@name`, a run of Chinese. Of a word come its *parts* (what a quoted phrase
is compared by: never stemmed) and its *terms* (what BM25 counts: stemmed by the word's script). Scripts that put no
spaces between words become characters, and overlapping pairs of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import Stemmer

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_EMOJI = "\u2600-\u27bf\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff"
# Marks that are part of a word: Python's \w knows letters, but not the vowel signs of Indic scripts.
_SIGNS = (
    "\u0300-\u036f\u0483-\u0487\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd"
    "\u0a01-\u0a03\u0a3c-\u0a4d\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82"
    "\u0bbe-\u0bcd\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0d82"
    "\u0d83\u0dca-\u0df3"
)
_MARKED = (
    r"[^\W_][\w.+-]*@[^\W_][\w-]*(?:\.[\w-]+)+"  # an address
    r"|(?<![\w@#])[@#][^\W_](?:[\w]|[.](?=\w))*"  # a handle, a tag
    r"|(?<![\w+#])[a-z]{1,2}(?:\+\+|#)(?![\w+#])"  # c++, c#, f#
    r"|(?<!\w)\.net(?!\w)|"
)


def _pattern(letter: str, others: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Words of most texts, and of those that hold a marked one: the plain rules take half the time."""
    plain = rf"(?<![\w.,])\d+(?:[.,]\d+)+(?!{letter})|{letter}+(?:['’-]{letter}+)*{others}"
    return re.compile(plain), re.compile(_MARKED + plain)


_ASCII = _pattern("[a-z0-9]", "")  # three times as fast as the next
_UNICODE = _pattern(rf"(?:[^\W_{_UNSPACED}]|[{_SIGNS}])", f"|[{_UNSPACED}]+|[{_EMOJI}]")
_HAS_MARKED = re.compile(r"[@#]|\+\+|\.net")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PIECES = re.compile(rf"(?:[^\W_]|[{_SIGNS}])+")

_ACCENTS = re.compile(
    "(?<=[a-zα-ω])[\u0300-\u036f]+|(?<=[а-я])[\u0300\u0301]+|[\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u0640]"
)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ё": "е"}
)
_ELISION = re.compile(
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|dell|all|nell|sull|dall|un|quest|quell)['’](?=\w{2})"
)
_LONGEST = 64

_STEMMED_BY_FIRST_LETTER = (
    ("\u0370", "\u03ff", "greek"),
    ("\u0400", "\u04ff", "russian"),
    ("\u0530", "\u058f", "armenian"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hindi"),
    ("\u0b80", "\u0bff", "tamil"),
)

# Words that say nothing about a text; long questions are full of them. Snowball's English list, shortened to what
# occurs in questions, without apostrophes.
STOP_WORDS = frozenset(
    (
        "a about above after again against all also am an and any are as at be because been before being below between "
        "both but by can could did do does doing down during each few for from further had has have having he her here "
        "hers him his how i if in into is it its itself just me more most my no nor not of off on once only or other "
        "our ours out over own same she should so some such than that the their theirs them then there these they this "
        "those through to too under until up very was we were what when where which while who whom why will with would "
        "you your yours arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt im ive shouldnt theyre wasnt "
        "weve werent wont wouldnt youre youve"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """What comes of one word."""

    terms: tuple[str, ...]
    """What is indexed of it."""
    asked: tuple[str, ...]
    """What a query looks for."""
    parts: tuple[str, ...]
    """What phrases are compared by."""
    telling: bool
    """Whether it says something about a text: it is no stop word."""


def tokens(text: str) -> Iterator[str]:
    """The terms of a text, in order."""
    for word in words(text):
        yield from analysed(word).terms


def parts(text: str) -> Iterator[str]:
    """The parts of a text's words, in order: folded, and otherwise as written."""
    for word in words(text):
        yield from analysed(word).parts


def asked(text: str) -> list[str]:
    """The distinct terms that a query looks for; stop words only where there is nothing else."""
    found = [analysed(word) for word in words(text)]
    telling = [word for word in found if word.telling] or found
    return list(dict.fromkeys(term for word in telling for term in word.asked))


def words(text: str) -> Iterator[str]:
    """The folded words of a text, in order, runs of an unspaced script as one."""
    folded = fold(text)
    plain, marked = _ASCII if folded.isascii() else _UNICODE
    return iter((marked if _HAS_MARKED.search(folded) else plain).findall(folded))


def fold(text: str) -> str:
    """Without what people leave out when they type: case, accents, compatibility forms."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    # Marks go from the letters they only accent; й, が and क्षि would be other letters without theirs.
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)).translate(_LETTERS))


@lru_cache(maxsize=100_000)
def analysed(word: str) -> Word:
    """What comes of one folded word."""
    if _UNSPACED_RUN.match(word):
        # Each character and each pair: a word of one character is found as well. A query asks for the pairs, which
        # tell more than the characters in them.
        pairs = tuple(word[at : at + 2] for at in range(len(word) - 1))
        return Word((*word, *pairs), pairs or (word,), tuple(word), telling=True)
    if _NUMBER.fullmatch(word):
        number = word.replace(",", "") if _GROUPED.fullmatch(word) else word.replace(",", ".")
        return Word((number,), (number,), (number,), telling=True)
    if word[0] in "@#" or "@" in word:
        pieces = tuple(piece[:_LONGEST] for piece in _PIECES.findall(word))
        terms = (word[:_LONGEST], *(_stem(piece) for piece in pieces))
        return Word(terms, terms, pieces, telling=True)
    if word[-1] in "+#" or word[0] == ".":
        return Word((word,), (word,), (word,), telling=True)
    pieces = tuple(_bare(piece)[:_LONGEST] for piece in word.split("-"))
    terms = tuple(map(_stem, pieces))
    if len(pieces) == 2 and not word.replace("-", "").isdigit():  # e-mail is written email as well
        terms = (*terms, _stem("".join(pieces)[:_LONGEST]))
    return Word(terms, terms, pieces, telling=any(piece not in STOP_WORDS for piece in pieces))


def _bare(piece: str) -> str:
    """Without apostrophes: l'homme is homme, the heron's is heron, don't is dont."""
    bare = _ELISION.sub("", piece, count=1) if "'" in piece or "’" in piece else piece
    return bare.removesuffix("'s").removesuffix("’s").replace("'", "").replace("’", "") or piece


def _stem(piece: str) -> str:
    first = piece[0]
    if first.isascii():
        return _stemmer("english").stemWord(piece) if first.isalpha() else piece
    for low, high, language in _STEMMED_BY_FIRST_LETTER:
        if low <= first <= high:
            return _stemmer(language).stemWord(piece)
    return piece


@lru_cache
def _stemmer(language: str) -> Any:
    return Stemmer.Stemmer(language)
