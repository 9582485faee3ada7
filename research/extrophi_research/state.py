"""What the app is made of: made in lifespan, closed there."""

from dataclasses import dataclass

from extrophi_research.answer.noting import Notes
from extrophi_research.db import Pool
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.embeddings.service import Embedder
from extrophi_research.search.follow import Follower
from extrophi_research.search.keyword import KeywordIndex
from extrophi_research.search.vectors import Vectors
from extrophi_research.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    settings: Settings
    pool: Pool
    model: LocalModel
    embedder: Embedder
    vectors: Vectors
    index: KeywordIndex
    follower: Follower
    notes: Notes
