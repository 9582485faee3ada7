"""The words of the highlights slice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Colour = Literal["yellow", "green", "blue", "pink", "purple"]

LONGEST_QUOTE = 10_000
LONGEST_NOTE = 20_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class NewHighlight:
    id: UUID
    document_id: UUID
    version: int
    start: int
    end: int
    note: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage that a reader marked, with what a list says of its document."""

    id: UUID
    document_id: UUID
    version: int
    start: int
    end: int
    quote: str
    note: str
    colour: Colour
    note_id: UUID | None
    created_at: datetime
    updated_at: datetime
    title: str
    author: str | None
    platform: str
    external_id: str
    url: str | None
