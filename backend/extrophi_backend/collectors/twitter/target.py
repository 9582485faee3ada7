"""Which user, post, list or search of X a person means."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

from extrophi_backend.collectors.models import Target
from extrophi_backend.errors import InvalidTarget

SITE = "https://x.com"
Kind = Literal["user", "post", "list", "search"]

_ADDRESS = re.compile(
    r"(?:https?:)?(?://)?(?:(?:www|mobile|m)\.)?(?:x|twitter)\.com\.?(?::\d*)?(?=[/?#]|$)", re.IGNORECASE
)
_PORTS = frozenset({None, 80, 443})
_HANDLE = re.compile(r"@?(?P<name>[A-Za-z0-9_]{1,20})", re.ASCII)
"""15 characters today; some that are older have up to 20."""
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_MOST_ID = 2**63
_TABS = frozenset(
    {"with_replies", "media", "highlights", "articles", "superfollows", "photo", "header_photo"}
)  # fmt: skip
"""Of a user's page, all of which show the user's own."""
_NOBODY = frozenset(
    "account bookmarks communities compose connect_people download explore flow following followers hashtag home i "
    "intent invitations keyboard_shortcuts lists login logout messages notifications oauth personalization "
    "premium_sign_up search search-advanced settings share signup statuses status topics trends who_to_follow".split()
)
"""First parts of paths of X's own pages, on which there is nothing to collect."""
_PAGES = frozenset({"about", "jobs", "privacy", "robots.txt", "rules", "tos"})
"""Those of pages that are pages like others of the web."""
_HINT = "Give a user (x.com/name), a post (x.com/name/status/123), a list (x.com/i/lists/123) or a search."


@dataclass(frozen=True, slots=True)
class Place:
    """What a canonical target names: a handle in lower case, an id, or a query as one types it."""

    kind: Kind
    name: str

    @property
    def address(self) -> str:
        match self.kind:
            case "user":
                return f"{SITE}/{self.name}"
            case "post":
                return post_address(self.name)
            case "list":
                return f"{SITE}/i/lists/{self.name}"
            case "search":
                return f"{SITE}/search?{urlencode({'q': self.name, 'f': 'live'}, quote_via=quote)}"


def recognise(typed: str) -> Target | None:
    """The user, post, list or search behind an address of x.com or twitter.com; None when `typed` is none.

    A bare `@name` may be of any platform (collectors/ambiguous.py).

    Raises:
        InvalidTarget: it is X's, and nothing that can be collected.
    """
    text = typed.strip()
    found = _ADDRESS.match(text)
    if found is None:
        return None
    try:
        parts = urlsplit(f"{SITE}{text[found.end() :]}")
        port = urlsplit(f"//{found[0].rpartition('/')[2]}").port
    except ValueError as error:
        raise _invalid(typed, "it is malformed") from error
    if port not in _PORTS:
        return None  # nothing of X's
    place = _place(_path(parts), parts, typed)
    return Target("twitter", place.address, typed) if place else None


def place_of(canonical: str) -> Place:
    """What a target of this platform names, as `recognise` wrote it."""
    parts = urlsplit(canonical)
    place = _place(_path(parts), parts, canonical)
    if place is None:
        raise _invalid(canonical, "it names nothing of X's")
    return place


def post_address(post: str, handle: str = "") -> str:
    """Where a post is shown; also where its author's handle is not known."""
    return f"{SITE}/{handle or 'i'}/status/{post}"


def _path(parts: SplitResult) -> list[str]:
    # Until 2012 addresses were written behind a hash: twitter.com/#!/name.
    path = parts.fragment[1:].partition("?")[0] if parts.fragment.startswith("!/") else parts.path
    return [unquote(part) for part in path.split("/") if part]


def _place(path: list[str], parts: SplitResult, typed: str) -> Place | None:
    match [part.lower() for part in path]:
        case []:
            raise _invalid(typed, "it is X itself")
        case (
            ["i", "web", "status" | "statuses", post, *_]
            | [_, "status" | "statuses", post, *_]
            | ["status" | "statuses", post, *_]
        ):
            return Place("post", _id(post, typed))
        case ["i", "lists", name, *_]:
            return Place("list", _id(name, typed))
        case ["i", "article", *_]:
            raise _invalid(typed, "it is an article by its own number", "Give the address of the post that it is in.")
        case ["search", *_]:
            return _search(parse_qs(parts.query).get("q", [""])[0], typed)
        case ["hashtag", _, *_]:
            return _search(f"#{path[1]}", typed)
        case [page] | [_, page] if page in _PAGES:  # the second in a language: x.com/en/tos
            return None
        case [first, *rest] if (found := _HANDLE.fullmatch(first)) and found["name"] not in _NOBODY:
            return _of_user(found["name"], rest, typed)
        case _:
            raise _invalid(typed, "it is a page of X's own")


def _of_user(handle: str, rest: list[str], typed: str) -> Place:
    match rest:
        case []:
            return Place("user", handle)
        case [tab] if tab in _TABS:
            return Place("user", handle)
        case ["article", post, *_]:
            return Place("post", _id(post, typed))
        case ["lists", _, *_]:
            hint = "Open the list in a browser and give its address by number: x.com/i/lists/123."
            raise _invalid(typed, "it names a list by its title", hint)
        case _:
            raise _invalid(typed, "it is neither a user's posts nor a post", f"Give the user: x.com/{handle}.")


def _search(query: str, typed: str) -> Place:
    words = " ".join(query.split())
    if not words:
        raise _invalid(typed, "it searches for nothing")
    # Of words together X may tell capitals (OR); of a hashtag alone it never does.
    words = words.lower() if words.startswith("#") and " " not in words else words
    return Place("search", words.encode("utf-8", "replace").decode())


def _id(text: str, typed: str) -> str:
    if not _ID.fullmatch(text) or not 0 < int(text) < _MOST_ID:
        raise _invalid(typed, f"“{text[:30]}” is no number of a post or list")
    return str(int(text))


def _invalid(typed: str, why: str, hint: str = _HINT) -> InvalidTarget:
    shown = typed.strip()[:200].encode("utf-8", "replace").decode()
    return InvalidTarget(f"“{shown}” cannot be collected: {why}.", hint=hint, field="target")
