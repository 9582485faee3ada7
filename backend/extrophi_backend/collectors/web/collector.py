"""Collecting a page, or all pages that a feed or a sitemap lists.

A document's external id, and its url, is the canonical form of the address that answered, after redirects.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from extrophi_backend.collectors.models import Collected, Cursor, Failure, Page, Run, Validators
from extrophi_backend.collectors.web.listings import Entry, Listing, is_listing, read_listing
from extrophi_backend.collectors.web.reading import EXTRACTION, read, read_content
from extrophi_backend.errors import PlatformUnavailable
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import canonical
from extrophi_backend.fetch.client import Fetched, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait

_PAGE_DOCUMENTS = 10
_PAGE_BYTES = 8 * 2**20
_PAGE_SECONDS = 2.0
"""A page is given when it has this many documents or bytes, or has been in the making this long."""
_BATCH = 100
"""Entries whose validators are asked for at once."""
_REMEMBERED = 20_000
"""A listing of more entries is read anew each time: remembering it would cost more than it."""
_DEPTH = 3
_MOST_SITEMAPS = 1000


@dataclass(slots=True)
class _Draft:
    """A page in the making."""

    documents: list[Collected] = field(default_factory=list[Collected])
    unchanged: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    memos: dict[str, Any] = field(default_factory=dict[str, Any])
    size: int = 0
    begun: float = field(default_factory=monotonic)

    def is_full(self) -> bool:
        return (
            len(self.documents) >= _PAGE_DOCUMENTS
            or self.size >= _PAGE_BYTES
            or monotonic() - self.begun > _PAGE_SECONDS
        )

    def page(self, cursor: Cursor) -> Page:
        return Page(
            tuple(self.documents), tuple(self.unchanged), tuple(self.gone), tuple(self.failures), cursor, self.memos
        )


@dataclass(frozen=True, slots=True)
class _Listed:
    """An entry, and the feed or sitemap that it stands in."""

    entry: Entry
    path: Sequence[str]
    """Addresses of the listings that lead to it, from the target on."""


class WebCollector:
    """Fetches by the worker's one guarded way out."""

    def __init__(self, fetcher: Fetcher, *, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._max_bytes = max_bytes

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The document at an address, or the documents that the feed or sitemap there lists, in its order.

        The cursor says in which listing which entry was handled last, and how many were. A run that goes on reads the
        listing anew; if that entry is no more in it, it begins again, and finds what it did unchanged.

        Raises:
            PlatformUnavailable: a host asked us to come back later.
        """
        if run.cursor is not None and run.cursor.get("done"):
            return
        draft = _Draft()
        collecting = _Collecting(self._fetcher, self._max_bytes, run, draft)
        cursor: Cursor = dict(run.cursor or {})
        handled = int(cursor.get("handled", 0))
        try:
            async for listed in collecting.entries():
                if handled >= run.limit:
                    break
                if listed is not None:
                    await collecting.handle(listed.entry)
                    handled += 1
                    cursor = {"path": list(listed.path), "after": listed.entry.url, "handled": handled}
                if draft.is_full():
                    yield draft.page(cursor)
                    draft = collecting.draft = _Draft()
        except Wait as wait:
            if cursor or draft.memos:
                yield draft.page(cursor)
            raise _come_later(wait) from wait
        yield draft.page({"done": True})


class _Collecting:
    """One run. `draft` takes what comes of it."""

    def __init__(self, fetcher: Fetcher, max_bytes: int, run: Run, draft: _Draft) -> None:
        self.draft = draft
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._run = run
        self._known: Mapping[str, Validators] = {}

    async def entries(self) -> AsyncIterator[_Listed | None]:
        """What the target lists from the cursor on. A target that lists nothing is handled here: then None."""
        cursor = self._run.cursor or {}
        resume: list[str] = cursor.get("path", [])
        root = self._run.target.canonical
        waiting: list[list[str]] = [[root]]
        seen = {root}
        while waiting:
            path = waiting.pop(0)
            listing = await self._listing(path[-1], is_root=len(path) == 1)
            if listing is None:
                yield None
                continue
            if len(path) <= _DEPTH:
                fresh = [one for one in listing.sitemaps if one not in seen][: _MOST_SITEMAPS - len(seen)]
                seen.update(fresh)
                if resume[: len(path)] == path and len(resume) > len(path) and resume[len(path)] in fresh:
                    fresh = fresh[fresh.index(resume[len(path)]) :]  # those before it are done
                # A sitemap's own come before its siblings, so that the order is the same in every run.
                waiting[:0] = [[*path, one] for one in fresh]
            entries = list(listing.entries)
            if path == resume:
                urls = [entry.url for entry in entries]
                entries = entries[urls.index(cursor["after"]) + 1 :] if cursor.get("after") in urls else entries
            for at in range(0, len(entries), _BATCH):
                batch = entries[at : at + _BATCH]
                self._known = await self._run.known.validators([_external_id(entry.url) for entry in batch])
                for entry in batch:
                    yield _Listed(entry, path)
            yield None

    async def handle(self, entry: Entry) -> None:
        """Look at an entry's page, and put what came of it into the draft."""
        if entry.url in self._run.set_aside:
            self.draft.failures.append(Failure(entry.url, "poisonous", "Reading it ended the worker five times."))
            return
        await self._run.suspect(entry.url)
        if entry.content is not None:
            self._take(await read_content(entry, entry.url))
            return
        try:
            fetched = await self._fetcher.fetch(entry.url, typed=False, validators=self._validators)
        except FetchFailed as failure:
            self.draft.failures.append(Failure(entry.url, failure.code, failure.detail))
        else:
            await self._answered(entry, fetched)

    async def _listing(self, address: str, *, is_root: bool) -> Listing | None:
        """The feed or sitemap at `address`. Any other page there is handled, if a person typed it: then None."""
        if is_root and address in self._run.set_aside:
            self.draft.failures.append(Failure(address, "poisonous", "Reading it ended the worker five times."))
            return None
        memo: Mapping[str, Any] = await self._run.known.memo(address) or {}
        known = await self._run.known.validators([address]) if is_root and not memo else {}

        async def validators(url: str) -> Validators:
            if memo:
                return memo["validators"] if url == memo["url"] else {}
            return _usable(known[url]) if url in known else await self._validators(url)

        await self._run.suspect(address)
        try:
            fetched = await self._fetcher.fetch(address, typed=is_root, validators=validators)
        except FetchFailed as failure:
            self.draft.failures.append(Failure(address, failure.code, failure.detail))
            return None
        if fetched.not_modified and memo:
            return _recalled(memo)
        if fetched.status == 200 and is_listing(fetched.body, fetched.media_type):
            listing = await _read_listing(fetched)
            if listing is not None:
                self._remember(address, fetched, listing)
                return listing
        if is_root:
            await self._answered(Entry(address), fetched)
            if self.draft.gone:  # a person asks for this very page: they are told
                detail = f"The server answered {fetched.status}: the page is gone. What was collected before is kept."
                self.draft.failures.append(Failure(address, f"http_{fetched.status}", detail))
        else:
            self.draft.failures.append(Failure(address, "not_a_sitemap", "The site lists it as a sitemap; it is none."))
        return None

    def _remember(self, address: str, fetched: Fetched, listing: Listing) -> None:
        whole = len(listing.entries) <= _REMEMBERED and not any(entry.content for entry in listing.entries)
        if whole and fetched.validators:
            entries = [asdict(entry) for entry in listing.entries]
            for entry in entries:
                entry["published_at"] = entry["published_at"].isoformat() if entry["published_at"] else None
            self.draft.memos[address] = {
                "url": fetched.url,
                "validators": fetched.validators,
                "kind": listing.kind,
                "entries": entries,
                "sitemaps": list(listing.sitemaps),
            }

    async def _answered(self, entry: Entry, fetched: Fetched) -> None:
        external_id = _external_id(fetched.url)
        if fetched.not_modified:
            self.draft.unchanged.append(external_id)
        elif fetched.status in {404, 410} and await self._run.known.validators([external_id]):
            self.draft.gone.append(external_id)
        else:
            self._take(await read(fetched, entry, external_id, entry.url, self._max_bytes))

    def _take(self, found: Collected | Failure) -> None:
        if isinstance(found, Failure):
            self.draft.failures.append(found)
        else:
            self.draft.documents.append(found)
            self.draft.size += len(found.capture.body) if found.capture else 0

    async def _validators(self, url: str) -> Validators:
        external_id = _external_id(url)
        if external_id in self._known:
            return _usable(self._known[external_id])
        return _usable((await self._run.known.validators([external_id])).get(external_id, {}))


async def _read_listing(fetched: Fetched) -> Listing | None:
    try:
        return await in_child(read_listing, fetched.body, fetched.url, fetched.media_type)
    except ExtractionFailed:
        return None


def _recalled(memo: Mapping[str, Any]) -> Listing:
    entries = [
        Entry(**(entry | {"published_at": datetime.fromisoformat(at) if (at := entry["published_at"]) else None}))
        for entry in memo["entries"]
    ]
    return Listing(memo["kind"], tuple(entries), tuple(memo["sitemaps"]))


def _usable(validators: Validators) -> Validators:
    """Of a document that today's extraction would read as it was read."""
    return validators if validators.get("extraction") == EXTRACTION else {}


def _external_id(url: str) -> str:
    try:
        return canonical(url)
    except FetchFailed:
        return url


def _come_later(wait: Wait) -> PlatformUnavailable:
    return PlatformUnavailable(
        f"{wait.host} asks to be left alone for {wait.seconds:.0f} s.",
        hint="The job goes on by itself after that.",
        retry_after=wait.seconds,
    )
