"""From a chunk to a citation: the sentence to quote, and a link to the very place."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote as percent_encode

from extrophi_research.search import analysis
from extrophi_research.search.begun import Begun
from extrophi_research.search.models import Chunk, Citation
from extrophi_research.search.sentences import sentences

_LONGEST_FRAGMENT = 300
_EDGE_WORDS = 6
_SHORT = 24
"""Characters. A shorter quote may well be in the page's menu, too."""
_PREFIX_WORDS = 4
_MARK = re.compile(r"(?:[-*+•>]|#{1,6}|\d{1,3}[.)])[ \t]+")
_CLAUSE = re.compile(r"(?<=[、。，；：！？,;:!?])")


def best_sentence(text: str, asked: Collection[str], begun: Begun | None = None) -> tuple[int, int]:
    """Span of the sentence that shares most with the terms that were asked for; of equals, the first.

    A word that is still being typed is shared by what it may become.
    """
    wanted = set(asked)
    best, most = (0, len(text)), -1.0
    for start, end in sentences(text):
        terms = analysis.tokens(text[start:end])
        shared = float(len(wanted.intersection(terms)))
        if begun is not None:
            shared += any(map(begun.becomes, terms))
        # Counting the distinct ones takes longer: only where it can matter.
        if terms and shared > most and (shared := shared - 0.01 * (len(set(terms)) < 4)) > most:
            best, most = (start, end), shared
    return best


def cite(chunk: Chunk, span: tuple[int, int]) -> Citation:
    """The citation of a span of a chunk's own text: by whom it says, where that is not the document's author."""
    start, end = chunk.start + span[0], chunk.start + span[1]
    quoted = chunk.text[span[0] : span[1]]
    said = _here(chunk.anchors, start)
    is_comment = "depth" in said  # whose author and day may be unknown, and are never the document's
    return Citation(
        document_id=chunk.document_id,
        version=chunk.version,
        platform=chunk.platform,
        external_id=chunk.external_id,
        title=chunk.title,
        author=said.get("author") or (None if is_comment else chunk.author),
        published_at=datetime.fromisoformat(said["published_at"])
        if "published_at" in said
        else (None if is_comment else chunk.published_at),
        url=chunk.url,
        deep_link=deep_link(chunk.platform, chunk.url, chunk.anchors, start, quoted, _prefix(chunk.text, span)),
        quote=quoted,
        quote_start=start,
        quote_end=end,
    )


def deep_link(
    platform: str,
    url: str | None,
    anchors: Sequence[tuple[int, Mapping[str, Any]]],
    start: int,
    quoted: str,
    prefix: str = "",
) -> str | None:
    """Where the quote can be seen in the original: a page, a second, a comment, or a text fragment of a web page.

    Args:
        platform: It decides with the address what can be linked to.
        url: Of the document.
        anchors: Those of the places around, ascending.
        start: Where the quote begins in the document's text.
        quoted: The quote.
        prefix: What stands before it, if it takes that to tell this place from others.
    """
    here = _here(anchors, start)
    if "url" in here:
        return str(here["url"])
    if url is None:
        return None
    bare = url.split("#", 1)[0]
    if "page" in here:
        return f"{bare}#page={here['page']}"
    if "seconds" in here:
        return f"{bare}{'&' if '?' in bare else '?'}t={int(here['seconds'])}"
    if platform == "web" and url.startswith(("http://", "https://")):
        _, _, named = url.partition("#")
        route = named if named.startswith(("/", "!")) else ""  # where an app keeps what it shows
        return f"{bare}#{route}:~:text={f'{_encoded(prefix)}-,' if prefix else ''}{_fragment(quoted)}"
    return url


def _here(anchors: Sequence[tuple[int, Mapping[str, Any]]], start: int) -> Mapping[str, Any]:
    """What is said of the place where a quote begins."""
    return next((anchor for offset, anchor in reversed(anchors) if offset <= start), {})


def _prefix(text: str, span: tuple[int, int]) -> str:
    """The words before a quote that is short, or that the chunk holds more than once; not those of another line."""
    quoted = text[slice(*span)]
    if len(quoted) >= _SHORT and text.count(quoted) == 1:
        return ""
    line = text[: span[0]].rsplit("\n", 1)[-1]
    words = [word for word in _MARK.sub("", line, count=1).split() if word != "|"]
    return " ".join(words[-_PREFIX_WORDS:])[-_LONGEST_FRAGMENT:]


def _fragment(quoted: str) -> str:
    """A text directive (https://wicg.github.io/scroll-to-text-fragment/): the quote, or how it begins and ends.

    What marks a list, a heading or a table's cells is our text's, not the page's.
    """
    lines = [bare for line in quoted.split("\n") if (bare := _MARK.sub("", line.strip(), count=1).strip(" \t|"))]
    cells = [cell for line in lines for cell in re.split(r"\s\|\s", line) if cell.strip(" |-:")] or [quoted.strip()]
    if len(cells) == 1 and len(cells[0]) <= _LONGEST_FRAGMENT:
        return _encoded(cells[0])
    if len(cells) > 1 and len(cells[0]) + len(cells[-1]) <= _LONGEST_FRAGMENT:
        return f"{_encoded(cells[0])},{_encoded(cells[-1])}"
    words = quoted.split()
    if len(words) >= 2 * _EDGE_WORDS:
        first, last = cells[0].split()[:_EDGE_WORDS], cells[-1].split()[-_EDGE_WORDS:]
        return f"{_encoded(' '.join(first))},{_encoded(' '.join(last))}"
    # No spaces: a browser looks for whole words, and takes a cut one for another.
    clauses = [clause for clause in _CLAUSE.split("".join(cells)) if clause]
    return _encoded(clauses[0]) if len(clauses) == 1 else f"{_encoded(clauses[0])},{_encoded(clauses[-1])}"


def _encoded(text: str) -> str:
    return percent_encode(text, safe="").replace("-", "%2D")  # a dash would mark a prefix or suffix
