"""The words of the events slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Kind = Literal["document.created", "document.updated", "document.gone", "document.deleted"]

KEPT = timedelta(days=30)
"""For so long an event can be read."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of a document in the transaction that writes it down."""

    kind: Kind
    document_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a document. Of a deleted one, title and address are gone with it."""

    seq: int
    kind: Kind
    document_id: UUID
    version: int
    platform: str
    title: str | None
    url: str | None
    source_ids: Sequence[UUID]
    collections: Sequence[str]
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are to be told; what is empty filters nothing."""

    source_ids: Sequence[UUID] = ()
    collections: Sequence[str] = ()
    platforms: Sequence[str] = ()
    kinds: Sequence[Kind] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where events were told. `at` is when it was true.

    Events are numbered before they are committed, and are committed in any order. So no number says what was told; a
    snapshot does: all that it held. `upto` is a second one, whose events are being told, in the order of their numbers:
    up to `seq`.
    """

    at: datetime
    seen: str
    upto: str | None = None
    seq: int = 0
