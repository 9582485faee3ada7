"""The words of the embeddings slice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """The embedding model that search uses now."""

    id: int
    name: str
    dimensions: int
    endpoint: str
    store: str
    """Where its vectors are looked for: pgvector or chroma."""
