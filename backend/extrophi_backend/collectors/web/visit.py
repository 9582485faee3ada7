"""Taking what comes of one address of a site: a page, a file, a listing, another's copy, or nothing."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from extrophi_backend.collectors.models import Address, Collected, Failure, Validators
from extrophi_backend.collectors.web.frontier import FRONT, LINKED, LISTED, SAMPLES, Frontier
from extrophi_backend.collectors.web.knowing import external_id_of, whereabouts
from extrophi_backend.collectors.web.listings import is_listing, read_listing
from extrophi_backend.collectors.web.looks import Looks
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.seen import Seen
from extrophi_backend.collectors.web.spelling import digest, identity, plain
from extrophi_backend.collectors.web.survey import Survey, is_document, survey
from extrophi_backend.collectors.web.traps import Led, agree, sketch
from extrophi_backend.extraction.detecting import detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import host_of, parse
from extrophi_backend.fetch.client import Fetched
from extrophi_backend.fetch.errors import FetchFailed

if TYPE_CHECKING:
    from extrophi_backend.collectors.web.site import Site

_MOST_LINKS = 500
"""Of a listing that is linked."""
_PATIENCE = 3
"""Addresses in a row that pages say are their own, and that cannot be had, before that host's are asked no more."""
_LOOKED_AT = frozenset({"read", "same"})
_WALLS = frozenset({"captcha", "login_needed", "cookie_wall", "rate_limited", "soft_404"})


