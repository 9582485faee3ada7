"""What a job asks YouTube for: a video, its captions, its sound, and what a channel, playlist or search lists."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.web.listings import read_listing
from extrophi_backend.collectors.youtube.asking import Asked, YouTube, captcha
from extrophi_backend.collectors.youtube.captions import read_captions
from extrophi_backend.collectors.youtube.models import Captions, Refusal, Track, Video
from extrophi_backend.collectors.youtube.parse import channel_of, is_worth_another_way, unknown_parts, video_of
from extrophi_backend.collectors.youtube.reading import Json, text
from extrophi_backend.collectors.youtube.refusals import VANISHED, is_rate_limit, refusal_of
from extrophi_backend.collectors.youtube.target import HOME, place_of, uploads_of, video_url
from extrophi_backend.collectors.youtube.threads import Reader
from extrophi_backend.errors import Refused
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.errors import FetchFailed

if TYPE_CHECKING:
    from extrophi_backend.collectors.youtube.ytdlp import Extraction

MOST_COMMENTS = 1000
"""Of a video, answers included; YouTube gives 20 in a request."""
BATCH = 100
"""Entries of a list that are given at once: as many as a page of it has."""
_PART = 8 * 2**20
"""Bytes of a long file that are asked for at once: YouTube slows down who asks for more than 10 MB."""
_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list: ids of videos in its order, and what kinds of parts nobody reads, with their numbers."""

    ids: Sequence[str]
    unknown: Counter[str]
    is_last: bool


