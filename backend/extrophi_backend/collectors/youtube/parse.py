"""What yt-dlp and YouTube's own answers tell of a video, a list or a feed, as our words."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from extrophi_backend.collectors.youtube.captions import storable
from extrophi_backend.collectors.youtube.models import Chapter, Comment, Sound, Track, Video
from extrophi_backend.collectors.youtube.reading import Json, day, items, mapping, moment, number, text
from extrophi_backend.extraction.assembling import one_line

_YOUNG = timedelta(days=1)
_NOBODY = "unknown"
"""Who wrote a comment, where YouTube does not say: without an author, it would be its channel's."""
_FEWEST_CHAPTERS = 3
_TIME = r"(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d{2})"
_TIME_FIRST = re.compile(rf"\W*(?:\d{{1,3}}(?!:)\W+)?{_TIME}\b\W*\s(?P<title>.+)")
"""After a bullet, a number or a bracket, if there is one."""
_TIME_LAST = re.compile(rf"(?P<title>.*[^\s:|>~=•·→–—-])[\s:|>~=•·→–—-]*\s[(\[]?{_TIME}[)\]]?")
_MICROFORMAT = ("microformat", "playerMicroformatRenderer")
_FORMAT = "json3"
"""Of captions: the one that says to the millisecond, and escapes nothing."""
_READ = frozenset(
    "playlistVideoRenderer playlistPanelVideoRenderer videoRenderer gridVideoRenderer reelItemRenderer "
    "richItemRenderer lockupViewModel shortsLockupViewModel playlistVideoListRenderer richGridRenderer "
    "itemSectionRenderer gridRenderer shelfRenderer reelShelfRenderer".split()
)
"""Parts of lists that hold videos, and that yt-dlp reads."""
_PASSED = frozenset(
    "continuationItemRenderer continuationItemViewModel channelRenderer playlistRenderer radioRenderer showRenderer "
    "gridPlaylistRenderer gridChannelRenderer gridShelfViewModel movieRenderer gridMovieRenderer adSlotRenderer "
    "promotedSparklesWebRenderer promotedVideoRenderer searchPyvRenderer messageRenderer alertRenderer "
    "alertWithButtonRenderer didYouMeanRenderer showingResultsForRenderer includingResultsForRenderer "
    "horizontalCardListRenderer backgroundPromoRenderer clarificationRenderer infoPanelContainerRenderer "
    "secondarySearchContainerRenderer universalWatchCardRenderer playlistSidebarRenderer playlistHeaderRenderer "
    "chipCloudRenderer feedFilterChipBarRenderer searchRefinementCardRenderer backstagePostThreadRenderer "
    "postRenderer sharedPostRenderer hashtagTileRenderer".split()
)
"""Parts of lists that are none of their videos: channels, playlists, posts, advertisements, buttons."""


def video_of(info: Json, player: Json, external_id: str) -> Video:
    """The video that yt-dlp read.

    Args:
        info: What yt-dlp gives; parts of it may be missing.
        player: YouTube's own answer that it was read from: it tells what yt-dlp leaves out.
        external_id: Of the video that was asked for.
    """
    details = mapping(player, "videoDetails")
    # yt-dlp leaves out a time that is written for Greenwich.
    exact = moment(info.get("timestamp")) or moment(mapping(player, *_MICROFORMAT).get("uploadDate"))
    begun = moment(info.get("release_timestamp"))
    published_at = exact or day(info.get("upload_date"))
    tracks = tuple(_tracks(info))
    listed = _listed(player)
    comments = tuple(_comments(info))
    description = storable(text(info.get("description")) or text(details.get("shortDescription")))
    length = number(info.get("duration")) or number(details.get("lengthSeconds")) or float("inf")
    return Video(
        external_id=external_id,
        title=storable(text(info.get("title")) or text(details.get("title"))),
        description=description,
        author=storable(text(info.get("channel")) or text(details.get("author"))) or None,
        published_at=published_at or begun,
        young_until=_young_until(published_at, begun, is_exact=exact is not None),
        tracks=tracks,
        withheld=bool(listed) and not tracks,
        spoken=_spoken(listed, player),
        chapters=tuple(_chapters(info)) or _described_chapters(description, length),
        comments=comments,
        unread_comments=sum(1 for _ in items(info, "comments")) - len(comments),
        sound=_sound(info),
        raw={
            "videoDetails": details,
            "microformat": mapping(player, "microformat"),
            "chapters": info.get("chapters"),
        },
    )


