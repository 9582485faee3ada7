"""The words of the drafts slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Mark = Literal["restored", "merged"]
"""Why a revision was saved, where it was not just written."""
Bibliography = Sequence[Mapping[str, Any]]
"""CSL-JSON items."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a client saves, as a whole."""

    text: str
    bibliography: Bibliography
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """Its head; the newest revision has its text."""

    id: UUID
    title: str
    excerpt: str
    settings: Mapping[str, Any]
    revision: int
    words: int
    characters: int
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """A draft that nobody else changes until the end of the transaction."""

    draft: Draft
    digest: bytes
    thinned_at: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    revision: int
    saved_at: datetime
    title: str
    words: int
    characters: int
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a revision."""

    text: str
    bibliography: Bibliography
