"""XML from strangers: parsed without entities, DTDs or network, and given a type."""

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  compiled, and without types


class Element(Protocol):
    """What we use of lxml's elements, comments and instructions."""

    @property
    def tag(self) -> object: ...
    @property
    def text(self) -> str | None: ...
    @property
    def tail(self) -> str | None: ...
    @property
    def attrib(self) -> Mapping[str, str]: ...
    def __iter__(self) -> Iterator["Element"]: ...
    def __reversed__(self) -> Iterator["Element"]: ...
    def get(self, key: str, default: str, /) -> str: ...
    def iter(self, tag: str, /) -> Iterator["Element"]: ...
    def iterancestors(self) -> Iterator["Element"]: ...
    def itertext(self) -> Iterator[str]: ...


def parse_xml(data: bytes, *, recover: bool = False) -> Element | None:
    """The root of an XML document; None when it is none. Entities are neither expanded nor fetched.

    Args:
        data: In any encoding that XML knows how to declare.
        recover: Make the best of a document that is not well-formed.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=recover
    )
    try:
        return cast("Element | None", etree.fromstring(data, parser))
    except (etree.XMLSyntaxError, ValueError):
        return None


def parse_html(data: bytes) -> Element | None:
    """The root of an HTML document; None when there is nothing in it."""
    parser = etree.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    try:
        return cast("Element | None", etree.fromstring(data, parser))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def steps(root: Element) -> Iterator[tuple[str, Element]]:
    """A walk in reading order without recursion: ("start" | "end" | "comment" | "pi", element)."""
    return cast("Iterator[tuple[str, Element]]", etree.iterwalk(root, events=("start", "end", "comment", "pi")))


def local_name(element: Element) -> str:
    """An element's name without its namespace; empty for comments and instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
