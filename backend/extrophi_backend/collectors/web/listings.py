"""Feeds and sitemaps: pages that list pages.

RSS and Atom are read by feedparser, JSON Feed (jsonfeed.org/version/1.1) and sitemaps (sitemaps.org/protocol.html)
here. What is read was written by strangers: `read_listing` is for a process that may die.
"""

import json
import re
import zlib
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.extraction.tree import local_name, parse_xml
from extrophi_backend.fetch.addresses import join

MOST_ENTRIES = 100_000
_UNPACKED = 64 * 2**20  # sitemaps.org: 50 MB at most
_START = re.compile(rb"<(?:[a-z]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/jsonfeed\.org\\?/version')
_GUID = re.compile(rb"<guid(?:\s[^>]{0,200})?>([^<]{1,1000})</guid>")
_LONGEST_TITLE = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that is listed. `content` is HTML, given where the entry leads to no page of its own."""

    url: str
    title: str = ""
    author: str | None = None
    published_at: datetime | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed or sitemap holds, in its order: pages, or further sitemaps."""

    kind: Literal["feed", "sitemap"]
    entries: Sequence[Entry] = ()
    sitemaps: Sequence[str] = ()


def is_listing(body: bytes, media_type: str) -> bool:
    """Whether it looks like a feed or a sitemap. Content decides: many are served as text/html or text/plain."""
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"\x1f\x8b"):
        head = _unpacked(body, 4096)
    if head.startswith(b"{"):
        return "feed+json" in media_type or _JSON_FEED.search(body[:65_536]) is not None
    first = _START.search(head)
    return head.startswith(b"<") and first is not None and b"<html" not in head[: first.start()].lower()


def read_listing(body: bytes, url: str, media_type: str) -> Listing | None:
    """The listing in `body`; None when it is none after all.

    Args:
        body: As fetched; a sitemap may be packed by gzip.
        url: Where it came from: links are relative to it.
        media_type: As declared.
    """
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body, _UNPACKED)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _json_feed(body, url)
    first = _START.search(body[:4096])
    if first is None:
        return None
    if first[1].lower() in {b"urlset", b"sitemapindex"}:
        return _sitemap(body, url)
    return _feed(body, url, media_type)


def _feed(body: bytes, url: str, media_type: str) -> Listing | None:
    import feedparser  # noqa: PLC0415  for the child that reads feeds, and no one else

    headers = {"content-location": url} | ({"content-type": media_type} if media_type else {})
    parsed = cast("Any", feedparser).parse(body, response_headers=headers, sanitize_html=False)
    if not parsed.get("version") and not parsed.entries:
        return None
    feed_author = parsed.feed.get("author")
    # RSS takes a guid for an address unless told otherwise, and few tell; feedparser has then made it absolute.
    guids = [guid.decode("utf-8", "replace").strip() for guid in _GUID.findall(body)]
    names = {join(url, guid): guid for guid in guids if not guid.startswith(("http://", "https://", "/"))}
    entries: dict[str, Entry] = {}
    for found in parsed.entries[:MOST_ENTRIES]:
        content = next((part.get("value") for part in found.get("content", [])), None) or found.get("summary")
        link = join(url, found.get("link") or "") if found.get("link") else None
        name = found.get("id") or found.get("title") or ""
        if found.get("guidislink") and link in names:
            link, name = None, names[link]
        entry = _entry(url, link, name, found.get("title"), found.get("author") or feed_author, content)
        # Past feedparser's own lookup, which warns that one will no longer stand in for the other.
        moment = dict.get(found, "published_parsed") or dict.get(found, "updated_parsed")
        if entry is not None:
            entries.setdefault(entry.url, _dated(entry, _moment(moment)))
    return Listing("feed", tuple(entries.values()))


def _json_feed(body: bytes, url: str) -> Listing | None:
    try:
        feed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    items: Any = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return None
    entries: dict[str, Entry] = {}
    for item in cast("list[Any]", items)[:MOST_ENTRIES]:
        if not isinstance(item, dict):
            continue
        found = cast("Mapping[str, Any]", item)
        content = _text(found.get("content_html")) or _paragraphs(_text(found.get("content_text")))
        address = _text(found.get("url")) or _text(found.get("external_url"))
        link = join(url, address) if address else None
        entry = _entry(url, link, str(found.get("id") or ""), _text(found.get("title")), _json_author(found), content)
        if entry is not None:
            entries.setdefault(entry.url, _dated(entry, _iso(_text(found.get("date_published")))))
    return Listing("feed", tuple(entries.values()))


def _sitemap(body: bytes, url: str) -> Listing | None:
    root = parse_xml(body)
    if root is None:
        root = parse_xml(body, recover=True)  # cut off, or with a bare ampersand: the rest is as good
    if root is None:
        return None
    found = [join(url, location) for location in _locations(root)]
    pages = tuple(dict.fromkeys(one for one in found if one is not None))[:MOST_ENTRIES]
    if local_name(root).lower() == "sitemapindex":
        return Listing("sitemap", sitemaps=pages)
    return Listing("sitemap", tuple(Entry(page) for page in pages))


def _locations(root: Any) -> Iterator[str]:
    for child in root:
        for part in child:
            if local_name(part) == "loc" and part.text:
                yield part.text.strip()
                break


def _entry(
    feed: str, link: str | None, name: str, title: str | None, author: str | None, content: str | None
) -> Entry | None:
    if link is None:
        if not content or not name:
            return None
        # An entry that is its own page: named within its feed.
        link = f"{feed}#{one_line(clean(name))[:500]}"
    else:
        content = None
    shown = one_line(re.sub(r"<[^>]{0,500}>", "", clean(title or "")))[:_LONGEST_TITLE]
    by = one_line(clean(author))[:_LONGEST_TITLE] if author else None
    return Entry(link, shown, by or None, None, clean(content) if content else None)


def _dated(entry: Entry, at: datetime | None) -> Entry:
    return Entry(entry.url, entry.title, entry.author, at, entry.content)


def _moment(parsed: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None


def _iso(written: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(written).astimezone(UTC) if written else None
    except (ValueError, OverflowError):
        return None


def _json_author(found: Mapping[str, Any]) -> str | None:
    authors: Any = found.get("authors") or [found.get("author")]
    names = [_text(one.get("name")) for one in cast("list[Any]", authors) if isinstance(one, dict)] if isinstance(
        authors, list
    ) else []  # fmt: skip
    return ", ".join(name for name in names if name) or None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _paragraphs(text: str | None) -> str | None:
    import html  # noqa: PLC0415  seldom

    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n")) if text else None


def _unpacked(body: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, most)
    except zlib.error:
        return b""
