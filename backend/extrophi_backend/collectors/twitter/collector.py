"""Collecting what a user, a list or a search of X shows, or a single post.

A document is a thread: a post, and what its author goes on with by answering it. Its external id is the id of its
first post, whatever way it came in. A repost is none of its own: what it reposts is collected, as its author's.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.archives.models import ANEW, TARGET, Archives
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.collectors.models import Failure, Page, Run
from extrophi_backend.collectors.twitter.by_api import ByAPI
from extrophi_backend.collectors.twitter.by_archive import ByArchive
from extrophi_backend.collectors.twitter.by_embed import ByEmbed
from extrophi_backend.collectors.twitter.by_session import BySession
from extrophi_backend.collectors.twitter.client import Caps, Client
from extrophi_backend.collectors.twitter.gathering import Gathered, gather
from extrophi_backend.collectors.twitter.models import Batch, posts_of
from extrophi_backend.collectors.twitter.progress import Remembered, progress, remembered
from extrophi_backend.collectors.twitter.reading import Unreadable
from extrophi_backend.collectors.twitter.session import Session
from extrophi_backend.collectors.twitter.target import Place, place_of, post_address
from extrophi_backend.collectors.twitter.threads import missing_above
from extrophi_backend.collectors.twitter.ways import Wanted, Way
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait, put_off
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

_MOST_CARRIED = 1_000
"""Posts whose thread's beginning has not come yet: with more, it is asked for, and not waited for any longer."""
_MOST_CLIMBS = 60
"""Requests of a run for beginnings of threads."""
_ELSEWHERE = frozenset({"credentials_refused", "plan_too_small", "monthly_cap", "session_ended", "account_locked"})
"""Refusals of one way in that another may do without."""
_GONE = frozenset({"removed", "not_found", "suspended"})


def make_collector(
    fetcher: Fetcher,
    accounts: Accounts,
    browser: Browser,
    *,
    api_url: str,
    web_url: str,
    archives: Archives | None = None,
) -> "TwitterCollector":
    """The collector for `twitter`.

    Args:
        fetcher: The worker's way out.
        accounts: Where the person's credentials are.
        browser: For a session of the person's own.
        api_url: Where X's API is (EXTROPHI_X_API_URL).
        web_url: Where X's pages are (EXTROPHI_X_WEB_URL).
        archives: Has those that a job may be about.
    """
    return TwitterCollector(
        fetcher, accounts, browser, api_url=api_url.rstrip("/"), web_url=web_url.rstrip("/"), archives=archives
    )


class TwitterCollector:
    """Goes in by the first way that the person has credentials for: API, session, embed.

    `quiet_seconds`: for which X's page, scrolled to its end, asks for nothing more if there is nothing.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        accounts: Accounts,
        browser: Browser,
        *,
        api_url: str,
        web_url: str,
        quiet_seconds: float = 4.0,
        archives: Archives | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._accounts = accounts
        self._browser = browser
        self._api_url = api_url
        self._web_url = web_url
        self._quiet_seconds = quiet_seconds
        self._archives = archives
        self._caps = Caps()

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The documents that are listed at a place, newest first.

        The cursor says where the listing goes on, and holds the posts whose thread's beginning has not come yet.

        Raises:
            Refused: by its code, why X gives nothing.
            PlatformUnavailable: X asks to be left alone for a while. Paced, if that is only our own pace.
        """
        if run.cursor is not None and run.cursor.get("done"):
            return
        target = run.target.canonical
        if target in run.set_aside:
            detail = "Collecting it ended the worker five times."
            yield Page(failures=[Failure(target, "poisonous", detail)], cursor={"done": True})
            return
        await run.suspect(target)
        if self._archives is not None and target.startswith(TARGET):
            async with aclosing(self._archived(run, await self._archives.open(target))) as pages:
                async for page in pages:
                    yield page
            return
        place = place_of(target)
        ways = self._ways(await self._accounts.credentials("twitter"))
        for number, way in enumerate(ways, 1):
            has_given = False
            try:
                async with aclosing(_Collecting(run, way, place).pages()) as pages:
                    async for page in pages:
                        yield page
                        has_given = True
            except Refused as refusal:
                if has_given or number == len(ways) or refusal.code not in _ELSEWHERE:
                    raise
                # It is shown with the account; here it only means that the next way is tried.
                _log.warning(event("twitter.way_refused", way=way.name, code=refusal.code))
            else:
                return

    async def _archived(self, run: Run, archive: Archive) -> AsyncGenerator[Page, None]:
        way = ByArchive(archive)
        try:
            account = await asyncio.to_thread(way.account)
        except Unreadable as error:
            raise Refused("unreadable_answer", str(error)) from error
        except BadArchive as error:
            raise Refused(error.code, error.detail, hint=ANEW) from error
        async with aclosing(_Collecting(run, way, Place("user", account.handle.lower())).pages()) as pages:
            async for page in pages:
                yield page

    def _ways(self, credentials: Credentials) -> Sequence[Way]:
        ways: list[Way] = []
        if "bearer_token" in credentials.values:
            client = Client(self._fetcher, self._accounts, credentials, url=self._api_url, caps=self._caps)
            ways.append(ByAPI(client))
        if {"auth_token", "ct0"} <= credentials.values.keys():
            session = Session(
                self._browser,
                self._fetcher,
                self._accounts,
                credentials,
                web_url=self._web_url,
                quiet_seconds=self._quiet_seconds,
            )
            ways.append(BySession(session, self._web_url))
        return ways or [ByEmbed(self._fetcher, self._web_url)]


