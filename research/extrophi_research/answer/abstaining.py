"""What is said when nothing that was collected answers: where we looked, what came nearest, what to collect."""

from collections.abc import Sequence
from datetime import datetime, time

from extrophi_research.answer.extractive import escaped
from extrophi_research.answer.models import Nearest, Searched
from extrophi_research.answer.reading import Reading, missing
from extrophi_research.search import analysis

_PLATFORMS = {"twitter": "X", "youtube": "YouTube", "reddit": "Reddit", "web": "the web", "files": "files"}
_LONGEST_TITLE = 120
_MOST_WORDS = 6
_BRACKETS = str.maketrans({"[": "%5B", "]": "%5D"})
"""An address with [1] in it would show a citation that there is not (RFC 3986 wants them encoded, too)."""
_ENGLISH = frozenset("the a an of is are was were does did do how what which who where when why and to".split())
_ONE_LANGUAGE = (
    "A question and what answers it are compared in one language: of texts in another, ask in their language."
)


def abstention(searched: Searched, reading: Reading) -> str:
    """The text of an answer that has none to give."""
    if searched.documents == 0 and searched.as_of is not None:
        passing = "No document that had been collected by then passes these filters"
        nothing = passing if searched.filtered else "Nothing had been collected yet by then"
        return f"As of {_moment(searched.as_of)}: {nothing}. Ask as of a later date, or of none."
    if searched.documents == 0:
        if searched.filtered:
            return "No collected document passes these filters. Widen them, or collect something that passes them."
        return "Nothing has been collected yet that this question could be answered from. Collect something first."
    if not reading.terms:
        return (
            "The question holds no word that tells what it is about. Ask with the words that you expect in the texts."
        )
    paragraphs = [_where(searched)]
    if searched.nearest:
        paragraphs.append("\n".join(["What comes nearest:", *(f"- {_line(one)}" for one in searched.nearest)]))
    paragraphs.append(_next(missing(reading)[:_MOST_WORDS], searched))
    if not _ENGLISH.intersection(analysis.words(reading.question)):
        paragraphs.append(_ONE_LANGUAGE)
    return "\n\n".join(paragraphs)


def _where(searched: Searched) -> str:
    count = f"{searched.documents:,} collected document{'s' if searched.documents != 1 else ''}"
    about = [_listed([_PLATFORMS.get(one, one) for one in searched.platforms])] if searched.platforms else []
    if searched.published_from and searched.published_to:
        first, last = searched.published_from.date(), searched.published_to.date()
        about.append(f"published {first}" if first == last else f"published {first} to {last}")
    inside = f" ({'; '.join(about)})" if about else ""
    passing = " that pass the filters" if searched.filtered else ""
    if searched.as_of is not None:
        return f"As of {_moment(searched.as_of)}, nothing in the {count}{inside}{passing} answers this."
    return f"Nothing in the {count}{inside}{passing} answers this."


def _moment(moment: datetime) -> str:
    """To the minute, in UTC; a day's beginning by the day alone."""
    return f"{moment:%Y-%m-%d}" if moment.time() == time() else f"{moment:%Y-%m-%d %H:%M} UTC"


def _line(one: Nearest) -> str:
    title = escaped(one.title)
    title = title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}…"
    link = (one.url or one.deep_link or "").translate(_BRACKETS)
    return f"{title}: {link}" if link else title


def _next(words: Sequence[str], searched: Searched) -> str:
    if searched.as_of is not None:  # what is collected now was not there then
        step = f"{'Widen the filters, or ask' if searched.filtered else 'Ask'} as of a later date, or of none."
    else:
        widen = "Widen the filters, or collect" if searched.filtered else "Collect"
        step = f"{widen} pages, feeds or files on it, and ask again."
    if not words:
        return step
    named = _listed([f"“{escaped(word)}”" for word in words])
    return f"None of that says anything of {named}. {step}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
