"""A library of any size: texts of real words, and vectors around centres, as texts gather around subjects."""

import random
from collections.abc import Sequence

import numpy as np

from bench.judged import Judged
from bench.library import store
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import DIMENSIONS, Vectors

_CENTRES = 2000


async def store_made_up(connection: Connection, collections: Sequence[Judged], chunks: int) -> list[bytes]:
    """Store documents of about one chunk, drawn from collections' words. Returns the hashes of their texts."""
    chosen = random.Random(11)
    words = [word for one in collections for _, text in one.documents.values() for word in text.split()]
    for start in range(0, chunks, 10_000):
        count = min(10_000, chunks - start)
        await store(connection, {str(start + n): ("", _text(chosen, words)) for n in range(count)})
    return [row[0] for row in await connection.fetch("SELECT DISTINCT embedding_hash FROM chunks")]


def _text(chosen: random.Random, words: Sequence[str]) -> str:
    """About one chunk: some runs of words as they stood, so that words keep the company they keep."""
    runs: list[str] = []
    while sum(map(len, runs)) < 550:
        at = chosen.randrange(len(words) - 12)
        runs.append(" ".join(words[at : at + 12]))
    return " ".join(runs)


def made_up_vectors(count: int) -> Vectors:
    """Of unit length, one a row."""
    made = np.random.default_rng(11)
    centres = made.normal(size=(_CENTRES, DIMENSIONS))
    vectors = centres[made.integers(0, _CENTRES, count)] + 0.8 * made.normal(size=(count, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
