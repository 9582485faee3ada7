"""Collecting a video, or all videos that a channel, a playlist or a search lists.

A video's external id is YouTube's own, whatever address led to it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.archives.models import TARGET, Archives
from extrophi_backend.archives.reading import Archive
from extrophi_backend.collectors.models import Failure, Page, Platform, Run, Target
from extrophi_backend.collectors.youtube.asking import YouTube
from extrophi_backend.collectors.youtube.client import Session
from extrophi_backend.collectors.youtube.listing import Listing, archived
from extrophi_backend.collectors.youtube.looking import Looking
from extrophi_backend.collectors.youtube.progress import Pending, Progress, memo_name, sort_out
from extrophi_backend.collectors.youtube.refusals import VANISHED
from extrophi_backend.collectors.youtube.target import Place, place_of, video_url
from extrophi_backend.collectors.youtube.transcribing import Transcriber
from extrophi_backend.errors import InvalidTarget, PlatformUnavailable, Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait, put_off

_BATCH = 50
"""Of the job's frontier, read at once."""
_RESOLVE_SECONDS = 10.0
"""Somebody waits for it."""
_FOR_ALL = frozenset({"consent_page"})
"""Codes of what YouTube answers whatever it is asked for: there is no use in going on."""
_BOT_CHECKS = 3
"""In a row: then YouTube checks whatever it is asked for, and goes on doing so as long as it is asked."""
_GAP = "gap"
"""What the memo tells of a channel: whether uploads that were listed, or that stood behind them, are still missing."""


class HasCredentials(Protocol):
    async def credentials(self, platform: Platform) -> Credentials:
        """What a collector may use."""
        ...


def make_collector(
    fetcher: Fetcher,
    accounts: HasCredentials,
    *,
    youtube_url: str,
    languages: Sequence[str] = (),
    transcriber: Transcriber | None = None,
    archives: Archives | None = None,
) -> "YouTubeCollector":
    """The collector for `youtube`.

    Args:
        fetcher: The way out.
        accounts: Has the person's cookies.
        youtube_url: Where YouTube is (EXTROPHI_YOUTUBE_URL).
        languages: Of captions, preferred ones first; by default what is spoken in the video, then English.
        transcriber: Makes captions where there are none (TRANSCRIBE_URL).
        archives: Has those that a job may be about.
    """
    return YouTubeCollector(
        YouTube(fetcher, youtube_url), accounts, languages=languages, transcriber=transcriber, archives=archives
    )


