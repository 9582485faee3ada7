"""Reddit's JSON, read: what is missing or of another type is left out, and breaks nothing.

The forms are those of www.reddit.com/dev/api, with `raw_json=1`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from extrophi_backend.collectors.reddit.models import DELETED, Comment, Entry, Listing, Lost, Post, Unreadable, Words
from extrophi_backend.collectors.reddit.places import SITE, post_address

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ID = re.compile(r"[a-z0-9]{1,13}", re.ASCII)
_PERMALINK = re.compile(r"/(?:r|u|user|comments)/[^\s?#\\]{1,1000}")
_AFTER = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
_MOST_KIND = 80
_MOST_COUNT = 2**53
_LOST: Mapping[str, Lost] = {
    DELETED: "deleted",
    "[removed]": "removed",
    "[deleted by user]": "deleted",
}
_BY_REDDIT = re.compile(
    r"\[ ?removed by reddit(?: [^\[\]\n]*(?:\[[^\[\]\n]*\][^\[\]\n]*)?)?\]", re.ASCII | re.IGNORECASE
)
"""With a reason or without; a link may stand in it: `[ Removed by Reddit on account of violating the [rules](…). ]`."""


def read_listing(answer: Any) -> Listing:
    """A page of a list of posts. Of a comment in it, its post is what is listed. Raises Unreadable."""
    entries: dict[str, Entry] = {}
    unknown: Counter[str] = Counter()
    unreadable = 0
    for kind, data in things(listed(answer)):
        if kind == "t3":
            post = read_post(data)
            entry = Entry(post.id, post, data) if post else None
        elif kind == "t1":
            post_id = id_of(data.get("link_id"), "t3")
            entry = Entry(post_id) if post_id else None
        else:
            unknown[kind] += 1
            continue
        if entry is None:
            unreadable += 1
        else:
            entries.setdefault(entry.id, entry)
    after = as_object(as_object(answer).get("data")).get("after")
    fits = isinstance(after, str) and _AFTER.fullmatch(after)
    return Listing(tuple(entries.values()), after if fits else None, unknown, unreadable)


def listed(answer: Any) -> Sequence[Any]:
    """What a Listing lists. Raises Unreadable: it is none."""
    children = as_object(as_object(answer).get("data")).get("children")
    if not isinstance(children, list):
        raise Unreadable("Reddit's answer is no list.")
    return children


def things(found: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each thing's kind and what it holds. One that is of no form at all has the kind `?`."""
    for one in found:
        thing = as_object(one)
        kind, data = thing.get("kind"), thing.get("data")
        if isinstance(kind, str) and isinstance(data, dict):
            yield plain(kind)[:_MOST_KIND], data
        else:
            yield "?", {}


def read_post(data: Mapping[str, Any]) -> Post | None:
    """A post (`t3`); None where it does not say which it is."""
    post_id = id_of(data.get("name"), "t3") or id_of(data.get("id"), "t3")
    if not post_id:
        return None
    address = _address(data) or post_address(post_id)
    author = plain(data.get("author")) or DELETED
    selftext = plain(data.get("selftext"))
    own = [selftext, _link(data, address), _lines(_choices(data)), _lines(_captions(data))]
    removed_by = plain(data.get("removed_by_category"))
    return Post(
        post_id,
        plain(data.get("title")),
        Words(
            "\n\n".join(part for part in own if part.strip()),
            author,
            address,
            moment(data.get("created_utc")),
            lost_as(selftext),
        ),
        quoted=_quoted(data),
        comments=count(data.get("num_comments")),
        edited=_unix(data.get("edited")),
        is_withdrawn=bool(removed_by) and author == DELETED,
    )


def read_comment(data: Mapping[str, Any], post_id: str, parent: str) -> Comment | None:
    """A comment (`t1`); None where it does not say which it is.

    Args:
        data: What Reddit holds of it.
        post_id: Of the post that it belongs to.
        parent: The fullname of what it answers.
    """
    comment_id = id_of(data.get("name"), "t1") or id_of(data.get("id"), "t1")
    if not comment_id:
        return None
    body = plain(data.get("body"))
    return Comment(
        f"t1_{comment_id}",
        parent,
        Words(
            body,
            plain(data.get("author")) or DELETED,
            _address(data) or f"{post_address(post_id)}_/{comment_id}/",
            moment(data.get("created_utc")),
            lost_as(body),
        ),
        score=None if data.get("score_hidden") is True else _score(data.get("score")),
    )


def parent_of(data: Mapping[str, Any]) -> str:
    """The fullname of what a thing answers to; empty where it does not say."""
    parent = data.get("parent_id")
    for prefix in ("t1", "t3"):
        if isinstance(parent, str) and parent.startswith(f"{prefix}_") and id_of(parent, prefix):
            return parent.lower()
    return ""


def id_of(value: Any, prefix: str) -> str:
    """The id in base 36 out of a fullname or an id; empty where it is neither."""
    if not isinstance(value, str):
        return ""
    found = value.lower().removeprefix(f"{prefix}_")
    return found if _ID.fullmatch(found) else ""


def plain(value: Any) -> str:
    """A text to the character, but for what no database holds (NUL, lone surrogates); empty if it is none."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else ""


def lost_as(text: str) -> Lost | None:
    """What became of words, if a text only stands in their place."""
    said = text.strip()
    return "removed" if _BY_REDDIT.fullmatch(said) else _LOST.get(said)


def moment(value: Any) -> datetime | None:
    """A Unix time as a moment; None where it is none."""
    seconds = _unix(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def count(value: Any) -> int | None:
    """A number of things; None where it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST_COUNT
    return int(value) if is_number else None


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Those items of a list that are objects."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _unix(value: Any) -> float | None:
    """Old posts that were edited say no more than `true`: they count as edited at the beginning of time."""
    if value is True:
        return 0.0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and abs(value) < _MOST_COUNT else None


def _score(value: Any) -> int | None:
    """Points; fewer than none, where more people were against it."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_COUNT
    return value if is_number else None


def _address(data: Mapping[str, Any]) -> str | None:
    permalink = data.get("permalink")
    fits = isinstance(permalink, str) and permalink.isprintable() and _PERMALINK.fullmatch(permalink)
    return f"{SITE}{permalink}" if fits else None


def _link(data: Mapping[str, Any], address: str) -> str:
    """Where a post leads that is more than a text of its own."""
    if data.get("is_self") is True:
        return ""
    link = plain(data.get("url_overridden_by_dest")) or plain(data.get("url"))
    link = f"{SITE}{link}" if link.startswith("/") else link
    return "" if link == address else link


def _quoted(data: Mapping[str, Any]) -> Words | None:
    """The words of the post that this one is a crosspost of."""
    for parent in objects(data.get("crosspost_parent_list"))[:1]:
        post = read_post({**parent, "crosspost_parent_list": None})
        if post and post.words.text:
            return post.words
    return None


def _choices(data: Mapping[str, Any]) -> list[str]:
    """What a poll lets choose from."""
    return [plain(one.get("text")) for one in objects(as_object(data.get("poll_data")).get("options"))]


def _captions(data: Mapping[str, Any]) -> list[str]:
    """What stands under the pictures of a gallery, and where they lead."""
    items = objects(as_object(data.get("gallery_data")).get("items"))
    return [plain(one.get(name)) for one in items for name in ("caption", "outbound_url")]


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(line for line in lines if line.strip())
