"""What is said when nothing that was collected answers: where we looked, what came nearest, what to collect."""

from collections.abc import Sequence

from extrophi_research.answer.extractive import escaped
from extrophi_research.answer.models import Nearest, Searched
from extrophi_research.answer.reading import Reading, missing

_PLATFORMS = {"twitter": "X", "youtube": "YouTube", "reddit": "Reddit", "web": "the web", "files": "files"}
_LONGEST_TITLE = 120
_MOST_WORDS = 6


def abstention(searched: Searched, reading: Reading) -> str:
    """The text of an answer that has none to give."""
    if searched.documents == 0:
        if searched.filtered:
            return "No collected document passes these filters. Widen them, or collect something that passes them."
        return "Nothing has been collected yet that this question could be answered from. Collect something first."
    paragraphs = [_where(searched)]
    if searched.nearest:
        paragraphs.append("\n".join(["What comes nearest:", *(f"- {_line(one)}" for one in searched.nearest)]))
    paragraphs.append(_next(missing(reading)[:_MOST_WORDS], filtered=searched.filtered))
    return "\n\n".join(paragraphs)


def _where(searched: Searched) -> str:
    count = f"{searched.documents:,} collected document{'s' if searched.documents != 1 else ''}"
    about = [_listed([_PLATFORMS.get(one, one) for one in searched.platforms])] if searched.platforms else []
    if searched.published_from and searched.published_to:
        first, last = searched.published_from.date(), searched.published_to.date()
        about.append(f"published {first}" if first == last else f"published {first} to {last}")
    inside = f" ({'; '.join(about)})" if about else ""
    return f"Nothing in the {count}{inside}{' that pass the filters' if searched.filtered else ''} answers this."


def _line(one: Nearest) -> str:
    title = escaped(one.title)
    title = title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}…"
    link = one.url or one.deep_link
    return f"{title}: {link}" if link else title


def _next(words: Sequence[str], *, filtered: bool) -> str:
    widen = "Widen the filters, or collect" if filtered else "Collect"
    if not words:
        return f"{widen} pages, feeds or files on it, and ask again."
    named = _listed([f"“{escaped(word)}”" for word in words])
    return f"None of that says anything of {named}. {widen} pages, feeds or files on it, and ask again."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
