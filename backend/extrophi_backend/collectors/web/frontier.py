"""What a run over a site has met: each address once, with its place in the order, in the job's frontier.

What was looked at is settled in the transaction that saves it; so a job that is killed goes on with the next, and finds
what it would have found.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from extrophi_backend.collectors.models import DEFAULT_DEPTH, Address, Run
from extrophi_backend.collectors.web.bounds import Bounds, bounds_of, may_be_page
from extrophi_backend.collectors.web.knowing import external_id_of, known_already, nothing_for
from extrophi_backend.collectors.web.looks import Looks
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.progress import Draft
from extrophi_backend.collectors.web.spelling import digest, identity, plain
from extrophi_backend.collectors.web.traps import Kinds, Led, Trail, deepens, kinds_of
from extrophi_backend.fetch.errors import FetchFailed

ROBOTS, FRONT, SITEMAP, FEED, LISTED, LINKED, DOUBTED = range(-1, 6)
"""Ranks: nothing is taken while anything of a smaller rank waits, but for sitemaps (`Frontier.next`). So what is listed
comes before what is merely linked. What may be a trap is put aside until all else was read: then it is known what leads
there, and whether that has an end."""
_BATCH = 50
_MOST_ADDRESSES = 100_000
_MOST_DOUBTED = 50_000
_MOST_LISTINGS = 1000
"""Sitemaps and feeds of a job."""
_MORE_AHEAD = 100
_LINKS_AT_ONCE = 50
_MOST_KINDS = 2000
SAMPLES = 64
"""Of what a page says, kept to tell whether another address has the same page."""


class Frontier:
    """Of one run over a site."""

    def __init__(self, looks: Looks, run: Run) -> None:
        self.front = run.target.canonical
        self.depth = DEFAULT_DEPTH if run.depth is None else run.depth
        self.done: set[bytes] = set()
        """Since the batch that is worked on was read."""
        self._looks = looks
        self._run = run
        self._kinds = Kinds()
        self._recent: tuple[Draft, dict[bytes, Address]] = (looks.draft, {})

    @property
    def _at(self) -> dict[str, Any]:
        return self._looks.at.site  # see site.py

    @property
    def bounds(self) -> Bounds:
        return bounds_of(self.front, self._at["front"])

    async def next(self) -> Sequence[Address]:
        """What is to be taken next, all of one rank.

        Sitemaps are read until as many pages wait as this run can come to (as many failures as documents, and some that
        are neither), and no more until those are used up: there may be 1,000 of 50,000 pages each.
        """
        if self._at.get("ahead", 0) >= 2 * self._run.limit + _MORE_AHEAD:
            batch = await self._run.known.waiting(_BATCH, beyond=SITEMAP)
            if batch and batch[0].rank < LINKED:
                return batch
            self._at["ahead"] = 0
        return await self._run.known.waiting(_BATCH)

    async def if_entered(self, address: Address) -> Address | None:
        """A link as it is to be taken. None if it may be a trap: it is put aside, or left if that was done before."""
        if address.rank == LINKED:  # what was read since it was seen to wait may have told more of it
            address = (await self.met([address.key])).get(address.key, address)
        if address.state != "waiting":
            return None
        url, trail = address.url, trail_of(address)
        is_open = self._kinds.enters(url, trail)
        if address.rank == LINKED:
            if is_open:
                return address
            if self._doubts(url):
                self._put(replace(address, rank=DOUBTED))
            else:
                self._leave(address)
            return None
        if not is_open and not self._kinds.ends(url, trail):
            self._leave(address)
            return None
        return replace(address, rank=LINKED)

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
        self._put(replace(address, state="trap", entry={"kind": kinds_of(address.url)[0]}))
        self.note_nothing(address.url, "trap")

    async def follow(self, page: Address, links: Sequence[str]) -> Led:
        """Put a page's links into the frontier. Gives where it leads to, as far as that is of use to tell traps."""
        found = await self._pages_among(links)
        there = await self.met(list(found))
        fresh = {key: url for key, url in found.items() if key not in there}
        if self._run.purpose == "new":
            passed = await known_already(self._run.known, [Entry(url) for url in fresh.values()], self.front)
            self._looks.draft.known += sum(passed.values()) if page.rank == FRONT else 0
            fresh = {key: url for key, url in fresh.items() if url not in passed}
        trail = trail_of(page)
        await self.load_kinds([page.url, *fresh.values()], [trail])
        kind = kinds_of(page.url)[0]
        # From one page of a kind to the next is no step down: an archive's hundredth page is as near as its first.
        depths = {key: page.depth + (kinds_of(url)[0] != kind or page.rank == FRONT) for key, url in fresh.items()}
        near = {key: url for key, url in fresh.items() if depths[key] <= self.depth}
        # The front leads to what the site is of; whether that goes round in circles is another matter.
        onward = Trail() if page.rank == FRONT else trail.after(page.url, crc32(page.key), list(near.values()))
        for one in there.values():
            if one.state == "waiting" and one.rank >= LINKED:
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
                self._leave(Address(key, url, DOUBTED, 0, depth))
            return False
        if not self._kinds.is_over(url, trail):
            self.place(url, LINKED, depth=depth, entry=trail.kept)
            return True
        if self._doubts(url):
            self.place(url, DOUBTED, depth=depth, entry=trail.kept)
        return False

    def _meet_again(self, address: Address, trail: Trail) -> None:
        """A link that waits: what leads to it from a page of another kind tells more than what leads round to it."""
        if trail.leads_in(address.url) and not trail_of(address).leads_in(address.url):
            self._put(replace(address, entry=trail.kept))

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
        self._put(replace(address, state=state, entry=list(samples[:SAMPLES]) or None))

    def _put(self, address: Address) -> None:
        self._looks.draft.settled.append(address)
        self._overlay[address.key] = address
        if address.state != "waiting":
            self.done.add(address.key)

    def note_nothing(self, url: str, why: str) -> None:
        """There is no document to be had there, and runs for what is new need not ask."""
        self._looks.draft.memos[nothing_for(self.front, url)] = {"why": why}

    def place(self, url: str, rank: int, *, depth: int = 0, entry: Any = None) -> None:
        at = self._at
        is_page = rank not in {ROBOTS, SITEMAP, FEED}
        listings, doubted = at.get("listings", 0), at.get("doubted", 0)
        if not is_page and listings >= _MOST_LISTINGS:
            return
        if is_page and rank != DOUBTED and at["placed"] - listings - doubted >= _MOST_ADDRESSES:
            return
        try:
            key = identity(url) if is_page else digest("listing", external_id_of(url))
        except FetchFailed:
            key = digest("page", url)
        if rank == LISTED and "#" in url:  # what a feed holds itself has no address but the feed's
            key = digest("part", url)
        at["placed"] += 1
        at["listings"] = listings + (not is_page)
        at["ahead"] = at.get("ahead", 0) + (rank == LISTED)
        address = Address(key, url, rank, at["placed"], depth, entry)
        self._looks.draft.met.append(address)
        self._overlay.setdefault(key, address)

    def learn(self, address: Address, samples: Sequence[int], *, is_said: bool, led: Led) -> None:
        trail = trail_of(address)
        self._looks.draft.patterns |= self._kinds.take(address.url, samples, is_said=is_said, trail=trail, led=led)

    async def load_kinds(self, urls: Sequence[str], trails: Sequence[Trail]) -> None:
        missing = self._kinds.missing(urls, trails)
        if missing:
            self._kinds.load(missing, await self._run.known.patterns(missing))

    def save(self) -> None:
        """Before it is asked what comes next: that has to be in the frontier. So are learned kinds then."""
        self._looks.draft.is_due = True
        if len(self._kinds) > _MOST_KINDS:
            self._kinds.forget()

    def undoubt(self, url: str) -> None:
        """One that was put aside was looked at."""
        self._looks.draft.patterns |= self._kinds.put_aside(url, -1)


def _is_led_to(address: Address) -> bool:
    """Whether it waits since a page that is not the front led to it: then others that do must remember it, too."""
    return address.state == "waiting" and address.rank >= LINKED and bool(trail_of(address).kinds)


def trail_of(address: Address) -> Trail:
    """How a link was met."""
    return Trail.of(address.entry) if address.rank >= LINKED else Trail()
