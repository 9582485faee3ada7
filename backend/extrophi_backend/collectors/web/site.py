"""Collecting a site, not only a page: what its feeds and sitemaps list, then what its links lead to, breadth first.

All that was met lies in the job's frontier (frontier.py). What is to be taken of one address is in visit.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from extrophi_backend.collectors.models import Address, Run, Validators
from extrophi_backend.collectors.web.frontier import (
    DOUBTED,
    FEED,
    FRONT,
    LINKED,
    LISTED,
    ROBOTS,
    SITEMAP,
    Frontier,
    trail_of,
)
from extrophi_backend.collectors.web.knowing import external_id_of, known_already
from extrophi_backend.collectors.web.looks import Looks
from extrophi_backend.collectors.web.models import Entry, Listing
from extrophi_backend.collectors.web.remembering import brief_of, entry_of, recalled
from extrophi_backend.collectors.web.seen import Seen, seen_at, seen_of
from extrophi_backend.collectors.web.spelling import identity
from extrophi_backend.collectors.web.survey import Survey
from extrophi_backend.collectors.web.visit import LedElsewhere, Visit
from extrophi_backend.collectors.web.waiting import PAGE_WAITS
from extrophi_backend.errors import RobotsUnreachable
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.fetch.addresses import join, linked, parse
from extrophi_backend.fetch.client import Fetched, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.pace import pace_name

_MOST_NAMED = 100
"""Sitemaps that robots.txt names."""
_AT_ONCE = 500
_SITEMAP_DEPTH = 3


class Site:
    """One run over a site. Where it is stands in the job's cursor (`Progress.site`) and frontier."""

    def __init__(self, looks: Looks, fetcher: Fetcher, run: Run) -> None:
        self._looks = looks
        self._fetcher = fetcher
        self._run = run
        self._frontier = Frontier(looks, run)
        self.in_vain: Counter[str] = Counter()
        """By scheme and host: how many addresses in a row could not be had that pages say are their own."""

    @property
    def _at(self) -> dict[str, Any]:
        """How far it is, as JSON.

        `front`: where it answered. `placed`: how many addresses were met, `listings` of them no pages. `ahead`: pages
        that were listed since those before them were used up. `listed`: a sitemap lists pages. `again`: an earlier run
        told where news is to be found; for that, `news` (a feed) and `sitemaps` are kept at the end, if so much was
        learned (`is_explored`). `closed`: why nothing of the site may be asked for.
        """
        return self._looks.at.site

    @property
    def is_again(self) -> bool:
        """Whether an earlier run told where news is to be found."""
        return bool(self._at.get("again"))

    @property
    def is_followed(self) -> bool:
        """Whether links are. Not where listings tell what is new: it costs no more than to ask for that."""
        return not (self.is_again and self._at["listed"])

    @property
    def _is_over(self) -> bool:
        return "closed" in self._at or self._looks.at.is_enough(self._run.limit)

    async def steps(self) -> AsyncIterator[None]:
        """Work from the frontier on; give way after each address.

        Raises:
            Wait: the host asks to.
            RobotsUnreachable: it does not say what programs may fetch.
        """
        if not self._at:
            await self._begin()
            yield self._frontier.save()
        while not self._is_over:
            batch = await self._frontier.next()
            if not batch or (batch[0].rank >= LINKED and not self.is_followed):
                break
            if batch[0].rank < LISTED:
                batch = batch[:1]  # what it leads to may come before the others
            else:
                self._at["is_explored"] = True
            await self._frontier.load_kinds([one.url for one in batch], [trail_of(one) for one in batch])
            self._frontier.done.clear()
            for address in batch:
                if self._is_over:
                    break
                if address.key in self._frontier.done:  # one before it had the same page
                    continue
                is_overtaken = await self._take(address)
                yield
                if is_overtaken:
                    break
            yield self._frontier.save()
        if "closed" in self._at:
            raise RobotsUnreachable(self._at["closed"])
        self._remember()

    async def _begin(self) -> None:
        self._at.update({"front": self._frontier.front, "placed": 0, "listings": 0, "ahead": 0})
        self._at.update({"listed": False, "news": None, "sitemaps": []})
        memo = await self._run.known.memo(self._memo) if self._run.purpose == "new" else None
        if not memo:
            self._frontier.place(self._frontier.front, FRONT)
            return
        # One request tells what is new: the feed's, else the sitemap's, else the front page's.
        self._at.update({"front": memo["front"], "listed": bool(memo["news"] or memo["sitemaps"]), "again": True})
        if memo["news"]:
            self._frontier.place(memo["news"], FEED)
        for sitemap in memo["sitemaps"] if not memo["news"] else ():
            self._frontier.place(sitemap, SITEMAP)
        if not self._at["listed"]:
            self._frontier.place(self._frontier.front, FRONT)

    @property
    def _memo(self) -> str:
        return f"site {self._frontier.front}"

    def _remember(self) -> None:
        """For the next run, which has to ask only where news is told."""
        at = self._at
        if at.get("is_explored") and not self.is_again:
            sitemaps = at["sitemaps"] if at["listed"] else []
            self._looks.draft.memos[self._memo] = {"front": at["front"], "news": at["news"], "sitemaps": sitemaps}

    async def _take(self, address: Address) -> bool:
        """Gives whether what it leads to may come before others that were seen to wait."""
        if address.rank in {ROBOTS, SITEMAP, FEED}:
            await (self._take_robots(address) if address.rank == ROBOTS else self._take_listing(address))
            return True
        entry, was_doubted = Entry(address.url), address.rank == DOUBTED
        if address.rank >= LINKED:
            taken = await self._frontier.if_entered(address)
            if taken is None:
                return False
            address = taken
        elif address.entry is not None:
            entry = entry_of(address.entry)
        at, draft = self._looks.at, self._looks.draft
        had, missed = draft.had, draft.missed
        visit = Visit(self._looks, self, self._frontier, address)
        try:
            wait = await self._looks.look(entry, visit, typed=address.rank == FRONT)
        except LedElsewhere as led:
            wait = None
            visit.end_at(entry, led.url)
        if wait is not None:
            raise wait
        at.handled += draft.had - had
        at.failed += draft.missed - missed
        if was_doubted:
            self._frontier.undoubt(address.url)
        if address.rank == FRONT and visit.is_explored:
            await self._explore(address, visit.survey)
        # Last of all: what has to wait before this is looked at again.
        self._frontier.settle(address, visit.state, visit.samples)
        for one in visit.others:
            self._frontier.settle(one, "read", visit.samples)
        return was_doubted

    async def _explore(self, address: Address, seen: Survey | None) -> None:
        """Put into the frontier what the front page leads to: robots.txt, feeds, links."""
        if self._frontier.depth == 0:
            return
        front = self._at["front"]
        if not self.is_again:
            self._frontier.place(linked(front, "/robots.txt"), ROBOTS)
            for feed in seen.feeds if seen is not None else ():
                self._frontier.place(feed, FEED)
        if seen is not None:
            await self._frontier.follow(replace(address, url=front), seen.links)

    async def _take_robots(self, address: Address) -> None:
        """Put the sitemaps that robots.txt names into the frontier. By then the front is settled, whatever comes."""
        try:
            named = await self._fetcher.sitemaps(address.url)
        except FetchFailed:
            named = []
        except Wait as wait:
            if self._looks.at.patience.wait(wait) is None:
                raise
            named = []
        if not self.close_if_unreachable():
            found = [url for one in named[:_MOST_NAMED] if (url := join(address.url, one))]
            self._at["sitemaps"] = found or [linked(address.url, "/sitemap.xml")]
            for sitemap in self._at["sitemaps"]:
                self._frontier.place(sitemap, SITEMAP)
        self._frontier.settle(address, "read")

    def close_if_unreachable(self) -> bool:
        """End the site where robots.txt of its front's host cannot be read, also after waiting. Whether that is so.

        Then everything there is forbidden (RFC 9309, 2.3.1.4). That of another of its hosts is about that host's pages.
        """
        failure = self._looks.at.patience.given_up(pace_name(parse(self._at["front"])), after=PAGE_WAITS)
        if failure is None or failure.code != "robots_unreachable":
            return False
        self._at["closed"] = failure.detail
        return True

    async def _take_listing(self, address: Address) -> None:
        """Put what a feed or sitemap lists into the frontier. One that is not there is missed only by who knew it."""
        failure: FetchFailed | ExtractionFailed | None = None
        try:
            found = await self._listing(address)
        except (FetchFailed, ExtractionFailed) as refusal:
            failure = refusal
        else:
            if isinstance(found, Listing):
                await self.place_listed(address, found)
            else:
                failure = FetchFailed("broken_answer", f"There is no {_NAMES[address.rank]} there any more.")
        if failure is not None:
            self._at["sitemaps"] = [one for one in self._at["sitemaps"] if one != address.url]
            if not self.close_if_unreachable() and self.is_again:
                self._looks.fail(address.url, failure.code, failure.detail)
        self._frontier.settle(address, "read")

    async def _listing(self, address: Address) -> Listing | Fetched:
        """What is there, or was when its index last said that it changed.

        Raises:
            FetchFailed, ExtractionFailed, Wait.
        """
        memo: Mapping[str, Any] = await self._run.known.memo(address.url) or {}
        said: str | None = address.entry
        if self.is_again and memo and said is not None and memo.get("said") == said:
            return recalled(memo)
        await self._run.suspect(address.url)
        try:
            return await self._looks.ask_for_listing(address.url, memo, typed=False, said=said)
        except Wait as wait:
            failure = self._looks.at.patience.wait(wait)
            if failure is None:
                raise
            raise failure from wait

    async def place_listed(self, address: Address, listing: Listing) -> None:
        front = identity(self._at["front"])
        lists_pages = False
        for start in range(0, len(listing.entries), _AT_ONCE):
            entries = self._own(listing.entries[start : start + _AT_ONCE])
            lists_pages |= any(one.linked and not one.problem and identity(one.url) != front for one in entries)
            if self._run.purpose == "new":
                passed = await known_already(self._run.known, entries, self._frontier.front)
                self._looks.draft.known += sum(passed.values())
                entries = [one for one in entries if one.url not in passed]
            for one in entries:
                self._frontier.place(one.url, LISTED, depth=1, entry=brief_of(one))
            await asyncio.sleep(0)  # a sitemap may list 100,000, and the job's lease wants to be kept meanwhile
        if address.rank == FEED and lists_pages:
            self._at["news"] = self._at["news"] or address.url
        if address.rank == SITEMAP:
            if not lists_pages and not listing.sitemaps:
                self._at["sitemaps"] = [one for one in self._at["sitemaps"] if one != address.url]
            self._at["listed"] = self._at["listed"] or lists_pages
        if address.depth < _SITEMAP_DEPTH:
            for sitemap in listing.sitemaps:
                self._frontier.place(sitemap, SITEMAP, depth=address.depth + 1, entry=listing.changed.get(sitemap))

    def _own(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that are the site's, and those whose link is none: they are told of."""
        bounds = self._frontier.bounds
        return [one for one in entries if not one.linked or one.problem or bounds.hold(one.url)]

    def see(self, url: str, seen: Seen) -> None:
        """Keep what a page said and led to for the next look at the whole."""
        kept = seen.json(self._frontier.depth)
        if kept and self._run.purpose == "all":  # others leave out what is known
            self._looks.draft.memos[seen_at(self._frontier.front, url)] = kept

    async def seen(self, url: str, known: Validators) -> Seen | None:
        """What the page said and led to that is known by these validators, if that is kept, and as far as we go now."""
        memo = await self._run.known.memo(seen_at(self._frontier.front, external_id_of(url))) if known else None
        return seen_of(memo, known, self._frontier.depth) if memo else None

    async def is_known(self, external_id: str) -> bool:
        """Whether a run for what is new need not look at a document."""
        return self._run.purpose == "new" and bool(await self._run.known.collected([external_id]))

    def begin_at(self, front: str) -> None:
        """The front is there: a page or a listing, and no wall before it."""
        self._at["front"] = front

    async def take_as_listing(self, listing: Listing) -> None:
        """The front is itself a feed or a sitemap: what it lists is the site."""
        self._at["listed"] = True
        await self.place_listed(Address(b"", self._frontier.front, FRONT, 0), listing)


_NAMES = {SITEMAP: "sitemap", FEED: "feed"}
