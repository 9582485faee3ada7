from dataclasses import dataclass
from typing import Literal

StoreName = Literal["pgvector", "chroma"]


@dataclass(frozen=True, slots=True)
class Store:
    """Where the nearest vectors are looked for, and where they are being moved to."""

    name: StoreName
    moving_to: StoreName | None
    paused: bool
    database: str
    """Which database this is: another one after it was copied, or restored elsewhere."""

    @property
    def uses_chroma(self) -> bool:
        return "chroma" in {self.name, self.moving_to}

    @property
    def is_moving(self) -> bool:
        return self.moving_to is not None and not self.paused

    def collection(self, model_id: int) -> str:
        """The name of a model's collection in ChromaDB: libraries that share a server do not meet."""
        return f"extrophi-{self.database}-{model_id}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the outbox. `packed` is the vector (see `halves`), where there is one now."""

    seq: int
    model_id: int
    hash: bytes | None
    packed: bytes | None
    has_model: bool
