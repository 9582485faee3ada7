"""YouTube on loopback: pages, API, captions and feeds, as far as yt-dlp and our own code ask for them.

What it answers is recorded (tests/data/youtube) or made after the recorded forms. `requests` counts what is asked for
by kind; `asked` keeps it, with headers and body.
"""

import gzip
import json
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.accounts.models import Credentials
from extrophi_backend.collectors.models import Platform, Target
from extrophi_backend.collectors.youtube.target import recognise

RECORDED = Path(__file__).parents[1] / "data" / "youtube"
RECORDED_ID = "GJLlxj_dtq8"
PAGE_OF_LIST = 100

Json = Mapping[str, Any]


def recorded(name: str) -> bytes:
    return gzip.decompress((RECORDED / f"{name}.gz").read_bytes())


def video_id(number: int, mark: str = "v") -> str:
    return f"{mark}{number:010d}"


def channel_id(name: str) -> str:
    return f"UC{name:_<22}"


@dataclass(frozen=True)
class Reply:
    body: bytes | str = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeTrack:
    """Captions. `body` is sent whatever format is asked for."""

    body: bytes
    language: str = "en"
    automatic: bool = False


@dataclass(frozen=True)
class MadeComment:
    name: str
    text: str
    author: str = "@reader"
    likes: str = "7"
    when: str = "2 years ago"
    replies: Sequence["MadeComment"] = ()


@dataclass
class MadeVideo:
    """A video. `page` and `player` are sent in the place of what is made of the rest."""

    title: str = "A video"
    description: str = "What it is about."
    author: str = "A channel"
    published: str | None = "2026-01-31T12:00:00-08:00"
    seconds: int = 600
    tracks: Sequence[MadeTrack] = ()
    chapters: Sequence[tuple[int, str]] = ()
    comments: Sequence[MadeComment] = ()
    playability: Json = field(default_factory=lambda: {"status": "OK"})
    details: Json = field(default_factory=dict)
    microformat: Json = field(default_factory=dict)
    needs_token: bool = False
    """As far as its page tells; others are told addresses that need none."""
    sound: bytes = b""
    page: bytes | None = None
    player: bytes | None = None


@dataclass
class MadeChannel:
    name: str
    uploads: list[str] = field(default_factory=list)
    """Ids of its videos, newest first."""
    names: Sequence[str] = ()
    """Paths that lead to it: `@name`, `c/name`, `user/name`."""
    alert: str = ""
    feed: Reply | None = None


