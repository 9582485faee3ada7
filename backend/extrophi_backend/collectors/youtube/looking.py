"""Looking at a video: what can be had of it, and what of that becomes its document."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from extrophi_backend.collectors.models import Collected, Failure, Head, Run
from extrophi_backend.collectors.youtube.client import Session
from extrophi_backend.collectors.youtube.models import CaptionKind, Captions, Refusal, Track, Video
from extrophi_backend.collectors.youtube.parse import chosen
from extrophi_backend.collectors.youtube.target import video_url
from extrophi_backend.collectors.youtube.transcribing import MAX_SOUND, NotTranscribed, Transcriber
from extrophi_backend.collectors.youtube.writing import CAPTIONS, COMMENTS, LATER, NONE, document
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.jobs.misses import is_passing

_NOTHING = Head(0, {})
_HAD = frozenset(get_args(CaptionKind))
_OF_THE_TRACK = frozenset({"token_missing", "unreadable_answer"})
"""Codes of captions that cannot be had, while all else of the video can. Every other one is about more than them."""
_TOKEN_MISSING = Refusal("token_missing", "It has captions, which YouTube gives to browsers with a token alone.")


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: a document, or failures, or a document that lacks what the failures tell."""

    document: Collected | None
    failures: Sequence[Failure] = ()


class Looking:
    """At videos, for one run.

    Args:
        session: What asks YouTube.
        run: What is known of videos.
        languages: Of captions, preferred ones first.
        transcriber: Makes captions where there are none, if there is one.
        now: What is younger than a day may yet get captions.
    """

    def __init__(
        self, session: Session, run: Run, languages: Sequence[str], transcriber: Transcriber | None, now: datetime
    ) -> None:
        self._session = session
        self._run = run
        self._languages = languages
        self._transcriber = transcriber
        self._now = now

    async def look(self, external_id: str, *, comments: bool) -> Looked:
        """A video's document. Where what is said in it, or of it, cannot be had, a version that has it stays.

        Args:
            external_id: The video's.
            comments: They are wanted, too. Once they were, they are whenever it is looked at.

        Raises:
            Refused: why the video is not given.
            FetchFailed, Wait.
        """
        url = video_url(external_id)
        await self._run.suspect(url)
        head = (await self._run.known.heads([external_id])).get(external_id, _NOTHING)
        before = head.validators
        comments = comments or before.get(COMMENTS) is True
        video = await self._session.video(external_id, comments=comments)
        found = await self._captions(video)
        captions, lacking = (found, None) if isinstance(found, Captions) else (None, found)
        unread = _unread(video)
        refusals = [one for one in (video.uncommented, unread, lacking) if one is not None]
        # What may pass is last: of a video's failures, the last one says when it is looked at again.
        refusals.sort(key=lambda one: is_passing(one.code))
        failures = [Failure(url, one.code, one.detail) for one in refusals]
        loses_captions = lacking is not None and before.get(CAPTIONS) in _HAD
        lacks_comments = video.uncommented is not None or (unread is not None and not video.comments)
        loses_comments = lacks_comments and before.get(COMMENTS) is True
        if loses_captions or loses_comments:
            return Looked(None, failures)
        lack = LATER if lacking is not None and lacking.code == "captions_later" else NONE
        has_comments = comments and not lacks_comments
        made = await asyncio.to_thread(document, video, captions, comments=has_comments, lack=lack)
        # That it takes nothing away is only so of the version that was there at first: another job may write, too.
        return Looked(replace(made, based_on=head.version), failures)

    async def _captions(self, video: Video) -> Captions | Refusal:
        track = chosen(video, self._languages)
        if track is None:
            return _TOKEN_MISSING if video.withheld else await self._without(video)
        found = await self._fetched(track)
        if isinstance(found, Refusal) and found.code == "token_missing" and not video.is_elsewhere:
            # The page's are for its own player; others are told other addresses.
            other = await self._session.elsewhere(video.external_id)
            track = chosen(other, self._languages) if other else None
            found = await self._fetched(track) if track else found
        return found if isinstance(found, Refusal) or found.cues else await self._without(video)

    async def _fetched(self, track: Track) -> Captions | Refusal:
        try:
            return await self._session.captions(track)
        except Refused as refused:
            if refused.code not in _OF_THE_TRACK and not refused.code.startswith("http_"):
                raise
            return Refusal(refused.code, refused.detail)

    async def _without(self, video: Video) -> Captions | Refusal:
        """What to do without captions. Those of YouTube's own cost nothing, and are waited for."""
        if video.young_until is not None and self._now < video.young_until:
            return Refusal("captions_later", "It has no captions. It is so new that YouTube may still be making them.")
        if self._transcriber is None:
            return Refusal("no_captions", "It has no captions: its description is all there is to read.")
        other = None if video.sound else await self._session.elsewhere(video.external_id)
        sound = other.sound if other else video.sound
        if sound is None:
            return Refusal("no_captions", "It has no captions, and YouTube gives no sound to make some of.")
        with tempfile.TemporaryDirectory(prefix="extrophi-") as folder:
            path = Path(folder) / f"sound{sound.suffix}"
            try:
                await self._session.save(sound.url, path, MAX_SOUND)
                return await self._transcriber(path)
            except NotTranscribed as failure:
                return Refusal("not_transcribed", f"It has no captions. {failure.detail}")
            except FetchFailed as failure:
                return Refusal(failure.code, f"It has no captions, and its sound cannot be had. {failure.detail}")


def _unread(video: Video) -> Refusal | None:
    """What to say of comments that were told of, and that nobody can read."""
    if not video.unread_comments:
        return None
    count = video.unread_comments
    comments, are = ("comment", "is") if count == 1 else ("comments", "are")
    return Refusal("unknown_part", f"{count} {comments} without a text or an id {are} passed over.")
