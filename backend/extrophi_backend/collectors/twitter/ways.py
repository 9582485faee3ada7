"""What the collector needs of a way in."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from extrophi_backend.collectors.models import Known
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.models import Batch
from extrophi_backend.collectors.twitter.target import Place


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing is asked for.

    `more`: where it goes on, as its last batch said; None at its beginning. `since`: the newest place that is known
    already, if only newer ones are wanted; `until`: the place that only older ones than are, likewise. `left`: how many
    documents may still come of it.
    """

    place: Place
    known: Known
    more: Any = None
    since: str = ""
    until: str = ""
    only_new: bool = False
    left: Callable[[], int] = field(default=lambda: 100)


class Way(Protocol):
    """The API, a session, or embeds. Of one run.

    All of it raises Refused, FetchFailed, Wait and Unreadable.
    """

    @property
    def name(self) -> models.Way: ...

    @property
    def at_once(self) -> int:
        """So many posts may be asked for at once."""
        ...

    def can_go_below(self, place: Place, /) -> bool:
        """Whether a listing there can be had from any post on downwards; it begins at its top otherwise."""
        ...

    def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """What is listed at a place, newest first as far as X has an order; each batch is small."""
        ...

    async def ask(self, posts: Sequence[str]) -> Batch:
        """Posts by their ids, `at_once` at most. Some of their threads may come along."""
        ...
