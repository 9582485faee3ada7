"""Which format some bytes are in. Content decides; names and declared types only where it leaves a choice."""

import re
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from extrophi_backend.extraction.errors import ExtractionFailed

Format = Literal["text", "markdown", "html", "pdf", "docx", "epub"]

SUFFIXES: dict[str, Format] = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mkd": "markdown",
    ".txt": "text", ".text": "text", ".rst": "text", ".org": "text", ".adoc": "text", ".tex": "text",
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".pdf": "pdf", ".docx": "docx", ".epub": "epub",
}  # fmt: skip
MEDIA_TYPES: dict[Format, str] = {
    "text": "text/plain",
    "markdown": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
}
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_MARKDOWN_TYPES = frozenset({"text/markdown", "text/x-markdown"})
_ANY_TYPES = frozenset({"application/octet-stream", "binary/octet-stream"})
_BINARY = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"OggS",
    b"ID3", b"fLaC", b"\x7fELF", b"MZ\x90", b"SQLite format 3",
)  # fmt: skip
_PROGRAMS = (b"{\\rtf", b"%!PS")
"""Of text, but none to read."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NOTES = frozenset({"text", "markdown", "html"})
_HTML_START = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
_SPACE = re.compile(rb"[\s\x00]*")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED_OFFICE = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO: what a DOCX with a password is


def detect(body: bytes, *, media_type: str | None, name: str | None, url: str | None) -> Format:
    """The format of `body`.

    Raises:
        ExtractionFailed: unsupported_type, encrypted, broken_archive.
    """
    declared = (media_type or "").partition(";")[0].strip().lower()
    named = SUFFIXES.get(suffix(name) or suffix(_path(url)))
    of_type: dict[str, Format] = {type_: known for known, type_ in MEDIA_TYPES.items()}
    expected = named or of_type.get(declared)
    if _is_pdf(body, expected):
        return "pdf"
    if body.startswith(b"PK\x03\x04"):
        return _in_archive(body, named)
    _refuse(body)
    if _begins_as_html(body):
        return "html"
    if declared in _HTML_TYPES and not suffix(name):  # a web server's word goes before its address's ending
        return "html"
    if expected in {"docx", "epub"}:
        raise ExtractionFailed("broken_archive", "It should be a DOCX or EPUB, but these are archives, and it is none.")
    if expected == "pdf":
        raise ExtractionFailed("unreadable", "It should be a PDF but does not begin like one.")
    return _of_text(declared, named)


def _is_pdf(body: bytes, expected: Format | None) -> bool:
    """Its mark stands in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1); in a note that may be what it is about."""
    at = body[:1024].find(b"%PDF-")
    if at <= 0 or not body[:at].strip():
        return at >= 0
    return expected not in _NOTES and not _begins_as_html(body)


def _begins_as_html(body: bytes) -> bool:
    """Past comments and processing instructions, step by step: a pattern for any number of them takes forever."""
    head = body[:65_536].removeprefix(b"\xef\xbb\xbf")
    at = 0
    while True:
        at = cast("re.Match[bytes]", _SPACE.match(head, at)).end()
        end = b"-->" if head.startswith(b"<!--", at) else b"?>" if head.startswith(b"<?", at) else None
        if end is None:
            return _HTML_START.match(head, at) is not None
        after = head.find(end, at + 2)
        if after < 0:
            return False
        at = after + len(end)


def _refuse(body: bytes) -> None:
    if body.startswith(_OLE):
        if _LOCKED_OFFICE in body:
            raise ExtractionFailed("encrypted", "The document is locked with a password.")
        raise ExtractionFailed("unsupported_type", "It is an old Office file. Save it as DOCX.")
    # “RIFF is a format …”, says a note: files that are no text show it soon.
    if body.startswith(_PROGRAMS) or (body.startswith(_BINARY) and _CONTROL.search(body[:512])):
        raise ExtractionFailed("unsupported_type", "It is neither text, HTML, PDF, DOCX nor EPUB.")


def _of_text(declared: str, named: Format | None) -> Format:
    if declared in _HTML_TYPES or named == "html":
        return "html"
    if declared in _MARKDOWN_TYPES or named == "markdown":
        return "markdown"
    if named is None and declared and declared not in _ANY_TYPES and not declared.startswith("text/"):
        raise ExtractionFailed("unsupported_type", f"{declared[:100]} is not a type we read.")
    return "text"


def suffix(name: str | None) -> str:
    """A name's ending in lower case with its dot; empty when there is none."""
    base = (name or "").rpartition("/")[2]
    stem, dot, end = base.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def _path(url: str | None) -> str:
    try:
        return unquote(urlsplit(url or "").path)
    except ValueError:
        return ""


def _in_archive(body: bytes, named: Format | None) -> Format:
    # Names of members stand uncompressed before each of them, and once more at the end.
    if b"mimetypeapplication/epub+zip" in body[:128] or b"META-INF/container.xml" in body:
        return "epub"
    if b"word/" in body:
        return "docx"
    if named in {"docx", "epub"}:
        raise ExtractionFailed("broken_archive", "The archive is not a DOCX or EPUB inside, or it is damaged.")
    raise ExtractionFailed("unsupported_type", "It is an archive, but neither DOCX nor EPUB.")
