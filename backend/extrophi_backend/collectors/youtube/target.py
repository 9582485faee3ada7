"""Which video, playlist, channel or search a person means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

from extrophi_backend.collectors.models import Target
from extrophi_backend.errors import InvalidTarget

HOME = "https://www.youtube.com"

_HOSTS = frozenset(
    ["youtube.com"]
    + [f"{name}.youtube.com" for name in ("www", "m", "music", "gaming")]
    + ["youtube-nocookie.com", "www.youtube-nocookie.com"]
)
_SHORT_HOSTS = frozenset({"youtu.be", "www.youtu.be"})
_SCHEME = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_VIDEO = re.compile(r"[\w-]{11}", re.ASCII)
_CHANNEL = re.compile(r"UC[\w-]{22}", re.ASCII)
_UPLOADS = re.compile(r"UU([\w-]{22})", re.ASCII)
_PLAYLIST = re.compile(r"[\w-]{2,100}", re.ASCII)
_NAME = re.compile(r"[^\s\x00-,/:-@\[-^`{-\x9f]{1,100}")
"""Of a channel: no ASCII but letters, digits, dots, dashes and underscores; letters and marks of every other script."""
_COMMENTS = "#comments"
_NOBODY = frozenset(
    "account api browse channels clip courses error explore fashion feed gaming get_video_info hashtag iframe_api "
    "index learning login logout movies music my_videos news oops playables playlists podcasts post premium purchases "
    "reporthistory s search shared shop shopping signin source sports static storefront subscriptions trending tv "
    "upload verify_age w watch_popup watch_videos youtubei".split()
)
"""First parts of paths of YouTube's own pages, on which there is nothing to collect. No channel has such a name."""
_PAGES = frozenset(
    "about ads attribution_link creators feeds howyoutubeworks intl jobs kids oembed press redirect t trends yt".split()
)
"""Those of pages that are pages like others of the web, or lead on to some."""
_HINT = (
    "Give a video (youtube.com/watch?v=…), a channel (youtube.com/@name), a playlist (youtube.com/playlist?list=…) "
    "or a search (youtube.com/results?search_query=…)."
)

Kind = Literal["video", "playlist", "channel", "named", "search"]


@dataclass(frozen=True, slots=True)
class Place:
    """What an address of YouTube's leads to.

    `name` is a video's, playlist's or channel's id. Of a channel that is only `named`, it is the path that names it
    (`@name`, `c/name`, `user/name`, `name`); of a search, the query of its address. With `comments`, those are wanted,
    too.
    """

    kind: Kind
    name: str
    comments: bool = False

    @property
    def address(self) -> str:
        """Equal for all spellings."""
        match self.kind:
            case "video":
                address = video_url(self.name)
            case "playlist":
                address = f"{HOME}/playlist?list={self.name}"
            case "channel":
                address = f"{HOME}/channel/{self.name}"
            case "named":
                address = f"{HOME}/{quote(self.name, safe='/@')}"
            case "search":
                address = f"{HOME}/results?{self.name}"
        return f"{address}{_COMMENTS}" if self.comments else address


def recognise(typed: str) -> Target | None:
    """The video, playlist, channel or search behind an address of YouTube's, with or without its scheme; else None.

    A bare id or `@name` is none: it may mean other things.

    Raises:
        InvalidTarget: it is YouTube's, and nothing that can be collected.
    """
    place, parts = place_of(typed), _split(typed.strip())
    if place is None and parts is not None and _is_nothing(parts):
        detail = f"“{typed.strip()[:200]}” cannot be collected: it is no video, channel, playlist or search."
        raise InvalidTarget(detail, hint=_HINT, field="target")
    return Target("youtube", place.address, typed) if place else None


def place_of(address: str) -> Place | None:
    """What an address of YouTube's leads to; None if it is none, or leads to something that is not collected."""
    parts = _split(address.strip())
    if parts is None:
        return None
    place = _place(parts)
    wants = parts.fragment.lower() == "comments" and place is not None and place.kind != "search"
    return Place(place.kind, place.name, comments=True) if place and wants else place


