"""EPUB: the chapters in the order of the book's spine (EPUB 3.3, also 2), by zipfile and lxml.

Not by `ebooklib`: its licence is the AGPL.
"""

import html.entities
import posixpath
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote, urlsplit

from extrophi_backend.extraction.archive import Archive
from extrophi_backend.extraction.assembling import Assembly, clean, one_line
from extrophi_backend.extraction.decoding import decode
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.moments import parse_moment
from extrophi_backend.extraction.tree import Element, local_name, parse_html, parse_xml, steps

_MAX_CHAPTERS = 5_000
_DOCTYPE = re.compile(rb"<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL | re.IGNORECASE)
_ENCODING = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']")
_NAMED_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKING = frozenset({
    *_HEADINGS, "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_BREAK = "\v"  # `<br>` until a block is complete; other line ends of XHTML are spaces
_SKIPPED = frozenset({"head", "script", "style", "svg", "math", "template", "noscript", "iframe", "object"})


def extract_epub(body: bytes) -> Extracted:
    """Text, headings and metadata of an EPUB book.

    Raises:
        ExtractionFailed: broken_archive, encrypted, no_text, too_large, unreadable.
    """
    archive = Archive(body)
    package_name, package = _package(archive)
    chapters = list(_spine(package, posixpath.dirname(package_name)))
    if _encrypted(archive) & set(chapters):
        raise ExtractionFailed("encrypted", "The book is locked to a reading program (DRM).")
    assembly = Assembly()
    for chapter in chapters[:_MAX_CHAPTERS]:
        data = archive.read(chapter)
        if data:
            _add_chapter(assembly, data)
    if not assembly.blocks:
        raise ExtractionFailed("no_text", "There are no words in it, perhaps only pictures.")
    return Extracted(
        text=assembly.text,
        blocks=assembly.blocks,
        title=_metadata(package, "title") or assembly.first_heading(),
        author=", ".join(_all_metadata(package, "creator"))[:1000] or None,
        published_at=_moment(_metadata(package, "date")),
        language=_metadata(package, "language")[:35] or None,
        format="text",
    )


def _package(archive: Archive) -> tuple[str, Element]:
    container = archive.read("META-INF/container.xml")
    root = parse_xml(container, recover=True) if container else None
    names = [str(found.get("full-path", "")) for found in root.iter("{*}rootfile")] if root is not None else []
    for name in names:
        data = archive.read(name)
        package = parse_xml(data, recover=True) if data else None
        if package is not None:
            return name, package
    raise ExtractionFailed("unreadable", "It is named like a book, but its table of parts is missing or damaged.")


def _spine(package: Element, folder: str) -> Iterator[str]:
    """Names of the chapters' files in reading order, each once, without the table of contents."""
    files: dict[str, str] = {}
    for item in package.iter("{*}item"):
        href = _path_of(item.get("href", ""))
        if href and "nav" not in item.get("properties", "").split():
            files[item.get("id", "")] = posixpath.normpath(posixpath.join(folder, href))
    seen: set[str] = set()
    for reference in package.iter("{*}itemref"):
        name = files.get(reference.get("idref", ""))
        if name and name not in seen:
            seen.add(name)
            yield name


def _path_of(reference: str) -> str:
    """The path of a relative reference; empty when it is none."""
    try:
        return unquote(urlsplit(reference).path)
    except ValueError:
        return ""


def _encrypted(archive: Archive) -> set[str]:
    data = archive.read("META-INF/encryption.xml")
    root = parse_xml(data, recover=True) if data else None
    references = root.iter("{*}CipherReference") if root is not None else ()
    return {posixpath.normpath(_path_of(reference.get("URI", ""))) for reference in references}


def _add_chapter(assembly: Assembly, data: bytes) -> None:
    text = _NAMED_ENTITY.sub(_character, _DOCTYPE.sub(b"", data, count=1))
    # XHTML first: read as HTML, `<title/>` would swallow the chapter.
    root = parse_xml(text)
    if root is None:
        root = parse_html(_recoded(text))
    if root is not None:
        _Chapter(assembly).read(root)


def _recoded(data: bytes) -> bytes:
    """A chapter that is no XML, in UTF-8 whatever it was in."""
    declared = _ENCODING.match(data)
    try:
        return decode(data, declared[1].decode() if declared else None).encode()
    except ExtractionFailed:
        return data


class _Chapter:
    """The words of a chapter on their way into the assembly: gathered until an element begins or ends a block."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._parts: list[str] = []
        self._level = self._skipping = self._preformatted = 0

    def read(self, root: Element) -> None:
        for event, element in steps(root):
            name = local_name(element).lower()
            if event == "start":
                self._begin(name, element)
            elif event == "end":
                self._end(name)
            if event != "start" and element is not root:
                self._take(element.tail)
        self._flush()

    def _begin(self, name: str, element: Element) -> None:
        if name in _SKIPPED:
            self._skipping += 1
        if name in _BREAKING:
            self._flush()
            self._level = _HEADINGS.get(name, 0)
            self._preformatted += name == "pre"
        if name == "br":
            self._take("\n")
            if not self._preformatted and not self._skipping:
                self._parts[-1] = _BREAK
        self._take(element.text)

    def _end(self, name: str) -> None:
        if name in _BREAKING:
            self._flush()
            self._level = 0
            self._preformatted -= name == "pre"
        self._skipping -= name in _SKIPPED

    def _take(self, text: str | None) -> None:
        if text and not self._skipping:
            self._parts.append(text.replace(_BREAK, " "))

    def _flush(self) -> None:
        words = clean("".join(self._parts))
        self._parts.clear()
        if self._level:
            self._assembly.add(one_line(words), level=self._level)
        elif self._preformatted:
            self._assembly.add(words.strip("\n"))
        else:
            self._assembly.add("\n".join(filter(None, map(one_line, words.split(_BREAK)))))


def _character(match: re.Match[bytes]) -> bytes:
    """HTML's own entities as numbers: XML knows only five names, and we load no DTD."""
    if match[1] in {b"amp", b"lt", b"gt", b"quot", b"apos"}:
        return match[0]
    found = html.entities.html5.get(match[1].decode() + ";", "")
    return "".join(f"&#{ord(character)};" for character in found).encode()


def _all_metadata(package: Element, name: str) -> list[str]:
    found = (one_line(clean("".join(element.itertext()))) for element in package.iter(f"{{*}}{name}"))
    return [words[:1000] for words in found if words]


def _metadata(package: Element, name: str) -> str:
    return next(iter(_all_metadata(package, name)), "")


def _moment(text: str) -> datetime | None:
    """A day, a year and month, or a year alone count from their beginning (W3C-DTF)."""
    padded = text + "-01-01"[3 * text.count("-") :] if re.fullmatch(r"\d{4}(-\d{2})?", text) else text
    return parse_moment(padded)
