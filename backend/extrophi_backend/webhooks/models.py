"""The words of the webhooks slice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID

State = Literal["active", "failed", "disabled"]

MOST_EVENTS = 100
"""Of one message."""

TIMEOUT = timedelta(seconds=15)
"""For so long a receiver may take to answer (https://www.standardwebhooks.com asks for 15 to 30 s)."""

LEASE_TIME = timedelta(seconds=60)
"""Whoever delivers a message has it for so long alone; after a crash, another delivers it again."""

DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1 / 12, 5, 30, 120, 300, 480, 480))
"""Before each further attempt: the last is made a day after the first."""


OVERLAP = timedelta(hours=24)
"""For so long after a rotation, messages are signed with the secret from before, too."""


class Failure(TypedDict):
    """Why an attempt failed."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A source's webhook as people see it. `waiting` counts events that are still to go out.

    `former_sealed` is the secret from before a rotation, while that is used as well.
    """

    source_id: UUID
    target: str
    url: str
    sealed: bytes
    former_sealed: bytes | None
    state: State
    error: Failure | None
    attempts: int
    run_after: datetime
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime
    waiting: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver a webhook's next message, until another attempt has a higher fence."""

    source_id: UUID
    url: str
    sealed: bytes
    former_sealed: bytes | None
    attempts: int
    message_id: UUID
    message_upto: int
    fence: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What posting a message came to: no error, and it is delivered."""

    status: int | None
    error: Failure | None = None
    retry_after: float = 0.0
    is_gone: bool = False
    """The receiver wants no more (410)."""