def video_url(external_id: str) -> str:
    return f"{HOME}/watch?v={external_id}"


def uploads_of(channel: str) -> Place:
    """The playlist of all that a channel has uploaded, newest first: videos, shorts and what was live."""
    return Place("playlist", f"UU{channel.removeprefix('UC')}")


def _split(text: str) -> SplitResult | None:
    try:
        text.encode()
        parts = urlsplit(text if _SCHEME.match(text) else f"//{text}")
        if parts.username is not None or parts.port not in {None, 80, 443}:
            return None
    except ValueError:  # lone surrogates, brackets that are no IPv6, a port that is no number
        return None
    return parts


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _segments(parts: SplitResult) -> list[str]:
    return [unquote(segment) for segment in parts.path.split("/") if segment]


def _is_nothing(parts: SplitResult) -> bool:
    """Whether an address that leads to no place is YouTube's, and no page or file that others can read."""
    first = [*_segments(parts), ""][0].lower()
    return _host(parts) in _HOSTS | _SHORT_HOSTS and first not in _PAGES and "." not in first


def _place(parts: SplitResult) -> Place | None:
    segments = _segments(parts)
    query = {name: values[0].strip() for name, values in parse_qs(parts.query).items()}
    if not segments or _host(parts) not in _HOSTS | _SHORT_HOSTS:
        return None
    if _host(parts) in _SHORT_HOSTS and segments != ["watch"]:
        return _video(segments[0]) if len(segments) == 1 else None
    return _place_on_site(segments[0], [*segments[1:], ""][0], query)


def _place_on_site(first: str, second: str, query: Mapping[str, str]) -> Place | None:
    """What a path leads to, by its first two segments; of a channel, whatever its tab (`/videos`, `/streams`)."""
    match first.lower():
        case "watch":
            place = _video(query.get("v") or second) or (None if "v" in query else _playlist(query))
        case "playlist":
            place = _playlist(query)
        case "embed" if second == "videoseries":
            place = _playlist(query)
        case "embed" if second == "live_stream":
            place = _channel(query.get("channel", ""))
        case "shorts" | "live" | "embed" | "v" | "e":
            place = _video(second)
        case "channel":
            place = _channel(second)
        case "results":
            place = _search(query)
        case _:
            place = _by_name(first, second)
    return place


def _video(external_id: str) -> Place | None:
    return Place("video", external_id) if _VIDEO.fullmatch(external_id) else None


def _channel(external_id: str) -> Place | None:
    return Place("channel", external_id) if _CHANNEL.fullmatch(external_id) else None


def _playlist(query: Mapping[str, str]) -> Place | None:
    name = query.get("list", "")
    if uploads := _UPLOADS.fullmatch(name):
        return Place("channel", f"UC{uploads[1]}")
    return Place("playlist", name) if _PLAYLIST.fullmatch(name) else None


def _by_name(first: str, second: str) -> Place | None:
    """A channel by its handle, or by one of the names that channels had before."""
    what = first.lower()
    if first.startswith("@"):
        return _named("@", first[1:])
    if what in {"c", "user"}:
        return _named(f"{what}/", second)
    # The oldest names have neither dots nor dashes.
    return None if what in _NOBODY | _PAGES or {".", "-"} & {*what} else _named("", first)


def _named(before: str, name: str) -> Place | None:
    # YouTube takes letters of either case for the same. To lower one may take it apart: composed before and after.
    plain = normalize("NFC", normalize("NFC", name).lower())
    return Place("named", f"{before}{plain}") if _NAME.fullmatch(plain) else None


def _search(query: Mapping[str, str]) -> Place | None:
    words = " ".join((query.get("search_query") or query.get("q") or "").split())
    # `sp` holds the filters and the order that the person chose.
    chosen = {"sp": query["sp"]} if query.get("sp") else {}
    return Place("search", urlencode({"search_query": words} | chosen)) if words else None
