"""A collector run as a job runs it, its pages saved in memory."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from extrophi_backend.collectors.models import (
    Collected,
    Collector,
    Cursor,
    Failure,
    Page,
    Run,
    Target,
    Validators,
)


@dataclass
class Library:
    """What a run's pages leave behind, and what the next run may ask."""

    documents: dict[str, Collected] = field(default_factory=dict[str, Collected])
    gone: set[str] = field(default_factory=set[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    unchanged: list[str] = field(default_factory=list[str])
    suspects: list[str] = field(default_factory=list[str])
    memos: dict[str, Any] = field(default_factory=dict[str, Any])
    cursor: Cursor | None = None

    async def validators(self, external_ids: Sequence[str]) -> Mapping[str, Validators]:
        return {uri: self.documents[uri].validators for uri in external_ids if uri in self.documents}

    async def external_ids(self, prefix: str) -> Sequence[str]:
        return [uri for uri in self.documents if uri.startswith(prefix) and uri not in self.gone]

    async def memo(self, name: str) -> Any:
        return self.memos.get(name)

    async def suspect(self, target: str) -> None:
        self.suspects.append(target)

    def save(self, page: Page) -> None:
        self.documents |= {document.external_id: document for document in page.documents}
        self.gone -= {document.external_id for document in page.documents} | set(page.unchanged)
        self.gone |= set(page.gone)
        self.failures.extend(page.failures)
        self.unchanged.extend(page.unchanged)
        self.memos |= page.memos
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
    ) -> list[Page]:
        """Run the collector, saving its pages; stop after `pages` of them, as if the worker had died."""
        self.failures, self.unchanged, self.suspects = [], [], []
        run = Run(target, limit, self.cursor if resume else None, self, self.suspect, set_aside)
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
