"""The parts of Reddit that can be collected, each with the one address that all its spellings share."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from extrophi_backend.errors import InvalidTarget

SITE = "https://www.reddit.com"
_SORTS = frozenset({"new", "hot", "top", "rising", "controversial"})
_FRONT_SORTS = _SORTS | {"best"}
_RANGED = frozenset({"top", "controversial"})
_USER_SORTS = frozenset({"new", "hot", "top", "controversial"})
_SEARCH_SORTS = frozenset({"relevance", "hot", "top", "new", "comments"})
_RANGES = frozenset({"hour", "day", "week", "month", "year", "all"})
_OWN = frozenset({"saved", "upvoted", "downvoted", "hidden"})
"""Lists that nobody but their user sees."""
_ID = re.compile(r"[a-z0-9]{1,13}", re.ASCII)
_SHORT_LINK = re.compile(r"(?=.*[0-9])[a-z0-9]{4,10}", re.ASCII)
_SUBREDDIT = re.compile(r"[a-z0-9][a-z0-9_]{1,20}|u_[a-z0-9_-]{2,20}|reddit\.com", re.ASCII)
_USER = re.compile(r"[a-z0-9_-]{2,20}", re.ASCII)
_MULTI = re.compile(r"[a-z0-9_]{2,50}", re.ASCII)
_MOST_SUBREDDITS = 100
_FLAIR = "flair_name:"
_FORMAT = re.compile(r"(?:^|(?<=.))\.(?:rss|json|xml|compact)$", re.ASCII)
_HINT = (
    "Give r/name, u/name, a post, or a list of posts as the browser shows it: "
    "https://www.reddit.com/r/name/top/?t=week, https://www.reddit.com/r/name/search?q=words."
)

Kind = Literal["subreddit", "user", "search", "front", "multi", "own", "post"]


@dataclass(frozen=True, slots=True)
class Place:
    """A list of posts, or one post.

    `path` is below the host, without a slash at its end. `owner` is whose list it is, where it is a user's: `me` is
    the user whose credentials are there.
    """

    kind: Kind
    path: str
    params: tuple[tuple[str, str], ...] = ()
    owner: str = ""

    @property
    def address(self) -> str:
        """The canonical address, without any secret."""
        return f"{SITE}{self.path}/" + (f"?{urlencode(self.params, quote_via=quote)}" if self.params else "")

    @property
    def post_id(self) -> str:
        """Of a post: its id in base 36."""
        return self.path.rpartition("/")[2]

    @property
    def name(self) -> str:
        """In words, as people write it."""
        parts = self.path.split("/")
        match self.kind:
            case "subreddit":
                name = f"r/{parts[2]}"
            case "user":
                name = f"u/{self.owner}"
            case "multi":
                name = f"u/{self.owner}'s multireddit {parts[4]}"
            case "own":
                name = f"u/{self.owner}'s {parts[3]} posts"
            case "search":
                name = f"the search in r/{parts[2]}" if parts[1] == "r" else "the search"
            case "front":
                name = "the front page"
            case "post":
                name = f"post {self.post_id}"
        return name

    @property
    def asks(self) -> dict[str, str]:
        """The parameters that Reddit is asked with."""
        return {"sort": "new"} | dict(self.params) if self.kind == "user" else dict(self.params)

    @property
    def is_newest_first(self) -> bool:
        """Whether nothing that is new comes after what is known."""
        asked = self.asks.get("sort")
        return self.path.endswith("/new") or self.kind == "own" or (self.kind in {"user", "search"} and asked == "new")


def post_address(post_id: str) -> str:
    """The address that names a post, whatever its title and subreddit are."""
    return f"{SITE}/comments/{post_id}/"


def place_of(address: str) -> Place:
    """The place at a canonical address. Raises InvalidTarget for any other."""
    parts = urlsplit(address)
    place = read_place(parts.path, parts.query)
    if place is None:
        raise _unusable("It only leads elsewhere.")
    return place


def read_place(path: str, query: str) -> Place | None:
    """The place at a path of Reddit's; None for one that redirects.

    Args:
        path: As typed, with a format at its end or without.
        query: As typed. What it says beside sort, time and search is left out, tokens of private feeds above all.

    Raises:
        InvalidTarget.
    """
    asked = dict(parse_qsl(query))
    segments = _segments(path)
    first, rest = (segments[0].lower(), segments[1:]) if segments else ("", [])
    match [first, *rest]:
        case ["r", _, "s", *_] | ["u" | "user", _, "s", *_]:
            place = None
        case ["r", names, *after]:
            place = _in_subreddit(_subreddits(names), [one.lower() for one in after], asked)
        case ["u" | "user", name, *after]:
            place = _of_user(_user(name), [one.lower() for one in after], asked)
        case ["comments" | "gallery" | "poll" | "tb", post_id, *_]:
            place = _post(post_id.lower())
        case ["search"]:
            place = _search("", asked)
        case [own] if own in _OWN:
            place = _own(own, _user(asked.get("user") or "me"))
        case [sort] if not sort or sort in _FRONT_SORTS:
            place = _front(sort or asked.get("sort", ""), asked)
        case [one] if _SHORT_LINK.fullmatch(one):
            place = None
        case _:
            raise _unusable("It is no list of posts, and no post.")
    return place


def _segments(path: str) -> list[str]:
    segments = [unquote(one) for one in path.split("/") if one]
    if segments:
        segments[-1] = _FORMAT.sub("", segments[-1])
    return [one for one in segments if one]


def _in_subreddit(name: str, rest: list[str], asked: dict[str, str]) -> Place:
    match rest:
        case ["comments", post_id, *_]:
            return _post(post_id)
        case ["search"]:
            return _search(f"/r/{name}", asked)
        case [] | [_] if (sort := _sort(rest, asked, "new")) in _SORTS:
            if "f" in asked:
                return _of_flair(f"/r/{name}", sort, asked)
            return Place("subreddit", f"/r/{name}/{sort}", _ranged(sort, asked, "day"))
        case _:
            raise _unusable("Of a subreddit its posts are collected, and searches in it.")


def _of_flair(path: str, sort: str, asked: dict[str, str]) -> Place:
    """A subreddit's posts with one flair: what a search for it finds."""
    if not asked["f"].startswith(_FLAIR) or sort not in _SEARCH_SORTS:
        raise _unusable(f"Of a subreddit's posts those of one flair are found ({_FLAIR}…): new, hot or top ones.")
    return _search(path, {"q": asked["f"], "sort": sort} | dict(_ranged(sort, asked, "day")))


