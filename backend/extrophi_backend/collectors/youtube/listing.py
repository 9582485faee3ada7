"""Which videos of a list a run looks at: they are put into the job's frontier before any of them is looked at.

So a run that goes on elsewhere has them, however much the list has changed since.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from extrophi_backend.archives.models import ANEW
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.collectors.models import Address, Failure, Page, Run
from extrophi_backend.collectors.youtube.archive import videos
from extrophi_backend.collectors.youtube.client import BATCH, Listed, Session
from extrophi_backend.collectors.youtube.progress import Pending, Progress, Sorted, part_size, sort_out
from extrophi_backend.collectors.youtube.target import Place, video_url
from extrophi_backend.errors import Refused

_NAMED = 1000
"""Videos of an archive that are put into the frontier at once."""


async def archived(run: Run, archive: Archive, at: Progress) -> AsyncGenerator[Page, None]:
    """The videos that an archive names and that are not known yet, a part at a time.

    Raises:
        Refused: it cannot be read.
    """
    try:
        named = await asyncio.to_thread(lambda: [*videos(archive)])
    except BadArchive as error:
        raise Refused(error.code, error.detail, hint=ANEW) from error
    size = part_size(run.limit, _NAMED)
    while not at.is_listed:
        part = named[at.listed : at.listed + size]
        found = await sort_out(run.known, part)
        met = _addresses(found.fresh, at.met)
        at.listed += len(part)
        at.met += len(met)
        at.is_listed = at.listed >= len(named)
        yield Page(met=met, known=found.passed, cursor=at.cursor)


class Listing:
    """Of a channel, a playlist or a search, for one run."""

    def __init__(self, session: Session, run: Run, place: Place, at: Progress) -> None:
        self._session = session
        self._run = run
        self._place = place
        self._at = at
        self._is_new = run.purpose == "new"
        self._gone_through = 0
        self._before = at.listed

    async def pages(self, pending: Pending) -> AsyncGenerator[Page, None]:
        """The list, a part at a time, as far as the run wants it.

        For what is new, a channel's feed is enough if it shows a video that is known: one request. Else there may be
        more than the fifteen of the feed, and its uploads are gone through until a known one comes. Where an earlier
        run left a gap, what is known is not the end: they are gone through as a whole. So are a playlist, which is in
        its owner's order, and a search, which is in YouTube's.

        Raises:
            Refused: why it is not given.
            FetchFailed, Wait.
        """
        stops_at_known = self._is_new and self._place.kind == "channel" and not self._at.has_gap
        if self._is_new and not self._at.met and (due := await pending.due(self._run.known)):
            yield await self._page(Sorted(due), Counter())
        if stops_at_known and not self._at.listed:
            found = await self._sorted(await self._session.feed(self._place.name))
            if found.knows_some:
                self._at.is_listed = True
                yield await self._page(found, Counter())
                return
        async with aclosing(self._listed()) as parts:
            async for part in parts:
                self._gone_through += len(part.ids)
                found = await self._sorted(part.ids) if self._is_new else Sorted(part.ids)
                page = await self._page(found, part.unknown)
                self._at.is_listed = part.is_last or (stops_at_known and found.knows_some)
                # What this job went through before is not saved again: so it comes further each time it is killed.
                if self._at.is_listed or page.met or page.known or page.failures:
                    yield replace(page, cursor=self._at.cursor)
                if self._at.is_listed:
                    return

    def _listed(self) -> AsyncGenerator[Listed, None]:
        size = part_size(self._run.limit, BATCH)
        if self._place.kind == "channel":
            return self._session.uploads(self._place.name, size)
        return self._session.entries(Place(self._place.kind, self._place.name).address, size)

    async def _sorted(self, ids: Sequence[str]) -> Sorted:
        """What there is to look at. What this job has itself looked at does not count as known: more may follow it."""
        met = await self._run.known.met([_key(one) for one in ids])
        own = {key for key, address in met.items() if address.state != "waiting"}
        others = [one for one in ids if _key(one) not in own]
        return await sort_out(self._run.known, others, comments=self._place.comments)

    async def _page(self, found: Sorted, unknown: Counter[str]) -> Page:
        """What is saved of a part of the list. One that this job went through before is not counted again."""
        is_again = 0 < self._gone_through <= self._before
        self._at.listed = max(self._at.listed, self._gone_through)
        met = await self._run.known.met([_key(one) for one in found.fresh])
        addresses = _addresses([one for one in dict.fromkeys(found.fresh) if _key(one) not in met], self._at.met)
        self._at.met += len(addresses)
        return Page(
            met=addresses,
            known=0 if is_again else found.passed,
            failures=() if is_again else [self._unknown_part(kind, count) for kind, count in sorted(unknown.items())],
            cursor=self._at.cursor,
        )

    def _unknown_part(self, kind: str, count: int) -> Failure:
        parts, are = ("part", "is") if count == 1 else ("parts", "are")
        detail = f"{count} {parts} of the kind “{kind[:100]}” {are} not known to Extrophi, and passed over."
        return Failure(self._place.address, "unknown_part", detail)


def _addresses(ids: Sequence[str], first: int) -> list[Address]:
    """Of the frontier, from position `first` on."""
    return [Address(_key(one), video_url(one), 0, first + number) for number, one in enumerate(ids)]


def _key(external_id: str) -> bytes:
    return external_id.encode()
