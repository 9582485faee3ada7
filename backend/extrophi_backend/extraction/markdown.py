"""Markdown: kept as written, without its front matter; its structure by a CommonMark parser.

The text stays Markdown (docs/decisions/0004): a quote is then exactly what the writer typed, and offsets into the
document are offsets into the file, moved by the length of the front matter.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from extrophi_backend.collectors.models import Block
from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.extraction.decoding import decode
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.moments import parse_moment
from extrophi_backend.extraction.text import paragraphs

_FRONT_MATTER = re.compile(
    r"\A\s*(---|\+\+\+)[ \t]*\n(.*?)(?:^|\n)(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_MAX_FRONT_MATTER = 65_536
_KEY_LINE = re.compile(r"([A-Za-z][\w-]{0,40})[ \t]*:(?:[ \t]+(.*)|)\Z")
_CONTINUATION = re.compile(r"\s|- |-\Z|#|[]}]")
_MAX_NESTING = 16
"""Open elements: eight lists, or sixteen quotes, in each other. Each line may cost a look at all of them."""
_LETTER = re.compile(r"^(?![ \t>]*\[[^\]\n]+\]:)[^\n]*?[^\W\d_]", re.MULTILINE)
"""A line that says something, and not where a link leads."""
_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`~]+")

_TITLE = ("title",)
_AUTHOR = ("author", "authors", "by", "creator")
_DATE = ("date", "published", "published_at", "publishdate", "pubdate", "created")
_LANGUAGE = ("lang", "language", "locale")
_CANONICAL = ("canonical_url", "canonical", "canonicalurl")
_KNOWN = frozenset(
    (
        *_TITLE,
        *_AUTHOR,
        *_DATE,
        *_LANGUAGE,
        *_CANONICAL,
        "tags",
        "categories",
        "aliases",
        "draft",
        "layout",
        "id",
        "uid",
        "slug",
        "permalink",
        "cssclass",
        "cssclasses",
        "publish",
        "updated",
        "modified",
        "lastmod",
        "keywords",
        "template",
        "weight",
        "sidebar_label",
        "sidebar_position",
    )
)


def extract_markdown(body: bytes, *, charset: str | None = None) -> Extracted:
    """The text of a Markdown file, with what its front matter (YAML or TOML) says.

    Raises:
        ExtractionFailed: no_text, unsupported_type.
    """
    whole = decode(body, charset)
    meta, begin = front_matter(whole)
    text = whole[begin:].strip("\n")
    blocks = markdown_blocks(text) or paragraphs(text)
    if not blocks:
        raise ExtractionFailed("no_text", "There is no text in it" + (" but front matter." if begin else "."))
    title = _scalar(meta, _TITLE)
    if not title:
        heading = next((block for block in blocks if block.level == 1), None)
        title = _MARKS.sub(r"\1", one_line(text[heading.start : heading.end])) if heading else ""
    canonical = _scalar(meta, _CANONICAL)
    return Extracted(
        text=text,
        blocks=blocks,
        title=title,
        author=_scalar(meta, _AUTHOR) or None,
        published_at=_moment(meta),
        language=_scalar(meta, _LANGUAGE)[:35] or None,  # RFC 5646, 4.4.1: 35 characters hold any useful tag
        canonical_url=canonical if re.match(r"https?://\S+\Z", canonical) else None,
        format="markdown",
    )


def front_matter(text: str) -> tuple[Mapping[str, Any], int]:
    """What a text's front matter says, keys in lower case, and where the text begins after it.

    Front matter that its own language refuses (`title: One: two`) is read line by line. What merely stands between
    two rules, and has no key we know, is text: it stays.
    """
    match = _FRONT_MATTER.match(text, 0, _MAX_FRONT_MATTER)
    if match is None:
        return {}, 0
    try:
        found: Any = tomllib.loads(match[2]) if match[1] == "+++" else yaml.safe_load(match[2])
    except Exception:  # noqa: BLE001  PyYAML raises anything (AttributeError for `!!timestamp x`); the text must survive
        found = None
    if isinstance(found, dict):
        parsed = cast("dict[Any, Any]", found)
        meta: Mapping[str, Any] = {str(key).lower(): value for key, value in parsed.items() if isinstance(key, str)}
    else:
        meta = _by_line(match[2])
    if meta.keys() & _KNOWN:
        return meta, match.end()
    # `---` twice with nothing between is an empty front matter.
    return {}, match.end() if not match[2].strip() else 0


def _by_line(source: str) -> Mapping[str, str]:
    """Keys and values, one a line; nothing where a line is neither these nor what goes on with them."""
    lines: dict[str, str] = {}
    for line in source.splitlines():
        if found := _KEY_LINE.match(line):
            lines[found[1].lower()] = (found[2] or "").strip().strip("\"'")
        elif line.strip() and not (lines and _CONTINUATION.match(line)):
            return {}
    return lines


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """Headings, paragraphs, list items, code, tables and quotes of a Markdown text. A heading's span is its words."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found: list[Block] = []
    # No inline parsing: only lines are needed, and links and emphasis are where Markdown parsers can be made slow.
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table").disable("inline")
    tokens = parser.parse(text)
    for at, token in enumerate(tokens):
        if token.map is None or token.type not in _LEAVES:
            continue
        first, last = token.map
        start = starts[first]
        end = starts[last] if last < len(starts) else len(text)
        level = 0
        if token.type == "heading_open":
            level = int(token.tag[1])
            start, end = _words_of_heading(text, start, end, tokens[at + 1])
        span = text[start:end]
        start += len(span) - len(span.lstrip())
        end -= len(span) - len(span.rstrip())
        if start < end:
            found.append(Block(start, end, "heading" if level else "paragraph", level))
    return tuple(_with_rest(text, _apart(found)))


