"""The words of the answer slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from extrophi_research.search.models import Citation

EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class Nearest:
    """A document that came nearest to a question."""

    document_id: UUID
    title: str
    platform: str
    url: str | None
    deep_link: str | None


@dataclass(frozen=True, slots=True)
class Searched:
    """What there was to answer from: how much, of which platforms, over which dates, and what came nearest."""

    documents: int
    platforms: Sequence[str]
    published_from: datetime | None
    published_to: datetime | None
    filtered: bool
    """Whether filters left some documents out."""
    nearest: Sequence[Nearest]
    as_of: datetime | None = None
    """All of it is what the library held at that moment."""


@dataclass(frozen=True, slots=True)
class Cited:
    """The citations so far; `[n]` in the text is the n-th of them."""

    citations: Sequence[Citation]


@dataclass(frozen=True, slots=True)
class Said:
    """The next part of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    citations: Sequence[Citation]
    abstained: bool
    searched: Searched
    degraded: str | None
    model: str = EXTRACTIVE