def chosen(video: Video, languages: Sequence[str]) -> Track | None:
    """The captions to take: manual ones before automatic ones, then by language; None, if there are none.

    Args:
        video: With its tracks.
        languages: Preferred ones, the first most; if there are none, what is spoken in the video, then English.
    """
    wanted = [*languages] or [*([video.spoken] if video.spoken else []), "en"]
    manual = [track for track in video.tracks if track.kind == "manual"]
    automatic = [track for track in video.tracks if track.kind == "automatic"]
    for tracks in (manual, automatic):
        for fits in (_is_same, _is_akin):
            for language in wanted:
                if found := next((track for track in tracks if fits(track.language, language)), None):
                    return found
    return next(iter([*manual, *automatic]), None)


def is_worth_another_way(player: Json) -> bool:
    """Whether the page holds nothing for the player, or only what one has to say to want to see."""
    return text(mapping(player, "playabilityStatus").get("status")) in {"", "CONTENT_CHECK_REQUIRED"}


def channel_of(data: Json) -> str:
    """The id of the channel whose page is drawn from this; empty, if it is none's."""
    return text(mapping(data, "metadata", "channelMetadataRenderer").get("externalId"))


def unknown_parts(data: Json) -> Counter[str]:
    """Kinds of parts of a list that nobody reads, with their numbers."""
    kinds: Counter[str] = Counter()
    todo: list[Any] = [data]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(cast("list[Any]", one))
            continue
        for name, value in mapping(one).items():
            if name in {"contents", "continuationItems"} and isinstance(value, list):
                kinds.update(_kind(part) for part in cast("list[Any]", value))
            if isinstance(value, dict | list) and name in _LEADS:
                todo.append(value)
    return Counter({kind: count for kind, count in kinds.items() if kind and kind not in _READ | _PASSED | _OUTER})


_OUTER = frozenset({"sectionListRenderer", "tabRenderer", "expandableTabRenderer", "twoColumnBrowseResultsRenderer"})
_LEADS = frozenset(
    "contents twoColumnBrowseResultsRenderer tabs tabRenderer content sectionListRenderer itemSectionRenderer "
    "playlistVideoListRenderer richGridRenderer onResponseReceivedActions onResponseReceivedEndpoints "
    "onResponseReceivedCommands appendContinuationItemsAction continuationItems twoColumnSearchResultsRenderer "
    "primaryContents".split()
)
"""The way to the parts of a list."""


def _kind(part: Any) -> str:
    """The name of a part; of one that has several keys, of which one holds it, that one's."""
    return next((key for key, value in mapping(part).items() if isinstance(value, dict)), "") or "part without a name"


def _is_same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _is_akin(one: str, other: str) -> bool:
    """`en-GB` for `en`, and the other way round."""
    return one.lower().split("-")[0] == other.lower().split("-")[0]


def _tracks(info: Json) -> Iterator[Track]:
    """Captions that can be fetched, and that are no translation of others.

    Of the automatic ones, yt-dlp lists translations into a hundred languages: those have `tlang` in their address.
    """
    for kind, name in (("manual", "subtitles"), ("automatic", "automatic_captions")):
        seen: set[str] = set()
        for key in mapping(info, name):
            entries = list(items(info, name, key))
            entry = next((one for one in entries if one.get("ext") == _FORMAT), entries[0] if entries else {})
            url = text(entry.get("url"))
            query = _query(url)
            language = query.get("lang") or key.removesuffix("-orig")
            if url.startswith("https://") and key != "live_chat" and "tlang" not in query and url not in seen:
                seen.add(url)
                yield Track(url, language, "manual" if kind == "manual" else "automatic")


