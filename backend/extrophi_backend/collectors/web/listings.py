"""Feeds and sitemaps: pages that list pages.

Sitemaps (sitemaps.org/protocol.html) are read here, feeds in feeds.py. What is read was written by strangers:
`read_listing` is for a process that may die.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any

from extrophi_backend.collectors.web.feeds import read_feed, read_json_feed
from extrophi_backend.collectors.web.models import Entry, Listing
from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.extraction.tree import local_name, parse_xml
from extrophi_backend.fetch.addresses import linked
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.unpacking import unpacked

MOST_ENTRIES = 100_000
_UNPACKED = 64 * 2**20  # sitemaps.org: 50 MB at most
_GZIP = b"\x1f\x8b"
_START = re.compile(rb"<(?:[a-z]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"<html[\s>]", re.IGNORECASE)
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org\\?/version')
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def is_listing(body: bytes, media_type: str) -> bool:
    """Whether it looks like a feed or a sitemap. Content decides: many are served as text/html or text/plain."""
    if body.startswith(_GZIP):
        body = unpacked(body, 65_536)
    body = _as_utf8(body)
    if body.startswith(b"{"):
        return "feed+json" in media_type or _JSON_FEED.search(body) is not None
    return _root(body) is not None or ("text/plain" in media_type and bool(_addresses(body)))


def read_listing(body: bytes, url: str, media_type: str) -> Listing | None:
    """The listing in `body`; None when it is none after all.

    Args:
        body: As fetched; a sitemap may be packed by gzip.
        url: Where it came from: links are relative to it.
        media_type: As declared.
    """
    if body.startswith(_GZIP):
        body = unpacked(body, _UNPACKED)
    wide, body = body, _as_utf8(body)
    if body.startswith(b"{"):
        return read_json_feed(body, url, MOST_ENTRIES)
    root = _root(body)
    if root is None:
        listed = ((line, None) for line in _addresses(body))
        return Listing("sitemap", _entries(url, listed)) if "text/plain" in media_type else None
    if root in {b"urlset", b"sitemapindex"}:
        return _sitemap(body, url)
    # feedparser knows more encodings than we; what was UTF-16 is UTF-8 by now, whatever was declared.
    return read_feed(body, url, media_type if wide.endswith(body) else "", MOST_ENTRIES)


def _as_utf8(body: bytes) -> bytes:
    """Without a byte order mark and spaces before it; UTF-16 as UTF-8, since patterns are of ASCII."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        start = "<".encode(encoding)
        if body.startswith((mark, start)):
            text = body.removeprefix(mark).decode(encoding, "replace")
            body = _DECLARATION.sub("", text).encode("utf-8", "replace")
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")


def _root(body: bytes) -> bytes | None:
    """The name of the element that makes it a listing, in lower case; None if it is none."""
    at = 0
    while True:
        while body[at : at + 1].isspace():
            at += 1
        end = b"-->" if body.startswith(b"<!--", at) else b"?>" if body.startswith(b"<?", at) else None
        if end is None:
            break
        after = body.find(end, at + 2)
        if after < 0:
            return None
        at = after + len(end)
    head = body[at : at + 4096]
    first = _START.search(head)
    if not head.startswith(b"<") or first is None or _HTML.search(head, 0, first.start()):
        return None
    return first[1].lower()


def _addresses(body: bytes) -> list[str]:
    """The lines of a text that consists of addresses (sitemaps.org, “Text file”); empty for any other."""
    lines = [line.strip() for line in body.decode("utf-8", "replace").splitlines()[:MOST_ENTRIES] if line.strip()]
    return lines if len(lines) > 1 and all(_ADDRESS.fullmatch(line) for line in lines) else []


def _sitemap(body: bytes, url: str) -> Listing | None:
    root = parse_xml(body)
    if root is None:
        root = parse_xml(body, recover=True)  # cut off, or with a bare ampersand: the rest is as good
    if root is None:
        return None
    entries = _entries(url, _locations(root))
    if local_name(root).lower() == "sitemapindex":
        sitemaps = tuple(entry.url for entry in entries if entry.problem is None)
        changed = {entry.url: entry.changed for entry in entries if entry.changed is not None}
        return Listing("sitemap", tuple(entry for entry in entries if entry.problem), sitemaps, changed)
    return Listing("sitemap", entries)


def _entries(url: str, locations: Iterable[tuple[str, str | None]]) -> tuple[Entry, ...]:
    found: dict[str, Entry] = {}
    for location, changed in locations:
        try:
            entry = Entry(linked(url, location), changed=changed)
        except FetchFailed as failure:
            entry = Entry(one_line(clean(location))[:2000], problem=failure.code)
        found.setdefault(entry.url, entry)
        if len(found) >= MOST_ENTRIES:
            break
    return tuple(found.values())


def _locations(root: Any) -> Iterator[tuple[str, str | None]]:
    """Each address, and when it last changed."""
    for child in root:
        said = {
            name: part.text.strip()
            for part in child
            if (name := local_name(part)) in {"loc", "lastmod"} and part.text and part.text.strip()
        }
        if "loc" in said:
            yield said["loc"], one_line(clean(said["lastmod"]))[:50] or None if "lastmod" in said else None
