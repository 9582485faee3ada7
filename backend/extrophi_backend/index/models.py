from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A row of embedding_models. `endpoint`: 'local', 'openai', or a base address that ends in /v1."""

    id: int
    name: str
    dimensions: int
    endpoint: str
    state: Literal["building", "active", "retired"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked, and with which key."""

    url: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A text that waits for its embedding; None where no chunk has it any more. `attempts` came to nothing."""

    hash: bytes
    text: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A model, and how many distinct texts it has embedded, has still to embed, and never will."""

    model: EmbeddingModel
    embedded: int
    pending: int
    failed: int
    created_at: datetime
    activated_at: datetime | None