_LEAVES = frozenset({"heading_open", "paragraph_open", "fence", "code_block", "table_open", "html_block"})


def _words_of_heading(text: str, start: int, end: int, inline: Token) -> tuple[int, int]:
    """Without `##` before it, or the rule below it."""
    first_line = inline.content.split("\n", 1)[0]
    at = text.find(first_line, start, end) if first_line else -1
    if at < 0:
        return start, start  # an empty heading
    stop = text.find(inline.content, at, end)
    return at, (stop + len(inline.content) if stop >= 0 else end)


def _apart(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Ascending and not overlapping, whatever the parser's line numbers say about odd nestings."""
    kept: list[Block] = []
    for block in sorted(blocks, key=lambda block: (block.start, block.end)):
        if not kept or block.start >= kept[-1].end:
            kept.append(block)
    return tuple(kept)


def _with_rest(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """With what the parser leaves out, as paragraphs: nested beyond its limit, it is text nevertheless."""
    at = 0
    for block in (*blocks, None):
        between = text[at : block.start if block else len(text)]
        if _LETTER.search(between):
            for one in paragraphs(between):
                if _LETTER.search(between[one.start : one.end]):
                    yield Block(at + one.start, at + one.end)
        if block:
            yield block
            at = block.end


def _scalar(meta: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of `keys` that says something, as one line of at most 1,000 characters."""
    for key in keys:
        value = meta.get(key)
        # A list of authors. Nested deeper it could be a "billion laughs" of aliases: only one level is looked at.
        values = cast("list[Any]", value)[:20] if isinstance(value, list) else [value]
        words: list[str] = []
        for item in values:
            name = cast("dict[Any, Any]", item).get("name") if isinstance(item, dict) else item
            if isinstance(name, str | int | float) and not isinstance(name, bool):
                words.append(one_line(clean(str(name)[:1000])))
        if said := ", ".join(word for word in words if word):
            return said[:1000]
    return ""


def _moment(meta: Mapping[str, Any]) -> datetime | None:
    language = _scalar(meta, _LANGUAGE)[:2].lower() or None
    for key in _DATE:
        value = meta.get(key)
        if isinstance(value, str) and (moment := parse_moment(value, language)):
            return moment
        if isinstance(value, datetime):
            return _utc(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None


def _utc(moment: datetime) -> datetime | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # year 1 east of Greenwich
        return None
