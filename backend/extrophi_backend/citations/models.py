"""The words of the citations slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from extrophi_backend.diffing.texts import Op

State = Literal["same", "moved", "changed", "vanished", "deleted", "unknown"]

AROUND = 160
"""Characters before and after a quote that are told with it."""
LONGEST_QUOTE = 10_000
LONGEST_SHOWN = 10_000
"""Characters of what stands there now."""


@dataclass(frozen=True, slots=True)
class Cited:
    """What a draft cites: a span of a version's text."""

    document_id: UUID
    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a cited document: its newest version, and how many bytes the texts of those asked about have."""

    version: int
    state: str
    gone_at: datetime | None
    bytes: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a citation. `start`, `end`, `now` and `ops` are about the newest version's text."""

    state: State
    quote: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    start: int | None = None
    end: int | None = None
    now: str | None = None
    ops: Sequence[tuple[Op, str]] = field(default=())
    """Each with what stands there."""
    head: Head | None = None
