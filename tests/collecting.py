"""A collector run as a job runs it, its pages saved in memory."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from extrophi_backend.collectors.models import (
    Address,
    Collected,
    Collector,
    Cursor,
    Failure,
    Head,
    Page,
    Purpose,
    Run,
    Scope,
    Target,
    Validators,
)
from extrophi_backend.collectors.web.target import recognise

LOOPBACK = (ip_network("127.0.0.1/32"),)
"""As far as tests serve: the rest of loopback is as private as elsewhere."""


def target(url: str) -> Target:
    found = recognise(url, LOOPBACK)
    assert found is not None
    return found


@dataclass
class Library:
    """What a run's pages leave behind, and what the next run may ask."""

    documents: dict[str, Collected] = field(default_factory=dict[str, Collected])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    gone: set[str] = field(default_factory=set[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    unchanged: list[str] = field(default_factory=list[str])
    suspects: list[str] = field(default_factory=list[str])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    cursor: Cursor | None = None
    by_hand: set[str] = field(default_factory=set[str])
    misses: dict[str, Failure] = field(default_factory=dict[str, Failure])
    """None of them is ever due."""
    frontier: dict[bytes, Address] = field(default_factory=dict[bytes, Address])
    kinds: dict[str, Any] = field(default_factory=dict[str, Any])
    sources: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Those that have brought a document, or have looked at it, by its external id."""
    source: str = "a source"
    """Whose run it is; empty where it is none's. What there is from the start is that one's as well."""

    def __post_init__(self) -> None:
        self.sources = {uri: {self.source} for uri in self.documents} | self.sources

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        return {uri: self.documents[uri].validators for uri in external_ids if uri in self.documents}

    async def heads(self, external_ids: Sequence[str]) -> Mapping[str, Head]:
        return {
            one: Head(self.versions[one], self.documents[one].validators)
            for one in external_ids
            if one in self.documents
        }

    async def collected(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        found = await self.validators(external_ids)
        return {uri: kept for uri, kept in found.items() if not self.source or self.source in self.sources.get(uri, ())}

    async def typed(self, external_ids: Sequence[str]) -> Collection[str]:
        return self.by_hand & {*external_ids}

    async def external_ids(self, prefix: str) -> Sequence[str]:
        return [uri for uri in self.documents if uri.startswith(prefix) and uri not in self.gone]

    async def memo(self, name: str) -> Any:
        return self.notes.get(name)

    async def memos(self, names: Sequence[str]) -> Mapping[str, Any]:
        return {name: self.notes[name] for name in names if name in self.notes}

    async def not_due(self, targets: Sequence[str]) -> Collection[str]:
        return self.misses.keys() & {*targets}

    async def waiting(self, most: int, *, beyond: int | None = None) -> Sequence[Address]:
        waits = [one for one in self.frontier.values() if one.state == "waiting"]
        found = [one for one in waits if beyond is None or one.rank > beyond]
        rank = min((one.rank for one in found), default=0)
        return sorted((one for one in found if one.rank == rank), key=lambda one: one.position)[:most]

    async def met(self, keys: Sequence[bytes]) -> Mapping[bytes, Address]:
        return {key: self.frontier[key] for key in keys if key in self.frontier}

    async def patterns(self, names: Sequence[str]) -> Mapping[str, Any]:
        return {name: deepcopy(self.kinds[name]) for name in names if name in self.kinds}

    async def suspect(self, target: str) -> None:
        self.suspects.append(target)

    def save(self, page: Page) -> None:
        for one in page.documents:
            before = self.documents.get(one.external_id)
            version = self.versions.get(one.external_id, 0)
            assert one.based_on in {None, version}, one.external_id
            is_same = before is not None and _content(before) == _content(one)
            self.versions[one.external_id] = version if is_same else version + 1
        self.documents |= {document.external_id: document for document in page.documents}
        for uri in (*(document.external_id for document in page.documents), *page.unchanged):
            self.sources.setdefault(uri, set()).update({self.source} - {""})
        self.gone -= {document.external_id for document in page.documents} | set(page.unchanged)
        self.gone |= set(page.gone)
        self.by_hand |= set(page.typed) & self.documents.keys()
        self.failures.extend(page.failures)
        self.unchanged.extend(page.unchanged)
        self.notes |= page.memos
        self.misses = {**self.misses, **{failure.target: failure for failure in page.failures}}
        for target in (*page.reached, *(document.external_id for document in page.documents)):
            self.misses.pop(target, None)
        for uri, validators in page.noted.items():
            self.documents[uri] = replace(self.documents[uri], validators=validators)
        for one in page.settled:
            old = self.frontier.get(one.key, one)
            self.frontier[one.key] = replace(old, state=one.state, entry=one.entry, rank=one.rank)
        for one in page.met:
            old = self.frontier.get(one.key)
            if old is None or (old.state == "waiting" and one.rank < old.rank):
                self.frontier[one.key] = one
        self.kinds |= deepcopy(dict(page.patterns))
        self.cursor = page.cursor

    async def collect(
        self,
        collector: Collector,
        target: Target,
        *,
        limit: int = 1000,
        pages: int | None = None,
        resume: bool = False,
        set_aside: frozenset[str] = frozenset(),
        purpose: Purpose = "all",
        revisit: Sequence[str] = (),
        scope: Scope = "page",
        depth: int | None = None,
        source: str = "a source",
    ) -> list[Page]:
        """Run the collector, saving its pages; stop after `pages` of them, as if the worker had died."""
        self.source = source
        self.failures, self.unchanged, self.suspects = [], [], []
        if not resume:
            self.frontier, self.kinds = {}, {}
        cursor = self.cursor if resume else None
        run = Run(target, limit, cursor, self, self.suspect, set_aside, purpose, revisit, scope, depth, source)
        given: list[Page] = []
        async with aclosing(collector.collect(run)) as running:
            async for page in running:
                self.save(page)
                given.append(page)
                if len(given) == pages:
                    break
        return given

    def names(self) -> list[str]:
        return [uri.rpartition("/")[2] for uri in self.documents]


def _content(one: Collected) -> tuple[object, ...]:
    """What makes a version."""
    return one.title, one.author, one.published_at, one.url, one.language, one.format, one.text
