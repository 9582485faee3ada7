"""Words as the keyword index knows them: one set of rules for what is indexed and for what is asked.

Unicode is folded (compatibility forms, case, accents of Latin and Greek letters). A *word* is a unit of the text as
written: `l'homme`, `e-mail`, `c++`, `3.14`, `@name`, a run of Chinese. Of a word come its *parts* (what a quoted phrase
is compared by: never stemmed) and its *terms* (what BM25 counts: stemmed by the word's script). Scripts that put no
spaces between words become characters, and overlapping pairs of them. Latin script is English's, and beside it, where
they differ, come the stems of the language that a text or a query is in.

No pattern looks further than a bounded number of characters ahead: a text may be anything.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import Stemmer

from extrophi_research.search import languages

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
_LONGEST = 64
_REMEMBERED = 50_000
_FEW = 2
"""Words of a piece that is remembered."""
_OPENS, _CLOSES = "(\"'[“‘", ".,;:!?)\"']”’"
_MARKED = (
    r"[^\W_][\w.+-]{0,63}@[^\W_][\w-]{0,63}(?:\.[\w-]{1,63}){1,8}"  # an address, of the length that RFC 5321 allows
    r"|(?<![\w@#])[@#][^\W_](?:\w|[.](?=\w)){0,63}"  # a handle, a tag
    r"|(?<![\w+#])[a-z]{1,2}(?:\+\+|#)(?![\w+#])"  # c++, c#, f#
    r"|(?<!\w)\.net(?!\w)"
    r"|(?<![\w.])[a-z](?:\.[a-z]){1,7}(?!\w)|"  # u.s., e.g.
)


def _pattern(letter: str, others: str) -> re.Pattern[str]:
    part = f"{letter}{{1,{_LONGEST}}}"
    number = r"(?<![\w.,])\d{1,64}(?:[.,]\d{1,64}){1,16}"
    return re.compile(rf"{_MARKED}{number}(?!{letter})|{part}(?:['’-]{part}){{0,7}}{others}")


_ASCII = _pattern("[a-z0-9]", "")  # three times as fast as the next
_UNICODE = _pattern(rf"(?:[^\W_{_UNSPACED}]|[{_SIGNS}])", f"|[{_UNSPACED}]+|[{_EMOJI}]")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PARTS_OF_MARKED = re.compile(rf"(?:[^\W_]|[{_SIGNS}])+")

_ACCENTS = re.compile(
    "(?<=[a-zα-ω])[\u0300-\u036f]+|(?<=[а-я])[\u0300\u0301]+|[\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u0640]"
)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ё": "е"}
    | {"ة": "ه", "ى": "ي"}  # which people write for each other
    # Nobody sees them: a soft hyphen, zero-width spaces, marks of direction.
    | dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff" + "".join(map(chr, range(0x202A, 0x202F))))
)
_ELISION = re.compile(
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu|dell|all|nell|sull|dall|un|quest|quell)['’](?=\w{2})"
)
_ENDING = re.compile(r"(?<=\w)['’](?:s|d|ll|re|ve|m)$")
# A name keeps its form before the endings of Turkish. An accusative of one vowel follows a consonant: not in Hawai'i.
_TURKISH = re.compile(
    r"(?<=\w{3})['’](?:[dt][ae]n?(?:ki)?|n?[iu]n|n[aeiu]|y[aeiu]|y?l[ae]|l[ae]r(?:[iu]n?)?|(?<=[^aeiou]['’])[aeiu])$"
)
_YEARS = re.compile(r"\d\d(?:\d\d)?s")

_STEMMED_BY_FIRST_LETTER = (
    ("\u0370", "\u03ff", "greek"),
    ("\u0400", "\u04ff", "russian"),
    ("\u0530", "\u058f", "armenian"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hindi"),
    ("\u0b80", "\u0bff", "tamil"),
)

# Words that say nothing about a text; long questions are full of them. As the SMART system has them (Salton 1971),
# without those that can be what is asked about (places: behind, along, within), and without apostrophes.
STOP_WORDS = frozenset(
    (
        "a able about above actually after afterwards again against ago all almost already also although always "
        "am among amongst an and another any anybody anyhow anyone anything anyway anywhere are aren as at away "
        "be became because become becomes becoming been before beforehand being below between both but by came "
        "can cannot certain certainly come comes could despite did do does doing done down during each either "
        "else elsewhere enough especially etc even ever every everybody everyone everything everywhere few for "
        "from further furthermore get gets getting go goes going gone got had hardly has have having he hence her "
        "here hereby herein hers herself him himself his how however i if in indeed instead into is it its itself "
        "just least less lest let lets like likely mainly many may maybe me meanwhile merely might mine more "
        "moreover most mostly much must my myself namely nearly neither never nevertheless no nobody none nor not "
        "nothing now nowhere of off often on once one ones only or other others otherwise ought our ours "
        "ourselves out over own per perhaps quite rather really said same say says see seem seemed seeming seems "
        "seen several shall she should since so some somebody somehow someone something sometime sometimes "
        "somewhat somewhere soon still such sure take taken than that the their theirs them themselves then "
        "thence there thereafter thereby therefore therein these they this those though through thus to too took "
        "try trying under unless until unto up usually very via was way we went were what whatever when whence "
        "whenever where whereas whereby wherein wherever whether which whichever while who whoever whole whom "
        "whose why will with would yet you your yours yourself yourselves eg ie arent cant couldnt didnt doesnt "
        "dont hadnt hasnt havent isnt mustnt neednt oughtnt shouldnt wasnt werent wont wouldnt"
    ).split()
)
# What people say to whoever searches for them, and what a text may as well be about.
_ASKING = frozenset(
    (
        "answer answers article articles available concerned concerning deal dealing deals describe described "
        "describes describing detail details discuss discussed discusses discussing discussion document documents "
        "explain find finding finds found give given gives giving hello help information interest interested "
        "interesting know known knows literature look looking looks material mention mentioned mentions need "
        "needs paper papers please publication publications question questions regarding related relevant show "
        "showing shows tell tells text texts thank thanks us use used uses using want wanted wants wish wonder "
        "wondering"
    ).split()
)
_FEWEST = 3
"""Other terms that must be left when the words of asking are dropped."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A term that a query looks for, and the stems that other languages make of its word."""

    term: str
    others: tuple[str, ...] = ()