@dataclass
class YouTubeServer:
    """`replies` by path: sent in the place of whatever belongs there."""

    videos: dict[str, MadeVideo] = field(default_factory=dict)
    channels: dict[str, MadeChannel] = field(default_factory=dict)
    playlists: dict[str, list[str]] = field(default_factory=dict)
    searches: dict[str, list[str]] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    """Of playlists: what stands in their place."""
    extra_parts: Sequence[Json] = ()
    """Of every page of a list."""
    damage: Callable[[Any], Any] = lambda whole: whole
    """Done to all JSON that is sent."""
    lockups: bool = False
    """Lists consist of the newer kind of parts."""
    port: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_videos(self, count: int, mark: str = "v", **kind: Any) -> list[str]:
        """So many videos, newest first, each with captions of its own unless told otherwise."""
        ids = [video_id(number, mark) for number in range(count)]
        for number, one in enumerate(ids):
            tracks = [MadeTrack(json3([(0, f"Words of {one}."), (3, "More.")]))]
            made: dict[str, Any] = {"title": f"Video {number}", "tracks": tracks} | kind
            self.videos[one] = MadeVideo(**made)
        return ids

    def add_channel(self, name: str, uploads: Sequence[str], *names: str) -> str:
        one = channel_id(name)
        self.channels[one] = MadeChannel(name, list(uploads), names)
        return one

    def answer(self, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        if path in self.replies:
            return self.replies[path]
        api = path.removeprefix("/youtubei/v1/")
        if api != path:
            return _json(self.damage(self._api(api, json.loads(body))))
        match path:
            case "/watch":
                return self._watch(query.get("v", ""))
            case "/api/timedtext":
                return self._captions(query)
            case "/feeds/videos.xml":
                return self._feed(query.get("channel_id", ""))
            case "/playlist":
                return Reply(self._html({}, self._list(query.get("list", ""))))
            case "/sound":
                return Reply(self.videos[query["v"]].sound, media_type="audio/mp4")
            case _:
                return self._channel(path.strip("/").removesuffix("/featured"))

    def _html(self, player: Json, data: Json) -> str:
        context = {"client": {"clientName": "WEB", "clientVersion": "2.20260101.00.00", "visitorData": "visitor"}}
        settings = {"INNERTUBE_CONTEXT": context, "INNERTUBE_CONTEXT_CLIENT_NAME": 1, "LOGGED_IN": False}
        shown = json.dumps(self.damage(player))
        played = f"<script>var ytInitialPlayerResponse = {shown};</script>" if player else ""
        return (
            "<!DOCTYPE html><html><head><title>YouTube</title>"
            f"<script>ytcfg.set({json.dumps(settings)});</script></head>"
            f"<body>{played}<script>var ytInitialData = {json.dumps(self.damage(data))};</script></body></html>"
        )

    def _watch(self, name: str) -> Reply:
        video = self.videos.get(name)
        if video is None:
            gone = {"status": "ERROR", "reason": "Video unavailable"}
            return Reply(self._html({"playabilityStatus": gone}, _watch_data(name, MadeVideo())))
        if video.page is not None:
            return Reply(video.page)
        return Reply(self._html(self._player(name, video, token=video.needs_token), _watch_data(name, video)))

    def _player(self, name: str, video: MadeVideo, *, token: bool) -> Json:
        tracks = [
            {
                "baseUrl": f"https://www.youtube.com/api/timedtext?v={name}&number={number}&lang={track.language}"
                + ("&kind=asr" if track.automatic else "")
                + ("&exp=xpe" if token else ""),
                "name": {"simpleText": track.language},
                "vssId": f"{'a' if track.automatic else ''}.{track.language}",
                "languageCode": track.language,
                "isTranslatable": True,
            }
            | ({"kind": "asr"} if track.automatic else {})
            for number, track in enumerate(video.tracks)
        ]
        listed = {
            "captionTracks": tracks,
            "translationLanguages": [
                {"languageCode": code, "languageName": {"simpleText": code}} for code in ("de", "en", "fr")
            ],
        }
        date = {"publishDate": video.published, "uploadDate": video.published} if video.published else {}
        sound = {
            "adaptiveFormats": [
                {
                    "itag": itag,
                    "url": f"{self.base}/sound?v={name}&itag={itag}",
                    "mimeType": 'audio/mp4; codecs="mp4a.40.5"',
                    "bitrate": bitrate,
                    "averageBitrate": bitrate,
                    "contentLength": str(len(video.sound)),
                    "quality": "tiny",
                    "audioQuality": "AUDIO_QUALITY_LOW",
                }
                for itag, bitrate in ((140, 128_000), (139, 48_000))
            ]
        }
        return (
            {
                "playabilityStatus": video.playability,
                "videoDetails": {
                    "videoId": name,
                    "title": video.title,
                    "lengthSeconds": str(video.seconds),
                    "channelId": channel_id("made"),
                    "shortDescription": video.description,
                    "author": video.author,
                    "isPrivate": False,
                    "isLiveContent": False,
                }
                | dict(video.details),
                "microformat": {"playerMicroformatRenderer": date | dict(video.microformat)},
            }
            | ({"captions": {"playerCaptionsTracklistRenderer": listed}} if tracks else {})
            | ({"streamingData": sound} if video.sound and not token else {})
        )

    def _captions(self, query: Mapping[str, str]) -> Reply:
        track = self.videos[query["v"]].tracks[int(query.get("number", 0))]
        return Reply(track.body, media_type="text/plain")

    def _api(self, name: str, asked: Json) -> Json:
        match name:
            case "player":
                video = self.videos.get(asked["videoId"])
                if video is None:
                    return {"playabilityStatus": {"status": "ERROR", "reason": "Video unavailable"}}
                return (
                    json.loads(video.player)
                    if video.player is not None
                    else self._player(asked["videoId"], video, token=False)
                )
            case "next" if "videoId" in asked:
                return _watch_data(asked["videoId"], self.videos[asked["videoId"]])
            case "next":
                return self._comments(asked["continuation"])
            case "browse":
                listed, _, start = str(asked["continuation"]).partition(":")
                parts = self._parts(listed, int(start))
                return {"onResponseReceivedActions": [{"appendContinuationItemsAction": {"continuationItems": parts}}]}
            case "search":
                return self._search(asked)
            case _:
                return {}

    def _list(self, name: str) -> Json:
        if name in self.alerts or self._listed(name) is None:
            text = self.alerts.get(name, "The playlist does not exist.")
            return {"alerts": [{"alertRenderer": {"type": "ERROR", "text": {"runs": [{"text": text}]}}}]}
        parts = self._parts(name, 0)
        section = parts if self.lockups else [{"playlistVideoListRenderer": {"contents": parts}}]
        return {
            "contents": _tab({"sectionListRenderer": {"contents": [{"itemSectionRenderer": {"contents": section}}]}}),
            "metadata": {"playlistMetadataRenderer": {"title": name}},
            "header": {"playlistHeaderRenderer": {"ownerText": {"runs": [{"text": "Owner"}]}}},
        }

    def _listed(self, name: str) -> list[str] | None:
        channel = self.channels.get(f"UC{name[2:]}") if name.startswith("UU") else None
        return (channel.uploads or None) if channel else self.playlists.get(name)

    def _parts(self, name: str, start: int) -> list[Json]:
        ids = self._listed(name) or []
        page = ids[start : start + PAGE_OF_LIST]
        parts = [*map(_lockup if self.lockups else _in_playlist, page), *self.extra_parts]
        more = [_continuation(f"{name}:{start + PAGE_OF_LIST}")] if len(ids) > start + PAGE_OF_LIST else []
        return [*parts, *more]

    def _search(self, asked: Json) -> Json:
        words, _, start = str(asked.get("continuation") or f"{asked['query']}:0").rpartition(":")
        at, size = int(start), 20
        ids = self.searches.get(words, [])
        found: list[Json] = [
            {"videoRenderer": {"videoId": one, "title": {"runs": [{"text": one}]}}} for one in ids[at : at + size]
        ]
        found.append({"channelRenderer": {"channelId": channel_id("found"), "title": {"simpleText": "Found"}}})
        parts: list[Json] = [{"itemSectionRenderer": {"contents": found}}]
        if len(ids) > at + size:
            parts.append(_continuation(f"{words}:{at + size}"))
        if "continuation" in asked:
            return {"onResponseReceivedCommands": [{"appendContinuationItemsAction": {"continuationItems": parts}}]}
        listed = {"primaryContents": {"sectionListRenderer": {"contents": parts}}}
        return {"contents": {"twoColumnSearchResultsRenderer": listed}}

    def _channel(self, path: str) -> Reply:
        found = next(
            (
                (one, made)
                for one, made in self.channels.items()
                if path.lower() in {f"channel/{one}".lower(), *(name.lower() for name in made.names)}
            ),
            None,
        )
        if found is None:
            return Reply("<html><title>404 Not Found</title></html>", 404)
        one, made = found
        if made.alert:
            alert = {"type": "ERROR", "text": {"simpleText": made.alert}}
            return Reply(self._html({}, {"alerts": [{"alertRenderer": alert}]}))
        home = _tab({"sectionListRenderer": {"contents": []}}, title="Home", url=f"/channel/{one}/featured")
        metadata = {"channelMetadataRenderer": {"title": made.name, "externalId": one}}
        return Reply(self._html({}, {"contents": home, "metadata": metadata}))

    def _feed(self, one: str) -> Reply:
        made = self.channels.get(one)
        if made is None:
            return Reply("Not Found", 404)
        if made.feed is not None:
            return made.feed
        entries = "".join(
            f"<entry><id>yt:video:{name}</id><yt:videoId>{name}</yt:videoId><title>{escape(name)}</title>"
            f'<link rel="alternate" href="https://www.youtube.com/watch?v={name}"/></entry>'
            for name in made.uploads[:15]
        )
        return Reply(
            '<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" '
            f'xmlns="http://www.w3.org/2005/Atom"><title>{escape(made.name)}</title>{entries}</feed>',
            media_type="text/xml; charset=UTF-8",
        )

    def _comments(self, token: str) -> Json:
        """The first answer holds the ways to sort them, each further one twenty threads, or a thread's answers."""
        name, _, rest = token.partition("/")
        comments = self.videos[name].comments
        if not rest:
            sorts = [
                {"title": title, "serviceEndpoint": {"continuationCommand": {"token": f"{name}/{title}:0"}}}
                for title in ("Top", "Newest")
            ]
            header = {
                "countText": {"runs": [{"text": str(len(comments))}]},
                "sortMenu": {"sortFilterSubMenuRenderer": {"subMenuItems": sorts}},
            }
            first = {"reloadContinuationItemsCommand": {"continuationItems": [{"commentsHeaderRenderer": header}]}}
            return {"onResponseReceivedEndpoints": [first]}
        what, _, number = rest.partition(":")
        parts: list[Json]
        if what == "answers":
            shown = list(comments[int(number)].replies)
            parts = [{"commentViewModel": _keys(one)} for one in shown]
        else:
            at = int(number)
            shown = list(comments[at : at + 20])
            parts = [
                {
                    "commentThreadRenderer": {"commentViewModel": {"commentViewModel": _keys(one)}}
                    | ({"replies": _answers(f"{name}/answers:{at + place}")} if one.replies else {})
                }
                for place, one in enumerate(shown)
            ]
            if len(comments) > at + 20:
                parts.append(_continuation(f"{name}/{what}:{at + 20}"))
        command = {"appendContinuationItemsAction": {"continuationItems": parts}}
        mutations = [_entity(one) for one in shown]
        return {
            "onResponseReceivedEndpoints": [command],
            "frameworkUpdates": {"entityBatchUpdate": {"mutations": mutations}},
        }


@dataclass
class Wallet:
    """The cookies that a person has given."""

    cookies: tuple[Cookie, ...] = ()

    async def credentials(self, platform: Platform) -> Credentials:
        return Credentials(platform, {}, self.cookies, {})


def target(address: str) -> Target:
    found = recognise(address)
    assert found is not None
    return found


def json3(cues: Sequence[tuple[float, str]], *, length: float = 2.5) -> bytes:
    """Captions as YouTube sends them for `fmt=json3`."""
    events = [
        {"tStartMs": round(start * 1000), "dDurationMs": round(length * 1000), "segs": [{"utf8": text}]}
        for start, text in cues
    ]
    return json.dumps({"wireMagic": "pb3", "events": events}).encode()


def refused(
    status: str, reason: str, subreason: str = "", *, screen: Json | None = None, **more: Any
) -> dict[str, Any]:
    """What stands in the place of a video, as the player gets it."""
    shown = {"reason": {"simpleText": reason}} | ({"subreason": {"runs": [{"text": subreason}]}} if subreason else {})
    shown_at = {"playerErrorMessageRenderer": shown} | dict(screen or {})
    return {"status": status, "reason": reason, "errorScreen": shown_at} | more


def _json(value: Json) -> Reply:
    return Reply(json.dumps(value), media_type="application/json; charset=UTF-8") if value else Reply("{}", 404)


def _watch_data(name: str, video: MadeVideo) -> Json:
    chapters = [
        {"chapterRenderer": {"title": {"simpleText": title}, "timeRangeStartMillis": start * 1000}}
        for start, title in video.chapters
    ]
    bar = {"playerBar": {"chapteredPlayerBarRenderer": {"chapters": chapters}}}
    decorated = {"decoratedPlayerBarRenderer": {"decoratedPlayerBarRenderer": bar}}
    owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": video.author}]}}}
    contents = [
        {"videoPrimaryInfoRenderer": {"title": {"runs": [{"text": video.title}]}}},
        {"videoSecondaryInfoRenderer": {"owner": owner}},
        {"itemSectionRenderer": {"sectionIdentifier": "comment-item-section", "contents": [_continuation(name)]}},
    ]
    return {
        "contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": contents}}}},
        "playerOverlays": {"playerOverlayRenderer": decorated if chapters else {}},
    }


