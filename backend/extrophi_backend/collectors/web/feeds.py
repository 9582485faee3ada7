"""RSS and Atom, by feedparser, and JSON Feed (jsonfeed.org/version/1.1)."""

import html
import json
import re
from calendar import timegm
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urljoin

from extrophi_backend.collectors.web.models import Entry, Listing
from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.fetch.addresses import linked
from extrophi_backend.fetch.errors import FailureCode, FetchFailed

_GUID = re.compile(rb"<guid(?:\s[^>]{0,200})?>\s*(?:<!\[CDATA\[)?([^<\]]{1,1000})")
_TAG = re.compile(r"<[^>]{0,500}>")
_LONGEST_TITLE = 2000


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry as its feed has it, before links are resolved and names are given. An empty `link` is a broken one."""

    link: str | None
    name: str
    title: str | None
    author: str | None
    content: str | None
    published_at: datetime | None
    changed: str | None


def read_feed(body: bytes, url: str, media_type: str, most: int) -> Listing | None:
    """An RSS or Atom feed; None when it is none after all."""
    import feedparser  # noqa: PLC0415  for the child that reads feeds, and no one else

    # Links of any scheme: the unfit ones are refused by name, and not left out in silence.
    cast("Any", feedparser).urls.ACCEPTABLE_URI_SCHEMES = ()
    headers = {"content-location": url} | ({"content-type": media_type} if media_type else {})
    parsed = cast("Any", feedparser).parse(body, response_headers=headers, sanitize_html=False)
    if not parsed.get("version") and not parsed.entries:
        return None
    # feedparser makes every guid an absolute address: which of them are none is seen in the source alone.
    guids = (html.unescape(guid.decode("utf-8", "replace")).strip() for guid in _GUID.findall(body))
    relative = [guid for guid in guids if not guid.startswith(("http://", "https://", "/"))]
    names = {_joined(url, guid): guid for guid in relative}
    is_atom = str(parsed.get("version") or "").startswith("atom")
    author = parsed.feed.get("author")
    return Listing(
        "feed", _entries(url, [_item(found, author, names, is_atom=is_atom) for found in parsed.entries[:most]])
    )


def _item(found: Any, author: str | None, names: Mapping[str, str], *, is_atom: bool) -> _Item:
    content = next((part.get("value") for part in found.get("content", [])), None) or found.get("summary")
    links: list[Any] = [one for one in found.get("links", []) if one.get("rel") == "alternate"]
    pages = [one for one in links if "html" in (one.get("type") or "html")]
    # Without href where there was nothing, or nothing that feedparser takes for an address.
    link = next((one.get("href", "") for one in pages or links), None)
    name = found.get("id") or ""
    if name in names:
        name = names[name]
    elif not link and name.startswith(("http://", "https://")):
        # RSS takes a guid for an address unless told otherwise; an Atom id is a name, although often written as one.
        link = name if not content or (found.get("guidislink") and not is_atom) else link
    # Past feedparser's own lookup, which warns that one will no longer stand in for the other.
    moment = dict.get(found, "published_parsed") or dict.get(found, "updated_parsed")
    changed = dict.get(found, "updated")
    return _Item(link, name, found.get("title"), found.get("author") or author, content, _moment(moment), changed)


def read_json_feed(body: bytes, url: str, most: int) -> Listing | None:
    """A JSON Feed; None when it is none after all."""
    try:
        feed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found: Any = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(found, list):
        return None
    items = [cast("Mapping[str, Any]", one) for one in cast("list[Any]", found)[:most] if isinstance(one, dict)]
    return Listing("feed", _entries(url, [_json_item(one) for one in items]))


def _json_item(found: Mapping[str, Any]) -> _Item:
    content = _text(found.get("content_html")) or _paragraphs(_text(found.get("content_text")))
    name = "" if found.get("id") is None else str(found["id"]).strip()
    link = _text(found.get("url")) or _text(found.get("external_url"))
    if link is None and not content and name.startswith(("http://", "https://")):
        link = name
    title, published_at = _text(found.get("title")), _iso(_text(found.get("date_published")))
    return _Item(link, name, title, _json_author(found), content, published_at, _text(found.get("date_modified")))


def _entries(feed: str, items: Sequence[_Item]) -> tuple[Entry, ...]:
    """One entry for each page, and for each content without a page. What is nothing to read is left out."""
    taken = Counter(item.name or item.title for item in items)
    entries: dict[str, Entry] = {}
    for item in items:
        entry = _entry(feed, item, taken)
        if entry is not None:
            entries.setdefault(entry.url, entry)
    return tuple(entries.values())


def _entry(feed: str, item: _Item, taken: Counter[str | None]) -> Entry | None:
    shown = one_line(_TAG.sub("", clean(item.title or "")))[:_LONGEST_TITLE]
    author = one_line(clean(item.author))[:_LONGEST_TITLE] if item.author else None
    content = clean(item.content) if item.content and item.content.strip() else None
    changed = one_line(clean(item.changed))[:50] or None if item.changed else None
    problem: FailureCode | None = None
    if item.link:
        try:
            return Entry(linked(feed, item.link), shown, author or None, item.published_at, content, changed=changed)
        except FetchFailed as failure:
            problem = failure.code
    elif item.link is not None:
        problem = "malformed_url"
    if content is None:
        link = one_line(clean(item.link or f"{feed}#{shown or item.name}"))[:2000]
        return Entry(link, shown, author or None, item.published_at, problem=problem) if problem else None
    # Named by its guid within its feed; by its words where others have the same name, or it has none.
    name = item.name or item.title
    named = one_line(clean(name))[:500] if name and taken[name] == 1 else sha256(content.encode()).hexdigest()[:16]
    return Entry(f"{feed}#{named}", shown, author or None, item.published_at, content, linked=False, changed=changed)


def _joined(feed: str, reference: str) -> str:
    """As feedparser does."""
    try:
        return urljoin(feed, reference)
    except ValueError:
        return ""


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
    if not isinstance(authors, list):
        return None
    names = [_text(one.get("name")) for one in cast("list[Any]", authors) if isinstance(one, dict)]
    return ", ".join(name for name in names if name) or None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _paragraphs(text: str | None) -> str | None:
    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n")) if text else None
