"""Reddit's Atom feeds, read. What is in them was written by strangers: `read_atom` is for a process that may die."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast
from urllib.parse import urlsplit

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  compiled, and without types

from extrophi_backend.collectors.reddit.models import DELETED, Comment, Post, Words
from extrophi_backend.collectors.reddit.parse import id_of, lost_as, plain
from extrophi_backend.collectors.reddit.places import SITE, post_address
from extrophi_backend.extraction.html_parts import parts_of
from extrophi_backend.extraction.tree import Element, local_name, parse_html, parse_xml

_POST_PATH = re.compile(r"/(?:(?:r|u|user)/[^/\s]{1,100}/)?comments/(?P<post>[A-Za-z0-9]{1,13})(?:/[^\s]{0,1000})?")
_COMMENT_TITLE = re.compile(r"/u/\S{1,50} on (?P<title>.+)", re.DOTALL)
_NAME = re.compile(r"(?P<kind>t[0-9]+)_(?P<id>[a-z0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """A post as a feed has it: itself, comments on it, or both. `raw` is the XML of its entries."""

    post: Post
    comments: tuple[Comment, ...] = ()
    raw: bytes = b""
    is_itself: bool = False
    """Whether the post is among its entries: else all that is known of it is its title."""


@dataclass(frozen=True, slots=True)
class Feed:
    posts: tuple[Found, ...]
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    """Kinds of entries that are none of ours, and how many."""
    unreadable: int = 0
    """Entries that do not say which post they belong to, and comments that do not say what they say."""
    entries: int = 0
    """How many there are in all."""


@dataclass(slots=True)
class _Group:
    """The entries of one post."""

    post: Post | None = None
    title: str = ""
    comments: list[Comment] = field(default_factory=list[Comment])
    raw: list[bytes] = field(default_factory=list[bytes])


def read_atom(body: bytes) -> Feed | None:
    """The posts of a feed, in its order; None when it is none."""
    root = parse_xml(body)
    if root is None:
        root = parse_xml(body, recover=True)
    if root is None or local_name(root) != "feed":
        return None
    groups: dict[str, _Group] = {}
    unknown: Counter[str] = Counter()
    unreadable = 0
    entries = [*_children(root, "entry")]
    for entry in entries:
        found = _NAME.fullmatch(_text(entry, "id").strip())
        post_id = _post_id(entry, found["id"]) if found else ""
        if found and found["kind"] not in {"t1", "t3"}:
            unknown[found["kind"]] += 1
        elif not found or not post_id:
            unreadable += 1
        else:
            unreadable += not _take(groups.setdefault(post_id, _Group()), entry, found["kind"], post_id)
    posts = tuple(_found(post_id, group) for post_id, group in groups.items())
    return Feed(posts, unknown, unreadable, len(entries))


def _take(group: _Group, entry: Element, kind: str, post_id: str) -> bool:
    """Add an entry to those of its post; False for a comment without words, which stands for the post all the same."""
    group.raw.append(cast("bytes", etree.tostring(entry, encoding="utf-8", with_tail=False)))
    if kind == "t3":
        group.post = _post(entry, post_id)
        return True
    text, _ = _said(_text(entry, "content"))
    comment = _comment(entry, post_id, text or "")
    group.comments.append(comment)
    found = _COMMENT_TITLE.fullmatch(plain(_text(entry, "title")))
    group.title = group.title or (found["title"] if found else "")
    return text is not None


def _found(post_id: str, group: _Group) -> Found:
    raw = b"<entries>" + b"".join(group.raw) + b"</entries>"
    if group.post is not None:
        return Found(group.post, tuple(group.comments), raw, is_itself=True)
    nothing = Words("", None, post_address(post_id), None)
    return Found(Post(post_id, group.title, nothing), tuple(group.comments), raw)


def _post(entry: Element, post_id: str) -> Post:
    address = _address(entry) or post_address(post_id)
    said, link = _said(_text(entry, "content"))
    text = said or ""
    own = [text, "" if _is_of(link, post_id) else link]
    words = Words(
        "\n\n".join(part for part in own if part.strip()), _author(entry), address, _moment(entry), lost_as(text)
    )
    return Post(post_id, plain(_text(entry, "title")), words)


def _comment(entry: Element, post_id: str, text: str) -> Comment:
    comment_id = _text(entry, "id").strip().removeprefix("t1_")
    address = _address(entry) or f"{post_address(post_id)}_/{comment_id}/"
    words = Words(text, _author(entry), address, _moment(entry), lost_as(text))
    return Comment(f"t1_{comment_id}", f"t3_{post_id}", words)


def _said(content: str) -> tuple[str | None, str]:
    """What its author wrote, None where there is no place for that, and where it links to.

    Not who submitted it, which stands around that.
    """
    root = parse_html(f"<html><body>{content}</body></html>".encode("utf-8", "replace"))
    if root is None:
        return None, ""
    written = [one for one in root.iter("div") if one.get("class", "") == "md"]
    texts = [part.text for one in written for part in parts_of(one)]
    links = [one.get("href", "") for one in root.iter("a") if "".join(one.itertext()).strip() == "[link]"]
    link = plain(links[-1]) if links else ""
    return plain("\n\n".join(texts)) if written else None, f"{SITE}{link}" if link.startswith("/") else link


def _is_of(link: str, post_id: str) -> bool:
    """Whether a link leads to the post that it stands in, as in all that have a text of their own."""
    path = _path(link)
    found = _POST_PATH.fullmatch(path)
    return found is not None and found["post"].lower() == post_id


def _post_id(entry: Element, own: str) -> str:
    """Of the post that an entry belongs to."""
    if _text(entry, "id").strip().startswith("t3_"):
        return id_of(own, "t3")
    found = _POST_PATH.fullmatch(_path(_href(entry)))
    return found["post"].lower() if found else ""


def _address(entry: Element) -> str:
    path = _path(_href(entry))
    return f"{SITE}{path}" if path.isprintable() and _POST_PATH.fullmatch(path) else ""


def _href(entry: Element) -> str:
    links = [one for one in _children(entry, "link") if one.get("rel", "alternate") == "alternate"]
    return links[0].get("href", "") if links else ""


def _path(link: str) -> str:
    try:
        return urlsplit(link).path
    except ValueError:
        return ""


def _author(entry: Element) -> str:
    for author in _children(entry, "author"):
        name = plain(_text(author, "name")).strip().removeprefix("/u/").removeprefix("u/")
        if name:
            return name
    return DELETED


def _moment(entry: Element) -> datetime | None:
    for name in ("published", "updated"):
        try:
            moment = datetime.fromisoformat(_text(entry, name).strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _children(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element if local_name(one) == name)


def _text(element: Element, name: str) -> str:
    found: Sequence[Element] = [*_children(element, name)]
    return "".join(found[0].itertext()) if found else ""