def _tab(content: Json, title: str = "", url: str = "") -> Json:
    endpoint = {"commandMetadata": {"webCommandMetadata": {"url": url}}}
    shown = {"selected": True, "content": content} | ({"title": title, "endpoint": endpoint} if title else {})
    return {"twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": shown}]}}


def _in_playlist(name: str) -> Json:
    return {"playlistVideoRenderer": {"videoId": name, "title": {"runs": [{"text": name}]}, "lengthSeconds": "60"}}


def _lockup(name: str) -> Json:
    metadata = {"lockupMetadataViewModel": {"title": {"content": name}}}
    return {
        "lockupViewModel": {"contentId": name, "contentType": "LOCKUP_CONTENT_TYPE_VIDEO", "metadata": metadata},
    }


def _continuation(token: str) -> Json:
    return {"continuationItemRenderer": {"continuationEndpoint": {"continuationCommand": {"token": token}}}}


def _keys(one: MadeComment) -> Json:
    return {"commentId": one.name, "commentKey": f"key-{one.name}", "toolbarStateKey": f"bar-{one.name}"}


def _answers(token: str) -> Json:
    return {"commentRepliesRenderer": {"contents": [_continuation(token)]}}


def _entity(one: MadeComment) -> Json:
    properties = {"commentId": one.name, "content": {"content": one.text}, "publishedTime": one.when}
    author = {"displayName": one.author, "channelId": channel_id("reader")}
    payload = {"properties": properties, "author": author, "toolbar": {"likeCountA11y": one.likes}}
    return {"entityKey": f"key-{one.name}", "payload": {"commentEntityPayload": payload}}