class _Collecting:
    """One run, by one way. `at` is where it is."""

    def __init__(self, run: Run, way: Way, place: Place) -> None:
        self.at = progress(run.cursor, way.name)
        self._run = run
        self._way = way
        self._place = place
        # What is new about a single post are those that go on from it: it is looked at itself.
        is_listing = self._place.kind != "post"
        self._only_new = run.purpose == "new" and is_listing
        self._can_go_below = self._only_new and way.can_go_below(place)
        self._memo = f"newest/{run.source}" if run.source and is_listing and run.purpose != "revisit" else ""

    async def pages(self) -> AsyncGenerator[Page, None]:
        """The run's pages, the last with the cursor that says so. Raises as `TwitterCollector.collect`."""
        target = self._run.target.canonical
        try:
            # Closed with this: by a session, a browser's page is open until then.
            async with aclosing(self._revisited() if self._run.purpose == "revisit" else self._listed()) as pages:
                async for page in pages:
                    yield page
        except Wait as wait:
            yield Page(cursor=self.at.cursor)
            raise put_off(wait) from wait
        except FetchFailed as failure:
            yield Page(failures=[Failure(target, failure.code, failure.detail)], cursor=self.at.cursor)
            return
        except Unreadable as error:
            raise Refused("unreadable_answer", f"X: {error}") from error
        yield self._last()

    def _last(self) -> Page:
        """What remains to be said."""
        return Page(cursor={"done": True}, memos=self._memos(), reached=[self._run.target.canonical])

    def _memos(self) -> Mapping[str, Any]:
        """What the source is to remember, of a listing that has given something."""
        kept = self.at.remembered.json if self._memo else {}
        return {self._memo: kept} if kept else {}

    async def _listed(self) -> AsyncGenerator[Page, None]:
        at = self.at
        if at.before is None:
            at.before = remembered(await self._run.known.memo(self._memo) if self._memo else None)
        while not at.is_listed:
            is_below, wanted = at.is_below, self._wanted(at.before)
            async with aclosing(self._way.batches(wanted)) as batches:
                async for batch in batches:
                    yield await self._page(batch, wanted)
                    while len(at.carried) > _MOST_CARRIED and self._left():
                        yield await self._climb()
                    if at.is_listed or at.is_below != is_below:
                        break
                else:
                    at.end(can_go_below=self._can_go_below)
        while at.carried and self._left():
            yield await self._climb()

    def _wanted(self, before: Remembered) -> Wanted:
        """What is to be listed: what is newer than all that was had; or what is below the part that was had last."""
        at = self.at
        since, until = before.whole, ""
        if before.is_open and self._can_go_below:
            since, until = (before.whole, before.reached) if at.is_below else (before.newest, "")
        return Wanted(
            self._place,
            self._run.known,
            at.more,
            since=since if self._only_new else "",
            until=until,
            only_new=self._only_new,
            left=self._left,
        )

    def _left(self) -> int:
        return max(0, self._run.limit - self.at.handled)

    async def _page(self, batch: Batch, wanted: Wanted) -> Page:
        """What a batch comes to; `at` is after it, and its listing may be over."""
        at, before, since = self.at, self.at.before or Remembered(), int(wanted.since or 0)
        newer = [one for one in batch.listed if not one.order or int(one.order) > since]
        over = len(batch.listed) - len(newer)
        gathered = await self._gather(replace(batch, listed=newer))
        at.more = batch.more
        # Newest first: where all is known, and nothing below was ever left out, what comes after it is known as well.
        is_known = self._only_new and bool(before.whole) and not before.is_open
        is_known = is_known and bool(newer) and not gathered.had and not gathered.carried and not batch.failures
        if batch.is_cut:
            at.is_listed = True
        elif over or is_known or batch.more is None:
            at.end(can_go_below=self._can_go_below)
        if not self._left():
            at.is_listed = True
        gathered.known += over
        return self._as_page(gathered, batch)

    async def _gather(self, batch: Batch, lost: frozenset[str] = frozenset()) -> Gathered:
        at = self.at
        gathered = await gather(
            self._run.known,
            batch,
            at.carried,
            self._way.name,
            room=self._left(),
            only_new=self._only_new,
            lost=lost,
        )
        at.handled += gathered.had
        at.carried = gathered.carried
        at.note(batch.listed, gathered.left_out)
        return gathered

    async def _climb(self) -> Page:
        """Ask for what stands above the posts that are carried. What is not to be had, a thread begins without."""
        at = self.at
        above = missing_above(piece.post for piece in at.carried)
        asked = above[: self._way.at_once] if at.climbs < _MOST_CLIMBS else []
        found = await self._way.ask(asked) if asked else Batch()
        at.climbs += bool(asked)
        came = [*(one.piece for one in found.listed), *found.beside]
        there = frozenset[str]().union(*(piece.post.ids for piece in came))
        lost = frozenset(asked or above) - there - {*found.unasked}
        gathered = await self._gather(Batch(beside=came), lost)
        return self._as_page(gathered, Batch(failures=[one for one in found.failures if one.code == "unknown_part"]))

    async def _revisited(self) -> AsyncGenerator[Page, None]:
        """Look at the documents that are due, each by all its posts, and at nothing else."""
        at, due, most = self.at, self._run.revisit, self._way.at_once
        start = at.more if isinstance(at.more, int) else 0
        while start < len(due) and self._left():
            heads = await self._run.known.heads(due[start : start + min(most, self._left())])
            wanted: dict[str, list[str]] = {}
            for root in due[start : start + min(most, self._left())]:
                posts = posts_of(heads[root].validators) if root in heads else []
                wanted[root] = [post.version for post in posts] or [root]
                start += 1
                if sum(map(len, wanted.values())) >= most:
                    break
            at.more = start
            yield await self._revisit(wanted)
            start = at.more

    async def _revisit(self, wanted: Mapping[str, Sequence[str]]) -> Page:
        """What became of documents, by their posts' ids."""
        asked = [post for posts in wanted.values() for post in posts]
        most = self._way.at_once
        found = [await self._way.ask(asked[start : start + most]) for start in range(0, len(asked), most)]
        unasked = {post for batch in found for post in batch.unasked}
        later = [root for root, posts in wanted.items() if not unasked.isdisjoint(posts)]
        self.at.more -= len(later)  # the last ones: they were asked for in their order
        wanted = {root: posts for root, posts in wanted.items() if root not in later}
        missing = {post: code for batch in found for post, code in batch.missing.items()}
        gone = [root for root, posts in wanted.items() if all(missing.get(post) in _GONE for post in posts)]
        told = {post_address(post) for root in gone for post in wanted[root]}
        listed = [one for batch in found for one in batch.listed]
        failures = [one for batch in found for one in batch.failures if one.target not in told]
        gathered = await self._gather(Batch(listed))
        self.at.carried = []
        gathered.gone += gone
        return self._as_page(gathered, Batch(listed, failures=failures))

    def _as_page(self, gathered: Gathered, batch: Batch) -> Page:
        return Page(
            gathered.documents,
            gathered.unchanged,
            gathered.gone,
            batch.failures,
            self.at.cursor,
            {**batch.memos, **gathered.memos, **self._memos()},
            reached=[post_address(one.mark) for one in batch.listed],
            known=gathered.known,
        )
