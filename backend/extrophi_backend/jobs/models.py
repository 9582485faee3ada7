"""The words of the jobs slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from extrophi_backend.collectors.models import Cursor, Platform

Status = Literal["queued", "running", "succeeded", "partial", "failed", "canceled"]

LEASE_TIME = timedelta(seconds=15)
HEARTBEAT = timedelta(seconds=4)
"""A dead worker's job is free again after LEASE_TIME; three heartbeats may be missed before that."""

DEATHS = 5
"""Attempts that may die at one cursor before the document under work is set aside."""

WAITS = 20
"""Times in a row that a platform may say to wait before its job ends as failed."""


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
    found: int
    set_aside: Sequence[str]


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


@dataclass(frozen=True, slots=True)
class Job:
    """A job as people watch it."""

    id: UUID
    target: str
    typed: str
    platform: str
    source_id: UUID | None
    collection: str
    document_limit: int
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
    pending: int
    unembeddable: int
