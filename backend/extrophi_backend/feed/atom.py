"""A feed of documents as Atom (RFC 4287), in pages (RFC 5005, section 3)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree import ElementTree as ET

from extrophi_backend.feed.models import Entry

MEDIA_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (section 2.2)."""
_IN_URL = "%:/?#[]@!$&'()*+,;=~-._"
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # RFC 5646, as far as XML asks
_SUMMARY = 500
READ = _SUMMARY + 1
"""Characters of a text that are needed to tell whether a summary is all of it."""

ET.register_namespace("", _ATOM)


def feed_id(library_made_at: datetime, filters: str) -> UUID:
    """The same for one library and one choice of documents, whatever address it is read from."""
    return uuid5(NAMESPACE_URL, f"extrophi feed {library_made_at.isoformat()} {filters}")


def write(
    entries: Sequence[Entry], *, identity: UUID, title: str, made_at: datetime, own: str, following: str | None
) -> bytes:
    """The XML. Addresses of our own are relative: nobody here knows by which name we are reached.

    Args:
        entries: Newest first.
        identity: Of the feed.
        title: Of the feed.
        made_at: When it was updated, if it is empty.
        own: The address of this page.
        following: The address of the next page.
    """
    feed = ET.Element(_name("feed"))
    _add(feed, "id", f"urn:uuid:{identity}")
    _add(feed, "title", title)
    _add(feed, "updated", _moment(max([one.collected_at for one in entries], default=made_at)))
    _add(_add(feed, "author"), "name", "Extrophi")  # of entries that have none (section 4.1.1)
    _add(feed, "generator", "Extrophi")
    _link(feed, "self", own, MEDIA_TYPE)
    if following:
        _link(feed, "next", following, MEDIA_TYPE)
    for one in entries:
        _write_entry(feed, one)
    return ET.tostring(feed, encoding="utf-8", xml_declaration=True)


def _write_entry(feed: ET.Element, one: Entry) -> None:
    entry = _add(feed, "entry")
    if one.language and _LANGUAGE.fullmatch(one.language):
        entry.set(_LANG, one.language)
    summary = _summary(one.beginning)
    _add(entry, "id", f"urn:uuid:{one.id}")
    _add(entry, "title", _one_line(one.title) or _one_line(summary)[:80] or one.external_id)
    _add(entry, "updated", _moment(one.collected_at))
    if one.published_at:
        _add(entry, "published", _moment(one.published_at))
    if one.author and one.author.strip():
        _add(_add(entry, "author"), "name", _one_line(one.author))
    if one.url and one.url.lower().startswith(("http://", "https://")):
        _link(entry, "alternate", quote(one.url.strip(), safe=_IN_URL, errors="replace"))
    _link(entry, "alternate", f"documents/{one.id}", "application/json")
    _add(entry, "category").attrib.update({"term": one.platform, "scheme": "urn:extrophi:platform"})
    for name in one.collections:
        _add(entry, "category").attrib.update({"term": _plain(name), "scheme": "urn:extrophi:collection"})
    _add(entry, "summary", summary)


def _summary(beginning: str) -> str:
    if len(beginning) <= _SUMMARY:
        return beginning.strip()
    cut = beginning[:_SUMMARY]
    return f"{cut[: cut.rfind(' ') + 1 or _SUMMARY].strip()}…"


def _add(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    child = ET.SubElement(parent, _name(name))
    if text is not None:
        child.text = _plain(text)
    return child


def _link(parent: ET.Element, relation: str, address: str, media_type: str | None = None) -> None:
    link = _add(parent, "link")
    link.attrib.update({"rel": relation, "href": _plain(address)})
    if media_type:
        link.set("type", media_type)


def _name(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _plain(text: str) -> str:
    return _NO_XML.sub("", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
