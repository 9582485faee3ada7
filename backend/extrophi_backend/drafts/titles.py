"""A draft's title, and the words after it that lists show: both are read from its Markdown."""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import regex

from extrophi_backend.extraction.markdown import front_matter, markdown_blocks

_TITLE = 200
_EXCERPT = 200
_LOOKED_AT = 20_000
"""Of a text: a heading that comes later is not what it is called by, and every save reads this."""
_LINE = 1000

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCES = re.compile(r"\A[ ]{0,3}(?:`{3,}|~{3,})[^\n]*\n?|\n[ ]{0,3}(?:`{3,}|~{3,})[ \t]*\Z")
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")  # YAML's escapes may stand for them
_SAYING = re.compile(r"[^-*_=~`#>|:.\s]")
_SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
_UNSPACED = "[" + "".join(rf"\p{{Script={name}}}" for name in _SCRIPTS) + "]"
# A set and possessive, so that a text without any space takes neither the time nor the memory of going back in it.
_SPACED = rf"[[\p{{L}}\p{{N}}\p{{M}}]--{_UNSPACED}]++"
_WORD = regex.compile(rf"(?=[\p{{L}}\p{{N}}])(?:{_UNSPACED}|{_SPACED}(?:['’.,_-]{_SPACED})*+)", regex.V1)
_MARKS = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"^(?:\s*(?:>|#{1,6}[ \t]|[-+*][ \t]|\d{1,9}[.)][ \t]|\[[ xX]\][ \t]|\|))+", ""),
        (r"!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1"),
        (r"\[\^[^\]]*\]:?", ""),
        (r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1"),
        (r"<(https?://[^>\s]*)>", r"\1"),
        (r"</?[A-Za-z][^>]*>", ""),
        (r"\{[#.][^}]*\}\s*$", ""),
        (r"(?<!\\)(?:\*{1,3}(?=\S)|(?<=\S)\*{1,3}|~~|`+)", ""),
        (r"(?<![\w\\])_{1,3}(?=\S)|(?<=[^\s\\])_{1,3}(?!\w)", ""),
        (r"\\([!-/:-@\[-`{-~])", r"\1"),
    )
]


@dataclass(frozen=True, slots=True)
class Head:
    title: str
    """At most 200 characters; empty where there are no words."""
    excerpt: str
    """About as many of what comes after it."""


def read_head(text: str) -> Head:
    """The title: what front matter says, or else the first heading, or else the first line that has words."""
    begun = text[:_LOOKED_AT].removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    meta, start = front_matter(begun)
    body = begun[start:]
    blocks = [(bool(one.level), body[one.start : one.end]) for one in markdown_blocks(body)]
    spoken = [(is_heading, block) for is_heading, block in blocks if any(_lines(block))]
    title = _said(meta.get("title"))
    headings = [number for number, (is_heading, _) in enumerate(spoken) if is_heading]
    if title:
        is_said_twice = headings[:1] == [0] and _joined([spoken[0]]) == title
        rest = spoken[is_said_twice:]
    elif headings:
        title, rest = _joined([spoken[headings[0]]]), spoken[headings[0] + 1 :]
    else:
        title, _, first = _joined(spoken[:1], "\n").partition("\n")
        rest = [(False, first), *spoken[1:]]
    return Head(_cut(title, _TITLE), _cut(_joined(rest), _EXCERPT))


def count_words(text: str) -> int:
    """A run of letters or digits is a word, with the hyphens and apostrophes inside it.

    Of scripts without spaces each letter counts. The Writer counts by the same rule: tests/data/words.json.
    """
    return sum(1 for _ in _WORD.finditer(text))


def _joined(blocks: Iterable[tuple[bool, str]], between: str = " ") -> str:
    """The words of blocks, as far as a title or an excerpt can show them."""
    found: list[str] = []
    length = 0
    for line in (line for _, block in blocks for line in _lines(block)):
        found.append(line)
        length += len(line) + 1
        if length > max(_TITLE, _EXCERPT):
            break
    return between.join(found)


def _lines(block: str) -> Iterator[str]:
    """The lines of a block that have words, without Markdown's marks."""
    bare = _FENCES.sub("", _COMMENT.sub("", block))
    return filter(None, map(_plain, bare.split("\n")))


def _plain(line: str) -> str:
    line = line[:_LINE]
    for mark, instead in _MARKS:
        line = mark.sub(instead, line)
    line = _one_line(html.unescape(line))
    return line if _SAYING.search(line) else ""  # a rule, or marks of nothing


def _said(value: Any) -> str:
    return _one_line(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _one_line(text: str) -> str:
    return " ".join(_UNSTORABLE.sub(" ", text).split())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
