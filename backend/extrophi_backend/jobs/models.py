"""The words of the jobs slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from extrophi_backend.collectors.models import Cursor, Platform, Purpose, Scope

Status = Literal["queued", "running", "succeeded", "partial", "failed", "canceled"]

LEASE_TIME = timedelta(seconds=15)
HEARTBEAT = timedelta(seconds=4)
"""A dead worker's job is free again after LEASE_TIME; three heartbeats may be missed before that."""

DEATHS = 5
"""Attempts that may die at one cursor before the document under work is set aside."""

WAITS = 20
"""Times in a row that a job may wait for its platform, or for this machine, before it ends as failed."""

FOUND_KEPT = timedelta(days=30)
"""For so long after its end, it is known which documents a job found."""

JOBS_KEPT = timedelta(days=90)
OF_SOURCE_KEPT = 100
"""For so long after its end a job is kept, and however old, so many of each source."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for a job, until another attempt has a higher fence."""

    id: UUID
    fence: int
    typed: str
    target: str
    platform: Platform
    source_id: UUID | None
    collection_id: UUID
    document_limit: int
    cursor: Cursor | None
    set_aside: Sequence[str]
    purpose: Purpose
    revisit: Sequence[str]
    scope: Scope
    depth: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """What may have changed of a job since its lease was taken."""

    source_id: UUID | None
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, or why it waits."""

    status: Status
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    id: UUID
    target: str
    typed: str
    platform: str
    collection_id: UUID
    document_limit: int
    source_id: UUID | None = None
    scope: Scope = "page"
    depth: int | None = None
    purpose: Purpose = "all"
    scheduled: bool = False
    """Nobody waits for it: it comes after what people ask for."""
    revisit: Sequence[str] = ()
    """External ids of the documents that a revisit looks at."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """Chunks of a job's documents that wait for an embedding, and that never get one."""

    pending: int
    failed: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job as people watch it. `indexing` is counted for one that has ended, and None in lists."""

    id: UUID
    target: str
    typed: str
    platform: str
    source_id: UUID | None
    collection: str
    document_limit: int
    purpose: Purpose
    status: Status
    found: int
    created: int
    updated: int
    unchanged: int
    failed: int
    error: Mapping[str, Any] | None
    attempts: int
    revision: int
    run_after: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failures: Sequence[Mapping[str, str]]
    scope: Scope
    depth: int | None
    left_out: Mapping[str, Any] | None
    cancel_requested: bool
    source_title: str | None
    indexing: Indexing | None = None
