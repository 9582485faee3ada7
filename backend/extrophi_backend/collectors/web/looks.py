"""What a run over a site asks of the collector."""

from collections.abc import Mapping
from typing import Any, Protocol

from extrophi_backend.collectors.models import Collected, Failure, Validators
from extrophi_backend.collectors.web.models import Answers, Asks, Entry, Listing, Understood
from extrophi_backend.collectors.web.progress import Draft, Progress
from extrophi_backend.fetch.client import Fetched
from extrophi_backend.fetch.errors import Wait


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