def _of_user(name: str, rest: list[str], asked: dict[str, str]) -> Place:
    match rest:
        case ["comments", post_id, *_]:
            return _post(post_id)
        case [own] if own in _OWN:
            return _own(own, name)
        case ["m", multi, *after] if _MULTI.fullmatch(multi) and len(after) < 2:
            sort = _sort(after, asked, "new")
            if sort not in _SORTS:
                raise _unusable("It is sorted by nothing that Reddit knows.")
            return Place("multi", f"/user/{name}/m/{multi}/{sort}", _ranged(sort, asked, "day"), name)
        case [] | ["submitted" | "overview" | "posts"] if (sort := asked.get("sort", "new").lower()) in _USER_SORTS:
            params = () if sort == "new" else (("sort", sort), *_ranged(sort, asked, "all"))
            return Place("user", f"/user/{name}/submitted", params, name)
        case _:
            raise _unusable("Of a user the posts are collected.")


def _front(sort: str, asked: dict[str, str]) -> Place:
    sort = sort.lower()
    if sort not in _FRONT_SORTS or sort == "best":
        return Place("front", "")
    return Place("front", f"/{sort}", _ranged(sort, asked, "day"))


def _own(name: str, owner: str) -> Place:
    return Place("own", f"/user/{owner}/{name}", (), owner)


def _post(post_id: str) -> Place:
    if not _ID.fullmatch(post_id):
        raise _unusable("It names no post.")
    return Place("post", f"/comments/{post_id}")


def _search(path: str, asked: dict[str, str]) -> Place:
    words = asked.get("q", "").strip()
    if not words:
        raise _unusable("It says nothing to search for.")
    if asked.get("type", "link").lower() not in {"link", "posts", ""}:
        raise _unusable("Posts are searched for, and neither comments nor people.")
    sort, within = asked.get("sort", "").lower(), asked.get("t", "").lower()
    everywhere = asked.get("restrict_sr", "1").lower() in {"0", "false", "off", "no"}
    return Place(
        "search",
        "/search" if everywhere else f"{path}/search",
        (
            ("q", words),
            *((("restrict_sr", "1"),) if path and not everywhere else ()),
            ("sort", sort if sort in _SEARCH_SORTS else "relevance"),
            ("t", within if within in _RANGES else "all"),
        ),
    )


def _sort(rest: list[str], asked: dict[str, str], otherwise: str) -> str:
    """As the path says, or else the query."""
    return rest[0] if rest else asked.get("sort", otherwise).lower()


def _ranged(sort: str, asked: dict[str, str], otherwise: str) -> tuple[tuple[str, str], ...]:
    """The range of time, where a sorting has one."""
    within = asked.get("t", "").lower()
    return (("t", within if within in _RANGES else otherwise),) if sort in _RANGED else ()


def _subreddits(names: str) -> str:
    """One name, or several joined by `+`: in whatever order, they are one list."""
    found = sorted({one for one in names.lower().split("+") if one})
    if not found or len(found) > _MOST_SUBREDDITS:
        raise _unusable("It names no subreddit." if not found else "It names too many subreddits.")
    for one in found:
        if not _SUBREDDIT.fullmatch(one):
            raise _unusable(f"“{one[:50]}” is no name of a subreddit: that is 2 to 21 letters, digits and _.")
    return "+".join(found)


def _user(name: str) -> str:
    if not _USER.fullmatch(name.lower()):
        raise _unusable(f"“{name[:50]}” is no name of a user: that is 2 to 20 letters, digits, - and _.")
    return name.lower()


def _unusable(why: str) -> InvalidTarget:
    return InvalidTarget(f"Nothing of Reddit can be collected by this. {why}", hint=_HINT, field="target")