class Session:
    """One job's, or one question's: used in `async with`, by one task."""

    def __init__(self, youtube: YouTube, cookies: Sequence[Cookie]) -> None:
        self._youtube = youtube
        self._cookies = cookies
        self._reader = Reader(youtube, cookies, most_comments=MOST_COMMENTS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    async def video(self, external_id: str, *, comments: bool) -> Video:
        """A video: what its page tells, and where captions are that can be fetched.

        One request; a second one where those of the page need a token, and one for twenty comments. Comments that
        cannot be had are none, and say why (`uncommented`).

        Raises:
            Refused: why it is not given.
            FetchFailed, Wait.
        """
        url = video_url(external_id)
        info, player = await self._read(external_id, lambda yt_dlp: yt_dlp.video(url, comments=comments))
        told, uncommented = await self._comments(info) if comments else ({}, None)
        video = replace(video_of({**info, **told}, player, external_id), uncommented=uncommented)
        if is_worth_another_way(player):
            return _with_captions(video, await self._told_others(external_id))
        if video.withheld and (other := await self.elsewhere(external_id)):
            return _with_captions(video, other)
        return video

    async def _comments(self, info: Json) -> tuple[Json, Refusal | None]:
        """What yt-dlp reads of a video's comments, and why it cannot."""
        try:
            told = await self._reader.read(lambda yt_dlp: yt_dlp.comments(info))
            if told.get("comments") or self._reader.answers.tell_comments:
                return told, None
            code, detail = "unreadable_answer", "What YouTube sends for them is nothing that can be read."
        except FetchFailed as failure:
            code, detail = failure.code, failure.detail
        except Refused as refusal:
            # Whether the video is there is not for its comments to say.
            status = self._reader.answers.refused
            named = f"http_{status}" if status else "unreadable_answer"
            code, detail = named if refusal.code in VANISHED else refusal.code, refusal.detail
        return {}, Refusal(code, f"Its comments cannot be had. {detail}")

    async def elsewhere(self, external_id: str) -> Video | None:
        """The same as other players are told it: with captions that need no token, and sound that can be fetched.

        None, if it is not given to them, as what is made for children is not: its page says what is to be said of it.

        Raises:
            FetchFailed, Wait.
        """
        try:
            return await self._told_others(external_id)
        except Refused:
            return None

    async def _told_others(self, external_id: str) -> Video:
        url = video_url(external_id)
        info, player = await self._read(external_id, lambda yt_dlp: yt_dlp.captions(url))
        return video_of(info, player, external_id)

    async def captions(self, track: Track) -> Captions:
        """The captions of a track. Those of twelve hours are read in a thread.

        Raises:
            Refused: token_missing, unreadable_answer, http_404 and its like.
            FetchFailed, Wait.
        """
        answer = (await self._youtube.ask(Asked(track.url), self._cookies)).response
        _check(answer.status_code)
        if not answer.content.strip():
            raise Refused("token_missing", "YouTube sends empty captions to who has no token of a browser's.")
        cues = await asyncio.to_thread(read_captions, answer.content)
        if cues is None:
            raise Refused("unreadable_answer", "What YouTube sends for captions is none that Extrophi can read.")
        return Captions(track.language, track.kind, cues, answer.content)

    async def save(self, url: str, path: Path, most: int) -> None:
        """Fetch a long file, a part at a time, into `path`.

        Args:
            url: Its address.
            path: Of a file that is made.
            most: Bytes that it may have.

        Raises:
            FetchFailed: too_large, broken_answer, why it cannot be had.
            Wait, Refused.
        """
        size = 0
        while True:
            headers = {"Range": f"bytes={size}-{size + _PART - 1}"}
            answer = (await self._youtube.ask(Asked(url, headers, most=most), self._cookies)).response
            found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
            is_part = answer.status_code == 206 and found is not None and int(found[1]) == size
            if not answer.content or not (is_part or (answer.status_code == 200 and size == 0)):
                raise FetchFailed("broken_answer", f"YouTube answers {answer.status_code} in the place of its sound.")
            size += len(answer.content)
            whole = int(found[2]) if is_part and found else size
            if max(whole, size) > most:
                raise FetchFailed("too_large", f"It has {max(whole, size):,} bytes; the limit is {most:,}.")
            await asyncio.to_thread(_append, path, answer.content)
            if size >= whole:
                return

    async def entries(self, url: str, size: int = BATCH) -> AsyncGenerator[Listed, None]:
        """What a playlist or a search lists, as far as it is gone through.

        Args:
            url: Its address.
            size: Entries that are given at once. No page of it is asked for before its entries are.

        Raises:
            Refused: why it is not given.
            FetchFailed, Wait.
        """
        entries = await self._reader.read(lambda yt_dlp: yt_dlp.entries(url))
        while True:
            ids = await self._reader.read(lambda _: list(islice(entries, size)))
            unknown = sum((unknown_parts(data) for data in self._reader.answers.data()), Counter[str]())
            yield Listed(ids, unknown, is_last=len(ids) < size)
            if len(ids) < size:
                return

    async def uploads(self, channel: str, size: int = BATCH) -> AsyncGenerator[Listed, None]:
        """What a channel has uploaded, newest first; otherwise as `entries`.

        Raises:
            Refused: why it is not given.
            FetchFailed, Wait.
        """
        try:
            async for listed in self.entries(uploads_of(channel).address, size):
                yield listed
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            # Who has uploaded nothing has no such playlist. Who is not there says so of itself.
            await self.channel_id(f"{HOME}/channel/{channel}")
            yield Listed((), Counter(), is_last=True)

    async def feed(self, channel: str) -> Sequence[str]:
        """Ids of a channel's newest videos, 15 at most; none, if it has no feed: that says nothing of the channel.

        Raises:
            FetchFailed, Wait, Refused.
        """
        url = f"{HOME}/feeds/videos.xml?{urlencode({'channel_id': channel})}"
        answer = (await self._youtube.ask(Asked(url), self._cookies)).response
        if answer.status_code != 200:
            return ()
        try:
            listing = await in_child(read_listing, answer.content, url, answer.headers.get("content-type", ""))
        except ExtractionFailed:
            return ()
        places = [place_of(entry.url) for entry in listing.entries] if listing else []
        return [place.name for place in places if place and place.kind == "video"]

    async def channel_id(self, url: str) -> str:
        """The id of the channel at an address.

        Raises:
            Refused: why there is none.
            FetchFailed, Wait.
        """
        try:
            found = await self._reader.read(lambda yt_dlp: yt_dlp.channel_id(f"{url}/featured"))
        except Refused:
            # A page that yt-dlp cannot read, since it has other tabs, still says whose it is.
            found = next(filter(None, map(channel_of, self._reader.answers.data())), "")
            if not found:
                raise
        place = place_of(f"{HOME}/channel/{found}")
        if place is None:
            raise Refused("unreadable_answer", "The page of the channel does not say which one it is.")
        return place.name

    async def _read(self, external_id: str, read: "Callable[[Extraction], Json]") -> tuple[Json, Json]:
        """What yt-dlp reads of a video, and YouTube's own answer for its player."""
        refused: Refused | None = None
        info: Json = {}
        try:
            info = await self._reader.read(read)
        except Refused as refusal:
            refused = refusal
        # What YouTube says itself is truer than what yt-dlp makes of it: for a film it reads the trailer.
        player = await asyncio.to_thread(self._reader.answers.player, external_id)
        if is_rate_limit(player):
            raise captcha()
        if refusal := refusal_of(player):
            raise Refused(refusal.code, refusal.detail)
        if refused is not None and player and refused.code in VANISHED:
            raise Refused("unreadable_answer", refused.detail)  # its player has it
        if refused is not None:
            raise refused
        if info.get("_type", "video") != "video" or not (player or text(info.get("title"))):
            raise Refused("unreadable_answer", "YouTube answers with something that is no video.")
        return info, player


def _append(path: Path, part: bytes) -> None:
    with path.open("ab") as file:
        file.write(part)


def _with_captions(video: Video, other: Video) -> Video:
    """The video of its page, with what only others are told: also of the page that told nothing."""
    return replace(
        video,
        title=video.title or other.title,
        description=video.description or other.description,
        author=video.author or other.author,
        published_at=video.published_at or other.published_at,
        young_until=video.young_until or other.young_until,
        chapters=video.chapters or other.chapters,
        tracks=other.tracks,
        is_elsewhere=True,
        withheld=video.withheld and not other.tracks,
        spoken=video.spoken or other.spoken,
        sound=other.sound,
    )


def _check(status: int) -> None:
    if status != 200:
        raise Refused(f"http_{status}", f"YouTube answers {status}.")
