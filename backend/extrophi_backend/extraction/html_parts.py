"""A page as its parts: paragraphs, headings, list items, tables and code in reading order, each text once.

The walk is one loop without recursion, so that nesting of any depth costs no more than its tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.extraction.html_furniture import is_caption, is_furniture_container, is_hidden, name_of
from extrophi_backend.extraction.tree import Element, local_name, steps

Kind = Literal["paragraph", "heading", "item", "code", "table", "caption"]

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset({
    *_HEADINGS, "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "legend",
    "li", "main", "menu", "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul",
})  # fmt: skip
_SKIPPED = frozenset({
    "applet", "audio", "button", "canvas", "datalist", "embed", "frame", "frameset", "head", "iframe", "input", "map",
    "math", "meter", "nav", "noembed", "noframes", "object", "optgroup", "option", "progress", "rp", "rt", "script",
    "select", "style", "svg", "textarea", "title", "video",
})  # fmt: skip
_INERT = frozenset({"noscript", "template"})
"""What a browser that runs scripts shows as little as what is hidden."""
_BREAK = "\v"
"""`<br>` until a part is complete; other line ends of HTML are spaces."""
_LINE_NUMBERS = re.compile(r"[\s\d]+\Z")
_LONG_CELL = 400
"""Characters. What is longer is a column of a laid-out page, not a cell of a table."""


@dataclass(slots=True, eq=False)
class Frame:
    """A block-level element on the way to a part."""

    tag: str
    parent: "Frame | None"
    depth: int
    article: "Frame | None"
    """The nearest `<article>` around, itself included."""
    name: str = ""
    """Its class and id."""
    beside: "Frame | None" = None
    """The nearest one, itself included, that is named as something beside the article: a sidebar, comments."""
    excused: bool = False
    """It holds the article, whatever it is named."""
    caption: bool = False
    """Named as the words below a picture."""

    @property
    def furniture(self) -> bool:
        """It, or what is around it, stands beside the article."""
        frame = self.beside
        while frame is not None and frame.excused:
            frame = frame.parent.beside if frame.parent is not None else None
        return frame is not None


@dataclass(slots=True, eq=False)
class Part:
    """One paragraph, heading, item, table or listing.

    `linked` is the share of its characters that are links, `level` a heading's.
    """

    text: str
    kind: Kind
    frame: Frame
    level: int = 0
    linked: float = 0.0
    emphasised: bool = False
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.words = words(self.text)


def words(text: str) -> tuple[str, ...]:
    """Letters and digits only, in lower case: what two renderings of a text have in common."""
    return tuple(re.findall(r"\w+", text.lower()))


def parts_of(root: Element, *, hidden: bool = False) -> list[Part]:
    """The parts of a page, controls left out, and what is not shown, too, unless it is asked for by `hidden`."""
    return list(_Walk(hidden=hidden).parts(root))


class _Walk:
    def __init__(self, *, hidden: bool) -> None:
        self._hidden = hidden
        self._frame = Frame("html", None, 0, None)
        self._pieces: list[str] = []
        self._linked = self._strong = 0
        self._inside_link = self._inside_strong = 0
        self._skipping: Element | None = None
        self._tables: list[_Table] = []

    def parts(self, root: Element) -> Iterator[Part]:
        for event, element in steps(root):
            name = local_name(element).lower()
            if event == "start" and self._skipping is None:
                if self._is_skipped(name, element):
                    self._skipping = element
                    if name not in {"rt", "rp"}:  # the reading of an ideograph stands within a word
                        self._take(" ")
                else:
                    yield from self._begin(name, element)
            elif event == "end":
                if self._skipping is None:
                    yield from self._end(name, element)
                elif self._skipping is element:
                    self._skipping = None
            if event != "start" and element is not root and self._skipping is None:
                self._take(element.tail)
        yield from self._flush()

    def _is_skipped(self, name: str, element: Element) -> bool:
        if name == "button" and self._speaks(element):
            return False
        return name in _SKIPPED or (not self._hidden and (name in _INERT or is_hidden(element)))

    def _speaks(self, button: Element) -> bool:
        """It is all of a heading that folds and unfolds, or a word in the middle of a sentence."""
        inside = any(piece.strip() for piece in self._pieces)
        after = bool((button.tail or "").strip())
        if self._frame.tag in _HEADINGS:
            return not inside and not after
        return self._frame.tag == "p" and inside and after

    def _begin(self, name: str, element: Element) -> Iterator[Part]:
        if name in _BLOCKS:
            yield from self._flush()
            above = self._frame
            frame = Frame(name, above, above.depth + 1, above.article, name_of(element), above.beside)
            frame.caption = is_caption(frame.name)
            if is_furniture_container(name, element):
                frame.beside = frame
            if name == "article":
                frame.article = frame
            self._frame = frame
            if name == "table":
                self._tables.append(_Table())
        elif name == "br":
            self._pieces.append(_BREAK)
        elif name == "a" and element.get("href", ""):
            self._inside_link += 1
        elif name in {"b", "strong"}:
            self._inside_strong += 1
        self._take(element.text)

    def _end(self, name: str, element: Element) -> Iterator[Part]:
        if name in _BLOCKS:
            yield from self._flush()
            if self._frame.parent is not None:
                self._frame = self._frame.parent
            if name == "table" and self._tables:
                table = self._tables.pop()
                yield from self._deliver(table.parts())
            elif self._tables and name in {"td", "th", "tr", "caption"}:
                self._tables[-1].end(name)
        elif name == "a" and element.get("href", ""):
            self._inside_link -= 1
        elif name in {"b", "strong"}:
            self._inside_strong -= 1

    def _take(self, text: str | None) -> None:
        if text:
            self._pieces.append(text.replace(_BREAK, " "))
            if self._inside_link:
                self._linked += _size(text)
            if self._inside_strong:
                self._strong += _size(text)

    def _flush(self) -> Iterator[Part]:
        if not self._pieces:
            return
        raw = clean("".join(self._pieces)).replace("\xad", "")
        linked, strong = self._linked, self._strong
        self._pieces.clear()
        self._linked = self._strong = 0
        if raw.isspace():
            return
        frame = self._frame
        if frame.tag == "pre":
            text = raw.replace(_BREAK, "\n").strip("\n").rstrip()
            # Listings with line numbers keep these in a column, a `pre` of its own.
            if text.strip() and not _LINE_NUMBERS.match(text):
                yield from self._deliver([Part(text, "code", frame)])
            return
        size = max(1, _size(raw))
        found: list[Part] = []
        # Two breaks are how the old web writes a paragraph.
        for paragraph in re.split(rf"{_BREAK}\s*{_BREAK}[\s{_BREAK}]*", raw):
            text = "\n".join(filter(None, map(one_line, paragraph.split(_BREAK))))
            if text:
                kind, level = _kind(frame)
                if level:
                    text = one_line(text)
                found.append(Part(text, kind, frame, level, min(1.0, linked / size), strong >= size * 0.9))
        yield from self._deliver(found)

    def _deliver(self, found: list[Part]) -> Iterator[Part]:
        """To the page, or to the table that is open."""
        if self._tables:
            self._tables[-1].take(found)
        else:
            yield from found


def _size(text: str) -> int:
    return sum(map(len, text.split()))


def _kind(frame: Frame) -> tuple[Kind, int]:
    """By the nearest element that says; a `<div>` or `<p>` within an item is the item's."""
    above: Frame | None = frame
    for _ in range(3):
        if above is None:
            break
        if above.tag in _HEADINGS:
            return "heading", _HEADINGS[above.tag]
        if above.tag in {"li", "dd", "dt"}:
            return "item", 0
        if above.tag == "figcaption" or above.caption:
            return "caption", 0
        if above.tag in {"article", "section", "main", "td", "body"}:
            break
        above = above.parent
    return "paragraph", 0


