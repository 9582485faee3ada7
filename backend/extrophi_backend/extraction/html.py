"""Article text out of HTML, with its headings kept as structure, and what the page says of itself."""

import re
from datetime import UTC, datetime
from typing import Any, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  compiled, and without types

from extrophi_backend.extraction.assembling import Assembly, one_line
from extrophi_backend.extraction.decoding import decode
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html_article import article, is_covered
from extrophi_backend.extraction.html_parts import Part, parts_of
from extrophi_backend.extraction.metadata import read_metadata
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.tree import Element, local_name

_VOTED_ELEMENTS = 30_000
"""A page of more is no article but a dump. trafilatura is not asked about it: some of its steps take the square."""
_MANY_ATTRIBUTES = re.compile(r"<([a-z][a-z0-9]*)\s[^<>]{20000,}(?:>|(?=<)|\Z)", re.IGNORECASE)
_HEAD = 65_536
"""Bytes that are searched for the page's own word on its encoding. Browsers stop at 1,024; not all pages do."""
_META_CHARSET = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE
)
_SUPERSETS = {  # what browsers read these labels as (encoding.spec.whatwg.org)
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252",
    "latin1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
    "tis-620": "cp874", "big5": "big5hkscs",
}  # fmt: skip
_IN_HEAD = frozenset(  # html.spec.whatwg.org, 13.2.6.4.4; any other tag begins the body
    {"base", "basefont", "bgsound", "link", "meta", "noframes", "noscript", "script", "style", "template", "title"}
)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>", re.IGNORECASE)
_TAGS_TO_FLATTEN = re.compile(
    r"</?(?!(?:p|br|h[1-6]|pre|title|script|style|meta|link|head|body|html)\b)[a-z][^<>]*>",
    re.IGNORECASE,
)


def extract_html(html: str | bytes, *, url: str | None, content_type: str | None = None) -> Extracted:
    """The main text of a page, a block per paragraph, and what its head tells.

    Args:
        html: Bytes are decoded as `content_type` or the page itself says.
        url: Where the page came from.
        content_type: The header's value; its charset goes before the page's own word.

    Raises:
        ExtractionFailed: There is no text in it.
    """
    source = _source(html, content_type)
    root = _parsed(source)
    if root is None:
        raise ExtractionFailed("no_text", "There is no text in this page.")
    if _end_head(root):
        source = etree.tostring(root, encoding="unicode", method="html")
    metadata = read_metadata(root, url=url, now=datetime.now(UTC))
    parts = parts_of(root)
    assembly = Assembly()
    plain = _is_plain(root, parts)
    voted = "" if plain else _voted(source, root)
    if not is_covered(voted, parts):
        # Scripts were to show it, or to take away what lies before it.
        parts = parts_of(root, hidden=True)
    for part in article(parts, voted, metadata.titles, plain=plain):
        assembly.add(part.text, level=part.level)
    if len(metadata.body) > 500 and len(metadata.body) > 3 * len(assembly.text):
        # A page that scripts fill in, but that carries its text for search engines.
        assembly = Assembly()
        for paragraph in re.split(r"\n+", metadata.body):
            assembly.add(one_line(paragraph))
    if not assembly.blocks:
        raise ExtractionFailed("no_text", "There is no text in this page.")
    return Extracted(
        text=assembly.text,
        blocks=assembly.blocks,
        title=metadata.title or assembly.first_heading(),
        author=metadata.author,
        published_at=metadata.published_at,
        language=metadata.language,
        canonical_url=metadata.canonical_url,
        format="html",
    )


def parse_page(html: bytes, content_type: str | None) -> Element | None:
    """The tree of a page as browsers read it; None when there is nothing in it.

    Raises:
        ExtractionFailed: Its bytes are no text.
    """
    root = _parsed(_source(html, content_type))
    if root is not None:
        _end_head(root)
    return root


