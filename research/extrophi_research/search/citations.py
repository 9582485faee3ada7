"""From a chunk to a citation: the sentence to quote, and a link to the very place."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote as percent_encode

from extrophi_research.search import analysis
from extrophi_research.search.models import Chunk, Citation
from extrophi_research.search.sentences import sentences

_LONGEST_FRAGMENT = 300
_EDGE_WORDS = 6


def best_sentence(text: str, asked: str) -> tuple[int, int]:
    """Span of the sentence that shares most with what was asked; of equals, the first."""
    wanted = {term for term in analysis.tokens(asked) if term not in analysis.STOP_WORDS}
    best, most = (0, len(text)), -1.0
    for start, end in sentences(text):
        terms = set(analysis.tokens(text[start:end]))
        if not terms:
            continue
        shared = len(wanted & terms) - 0.01 * (len(terms) < 4)
        if shared > most:
            best, most = (start, end), shared
    return best


def cite(chunk: Chunk, span: tuple[int, int]) -> Citation:
    """The citation of a span of a chunk's own text."""
    start, end = chunk.start + span[0], chunk.start + span[1]
    quoted = chunk.text[span[0] : span[1]]
    return Citation(
        document_id=chunk.document_id,
        version=chunk.version,
        platform=chunk.platform,
        external_id=chunk.external_id,
        title=chunk.title,
        author=chunk.author,
        published_at=chunk.published_at,
        url=chunk.url,
        deep_link=deep_link(chunk.platform, chunk.url, chunk.anchors, start, quoted),
        quote=quoted,
        quote_start=start,
        quote_end=end,
    )


def deep_link(
    platform: str, url: str | None, anchors: Sequence[tuple[int, Mapping[str, Any]]], start: int, quoted: str
) -> str | None:
    """Where the quote can be seen in the original: a page, a second, a comment, or a text fragment of a web page."""
    here: Mapping[str, Any] = next((anchor for offset, anchor in reversed(anchors) if offset <= start), {})
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
        return f"{bare}#:~:text={_fragment(quoted)}"
    return url


def _fragment(quoted: str) -> str:
    """A text directive (https://wicg.github.io/scroll-to-text-fragment/): the quote, or its first and last words."""
    line = quoted.strip().split("\n")[0].strip()
    if len(line) <= _LONGEST_FRAGMENT and line == quoted.strip():
        return _encoded(line)
    words = quoted.split()
    if len(words) < 2 * _EDGE_WORDS:
        return _encoded(line[:_LONGEST_FRAGMENT])
    return f"{_encoded(' '.join(words[:_EDGE_WORDS]))},{_encoded(' '.join(words[-_EDGE_WORDS:]))}"


def _encoded(text: str) -> str:
    return percent_encode(text, safe="").replace("-", "%2D")  # a dash would mark a prefix or suffix