class _Table:
    """A table on its way to being one part, or, where it only lays out a page, the parts it holds."""

    def __init__(self) -> None:
        self._held: list[Part] = []
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._cell: list[Part] = []
        self._before: list[Part] = []
        self._is_data = True

    def take(self, found: list[Part]) -> None:
        self._held.extend(found)
        self._cell.extend(found)

    def end(self, tag: str) -> None:
        if tag == "caption":
            self._before.extend(self._cell)
            self._cell = []
        elif tag == "tr":
            if any(self._row):
                self._rows.append(self._row)
            self._row = []
        else:
            text = "\n".join(part.text for part in self._cell)
            if any(part.kind in {"table", "code", "heading"} for part in self._cell) or len(text) > _LONG_CELL:
                self._is_data = False
            self._row.append(" ".join(text.split()))
            self._cell = []

    def parts(self) -> list[Part]:
        if any(self._row):
            self._rows.append(self._row)
        columns = max((sum(map(bool, row)) for row in self._rows), default=0)
        # Text outside cells is no table's: whatever it is, it must not be lost.
        if not self._is_data or columns < 2 or self._cell:
            return self._held
        frame = _common(self._held)
        linked = sum(part.linked * len(part.text) for part in self._held) / sum(len(part.text) for part in self._held)
        text = "\n".join(" | ".join(row) for row in self._rows)
        return [*self._before, Part(text, "table", frame, linked=linked)]


def _common(parts: list[Part]) -> Frame:
    """The table's own frame: the nearest around a cell's."""
    frame = parts[-1].frame
    while frame.tag != "table" and frame.parent is not None:
        frame = frame.parent
    return frame
