"""The words of the investigations slice. The orchestrator drives them; here they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

Status = Literal["queued", "running", "succeeded", "failed", "canceled"]

LEASE_TIME = timedelta(seconds=30)
"""Of whoever drives it. After this without a word, another orchestrator may take it."""


@dataclass(frozen=True, slots=True)
class NewInvestigation:
    question: str
    targets: Sequence[str]
    limit: int
    scope: Literal["targets", "library"]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list tells of an investigation."""

    id: UUID
    question: str
    targets: Sequence[str]
    limit: int
    scope: Literal["targets", "library"]
    status: Status
    error: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Investigation(Listed):
    job_ids: Sequence[UUID]
    answer: Mapping[str, Any] | None
    cancel_requested: bool
    fence: int


@dataclass(frozen=True, slots=True)
class Held:
    """An investigation in the hands of the driver that has its lease."""

    investigation: Investigation
    events: int
    """How many are stored. The driver's next has the number after."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    seq: int
    event: str
    data: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What an investigation came to, beside its events. None leaves a field as it is."""

    status: Status | None = None
    answer: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    release: bool = False
    """Give the lease up: another driver may take it at once."""