class YouTubeCollector:
    """Asks YouTube as a stranger, or with the person's cookies where there are some."""

    def __init__(
        self,
        youtube: YouTube,
        accounts: HasCredentials,
        *,
        languages: Sequence[str] = (),
        transcriber: Transcriber | None = None,
        archives: Archives | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._youtube = youtube
        self._accounts = accounts
        self._languages = languages
        self._transcriber = transcriber
        self._archives = archives
        self._now = now

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The documents of the target's videos, in the order of its list; a page for each.

        A run lists as many as it may need, looks at them, and lists on where too many of them failed: the cursor says
        how far it has come with either.

        Raises:
            Refused: YouTube does not give the target, or gives nothing any more (consent_page, bot_check).
            PlatformUnavailable: it asked us to come back later. Paced, if that is only our own pace.
        """
        if run.cursor is not None and run.cursor.get("done"):
            return
        archive, place = None, place_of(run.target.canonical)
        if self._archives is not None and run.target.canonical.startswith(TARGET):
            archive, place = await self._archives.open(run.target.canonical), Place("playlist", "")  # a list, too
        if place is None:
            raise InvalidTarget(f"“{run.target.canonical[:200]}” is nothing at YouTube that is collected.")
        async with await self._session() as session:
            looking = Looking(session, run, self._languages, self._transcriber, self._now())
            collecting = _Collecting(session, looking, run, place, archive)
            try:
                async with aclosing(collecting.pages()) as pages:
                    async for page in pages:
                        yield page
            except Wait as wait:
                raise put_off(wait) from wait
        yield Page(cursor={"done": True})

    async def resolve(self, target: Target) -> Target:
        """The target as its channel's id names it, where it is a channel by one of its names; else as it is.

        All spellings of a channel are one source so. It costs one request.

        Raises:
            InvalidTarget: there is no such channel.
            Refused: YouTube does not show it.
            PlatformUnavailable: it does not answer within ten seconds.
        """
        place = place_of(target.canonical)
        if place is None or place.kind != "named":
            return target
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS), await self._session() as session:
                channel = await session.channel_id(Place("named", place.name).address)
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            hint = "Give the address of the channel as the browser shows it."
            raise InvalidTarget(f"YouTube knows no channel {place.name}.", hint=hint, field="target") from refusal
        except Wait as wait:
            raise put_off(wait) from wait
        except TimeoutError as error:
            detail = f"YouTube does not say within {_RESOLVE_SECONDS:g} s which channel {place.name} is."
            raise PlatformUnavailable(detail, hint="Try again in a minute.", retry_after=60.0) from error
        except FetchFailed as failure:
            hint = "Try again in a minute."
            raise PlatformUnavailable(f"YouTube: {failure.detail}", hint=hint, retry_after=60.0) from failure
        return replace(target, canonical=replace(place, kind="channel", name=channel).address)

    async def _session(self) -> Session:
        return Session(self._youtube, (await self._accounts.credentials("youtube")).cookies)


class _Collecting:
    """One run."""

    def __init__(self, session: Session, looking: Looking, run: Run, place: Place, archive: Archive | None) -> None:
        self._session = session
        self._looking = looking
        self._run = run
        self._place = place
        self._archive = archive
        self._at = Progress.of(run.cursor)
        self._bot_checks = 0

    async def pages(self) -> AsyncGenerator[Page, None]:
        """The run's work from its cursor on.

        Raises:
            Refused, Wait.
        """
        if self._run.purpose == "revisit":
            pages = self._revisits()
        elif self._archive is not None:
            # It can be imported again, and costs no more than what is new in it.
            pages = self._looked_at(archived(self._run, self._archive, self._at), None)
        elif self._place.kind == "video":
            pages = self._target()
        else:
            pages = self._list()
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def _target(self) -> AsyncGenerator[Page, None]:
        """The one video that is the target: what is wrong with it ends the job, if it is more than its captions."""
        if self._run.purpose == "new":
            found = await sort_out(self._run.known, [self._place.name], comments=self._place.comments)
            if found.passed:
                yield Page(known=found.passed, cursor=self._at.cursor)
                return
        page, refusal = await self._look(self._place.name)
        # A refusal is the job's error, and no failure of one among many.
        yield replace(page, failures=() if refusal else page.failures, cursor=self._at.cursor)
        if refusal is not None:
            raise refusal

    async def _revisits(self) -> AsyncGenerator[Page, None]:
        """The documents that are due, and nothing else."""
        due = [*self._run.revisit]
        start = due.index(self._at.after) + 1 if self._at.after in due else 0
        for external_id in due[start:]:
            page = await self._look_on(external_id)
            self._at.after = external_id
            yield replace(page, cursor=self._at.cursor)
            self._stop_at_bot_checks()

    async def _list(self) -> AsyncGenerator[Page, None]:
        place = await self._identified()
        pending = await Pending.of(self._run.known, place.address, self._run.source)
        gap = memo_name(_GAP, place.address, self._run.source) if place.kind == "channel" else ""
        if gap and self._run.cursor is None:
            self._at.has_gap = bool(await self._run.known.memo(gap))
        async with aclosing(self._looked_at(self._listing(place, pending, gap), pending)) as pages:
            async for page in pages:
                yield page
        leaves_gap = self._at.is_cut_off or not self._at.is_listed or await self._run.known.waiting(1)
        if (self._at.has_gap or self._at.may_leave_gap) and not leaves_gap:
            self._at.has_gap = self._at.may_leave_gap = False
            yield Page(memos={gap: False}, cursor=self._at.cursor)

    async def _looked_at(
        self, parts: AsyncGenerator[Page, None], pending: Pending | None
    ) -> AsyncGenerator[Page, None]:
        """The parts of a list, and the videos that they put into the frontier, each looked at."""
        limit = self._run.limit
        async with aclosing(parts):
            while not self._at.is_enough(limit):
                batch = () if self._at.lists_first(limit) else await self._run.known.waiting(_BATCH)
                if not batch and self._at.is_listed:
                    return
                if not batch:
                    yield await anext(parts)
                for address in batch:
                    external_id = address.key.decode()
                    page = await self._look_on(external_id)
                    self._at.handled += len(page.documents)
                    self._at.failed += not page.documents
                    codes = [failure.code for failure in page.failures]
                    memos: Mapping[str, Any] = pending.note(external_id, codes) if pending else {}
                    settled = (replace(address, state="read"),)
                    yield replace(page, settled=settled, memos=memos, cursor=self._at.cursor)
                    self._stop_at_bot_checks()
                    if self._at.is_enough(limit):
                        break

    async def _identified(self) -> Place:
        """The place, a channel by its id."""
        if self._place.kind != "named":
            return self._place
        if not self._at.channel:
            self._at.channel = await self._session.channel_id(Place("named", self._place.name).address)
        return replace(self._place, kind="channel", name=self._at.channel)

    async def _listing(self, place: Place, pending: Pending, gap: str) -> AsyncGenerator[Page, None]:
        """The parts of the list. With the first that has something to be looked at, a channel's gap is open."""
        listing = Listing(self._session, self._run, place, self._at)
        try:
            async with aclosing(listing.pages(pending)) as pages:
                async for page in pages:
                    leaves = page.met or (self._at.listed and not self._at.is_listed)
                    if gap and leaves and not self._at.may_leave_gap:
                        self._at.may_leave_gap = True
                        page = replace(page, memos={gap: True}, cursor=self._at.cursor)  # noqa: PLW2901  the same, kept
                    yield page
        except (FetchFailed, Refused) as failure:
            if isinstance(failure, Refused) and (failure.code in _FOR_ALL or not self._at.listed):
                raise
            self._at.is_listed = self._at.is_cut_off = True  # what was listed before is as good
            missed = Failure(self._run.target.canonical, failure.code, failure.detail)
            yield Page(failures=(missed,), cursor=self._at.cursor)

    def _stop_at_bot_checks(self) -> None:
        if self._bot_checks >= _BOT_CHECKS:
            raise Refused("bot_check", f"YouTube asked {_BOT_CHECKS} times in a row whether a person asks.")

    async def _look_on(self, external_id: str) -> Page:
        """Look at one of many videos: what is wrong with it is its failure.

        Raises:
            Refused: what YouTube answers whatever it is asked for.
            Wait.
        """
        page, refusal = await self._look(external_id)
        if refusal is not None and refusal.code in _FOR_ALL:
            raise refusal
        self._bot_checks = self._bot_checks + 1 if refusal is not None and refusal.code == "bot_check" else 0
        return page

    async def _look(self, external_id: str) -> tuple[Page, Refused | None]:
        """Look at a video: what is saved of it, and why it was refused, if it was."""
        url = video_url(external_id)
        if url in self._run.set_aside:
            return Page(failures=(Failure(url, "poisonous", "Reading it ended the worker five times."),)), None
        try:
            looked = await self._looking.look(external_id, comments=self._place.comments)
        except FetchFailed as failure:
            return Page(failures=(Failure(url, failure.code, failure.detail),)), None
        except Refused as refusal:
            failure = Failure(url, refusal.code, refusal.detail)
            known = refusal.code in VANISHED and await self._run.known.validators([external_id])
            return Page(failures=(failure,), gone=(external_id,) if known else ()), refusal
        documents = (looked.document,) if looked.document else ()
        return Page(documents, failures=looked.failures, reached=() if looked.failures else (url,)), None