def tokens(text: str) -> list[str]:
    """The terms of a text, in order."""
    return indexed(text).terms.split()


def parts(text: str) -> list[str]:
    """The parts of a text's words, in order: folded, and otherwise as written."""
    return indexed(text).parts.split()


@dataclass(frozen=True, slots=True)
class Indexed:
    """What is indexed of a text, white space between: no term and no part holds any."""

    terms: str
    parts: str


def indexed(text: str) -> Indexed:
    """The terms and the parts of a text, in order."""
    pieces = [_PIECES[piece] for piece in fold(text).split()]
    return Indexed(" ".join([piece.terms for piece in pieces]), " ".join([piece.parts for piece in pieces]))


def asked(text: str) -> list[str]:
    """The distinct terms that a query looks for; stop words only where there is nothing else."""
    return [one.term for one in wanted(text)]


def wanted(text: str, of_languages: Sequence[str] = ()) -> list[Asked]:
    """The distinct terms that a query looks for, by the languages it is in: those given, or the likeliest."""
    found = list(analysed_words(text))
    known = of_languages or languages.spoken((part for word in found for part in word.parts), STOP_WORDS)
    stops = frozenset[str]().union(*(languages.STOP_WORDS[one] for one in known)) | _stops_of_scripts(found)
    telling = [word for word in found if word.telling and not stops.issuperset(word.parts)] or found
    about = [word for word in telling if not _ASKING.issuperset(word.parts)]
    if len({term for word in about for term in word.asked}) >= _FEWEST:
        telling = about
    terms: dict[str, Asked] = {}
    for word in telling:
        others = tuple(dict.fromkeys(other for one in known for other in stems(word.parts, one)))
        for term in word.asked:
            terms.setdefault(term, Asked(term, others if len(word.asked) == 1 else ()))
    return list(terms.values())


def says_nothing(text: str) -> bool:
    """Whether a text is stop words and numbers only."""
    return all(not word.telling or all(part[0].isdigit() for part in word.parts) for word in analysed_words(text))


def stems(parts_of_words: Sequence[str], language: str) -> Iterator[str]:
    """What a language in Latin script makes of parts, where that is another stem than English's."""
    if language in languages.STEMMED:
        for part in parts_of_words:
            stem = _other_stem(part, language)
            if stem is not None:
                yield stem


def language_of(text_parts: Sequence[str]) -> str | None:
    """The language in Latin script that a text seems to be in, if it is not English."""
    spoken = languages.spoken(text_parts, STOP_WORDS, least=4)
    return spoken[0] if spoken else None


def analysed_words(text: str) -> Iterator[Word]:
    """What comes of each word of a text, in order."""
    # No word goes over white space, so what comes of a piece between is the same wherever it stands; most were seen.
    return chain.from_iterable([_PIECES[piece].words for piece in fold(text).split()])


def words(text: str) -> list[str]:
    """The folded words of a text, in order, runs of an unspaced script as one."""
    return _words(fold(text))


def is_unspaced(word: str) -> bool:
    """Whether a word is a run of a script that puts no spaces between its words."""
    return bool(_UNSPACED_RUN.match(word))


def _words(folded: str) -> list[str]:
    return (_ASCII if folded.isascii() else _UNICODE).findall(folded)


@dataclass(frozen=True, slots=True)
class _Piece(Indexed):
    words: tuple[Word, ...]


