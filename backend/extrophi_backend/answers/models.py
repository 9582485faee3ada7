from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given, which somebody keeps. It is no document: it must never become a source of others."""

    id: UUID
    question: str
    answer: str
    citations: Sequence[Mapping[str, Any]]
    model: str
    abstained: bool
    searched: Mapping[str, Any]
    created_at: datetime
