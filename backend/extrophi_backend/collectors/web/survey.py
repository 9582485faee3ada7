"""What a page leads to, and whether it wants to be kept and followed. For a process that may die."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extrophi_backend.collectors.web.traps import sketch
from extrophi_backend.extraction.html import parse_page
from extrophi_backend.extraction.html_parts import parts_of
from extrophi_backend.extraction.tree import Element, local_name
from extrophi_backend.fetch.addresses import join

_MOST_LINKS = 2000
_MOST_FEEDS = 3
_FEED = re.compile(r"application/(?:rss|atom|feed)\+(?:xml|json)", re.IGNORECASE)
_COMMENTS = re.compile(r"comment|kommentar|reacci", re.IGNORECASE)
_ROBOTS = frozenset({"robots", "extrophi"})
_AGENT = re.compile(r"[^\s:]*[a-z*][^\s:]*")
_VALUED = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
"""Directives with a colon of their own."""
_WISH = re.compile(
    r"all|none|(?:no)?(?:index|follow|archive|cache|snippet|translate|imageindex|odp|ydir|ai|imageai)|"
    rf"nositelinkssearchbox|indexifembedded|(?:{'|'.join(_VALUED)})\s*:.*"
)
"""What is asked of a robot by name."""


@dataclass(frozen=True, slots=True)
class Survey:
    """`links` and `feeds` are absolute, each once, in the page's order; links that are not to be followed are left out.

    `samples` are of all that a reader sees (see traps.sketch).
    """

    links: tuple[str, ...]
    feeds: tuple[str, ...]
    is_kept: bool
    samples: tuple[int, ...]


def survey(body: bytes, media_type: str, url: str, robots: Sequence[str] = ()) -> Survey:
    """Look over the HTML page that came from `url`, with these headers `X-Robots-Tag`.

    Raises:
        ExtractionFailed: its bytes are no text.
    """
    root = parse_page(body, media_type)
    if root is None:
        return Survey((), (), is_kept=is_document(robots), samples=())
    wishes = {wish for meta in root.iter("meta") for wish in _wishes(meta)} | _header_wishes(robots)
    base = next((href for one in root.iter("base") if (href := one.get("href", "").strip())), None)
    start = (join(url, base) or url) if base else url
    links = () if wishes & {"nofollow", "none"} else _absolute(start, _links(root))
    return Survey(
        links=tuple(link for link in links if link != url)[:_MOST_LINKS],
        feeds=_absolute(start, _feeds(root))[:_MOST_FEEDS],
        is_kept=not wishes & {"noindex", "none"},
        samples=sketch("\n".join(part.text for part in parts_of(root))),
    )


def is_document(robots: Sequence[str]) -> bool:
    """Whether what came with these headers `X-Robots-Tag` may be kept, as far as they say."""
    return not _header_wishes(robots) & {"noindex", "none"}


def _header_wishes(robots: Sequence[str]) -> set[str]:
    """What the headers ask of everyone, or of us.

    There is no RFC of them; developers.google.com/search/docs/crawling-indexing/robots-meta-tag says how they are read.
    `name:` before a directive makes what comes after it one robot's own, up to the next name or the header's end.
    Before anything else (`foo: 5`) it is a directive itself, of a kind that we do not know.
    """
    wishes: set[str] = set()
    for header in robots:
        is_ours = True
        for part in header.lower().split(","):
            name, colon, wish = (one.strip() for one in part.partition(":"))
            if colon and _AGENT.fullmatch(name) and name not in _VALUED and _WISH.fullmatch(wish):
                is_ours = name in _ROBOTS or name == "*"
            else:
                wish = part.strip()
            if is_ours:
                wishes.add(wish)
    return wishes


def _wishes(meta: Element) -> list[str]:
    if meta.get("name", "").strip().lower() not in _ROBOTS:
        return []
    return [wish.strip() for wish in meta.get("content", "")[:1000].lower().split(",")]


def _links(root: Element) -> Iterator[str]:
    for element in root.iter("*"):
        name = local_name(element)
        rel = element.get("rel", "").lower().split()
        if (name in {"a", "area"} or (name == "link" and {"next", "prev"} & {*rel})) and "nofollow" not in rel:
            yield element.get("href", "")


def _feeds(root: Element) -> Iterator[str]:
    for link in root.iter("link"):
        is_feed = "alternate" in link.get("rel", "").lower().split() and _FEED.match(link.get("type", "").strip())
        if is_feed and not _COMMENTS.search(f"{link.get('title', '')} {link.get('href', '')}"):
            yield link.get("href", "")


def _absolute(base: str, references: Iterator[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for reference in references:
        if reference and not reference.startswith("#") and (url := join(base, reference)) is not None:
            found[url] = None
            if len(found) >= 5 * _MOST_LINKS:
                break
    return tuple(found)