_KINDS = {
    "/watch": "watch",
    "/api/timedtext": "captions",
    "/feeds/videos.xml": "feed",
    "/playlist": "list",
    "/sound": "sound",
}


@contextmanager
def serving(server: YouTubeServer) -> Generator[YouTubeServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            kind = _KINDS.get(parts.path) or parts.path.removeprefix("/youtubei/v1/")
            server.requests["page" if kind.startswith("/") else kind] += 1
            server.asked.append((self.path, dict(self.headers.items()), body))
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            try:
                reply = server.answer(parts.path, query, body)
            except (KeyError, IndexError, ValueError) as error:
                reply = Reply(f"The server of the tests has nothing for it: {error!r}", 400)
            self.send(reply)

        def send(self, reply: Reply) -> None:
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            status, headers = reply.status, dict(reply.headers)
            wanted = self.headers.get("Range", "").removeprefix("bytes=")
            if wanted and status == 200:
                first, last = (int(number) for number in wanted.split("-"))
                headers["Content-Range"] = f"bytes {first}-{min(last, len(body) - 1)}/{len(body)}"
                status, body = 206, body[first : last + 1]
            self.send_response(status)
            for name, value in ({"Content-Type": reply.media_type, "Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """The counters are the log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients leave in the middle, and may."""

    with Server(("127.0.0.1", server.port), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
