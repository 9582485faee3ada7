"""Collecting by a signed-in session of the person's own: a browser opens X's page, and its answers are read.

Nothing of X's private protocol is made up here: which requests there are, and how they are signed, is the page's own
business. It is scrolled down as a reader does, until no more comes.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import quote, urlencode

from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.models import Batch, Listed
from extrophi_backend.collectors.twitter.reading import as_object, id_of
from extrophi_backend.collectors.twitter.session import Session
from extrophi_backend.collectors.twitter.target import Place
from extrophi_backend.collectors.twitter.ways import Wanted
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.errors import Wait

_AT_ONCE = 10
_OF_POST = re.compile(r"/status/(\d+)$", re.ASCII)


class BySession:
    """What the person sees when signed in.

    Args:
        session: Opens X's pages.
        web_url: Where they are, without a slash at the end.
    """

    name: models.Way = "session"
    at_once = _AT_ONCE

    def __init__(self, session: Session, web_url: str) -> None:
        self._session = session
        self._web_url = web_url

    def can_go_below(self, _: Place, /) -> bool:
        """As `Way.can_go_below`."""
        return False

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`. A run that goes on scrolls from the top, and passes over what is done."""
        place, seen = wanted.place, id_of(as_object(wanted.more).get("seen"))
        passed = _Passed(seen if place.kind != "post" else "")
        try:
            async with aclosing(self._session.timelines(self._address(place), place)) as timelines:
                async for found in timelines:
                    batch = passed.without(_of_place(found, place))
                    yield replace(batch, more={"seen": passed.reached})
                    # What others answer to a post has no end. What goes on from it is shown before that.
                    if place.kind == "post" and not any(one.piece.post.continues_own for one in batch.listed):
                        return
        except Wait:
            if not passed.is_in_vain:
                raise
            # From the top it does not come as far as it was before: nor would it the next time.
            detail = "X's page does not go further back within its limits: what is older was not reached."
            more_left = Failure(place.address, "more_left", detail)
            yield Batch(failures=[more_left], more={"seen": passed.reached}, is_cut=True)

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`: each by its own page, which shows what stands above it, too."""
        listed: list[Listed] = []
        failures: list[Failure] = []
        missing: dict[str, str] = {}
        for post in posts:
            if any(post in one.piece.post.ids for one in listed):
                continue
            place = Place("post", post)
            try:
                async with aclosing(self._session.timelines(self._address(place), place)) as timelines:
                    async for batch in timelines:
                        listed += batch.listed
                        failures += [one for one in batch.failures if one.code == "unknown_part"]
                        break
            except Refused as refusal:
                if refusal.code in {"session_ended", "account_locked"}:
                    raise
                missing[post] = refusal.code
                failures.append(Failure(place.address, refusal.code, refusal.detail))
        return Batch(listed, failures=failures, missing=missing)

    def _address(self, place: Place) -> str:
        match place.kind:
            case "user":
                return f"{self._web_url}/{place.name}/with_replies"
            case "post":
                return f"{self._web_url}/i/status/{place.name}"
            case "list":
                return f"{self._web_url}/i/lists/{place.name}"
            case "search":
                return f"{self._web_url}/search?{urlencode({'q': place.name, 'f': 'live'}, quote_via=quote)}"


class _Passed:
    """What of a listing is done: what a page shows twice, and all that an earlier run has had, down to `seen`."""

    def __init__(self, seen: str) -> None:
        self._seen = int(seen or 0)
        self._marks: set[str] = set()
        self._is_below = not seen
        self.reached = seen

    @property
    def is_in_vain(self) -> bool:
        """Whether the page has shown what was done before, and nothing else."""
        return bool(self._marks) and not self._is_below

    def without(self, batch: Batch) -> Batch:
        """The batch without what is done; what failed there was told."""
        fresh = [one for one in batch.listed if one.mark not in self._marks]
        self._marks |= {one.mark for one in fresh}
        if self._seen:
            fresh = [one for one in fresh if one.order and int(one.order) < self._seen]
        self._is_below = self._is_below or bool(fresh)
        failures = [one for one in batch.failures if not self._seen or self._is_fresh(one, any_fresh=bool(fresh))]
        self.reached = min([one.order for one in fresh if one.order], key=int, default=self.reached)
        return replace(batch, listed=fresh, failures=failures)

    def _is_fresh(self, failure: Failure, *, any_fresh: bool) -> bool:
        if (post := _OF_POST.search(failure.target)) is not None:
            return int(post[1]) < self._seen
        return any_fresh or self._is_below


def _of_place(batch: Batch, place: Place) -> Batch:
    """What is the place's own; what it answers by others stands beside."""
    listed, others = list(batch.listed), list[Listed]()
    if place.kind == "user":
        # Whose it is may not be told: it is kept.
        others = [
            one
            for one in listed
            if one.mark in one.piece.post.ids and one.piece.post.author.handle.lower() not in {"", place.name}
        ]
    elif place.kind == "post":
        asked = next((one for one in listed if place.name in one.piece.post.ids), None)
        if asked is None:
            return batch
        above, author = listed[: listed.index(asked)], asked.piece.post.author
        others = [one for one in above if one.piece.post.author.id != author.id]
        listed = [asked, *(one for one in listed if one is not asked)]  # however few are wanted
    own = [one for one in listed if one not in others]
    return replace(batch, listed=own, beside=[*batch.beside, *(one.piece for one in others)])