def canonical_of(html: bytes, content_type: str | None, url: str) -> str | None:
    """The address of the same site that the page at `url` says is its own; None if it names no other.

    Raises:
        ExtractionFailed: Its bytes are no text.
    """
    root = parse_page(html, content_type)
    return None if root is None else read_metadata(root, url=url, now=datetime.now(UTC)).canonical_url


_DRESSED = frozenset({"aside", "footer", "form", "header", "iframe", "link", "nav", "script"})


def _is_plain(root: Element, parts: list[Part]) -> bool:
    """Without scripts, style sheets and site around it: a note, a saved text, an entry of a feed."""
    return not any(local_name(element) in _DRESSED for element in root.iter("*")) and not any(
        part.frame.furniture for part in parts
    )


def _source(html: str | bytes, content_type: str | None) -> str:
    source = _decoded(html, content_type) if isinstance(html, bytes) else html
    source = _DECLARATION.sub("", source.replace("\x00", ""), count=1)
    return _MANY_ATTRIBUTES.sub(_without_attributes, source)


def _decoded(body: bytes, content_type: str | None) -> str:
    said = (content_type or "").lower().partition("charset=")[2].strip("\"' ;").partition(";")[0]
    match = _META_CHARSET.search(body[:_HEAD])
    # A page that could be read as far as this is not in UTF-16, whatever it says there (html.spec.whatwg.org).
    in_page = match[1].decode("ascii", "replace").lower() if match else ""
    charsets = [_SUPERSETS.get(one, one) for one in (said, "" if in_page.startswith("utf-16") else in_page)]
    try:
        return decode(body, *charsets)
    except ExtractionFailed:
        if b"\x00" not in body:
            raise
        return decode(body.replace(b"\x00", b""), *charsets)


def _without_attributes(tag: re.Match[str]) -> str:
    """libxml2 compares each attribute with all before it: a tag with 200,000 would take minutes."""
    return f"<{tag[1]}>" if len(tag[0].split(None, 2000)) > 2000 else tag[0]


def _parsed(source: str) -> Element | None:
    root, too_deep = _tree(source)
    if too_deep:
        # libxml2 gives up below 2,048 levels, and all that follows would be lost.
        flat, _ = _tree(_TAGS_TO_FLATTEN.sub("<br><br>", source))
        return flat if flat is not None else root
    return root


def _tree(source: str) -> tuple[Element | None, bool]:
    parser = etree.HTMLParser(no_network=True, huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(source.encode("utf-8", "ignore"), parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None, False
    return cast("Element | None", root), any("depth" in error.message for error in parser.error_log)


def _end_head(root: Any) -> bool:
    """Begin the body where browsers do, if the page names neither its body nor its head's end. Whether it was mended.

    libxml2 knows no <article>, <main>, <header>: where one begins the body, it takes all up to the first <p> for head.
    """
    head, body = (next((one for one in root if local_name(one) == name), None) for name in ("head", "body"))
    if head is None:
        return False
    children = list(head)
    begun = next((at for at, child in enumerate(children) if local_name(child) not in _IN_HEAD), None)
    if begun is None:
        return False
    if body is None:
        body = etree.SubElement(root, "body")
    children[-1].tail = (children[-1].tail or "") + (body.text or "")
    body.text = None
    body[:0] = children[begun:]
    return True


def _voted(source: str, root: Element) -> str:
    """What trafilatura takes for the article; empty when it finds none, or cannot say."""
    if sum(1 for _ in root.iter("*")) > _VOTED_ELEMENTS:
        return ""
    import trafilatura  # noqa: PLC0415  half a second, for those who read no page

    try:
        found: Any = trafilatura.bare_extraction(
            source, favor_precision=True, include_comments=False, include_tables=True, with_metadata=False
        )
    except (RecursionError, ValueError, AttributeError, TypeError, etree.LxmlError):
        return ""  # one of its many steps stumbled; we can do without
    return str(found.text or "") if found is not None else ""
