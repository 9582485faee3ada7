"""Which videos of a list a run looks at: they are put into the job's frontier before any of them is looked at.

So a run that goes on elsewhere has them, however much the list has changed since.
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from extrophi_backend.collectors.models import Address, Failure, Page, Run
from extrophi_backend.collectors.youtube.client import BATCH, Listed, Session
from extrophi_backend.collectors.youtube.progress import Pending, Progress, Sorted, sort_out
from extrophi_backend.collectors.youtube.target import Place, video_url


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
        more than the fifteen of the feed, and its uploads are gone through until a known one comes. A playlist is in
        its owner's order, a search in YouTube's: both are gone through as a whole.

        Raises:
            Refused: why it is not given.
            FetchFailed, Wait.
        """
        is_channel = self._place.kind == "channel"
        if self._is_new and pending.ids and not self._at.met:
            found = await sort_out(self._run.known, pending.ids)
            yield await self._page(Sorted(found.fresh), Counter())
        if self._is_new and is_channel and not self._at.listed:
            found = await sort_out(self._run.known, await self._session.feed(self._place.name))
            if found.knows_some:
                self._at.is_listed = True
                yield await self._page(found, Counter())
                return
        async with aclosing(self._listed()) as parts:
            async for part in parts:
                self._gone_through += len(part.ids)
                found = await sort_out(self._run.known, part.ids) if self._is_new else Sorted(part.ids)
                page = await self._page(found, part.unknown)
                is_enough = part.is_last or self._at.met >= self._at.enough(self._run.limit)
                self._at.is_listed = is_enough or (is_channel and found.knows_some)
                # What this job went through before is not saved again: so it comes further each time it is killed.
                if self._at.is_listed or page.met or page.known or page.failures:
                    yield replace(page, cursor=self._at.cursor)
                if self._at.is_listed:
                    return

    def _listed(self) -> AsyncGenerator[Listed, None]:
        size = min(BATCH, self._at.enough(self._run.limit))
        if self._place.kind == "channel":
            return self._session.uploads(self._place.name, size)
        return self._session.entries(Place(self._place.kind, self._place.name).address, size)

    async def _page(self, found: Sorted, unknown: Counter[str]) -> Page:
        """What is saved of a part of the list. One that this job went through before is not counted again."""
        is_again = 0 < self._gone_through <= self._before
        self._at.listed = max(self._at.listed, self._gone_through)
        met = await self._run.known.met([_key(one) for one in found.fresh])
        room = self._at.enough(self._run.limit) - self._at.met
        fresh = [one for one in dict.fromkeys(found.fresh) if _key(one) not in met][:room]
        addresses = [Address(_key(one), video_url(one), 0, self._at.met + number) for number, one in enumerate(fresh)]
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


def _key(external_id: str) -> bytes:
    return external_id.encode()
