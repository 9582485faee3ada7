"""Collecting a site, not only a page: what its feeds and sitemaps list, then what its links lead to, breadth first.

All that was met lies in the job's frontier, each address once, with its place in the order. What was looked at is
settled in the transaction that saves it; so a job that is killed goes on with the next, and finds what it would have
found.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol
from zlib import crc32

from extrophi_backend.collectors.models import DEFAULT_DEPTH, Address, Collected, Failure, Run, Validators
from extrophi_backend.collectors.web.bounds import Bounds, bounds_of, may_be_page
from extrophi_backend.collectors.web.knowing import external_id_of, known_already, nothing_for, whereabouts
from extrophi_backend.collectors.web.listings import is_listing, read_listing
from extrophi_backend.collectors.web.models import Answers, Asks, Entry, Listing, Understood
from extrophi_backend.collectors.web.progress import Draft, Progress
from extrophi_backend.collectors.web.remembering import brief_of, entry_of, recalled
from extrophi_backend.collectors.web.seen import Seen, seen_at, seen_of
from extrophi_backend.collectors.web.spelling import digest, identity, plain
from extrophi_backend.collectors.web.survey import Survey, is_document, survey
from extrophi_backend.collectors.web.traps import Kinds, Led, Trail, agree, deepens, kinds_of, sketch
from extrophi_backend.collectors.web.waiting import PAGE_WAITS
from extrophi_backend.errors import RobotsUnreachable
from extrophi_backend.extraction.detecting import detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import host_of, join, linked, parse
from extrophi_backend.fetch.client import Fetched, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.pace import pace_name

_ROBOTS, _FRONT, _SITEMAP, _FEED, _LISTED, _LINKED, _DOUBTED = range(-1, 6)
"""Ranks of the frontier: nothing is taken while anything of a smaller rank waits, but for sitemaps (`_next`). So what
is listed comes before what is merely linked. What may be a trap is put aside until all else was read: then it is known
what leads there, and whether that has an end."""
_BATCH = 50
_MOST_ADDRESSES = 100_000
_MOST_DOUBTED = 50_000
_MOST_LISTINGS = 1000
"""Sitemaps and feeds of a job."""
_MORE_AHEAD = 100
_MOST_NAMED = 100
"""Sitemaps that robots.txt names."""
_AT_ONCE, _LINKS_AT_ONCE = 500, 50
_PATIENCE = 3
"""Addresses in a row that pages say are their own, and that cannot be had, before that host's are asked no more."""
_SITEMAP_DEPTH = 3
_MOST_KINDS = 2000
_SAMPLES = 64
"""Of what a page says, kept to tell whether another address has the same page."""


class Looks(Protocol):
    """Looking at a single page, as the collector does for all of them."""

    draft: Draft
    at: Progress

    async def look(self, entry: Entry, answers: Answers | None = None, *, typed: bool = False) -> Wait | None: ...
    async def understood(
        self, entry: Entry, fetched: Fetched, *, typed: bool, validators: Asks
    ) -> tuple[Fetched, Understood]: ...
    async def fetch(self, url: str, *, typed: bool, validators: Asks) -> Fetched: ...
    async def ask_for_listing(
        self, address: str, memo: Mapping[str, Any], *, typed: bool, again: bool = False, said: str | None = None
    ) -> Listing | Fetched: ...
    async def missed(self, entry: Entry, failure: Failure) -> None: ...
    async def take_unchanged(self, entry: Entry, fetched: Fetched) -> None: ...
    async def validators(self, url: str) -> Validators: ...
    def take(self, entry: Entry, found: Collected | Failure) -> None: ...
    def fail(self, target: str, code: str, detail: str) -> None: ...