class LedElsewhere(Exception):
    """An address redirects out of the site, or to a page that was looked at."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class Visit:
    """Taking what comes of one address."""

    def __init__(self, looks: Looks, site: "Site", frontier: Frontier, address: Address) -> None:
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
        self._frontier = frontier

    async def validators(self, url: str) -> Validators:
        """Pages whose links are wanted are asked for as a whole: an answer that nothing changed has none.

        What is listed need not be, where it is kept what the page led to.

        Raises:
            LedElsewhere: it was redirected to where there is nothing more to do.
        """
        await self.whole(url)
        if not self._site.is_followed or (self.address.rank == FRONT and self._site.is_again):
            return await self._looks.validators(url)
        if self.address.rank != LISTED:
            return {}
        known = await self._looks.validators(url)
        self._seen = await self._site.seen(url, known)
        return known if self._seen is not None else {}

    async def whole(self, url: str) -> Validators:
        """As `validators`, of what is wanted as a whole in any case."""
        if self.address.rank != FRONT and url != self.address.url and await self._is_done_with(url):
            raise LedElsewhere(url)
        return {}

    async def _is_done_with(self, url: str) -> bool:
        """Whether an address is out of the site, or was looked at."""
        if not self._frontier.bounds.hold(url):
            return True
        key = identity(url)
        there = (await self._frontier.met([key])).get(key)
        return key != self.address.key and there is not None and there.state in _LOOKED_AT

    def end_at(self, entry: Entry, url: str) -> None:
        """The address led there, and there is nothing more to do."""
        if self._frontier.bounds.hold(url):
            self._is_same(entry, url)
        else:
            self.state = "outside"
            self._frontier.note_nothing(entry.url, "outside")

    async def answered(self, entry: Entry, fetched: Fetched, *, typed: bool = False) -> None:
        if self.address.rank in {FRONT, LINKED} and await self._is_listing(entry, fetched):
            return
        fetched, found = await self._looks.understood(entry, fetched, typed=typed, validators=self.validators)
        if self.address.rank != FRONT and identity(fetched.url) != self.address.key:
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
            if self.address.rank == FRONT:
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
        if self.address.rank == FRONT:
            self._site.begin_at(fetched.url)
            await self._site.take_as_listing(listing)
        else:  # a page that leads on, as far as pages may
            self._pass_by(entry, "listing")
            links = [one.url for one in listing.entries if one.linked and not one.problem]
            led = await self._frontier.follow(self.address, [*links, *listing.sitemaps][:_MOST_LINKS])
            self._frontier.learn(self.address, (), is_said=True, led=led)
        return True

    def _pass_by(self, entry: Entry, why: str) -> None:
        """It is there, and is no document."""
        self._frontier.note_nothing(entry.url, why)
        self._looks.draft.reached.append(entry.url)

    def _is_wall(self, fetched: Fetched, failure: Failure) -> bool:
        """Whether a page stands in another's place: its links, and where it is, then tell nothing of the site."""
        is_elsewhere = self.address.rank == FRONT and not self._frontier.bounds.hold(fetched.url)
        is_empty = failure.code == "javascript_needed"  # a login's or a front's, who knows
        return fetched.status != 200 or failure.code in _WALLS or (is_empty and is_elsewhere)

    async def _go_on_as_before(self, url: str, seen: Seen) -> None:
        self.samples = seen.samples
        for key in seen.texts:
            self._frontier.settle(Address(key, url, LINKED, 0), "text")
        await self._frontier.follow(replace(self.address, url=url), seen.links)

    def _take_gone(self, entry: Entry, fetched: Fetched) -> None:
        self.state = "gone"
        self._looks.draft.gone.append(external_id_of(fetched.url))
        self._looks.draft.reached.append(entry.url)
        if self.address.rank == FRONT:  # without it there is no site: a person is told
            detail = (
                f"The server answered {fetched.status}: the site's front is gone. What was collected before is kept."
            )
            self._looks.fail(entry.url, f"http_{fetched.status}", detail)

    async def missed(self, entry: Entry, failure: Failure) -> None:
        if self.address.rank == LINKED and failure.code == "robots_disallowed":
            # A link there is no promise of a page: what a site does not want read is passed by.
            self.state = "forbidden"
            self._frontier.note_nothing(entry.url, "robots")
            return
        if entry.content is None and self._site.close_if_unreachable():
            return
        await self._looks.missed(entry, failure)

    def _is_same(self, entry: Entry, url: str) -> None:
        self.state = "same"
        self._looks.draft.reached.append(entry.url)
        self._looks.draft.memos[whereabouts(entry.url)] = {"to": external_id_of(url)}
        self._frontier.note_nothing(entry.url, "same")  # of use where that is no document either
        if self.address.rank == LINKED:
            self._frontier.learn(self.address, (), is_said=True, led=Led())

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
        if self.address.rank == FRONT or not self._site.is_followed:
            return
        led = await self._frontier.follow(replace(self.address, url=fetched.url), survey.links)
        if self.address.rank == LINKED:
            self._frontier.learn(self.address, self.samples, is_said=is_said, led=led)
        elif isinstance(found, Collected) and survey.is_kept:
            texts = (_same(fetched.url, found.text), _said(found.text))
            self._site.see(
                found.external_id, Seen(fetched.validators, texts, self.samples[:SAMPLES], [*led.fresh, *led.shared])
            )

    async def _take_file(self, entry: Entry, found: Collected | Failure) -> None:
        """Take what is no web page."""
        if not isinstance(found, Failure):
            self._looks.take(entry, found)
        elif self.address.rank == LINKED and found.code == "unsupported_type":
            self._pass_by(entry, "no document")  # a link to an archive or a program is no promise of a text
            self._frontier.learn(self.address, (), is_said=True, led=Led())
        else:
            self.state = "failed"
            await self._looks.missed(entry, found)

    async def _is_copy(self, entry: Entry, fetched: Fetched, found: Collected, *, is_kept: bool) -> bool:
        """Whether the page is one that has another address, by its own word or to the letter: that one is taken.

        Of one that is not to be kept, others are no copies.
        """
        same = _same(fetched.url, found.text)
        text = (await self._frontier.met([same])).get(same)
        if text is not None and identity(text.url) != identity(fetched.url):
            self._is_same(entry, text.url)
            return True
        if is_kept:
            self._frontier.settle(Address(same, fetched.url, LINKED, 0), "text")
        other = self._other_address(fetched, found)
        if other is None:
            return False
        key = identity(other)
        there = (await self._frontier.met([key])).get(key) if key != identity(fetched.url) else None
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
        if found.canonical_url is None or not self._frontier.bounds.hold(found.canonical_url):
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
        except (FetchFailed, LedElsewhere) as failure:
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
            self._frontier.settle(Address(_same(other, found.text), other, LINKED, 0), "text")
            self._looks.take(whole, found)
        else:
            self._frontier.note_nothing(other, "no document")
        self._looks.draft.memos[whereabouts(entry.url)] = {"to": found.external_id}
        self._looks.draft.reached.append(entry.url)
        self.state = "same"
        if not self._site.is_followed:
            return True
        led = await self._frontier.follow(replace(self.address, url=other), survey.links if survey else ())
        if self.address.rank == LINKED:
            is_said = await self._was_said(other, found.text)
            self._frontier.learn(self.address, samples, is_said=is_said, led=led)
        return True

    async def _says(self, url: str, text: str) -> bool:
        """Whether the page at an address was the first that said this, to the letter."""
        key = _said(text)
        there = (await self._frontier.met([key])).get(key)
        return there is not None and identity(there.url) == identity(url)

    async def _was_said(self, url: str, text: str) -> bool:
        """Whether another page said the same to the letter. From now on, this one did."""
        key = _said(text)
        there = (await self._frontier.met([key])).get(key)
        if there is None:
            self._frontier.settle(Address(key, url, LINKED, 0), "text")
        return there is not None and there.url != url


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