def _young_until(published_at: datetime | None, begun: datetime | None, *, is_exact: bool) -> datetime | None:
    """Until when YouTube may still be making captions. Where only the day is known, it may be that day's last hour."""
    moments = [published_at + (_YOUNG if is_exact else 2 * _YOUNG)] if published_at else []
    return max([*moments, *([begun + _YOUNG] if begun else [])], default=None)


def _query(url: str) -> dict[str, str]:
    try:
        return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        return {}


def _listed(player: Json) -> list[Json]:
    """The captions that there are, whether they can be fetched or not."""
    return list(items(player, "captions", "playerCaptionsTracklistRenderer", "captionTracks"))


def _spoken(listed: Sequence[Json], player: Json) -> str | None:
    """The language of what YouTube itself heard; else of the captions that go with the sound."""
    heard = [one for one in listed if one.get("kind") == "asr"]
    sounds = list(items(player, "captions", "playerCaptionsTracklistRenderer", "audioTracks"))
    default = sounds[0].get("defaultCaptionTrackIndex") if sounds else None
    if not heard and isinstance(default, int) and 0 <= default < len(listed):
        heard = [listed[default]]
    return text(heard[0].get("languageCode")) or None if heard else None


def _chapters(info: Json) -> Iterator[Chapter]:
    last = 0.0
    for one in items(info, "chapters"):
        start, title = number(one.get("start_time")), one_line(storable(text(one.get("title"))))
        if start is not None and start >= last and title:
            last = start
            yield Chapter(start, title)


def _described_chapters(description: str, length: float) -> Sequence[Chapter]:
    """The lines of a description that are chapters by YouTube's own rule: three at least, in order, from 0:00 on.

    All else that looks like a time may be one of the day (support.google.com/youtube/answer/9884579).
    """
    lines = [line.strip() for line in description.splitlines()]
    for pattern in (_TIME_FIRST, _TIME_LAST):
        found = [_chapter(match) for match in map(pattern.fullmatch, lines) if match]
        found = [one for one in found if one.title and one.start <= length]
        in_order = all(before.start < after.start for before, after in pairwise(found))
        if len(found) >= _FEWEST_CHAPTERS and found[0].start == 0 and in_order:
            return found
    return ()


def _chapter(line: re.Match[str]) -> Chapter:
    minutes = int(line["hours"] or 0) * 60 + int(line["minutes"])
    return Chapter(float(minutes * 60 + int(line["seconds"])), one_line(line["title"]))


def _comments(info: Json) -> Iterator[Comment]:
    depths: dict[str, int] = {}
    for one in items(info, "comments"):
        name, parent, said = text(one.get("id")), text(one.get("parent")), storable(text(one.get("text")))
        if name:
            depths[name] = depths.get(parent, -1) + 1
        if name and said.strip():
            score = number(one.get("like_count"))
            author = storable(text(one.get("author"))) or _NOBODY
            posted = moment(one.get("timestamp"))
            yield Comment(name, said, author, posted, depths[name], None if score is None else int(score))


def _sound(info: Json) -> Sound | None:
    """The smallest format without pictures."""
    found = [
        one
        for one in items(info, "formats")
        if one.get("vcodec") == "none" and text(one.get("acodec")) not in {"", "none"} and text(one.get("url"))
        if text(one.get("protocol") or "https") in {"https", "http"}
    ]
    if not found:
        return None

    least = min(found, key=lambda one: number(one.get("tbr")) or number(one.get("abr")) or float("inf"))
    return Sound(text(least.get("url")), f".{text(least.get('ext')) or 'm4a'}")