class Site:
    """One run over a site. Where it is stands in the job's cursor (`Progress.site`) and frontier."""

    def __init__(self, looks: Looks, fetcher: Fetcher, run: Run) -> None:
        self._looks = looks
        self._fetcher = fetcher
        self._run = run
        self._front = run.target.canonical
        self._depth = DEFAULT_DEPTH if run.depth is None else run.depth
        self._kinds = Kinds()
        self.in_vain: Counter[str] = Counter()
        """By scheme and host: how many addresses in a row could not be had that pages say are their own."""
        self._done: set[bytes] = set()
        """Since the batch that is worked on was read."""
        self._recent: tuple[Draft, dict[bytes, Address]] = (looks.draft, {})

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
    def bounds(self) -> Bounds:
        return bounds_of(self._front, self._at["front"])

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
            yield self._save_now()
        while not self._is_over:
            batch = await self._next()
            if not batch or (batch[0].rank >= _LINKED and not self.is_followed):
                break
            if batch[0].rank < _LISTED:
                batch = batch[:1]  # what it leads to may come before the others
            else:
                self._at["is_explored"] = True
            await self._load_kinds([one.url for one in batch], [_trail_of(one) for one in batch])
            self._done.clear()
            for address in batch:
                if self._is_over:
                    break
                if address.key in self._done:  # one before it had the same page
                    continue
                is_overtaken = await self._take(address)
                yield
                if is_overtaken:
                    break
            yield self._save_now()
        if "closed" in self._at:
            raise RobotsUnreachable(self._at["closed"])
        self._remember()

    async def _next(self) -> Sequence[Address]:
        """What is to be taken next, all of one rank.

        Sitemaps are read until as many pages wait as this run can come to (as many failures as documents, and some that
        are neither), and no more until those are used up: there may be 1,000 of 50,000 pages each.
        """
        if self._at.get("ahead", 0) >= 2 * self._run.limit + _MORE_AHEAD:
            batch = await self._run.known.waiting(_BATCH, beyond=_SITEMAP)
            if batch and batch[0].rank < _LINKED:
                return batch
            self._at["ahead"] = 0
        return await self._run.known.waiting(_BATCH)

    async def _begin(self) -> None:
        self._at.update({"front": self._front, "placed": 0, "listings": 0, "ahead": 0})
        self._at.update({"listed": False, "news": None, "sitemaps": []})
        memo = await self._run.known.memo(self._memo) if self._run.purpose == "new" else None
        if not memo:
            self._place(self._front, _FRONT)
            return
        # One request tells what is new: the feed's, else the sitemap's, else the front page's.
        self._at.update({"front": memo["front"], "listed": bool(memo["news"] or memo["sitemaps"]), "again": True})
        if memo["news"]:
            self._place(memo["news"], _FEED)
        for sitemap in memo["sitemaps"] if not memo["news"] else ():
            self._place(sitemap, _SITEMAP)
        if not self._at["listed"]:
            self._place(self._front, _FRONT)

    @property
    def _memo(self) -> str:
        return f"site {self._front}"

    def _remember(self) -> None:
        """For the next run, which has to ask only where news is told."""
        at = self._at
        if at.get("is_explored") and not self.is_again:
            sitemaps = at["sitemaps"] if at["listed"] else []
            self._looks.draft.memos[self._memo] = {"front": at["front"], "news": at["news"], "sitemaps": sitemaps}

    def _save_now(self) -> None:
        """What is asked of the frontier next has to be in it. Learned kinds are in the database then, too."""
        self._looks.draft.is_due = True
        if len(self._kinds) > _MOST_KINDS:
            self._kinds.forget()

    async def _take(self, address: Address) -> bool:
        """Gives whether what it leads to may come before others that were seen to wait."""
        if address.rank in {_ROBOTS, _SITEMAP, _FEED}:
            await (self._take_robots(address) if address.rank == _ROBOTS else self._take_listing(address))
            return True
        entry, was_doubted = Entry(address.url), address.rank == _DOUBTED
        if address.rank >= _LINKED:
            taken = await self._if_entered(address)
            if taken is None:
                return False
            address = taken
        elif address.entry is not None:
            entry = entry_of(address.entry)
        at, draft = self._looks.at, self._looks.draft
        had, missed = draft.had, draft.missed
        visit = _Visit(self._looks, self, address)
        try:
            wait = await self._looks.look(entry, visit, typed=address.rank == _FRONT)
        except _LedElsewhere as led:
            wait = None
            visit.end_at(entry, led.url)
        if wait is not None:
            raise wait
        at.handled += draft.had - had
        at.failed += draft.missed - missed
        if was_doubted:
            draft.patterns |= self._kinds.put_aside(address.url, -1)
        if address.rank == _FRONT and visit.is_explored:
            await self._explore(address, visit.survey)
        # Last of all: what has to wait before this is looked at again.
        self.settle(address, visit.state, visit.samples)
        for one in visit.others:
            self.settle(one, "read", visit.samples)
        return was_doubted

    async def _if_entered(self, address: Address) -> Address | None:
        """A link as it is to be taken. None if it may be a trap: it is put aside, or left if that was done before."""
        if address.rank == _LINKED:  # what was read since it was seen to wait may have told more of it
            address = (await self.met([address.key])).get(address.key, address)
        if address.state != "waiting":
            return None
        url, trail = address.url, _trail_of(address)
        is_open = self._kinds.enters(url, trail)
        if address.rank == _LINKED:
            if is_open:
                return address
            if self._doubts(url):
                self._settled(replace(address, rank=_DOUBTED))
            else:
                self._leave(address)
            return None
        if not is_open and not self._kinds.ends(url, trail):
            self._leave(address)
            return None
        return replace(address, rank=_LINKED)

    def _doubts(self, url: str) -> bool:
        """Count one that is put aside. False if there are too many of them."""
        doubted = self._at.get("doubted", 0)
        if doubted >= _MOST_DOUBTED:
            return False
        self._at["doubted"] = doubted + 1
        self._looks.draft.patterns |= self._kinds.put_aside(url, 1)
        return True

    def _leave(self, address: Address) -> None:
        """It seems to be of a place without end: a person is told (see jobs/frontier.py)."""
        self._settled(replace(address, state="trap", entry={"kind": kinds_of(address.url)[0]}))
        self.note_nothing(address.url, "trap")

    async def _explore(self, address: Address, seen: Survey | None) -> None:
        """Put into the frontier what the front page leads to: robots.txt, feeds, links."""
        if self._depth == 0:
            return
        front = self._at["front"]
        if not self.is_again:
            self._place(linked(front, "/robots.txt"), _ROBOTS)
            for feed in seen.feeds if seen is not None else ():
                self._place(feed, _FEED)
        if seen is not None:
            await self.follow(replace(address, url=front), seen.links)

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
                self._place(sitemap, _SITEMAP)
        self.settle(address, "read")

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
        self.settle(address, "read")

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
                passed = await known_already(self._run.known, entries, self._front)
                self._looks.draft.known += sum(passed.values())
                entries = [one for one in entries if one.url not in passed]
            for one in entries:
                self._place(one.url, _LISTED, depth=1, entry=brief_of(one))
            await asyncio.sleep(0)  # a sitemap may list 100,000, and the job's lease wants to be kept meanwhile
        if address.rank == _FEED and lists_pages:
            self._at["news"] = self._at["news"] or address.url
        if address.rank == _SITEMAP:
            if not lists_pages and not listing.sitemaps:
                self._at["sitemaps"] = [one for one in self._at["sitemaps"] if one != address.url]
            self._at["listed"] = self._at["listed"] or lists_pages
        if address.depth < _SITEMAP_DEPTH:
            for sitemap in listing.sitemaps:
                self._place(sitemap, _SITEMAP, depth=address.depth + 1, entry=listing.changed.get(sitemap))

    def _own(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that are the site's, and those whose link is none: they are told of."""
        bounds = self.bounds
        return [one for one in entries if not one.linked or one.problem or bounds.hold(one.url)]

    async def follow(self, page: Address, links: Sequence[str]) -> Led:
        """Put a page's links into the frontier. Gives where it leads to, as far as that is of use to tell traps."""
        found = await self._pages_among(links)
        there = await self.met(list(found))
        fresh = {key: url for key, url in found.items() if key not in there}
        if self._run.purpose == "new":
            passed = await known_already(self._run.known, [Entry(url) for url in fresh.values()], self._front)
            self._looks.draft.known += sum(passed.values()) if page.rank == _FRONT else 0
            fresh = {key: url for key, url in fresh.items() if url not in passed}
        trail = _trail_of(page)
        await self._load_kinds([page.url, *fresh.values()], [trail])
        kind = kinds_of(page.url)[0]
        # From one page of a kind to the next is no step down: an archive's hundredth page is as near as its first.
        depths = {key: page.depth + (kinds_of(url)[0] != kind or page.rank == _FRONT) for key, url in fresh.items()}
        near = {key: url for key, url in fresh.items() if depths[key] <= self._depth}
        # The front leads to what the site is of; whether that goes round in circles is another matter.
        onward = Trail() if page.rank == _FRONT else trail.after(page.url, crc32(page.key), list(near.values()))
        for one in there.values():
            if one.state == "waiting" and one.rank >= _LINKED:
                self._meet_again(one, onward)
        placed = [url for key, url in near.items() if self._place_link(key, url, depths[key], onward)]
        again = {crc32(key): url for key, url in found.items() if key in there and key != page.key}
        again.pop(trail.page, None)
        whole = [url for url in near.values() if not deepens(url)]
        shared = [one.url for one in there.values() if _is_led_to(one)]
        return Led(whole, [url for url in placed if self._kinds.enters(url, onward)], again, shared)

    async def _pages_among(self, links: Sequence[str]) -> dict[bytes, str]:
        """Those links that are the site's and may be pages, as they are asked for."""
        bounds = self.bounds
        found: dict[bytes, str] = {}
        for number, link in enumerate(links):
            if number % _LINKS_AT_ONCE == 0:
                await asyncio.sleep(0)
            if bounds.hold(link) and may_be_page(link):
                try:
                    url = plain(link)
                    found.setdefault(identity(url), await self._as_known(url, link))
                except FetchFailed:
                    continue
        return found

    def _place_link(self, key: bytes, url: str, depth: int, trail: Trail) -> bool:
        """Gives whether it is to be entered, as it looks now."""
        if deepens(url):
            if self._doubts(url):
                self._leave(Address(key, url, _DOUBTED, 0, depth))
            return False
        if not self._kinds.is_over(url, trail):
            self._place(url, _LINKED, depth=depth, entry=trail.kept)
            return True
        if self._doubts(url):
            self._place(url, _DOUBTED, depth=depth, entry=trail.kept)
        return False

    def _meet_again(self, address: Address, trail: Trail) -> None:
        """A link that waits: what leads to it from a page of another kind tells more than what leads round to it."""
        if trail.leads_in(address.url) and not _trail_of(address).leads_in(address.url):
            self._settled(replace(address, entry=trail.kept))

    async def _as_known(self, url: str, link: str) -> str:
        """The link's longer spelling, where that names a document from before `plain` left so much out."""
        longer = external_id_of(link)
        return longer if longer != url and await self._run.known.validators([longer]) else url

    async def met(self, keys: Sequence[bytes]) -> Mapping[bytes, Address]:
        """Those that are in the frontier, saved or not."""
        there = await self._run.known.met(keys)
        recent = self._overlay
        return {**there, **{key: recent[key] for key in keys if key in recent}}

    @property
    def _overlay(self) -> dict[bytes, Address]:
        """What the draft puts into the frontier."""
        if self._recent[0] is not self._looks.draft:
            self._recent = (self._looks.draft, {})
        return self._recent[1]

    def settle(self, address: Address, state: str, samples: Sequence[int] = ()) -> None:
        """It is not taken again. `samples` are of what its page says."""
        self._settled(replace(address, state=state, entry=list(samples[:_SAMPLES]) or None))

    def _settled(self, address: Address) -> None:
        self._looks.draft.settled.append(address)
        self._overlay[address.key] = address
        if address.state != "waiting":
            self._done.add(address.key)

    def note_nothing(self, url: str, why: str) -> None:
        """There is no document to be had there, and runs for what is new need not ask."""
        self._looks.draft.memos[nothing_for(self._front, url)] = {"why": why}

    def _place(self, url: str, rank: int, *, depth: int = 0, entry: Any = None) -> None:
        at = self._at
        is_page = rank not in {_ROBOTS, _SITEMAP, _FEED}
        listings, doubted = at.get("listings", 0), at.get("doubted", 0)
        if not is_page and listings >= _MOST_LISTINGS:
            return
        if is_page and rank != _DOUBTED and at["placed"] - listings - doubted >= _MOST_ADDRESSES:
            return
        try:
            key = identity(url) if is_page else digest("listing", external_id_of(url))
        except FetchFailed:
            key = digest("page", url)
        if rank == _LISTED and "#" in url:  # what a feed holds itself has no address but the feed's
            key = digest("part", url)
        at["placed"] += 1
        at["listings"] = listings + (not is_page)
        at["ahead"] = at.get("ahead", 0) + (rank == _LISTED)
        address = Address(key, url, rank, at["placed"], depth, entry)
        self._looks.draft.met.append(address)
        self._overlay.setdefault(key, address)

    def learn(self, address: Address, samples: Sequence[int], *, is_said: bool, led: Led) -> None:
        trail = _trail_of(address)
        self._looks.draft.patterns |= self._kinds.take(address.url, samples, is_said=is_said, trail=trail, led=led)

    async def _load_kinds(self, urls: Sequence[str], trails: Sequence[Trail]) -> None:
        missing = self._kinds.missing(urls, trails)
        if missing:
            self._kinds.load(missing, await self._run.known.patterns(missing))

    def see(self, url: str, seen: Seen) -> None:
        """Keep what a page said and led to for the next look at the whole."""
        kept = seen.json(self._depth)
        if kept and self._run.purpose == "all":  # others leave out what is known
            self._looks.draft.memos[seen_at(self._front, url)] = kept

    async def seen(self, url: str, known: Validators) -> Seen | None:
        """What the page said and led to that is known by these validators, if that is kept, and as far as we go now."""
        memo = await self._run.known.memo(seen_at(self._front, external_id_of(url))) if known else None
        return seen_of(memo, known, self._depth) if memo else None

    async def is_known(self, external_id: str) -> bool:
        """Whether a run for what is new need not look at a document."""
        return self._run.purpose == "new" and bool(await self._run.known.collected([external_id]))

    def begin_at(self, front: str) -> None:
        """The front is there: a page or a listing, and no wall before it."""
        self._at["front"] = front

    async def take_as_listing(self, listing: Listing) -> None:
        """The front is itself a feed or a sitemap: what it lists is the site."""
        self._at["listed"] = True
        await self.place_listed(Address(b"", self._front, _FRONT, 0), listing)


_NAMES = {_SITEMAP: "sitemap", _FEED: "feed"}


def _is_led_to(address: Address) -> bool:
    """Whether it waits since a page that is not the front led to it: then others that do must remember it, too."""
    return address.state == "waiting" and address.rank >= _LINKED and bool(_trail_of(address).kinds)


def _trail_of(address: Address) -> Trail:
    """How a link was met."""
    return Trail.of(address.entry) if address.rank >= _LINKED else Trail()


class _LedElsewhere(Exception):
    """An address redirects out of the site, or to a page that was looked at."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class _Visit:
    """Taking what comes of one address."""

    def __init__(self, looks: Looks, site: Site, address: Address) -> None:
        self.address = address
        self.state = "failed"
        self.survey: Survey | None = None
        self.samples: Sequence[int] = ()
        """Of what the page says."""
        self.others: list[Address] = []
        """Addresses that have the same page, and need no looking at any more."""
        self.is_explored = False
        """Whether the site is to be found from it."""
        self._seen: Seen | None = None
        """What the page said and led to, should the answer be that nothing changed."""
        self._looks = looks
        self._site = site

    async def validators(self, url: str) -> Validators:
        """Pages whose links are wanted are asked for as a whole: an answer that nothing changed has none.

        What is listed need not be, where it is kept what the page led to.

        Raises:
            _LedElsewhere: it was redirected to where there is nothing more to do.
        """
        await self.whole(url)
        if not self._site.is_followed or (self.address.rank == _FRONT and self._site.is_again):
            return await self._looks.validators(url)
        if self.address.rank != _LISTED:
            return {}
        known = await self._looks.validators(url)
        self._seen = await self._site.seen(url, known)
        return known if self._seen is not None else {}

    async def whole(self, url: str) -> Validators:
        """As `validators`, of what is wanted as a whole in any case."""
        if self.address.rank != _FRONT and url != self.address.url and await self._is_done_with(url):
            raise _LedElsewhere(url)
        return {}

    async def _is_done_with(self, url: str) -> bool:
        """Whether an address is out of the site, or was looked at."""
        if not self._site.bounds.hold(url):
            return True
        key = identity(url)
        there = (await self._site.met([key])).get(key)
        return key != self.address.key and there is not None and there.state in _LOOKED_AT

    def end_at(self, entry: Entry, url: str) -> None:
        """The address led there, and there is nothing more to do."""
        if self._site.bounds.hold(url):
            self._is_same(entry, url)
        else:
            self.state = "outside"
            self._site.note_nothing(entry.url, "outside")

    async def answered(self, entry: Entry, fetched: Fetched, *, typed: bool = False) -> None:
        if self.address.rank in {_FRONT, _LINKED} and await self._is_listing(entry, fetched):
            return
        fetched, found = await self._looks.understood(entry, fetched, typed=typed, validators=self.validators)
        if self.address.rank != _FRONT and identity(fetched.url) != self.address.key:
            if await self._is_done_with(fetched.url):  # a page that leads on by itself, as a redirect does
                self.end_at(entry, fetched.url)
                return
            self.others.append(replace(self.address, key=identity(fetched.url), url=fetched.url))
        if found == "unchanged":
            self.state = "read"
            await self._looks.take_unchanged(entry, fetched)
            if self._seen is not None:
                await self._go_on_as_before(fetched.url, self._seen)
        elif found == "gone":
            self._take_gone(entry, fetched)
        elif isinstance(found, Failure) and self._is_wall(fetched, found):
            await self.missed(entry, found)
        else:
            self.is_explored = True
            if self.address.rank == _FRONT:
                self._site.begin_at(fetched.url)
            await self._take_page(entry, fetched, found)

    async def _is_listing(self, entry: Entry, fetched: Fetched) -> bool:
        """Whether the front, or what a link leads to, is itself a feed or a sitemap: then what it lists is taken."""
        if fetched.status != 200 or not is_listing(fetched.body, fetched.media_type):
            return False
        listing = await in_child(read_listing, fetched.body, fetched.url, fetched.media_type)
        if listing is None:
            return False
        self.state = "read"
        if self.address.rank == _FRONT:
            self._site.begin_at(fetched.url)
            await self._site.take_as_listing(listing)
        else:  # a page that leads on, as far as pages may
            self._pass_by(entry, "listing")
            links = [one.url for one in listing.entries if one.linked and not one.problem]
            led = await self._site.follow(self.address, [*links, *listing.sitemaps][:_AT_ONCE])
            self._site.learn(self.address, (), is_said=True, led=led)
        return True

    def _pass_by(self, entry: Entry, why: str) -> None:
        """It is there, and is no document."""
        self._site.note_nothing(entry.url, why)
        self._looks.draft.reached.append(entry.url)

    def _is_wall(self, fetched: Fetched, failure: Failure) -> bool:
        """Whether a page stands in another's place: its links, and where it is, then tell nothing of the site."""
        is_elsewhere = self.address.rank == _FRONT and not self._site.bounds.hold(fetched.url)
        is_empty = failure.code == "javascript_needed"  # a login's or a front's, who knows
        return fetched.status != 200 or failure.code in _WALLS or (is_empty and is_elsewhere)

    async def _go_on_as_before(self, url: str, seen: Seen) -> None:
        self.samples = seen.samples
        for key in seen.texts:
            self._site.settle(Address(key, url, _LINKED, 0), "text")
        await self._site.follow(replace(self.address, url=url), seen.links)

    def _take_gone(self, entry: Entry, fetched: Fetched) -> None:
        self.state = "gone"
        self._looks.draft.gone.append(external_id_of(fetched.url))
        self._looks.draft.reached.append(entry.url)
        if self.address.rank == _FRONT:  # without it there is no site: a person is told
            detail = (
                f"The server answered {fetched.status}: the site's front is gone. What was collected before is kept."
            )
            self._looks.fail(entry.url, f"http_{fetched.status}", detail)

    async def missed(self, entry: Entry, failure: Failure) -> None:
        if self.address.rank == _LINKED and failure.code == "robots_disallowed":
            # A link there is no promise of a page: what a site does not want read is passed by.
            self.state = "forbidden"
            self._site.note_nothing(entry.url, "robots")
            return
        if entry.content is None and self._site.close_if_unreachable():
            return
        await self._looks.missed(entry, failure)

    def _is_same(self, entry: Entry, url: str) -> None:
        self.state = "same"
        self._looks.draft.reached.append(entry.url)
        self._looks.draft.memos[whereabouts(entry.url)] = {"to": external_id_of(url)}
        self._site.note_nothing(entry.url, "same")  # of use where that is no document either
        if self.address.rank == _LINKED:
            self._site.learn(self.address, (), is_said=True, led=Led())

    async def _take_page(self, entry: Entry, fetched: Fetched, found: Collected | Failure) -> None:
        self.state = "read"
        self.survey = survey = await _surveyed(fetched)
        if survey is None:
            await self._take_file(entry, found)
            return
        is_said = False
        self.samples = survey.samples
        if isinstance(found, Collected):
            self.samples = sketch(found.text)
            if await self._is_copy(entry, fetched, found, is_kept=survey.is_kept):
                return
            is_said = await self._was_said(fetched.url, found.text)
        leads_on = isinstance(found, Failure) and found.code == "no_text" and bool(survey.links)
        if not survey.is_kept or (leads_on and entry.content is None):
            # It is there to lead on, and no document.
            self._pass_by(entry, "no document")
        elif isinstance(found, Failure):
            self.state = "failed"
            await self._looks.missed(entry, found)
        else:
            self._looks.take(entry, found)
        if self.address.rank == _FRONT or not self._site.is_followed:
            return
        led = await self._site.follow(replace(self.address, url=fetched.url), survey.links)
        if self.address.rank == _LINKED:
            self._site.learn(self.address, self.samples, is_said=is_said, led=led)
        elif isinstance(found, Collected) and survey.is_kept:
            texts = (_same(fetched.url, found.text), _said(found.text))
            self._site.see(
                found.external_id, Seen(fetched.validators, texts, self.samples[:_SAMPLES], [*led.fresh, *led.shared])
            )

    async def _take_file(self, entry: Entry, found: Collected | Failure) -> None:
        """Take what is no web page."""
        if not isinstance(found, Failure):
            self._looks.take(entry, found)
        elif self.address.rank == _LINKED and found.code == "unsupported_type":
            self._pass_by(entry, "no document")  # a link to an archive or a program is no promise of a text
            self._site.learn(self.address, (), is_said=True, led=Led())
        else:
            self.state = "failed"
            await self._looks.missed(entry, found)

    async def _is_copy(self, entry: Entry, fetched: Fetched, found: Collected, *, is_kept: bool) -> bool:
        """Whether the page is one that has another address, by its own word or to the letter: that one is taken.

        Of one that is not to be kept, others are no copies.
        """
        same = _same(fetched.url, found.text)
        text = (await self._site.met([same])).get(same)
        if text is not None and identity(text.url) != identity(fetched.url):
            self._is_same(entry, text.url)
            return True
        if is_kept:
            self._site.settle(Address(same, fetched.url, _LINKED, 0), "text")
        other = self._other_address(fetched, found)
        if other is None:
            return False
        key = identity(other)
        there = (await self._site.met([key])).get(key) if key != identity(fetched.url) else None
        if there is not None and there.state in _LOOKED_AT:
            if not agree(self.samples, there.entry or ()) and not await self._says(other, found.text):
                return False
            self._is_same(entry, other)
            return True
        if await self._site.is_known(external_id_of(other)):
            self._is_same(entry, other)
            return True
        return await self._took_other(entry, other, found.text)

    def _other_address(self, fetched: Fetched, found: Collected) -> str | None:
        """The page's own word on where it is, if that is another address of the site."""
        if found.canonical_url is None or not self._site.bounds.hold(found.canonical_url):
            return None
        try:
            other = plain(found.canonical_url)
            return other if other != external_id_of(fetched.url) else None
        except FetchFailed:
            return None

    async def _took_other(self, entry: Entry, other: str, text: str) -> bool:
        """Look at the address that the page says is its own, and take what is there, if it is the same as `text`."""
        whole = Entry(other, entry.title, entry.author, entry.published_at)
        server, in_vain = other.partition("/")[0] + host_of(parse(other)), self._site.in_vain
        if in_vain[server] >= _PATIENCE:
            return False
        try:
            fetched = await self._looks.fetch(other, typed=False, validators=self.whole)
            fetched, found = await self._looks.understood(whole, fetched, typed=False, validators=self.whole)
        except (FetchFailed, _LedElsewhere) as failure:
            in_vain[server] += isinstance(failure, FetchFailed)
            return False
        in_vain[server] = 0
        key = identity(other)
        if not isinstance(found, Collected) or identity(fetched.url) != key:
            return False
        samples = sketch(found.text)
        if found.text != text and not agree(self.samples, samples):
            return False
        self.samples = samples
        self.others.append(replace(self.address, key=key, url=other))
        survey = await _surveyed(fetched)
        if survey is None or survey.is_kept:
            self._site.settle(Address(_same(other, found.text), other, _LINKED, 0), "text")
            self._looks.take(whole, found)
        else:
            self._site.note_nothing(other, "no document")
        self._looks.draft.memos[whereabouts(entry.url)] = {"to": found.external_id}
        self._looks.draft.reached.append(entry.url)
        self.state = "same"
        if not self._site.is_followed:
            return True
        led = await self._site.follow(replace(self.address, url=other), survey.links if survey else ())
        if self.address.rank == _LINKED:
            is_said = await self._was_said(other, found.text)
            self._site.learn(self.address, samples, is_said=is_said, led=led)
        return True

    async def _says(self, url: str, text: str) -> bool:
        """Whether the page at an address was the first that said this, to the letter."""
        key = _said(text)
        there = (await self._site.met([key])).get(key)
        return there is not None and identity(there.url) == identity(url)

    async def _was_said(self, url: str, text: str) -> bool:
        """Whether another page said the same to the letter. From now on, this one did."""
        key = _said(text)
        there = (await self._site.met([key])).get(key)
        if there is None:
            self._site.settle(Address(key, url, _LINKED, 0), "text")
        return there is not None and there.url != url


_LOOKED_AT = frozenset({"read", "same"})
_WALLS = frozenset({"captcha", "login_needed", "cookie_wall", "rate_limited", "soft_404"})


def _same(url: str, text: str) -> bytes:
    """The key of what a page says at its path, whatever the query."""
    return digest("same", url.partition("?")[0], text)


def _said(text: str) -> bytes:
    return digest("said", text)


async def _surveyed(fetched: Fetched) -> Survey | None:
    """What an HTML page leads to; None for what is no HTML, unless its headers ask that it be no document."""
    with suppress(ExtractionFailed):
        if detect(fetched.body, media_type=fetched.media_type, name=None, url=fetched.url) == "html":
            return await in_child(survey, fetched.body, fetched.media_type, fetched.url, fetched.robots)
    return None if is_document(fetched.robots) else Survey((), (), is_kept=False, samples=())
