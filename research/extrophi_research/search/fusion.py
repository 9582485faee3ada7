"""Two rankings into one."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

KEYWORD_WEIGHT = 0.35
"""Of a min-max weighted sum; between what suits Cranfield (0.4) and Medline (0.3). bench/retrieval.py measures it."""


def fuse(keyword: Mapping[T, float], vector: Mapping[T, float], weight: float = KEYWORD_WEIGHT) -> dict[T, float]:
    """Weighted sum of min-max normalised scores, best first. One that a ranking lacks has its worst score there."""
    words, meanings = _normalised(keyword), _normalised(vector)
    if not words or not meanings:
        weight = 1.0 if words else 0.0
    fused = {key: weight * words.get(key, 0.0) + (1 - weight) * meanings.get(key, 0.0) for key in {**words, **meanings}}
    return dict(sorted(fused.items(), key=lambda item: -item[1]))


def _normalised(scores: Mapping[T, float]) -> dict[T, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in scores.items()}