class _Pieces(dict[str, _Piece]):
    """Folded texts without white space, and what came of their words: most were seen before."""

    def __missing__(self, piece: str) -> _Piece:
        bare = piece.lstrip(_OPENS).rstrip(_CLOSES)
        if bare != piece and bare.isascii() and bare.isalpha():  # a word, and what closes its sentence
            found = self[bare]
        else:
            words = tuple(map(analysed, _words(piece)))
            terms = " ".join([term for word in words for term in word.terms])
            found = _Piece(terms, " ".join([part for word in words for part in word.parts]), words)
        # Not addresses, tables and runs of Chinese: they are large, and hardly come again.
        if len(piece) <= _LONGEST and len(found.words) <= _FEW and not _UNSPACED_RUN.search(piece):
            if len(self) >= _REMEMBERED:
                self.clear()
            self[piece] = found
        return found


_PIECES = _Pieces()


def fold(text: str) -> str:
    """Without what people leave out when they type: case, accents, compatibility forms."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    # Marks go from the letters they only accent; й, が and क्षि would be other letters without theirs.
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)).translate(_LETTERS))


def _of_run(run: str) -> Word:
    # Each character and each pair: a word of one character is found as well. A query asks for the pairs, which
    # tell more than the characters in them.
    pairs = tuple(run[at : at + 2] for at in range(len(run) - 1))
    return Word((*run, *pairs), pairs or (run,), tuple(run), telling=True)


def analysed(word: str) -> Word:
    """What comes of one folded word."""
    if _UNSPACED_RUN.match(word):
        return _of_run(word)
    if _NUMBER.fullmatch(word):
        number = word.replace(",", "") if _GROUPED.fullmatch(word) else word.replace(",", ".")
        return Word((number,), (number,), (number,), telling=True)
    if word[0] in "@#" or "@" in word:
        pieces = tuple(piece[:_LONGEST] for piece in _PARTS_OF_MARKED.findall(word))
        terms = (word[:_LONGEST], *(_stem(piece) for piece in pieces))
        return Word(terms, terms, pieces, telling=True)
    if word[-1] in "+#" or word[0] == ".":
        return Word((word,), (word,), (word,), telling=True)
    if word[1:2] == ".":
        word = word.replace(".", "")
    pieces = tuple(_bare(piece)[:_LONGEST] for piece in word.split("-"))
    terms = tuple(map(_stem, pieces))
    sought = tuple(term for term, piece in zip(terms, pieces, strict=True) if piece not in STOP_WORDS) or terms
    if len(pieces) == 2 and not word.replace("-", "").isdigit():  # e-mail is written email as well
        joined = _stem("".join(pieces)[:_LONGEST])
        terms, sought = (*terms, joined), (*sought, joined)
    return Word(terms, sought, pieces, telling=any(piece not in STOP_WORDS for piece in pieces))


def _bare(piece: str) -> str:
    """Without apostrophes: l'homme is homme, the heron's is heron, it'll is it, don't is dont."""
    if "'" not in piece and "’" not in piece:
        return piece
    elided = _ELISION.match(piece)
    bare = piece[elided.end() :] if elided else piece
    bare = _TURKISH.sub("", _ENDING.sub("", bare))
    return bare.replace("'", "").replace("’", "") or piece


def _stem(piece: str) -> str:
    first = piece[0]
    if first.isascii():
        if first.isalpha():
            return _stemmer("english").stemWord(piece)
        return piece[:-1] if _YEARS.fullmatch(piece) else piece
    for low, high, language in _STEMMED_BY_FIRST_LETTER:
        if low <= first <= high:
            # Folding took the letter that Snowball knows the ending by.
            known = f"{piece[:-1]}ة" if language == "arabic" and piece[-1] == "ه" else piece
            return _stemmer(language).stemWord(known)
    return piece


@lru_cache(maxsize=50_000)
def _other_stem(part: str, language: str) -> str | None:
    if not (part.isascii() and part.isalpha()) or part in languages.STOP_WORDS[language]:
        return None
    # Snowball's Turkish needs the letters that folding takes away. The first five letters find as much: Can et al.,
    # "Information retrieval on Turkish texts", JASIST 2008.
    stem = part[:5] if language == "tr" else _stemmer(languages.STEMMED[language]).stemWord(part)
    return stem if stem != _stem(part) else None


def _stops_of_scripts(found: Collection[Word]) -> frozenset[str]:
    """The stop words of languages that are known by their letters."""
    first = {word.parts[0][0] for word in found if word.parts}
    known = [
        language
        for low, high, language in (("α", "ω", "el"), ("а", "я", "ru"), ("ء", "ي", "ar"))
        if any(low <= letter <= high for letter in first)
    ]
    return frozenset[str]().union(*(_FOLDED_STOPS[language] for language in known))


@lru_cache
def _stemmer(language: str) -> Any:
    return Stemmer.Stemmer(language)


_FOLDED_STOPS = {
    language: frozenset(fold(" ".join(languages.STOP_WORDS[language])).split()) for language in ("ar", "el", "ru")
}
