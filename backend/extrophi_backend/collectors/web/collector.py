"""Collecting a page, or all pages that a feed or a sitemap lists.

A document's external id, and its url, is the canonical form of the address that answered, after redirects.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from extrophi_backend.collectors.models import Collected, Failure, Page, Run, Validators
from extrophi_backend.collectors.web.knowing import LISTED, changed_since, external_id_of, known_already, whereabouts
from extrophi_backend.collectors.web.listings import is_listing, read_listing
from extrophi_backend.collectors.web.models import Answers, Asks, Entry, Listing, Understood
from extrophi_backend.collectors.web.progress import Draft, Progress
from extrophi_backend.collectors.web.reading import (
    EXTRACTION,
    FROM_FEED,
    SHOWN_AS,
    Moved,
    read,
    read_content,
    stands_in,
)
from extrophi_backend.collectors.web.remembering import recalled, remembered
from extrophi_backend.collectors.web.rendering import Renderer
from extrophi_backend.collectors.web.site import Site
from extrophi_backend.errors import RobotsUnreachable
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.client import Fetched, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait, put_off
from extrophi_backend.fetch.pace import pace_name
from extrophi_backend.fetch.rendered import Rendered

_BATCH = 100
"""Entries whose validators are asked for at once, and that are looked ahead at."""
_MOST_ASIDE = 100
_DEPTH = 3
_MOST_SITEMAPS = 1000
_MOST_STUBS = 3
"""Pages in a row that only lead to the next."""


class WebCollector:
    """Fetches by the worker's one guarded way out. Without a renderer, pages that are made by scripts are failures."""

    def __init__(self, fetcher: Fetcher, *, max_bytes: int, renderer: Renderer | None = None) -> None:
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._renderer = renderer

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The document at an address, the documents that the feed or sitemap there lists, or those of its site.

        The cursor says in which listing which entry was handled last, and which were put aside since their hosts asked
        to wait. A run that goes on has that listing from its memo, or reads it anew; if the entry is no more in it, it
        begins again, and finds what it did unchanged.

        Raises:
            PlatformUnavailable: a host asked us to come back later. Paced, if that is only our own pace.
            RobotsUnreachable: a site does not say what may be fetched of it.
        """
        if run.cursor is not None and run.cursor.get("done"):
            return
        collecting = _Collecting(self._fetcher, self._max_bytes, run, self._renderer)
        try:
            async for _ in collecting.all_steps():
                if collecting.draft.is_full():
                    yield collecting.draft.page(collecting.at.cursor)
                    collecting.draft = Draft()
        except Wait as wait:
            yield collecting.draft.page(collecting.at.cursor)
            raise put_off(wait) from wait
        except RobotsUnreachable:
            yield collecting.draft.page(collecting.at.cursor)
            raise
        yield collecting.draft.page({"done": True})


class _Collecting:
    """One run. `draft` takes what comes of it, `at` is where it is."""

    def __init__(self, fetcher: Fetcher, max_bytes: int, run: Run, renderer: Renderer | None) -> None:
        self.draft = Draft()
        self.at = Progress(run.cursor or {})
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._run = run
        self._renderer = renderer
        self._known: Mapping[str, Validators] = {}
        self._changed: dict[str, str] = {}

    def all_steps(self) -> AsyncIterator[None]:
        """The run's work, as `steps`."""
        if self._run.purpose == "revisit":
            return self._revisits()
        return Site(self, self._fetcher, self._run).steps() if self._run.scope == "site" else self.steps()

    async def _revisits(self) -> AsyncIterator[None]:
        """Look at the documents that are due, and at nothing else. What a feed holds itself has no address to ask."""
        due = [Entry(external_id) for external_id in self._run.revisit if "#" not in external_id]
        async for _ in self._entries(due):
            yield

    async def steps(self) -> AsyncIterator[None]:
        """Work from the cursor on; give way after each entry and listing. Raises Wait where there is no going on."""
        resume = tuple(self.at.path)
        root = self._run.target.canonical
        waiting: list[tuple[str, ...]] = [(root,)]
        seen = {root}
        while waiting and not self.at.is_enough(self._run.limit):
            path = waiting.pop(0)
            on_the_way = resume[: len(path)] == path
            if on_the_way and self.at.is_over and path == resume:
                continue
            listing = await self._listing(path, again=on_the_way)
            if not on_the_way:
                self.at.enter(path)
            if listing is None:
                self.at.leave(path)
                yield
                continue
            if len(path) <= _DEPTH:
                fresh = [one for one in listing.sitemaps if one not in seen][: _MOST_SITEMAPS - len(seen)]
                seen.update(fresh)
                self._changed |= listing.changed
                if on_the_way and len(resume) > len(path) and resume[len(path)] in fresh:
                    fresh = fresh[fresh.index(resume[len(path)]) :]  # those before it are done
                # A sitemap's own come before its siblings, so that the order is the same in every run.
                waiting[:0] = [(*path, one) for one in fresh]
            yield
            if not on_the_way or path == resume:
                async for _ in self._entries(listing.entries):
                    yield

    async def _entries(self, entries: Sequence[Entry]) -> AsyncIterator[None]:
        """Handle a listing's entries. Where a host asks to wait, others go first: its entries are put aside."""
        at, limit = self.at, self._run.limit
        urls = {entry.url: number for number, entry in enumerate(entries)}
        aside = [entries[urls[url]] if url in urls else Entry(url) for url in at.aside]
        todo = [*aside, *entries[urls.get(at.after or "", -1) + 1 :]]
        held: dict[str, Wait] = {}
        start = 0
        while batch := todo[start : start + _BATCH]:
            self._known = await self._run.known.validators([external_id_of(entry.url) for entry in batch])
            passed = await self.passed(batch)
            for number, entry in enumerate(batch):
                is_new = start + number >= len(aside)
                if at.is_enough(limit) or (is_new and at.handled + len(at.aside) >= limit):
                    todo.clear()
                    break
                wait = await self._handle_or_pass(entry, passed if is_new else {})
                if wait is not None:
                    held[wait.host] = held[_host(entry.url)] = wait
                    if is_new and (len(at.aside) >= _MOST_ASIDE or not _others(batch[number + 1 :], held)):
                        raise _first(held)
                    if is_new:
                        at.aside.append(entry.url)
                elif not is_new:
                    at.aside.remove(entry.url)
                if is_new:
                    at.after = entry.url
                yield
            start += _BATCH
        if at.aside and not at.is_enough(limit):
            raise _first(held)

    async def _handle_or_pass(self, entry: Entry, passed: Mapping[str, bool]) -> Wait | None:
        if entry.url not in passed:
            return await self._handle(entry)
        self.draft.known += passed[entry.url]
        return None

    async def passed(self, entries: Sequence[Entry]) -> Mapping[str, bool]:
        """Addresses of entries that a run for what is new passes over: known ones (true), and those that failed lately.

        One that its listing says to have changed since it was collected is not passed over.
        """
        if self._run.purpose != "new":
            return {}
        return await known_already(self._run.known, entries)

    async def _handle(self, entry: Entry) -> Wait | None:
        """Look at an entry's page, and put what came of it into the draft; nothing, if it has to wait."""
        had, missed = self.draft.had, self.draft.missed
        # A revisit's target is any of its documents.
        is_target = entry.url == self._run.target.canonical and self._run.purpose != "revisit"
        wait = await self.look(entry, typed=is_target)
        self.at.handled += self.draft.had - had
        self.at.failed += self.draft.missed - missed
        return wait

    async def look(self, entry: Entry, answers: Answers | None = None, *, typed: bool = False) -> Wait | None:
        """Look at an entry's page. What came of it goes into the draft, or to `answers`; nothing, if it has to wait.

        What a person typed is fetched at their word, also when it is looked at again, or is listed somewhere.
        """
        answers = answers or self
        if entry.url in self._run.set_aside:
            self.fail(entry.url, "poisonous", "Reading it ended the worker five times.")
            return None
        if entry.problem is not None:
            self.fail(entry.url, entry.problem, "The link leads nowhere that can be fetched.")
            return None
        await self._run.suspect(entry.url)
        if not entry.linked:
            self.take(entry, await read_content(entry, entry.url))
            return None
        typed = typed or bool(await self._run.known.typed([external_id_of(entry.url)]))
        try:
            failure = self.at.patience.given_up(_host(entry.url))
            if failure is None:
                fetched = await self.fetch(entry.url, typed=typed, validators=answers.validators)
                await answers.answered(entry, fetched, typed=typed)
                return None
        except FetchFailed as refusal:
            failure = refusal
        except Wait as wait:
            failure = self.at.patience.wait(wait)
            if failure is None:
                return wait
        await answers.missed(entry, Failure(entry.url, failure.code, failure.detail))
        return None

    async def fetch(self, url: str, *, typed: bool, validators: Asks) -> Fetched:
        fetched = await self._fetcher.fetch(url, typed=typed, validators=validators)
        self.at.patience.answered(url, fetched.url)
        return fetched

    async def _listing(self, path: Sequence[str], *, again: bool) -> Listing | None:
        """The feed or sitemap at the end of `path`. Any other page there is handled, if a person typed it: then None.

        Args:
            path: Of addresses, from the target on.
            again: This job has read it before: what it listed then is as good.

        Raises:
            Wait: its host asks to.
        """
        address = path[-1]
        if address in self._run.set_aside:
            self.fail(address, "poisonous", "Reading it ended the worker five times.")
            return None
        memo: Mapping[str, Any] = await self._run.known.memo(address) or {}
        if memo and (again or self._is_as_before(address, memo)):
            return recalled(memo)
        await self._run.suspect(address)
        failure: FetchFailed | ExtractionFailed | None
        try:
            return await self._ask_for_listing(address, memo, is_root=len(path) == 1, again=again)
        except (FetchFailed, ExtractionFailed) as refusal:
            failure = refusal
        except Wait as wait:
            failure = self.at.patience.wait(wait)
            if failure is None:
                raise
        self.fail(address, failure.code, failure.detail)
        return None

    def _is_as_before(self, address: str, memo: Mapping[str, Any]) -> bool:
        """Whether the index of sitemaps says that this one did not change since it was read."""
        said = self._changed.get(address)
        return self._run.purpose == "new" and said is not None and said == memo.get("said")

    async def _ask_for_listing(
        self, address: str, memo: Mapping[str, Any], *, is_root: bool, again: bool
    ) -> Listing | None:
        said = self._changed.get(address)
        found = await self.ask_for_listing(address, memo, typed=is_root, again=again, said=said)
        if not isinstance(found, Fetched):
            self.draft.reached.append(address)
            return found
        if is_root:
            await self._typed_page(address, found)
        else:
            self.fail(address, "not_a_sitemap", "The site lists it as a sitemap; it is none.")
        return None

    async def ask_for_listing(
        self, address: str, memo: Mapping[str, Any], *, typed: bool, again: bool = False, said: str | None = None
    ) -> Listing | Fetched:
        """The feed or sitemap at an address, conditionally by its memo; the answer, if it is none.

        `said` is when it last changed, as the index wrote that lists it: kept with it.
        """
        known = await self._run.known.validators([address]) if typed and not memo else {}

        async def validators(url: str) -> Validators:
            if memo:
                return memo["validators"] if url == memo["url"] else {}
            return _usable(known[url]) if url in known else await self.validators(url)

        # Read again, it costs no turn: else a job whose listing has no memo would never come to its pages.
        fetched = await self._fetcher.fetch(address, typed=typed, crawl_delay=not again, validators=validators)
        self.at.patience.answered(address, fetched.url)
        if fetched.not_modified and memo:
            if memo.get("said") != said:
                self.draft.memos[address] = {**memo, "said": said}
            return recalled(memo)
        if fetched.status == 200 and is_listing(fetched.body, fetched.media_type):
            listing = await in_child(read_listing, fetched.body, fetched.url, fetched.media_type)
            if listing is not None:
                kept = remembered(fetched, listing)
                self.draft.memos[address] = {**kept, "said": said} if kept else kept
                return listing
        if memo:
            self.draft.memos[address] = {}
        return fetched

    async def _typed_page(self, address: str, fetched: Fetched) -> None:
        await self.answered(Entry(address), fetched, typed=True)
        if self.draft.gone:  # a person asks for this very page: they are told
            detail = f"The server answered {fetched.status}: the page is gone. What was collected before is kept."
            self.fail(address, f"http_{fetched.status}", detail)

    async def answered(self, entry: Entry, fetched: Fetched, *, typed: bool = False) -> None:
        """Take what a page holds, or what the page holds that it leads to.

        Raises:
            FetchFailed, Wait: about the page that it leads to.
        """
        fetched, found = await self.understood(entry, fetched, typed=typed, validators=self.validators)
        if isinstance(found, Failure):
            await self.missed(entry, found)
        elif found == "gone":
            self.draft.gone.append(external_id_of(fetched.url))
            self.draft.reached.append(entry.url)
        elif found == "unchanged":
            await self.take_unchanged(entry, fetched)
        else:
            self.take(entry, found)

    async def understood(
        self, entry: Entry, fetched: Fetched, *, typed: bool, validators: Asks
    ) -> tuple[Fetched, Understood]:
        """What an answer comes to, and the answer itself: the last one, where a page only leads to another.

        Raises:
            FetchFailed, Wait: about the page that it leads to.
        """
        shown: list[Rendered] = []
        render = partial(self._render, typed=typed, shown=shown) if self._renderer else None
        for _ in range(_MOST_STUBS + 1):
            external_id = external_id_of(fetched.url)
            if typed:
                self.draft.typed.append(external_id)
            if fetched.not_modified:
                return fetched, "unchanged"
            if fetched.status in {404, 410} and await self._run.known.validators([external_id]):
                return fetched, "gone"
            found = await read(fetched, entry, external_id, entry.url, self._max_bytes, render)
            if shown:  # its links are those that a browser shows
                fetched = replace(fetched, url=shown[-1].url, body=shown[-1].html, media_type=SHOWN_AS)
                if typed:
                    self.draft.typed.append(external_id_of(fetched.url))
            if not isinstance(found, Moved):
                return fetched, found
            fetched = await self.fetch(found.url, typed=typed, validators=validators)
        raise FetchFailed("too_many_redirects", f"It leads on to another page more than {_MOST_STUBS} times.")

    async def _render(self, url: str, *, typed: bool, shown: list[Rendered]) -> Rendered:
        assert self._renderer is not None
        shown.append(await self._renderer.render(url, typed=typed))
        return shown[-1]

    async def missed(self, entry: Entry, failure: Failure) -> None:
        """Take what the feed itself holds of a page that cannot be had, unless a better version is there already."""
        if entry.content is not None and stands_in(failure.code):
            external_id = external_id_of(entry.url)
            known = (await self._run.known.validators([external_id])).get(external_id)
            if known is None or known.get(FROM_FEED):
                found = await read_content(entry, external_id)
                if isinstance(found, Collected):
                    self.take(entry, found)
                    return
        self.draft.failures.append(failure)

    def take(self, entry: Entry, found: Collected | Failure) -> None:
        if isinstance(found, Failure):
            self.draft.failures.append(found)
            return
        if entry.changed is not None:
            found = replace(found, validators={**found.validators, LISTED: entry.changed})
        self.draft.documents.append(found)
        self.draft.size += sum(len(kept.body) for kept in (found.capture, found.screenshot) if kept)
        self._reached(entry, found.external_id)

    async def take_unchanged(self, entry: Entry, fetched: Fetched) -> None:
        external_id = external_id_of(fetched.url)
        self.draft.unchanged.append(external_id)
        self._reached(entry, external_id)
        if entry.changed is not None:
            known = (await self._run.known.validators([external_id])).get(external_id, {})
            if changed_since(entry.changed, known.get(LISTED)):
                self.draft.noted[external_id] = {**known, LISTED: entry.changed}

    def _reached(self, entry: Entry, external_id: str) -> None:
        self.draft.reached.append(entry.url)
        if external_id_of(entry.url) != external_id and entry.linked:
            self.draft.memos[whereabouts(entry.url)] = {"to": external_id}

    def fail(self, target: str, code: str, detail: str) -> None:
        self.draft.failures.append(Failure(target, code, detail))

    async def validators(self, url: str) -> Validators:
        external_id = external_id_of(url)
        if external_id in self._known:
            return _usable(self._known[external_id])
        return _usable((await self._run.known.validators([external_id])).get(external_id, {}))


def _others(entries: Sequence[Entry], held: Mapping[str, Wait]) -> bool:
    """Whether there is one that need not wait."""
    return any(not entry.linked or _host(entry.url) not in held for entry in entries)


def _first(held: Mapping[str, Wait]) -> Wait:
    return min(held.values(), key=lambda wait: wait.seconds)


def _host(url: str) -> str:
    try:
        return pace_name(parse(url))
    except FetchFailed:
        return ""


def _usable(validators: Validators) -> Validators:
    """Of a document that today's extraction would read as it was read."""
    return validators if validators.get("extraction") == EXTRACTION else {}
