"""What routes reach through the app: made in lifespan, closed there."""

from dataclasses import dataclass
from typing import Annotated, cast

import httpx
from fastapi import Depends, Request

from extrophi_research.db import Pool
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.embeddings.service import Embedder
from extrophi_research.search.follow import Follower
from extrophi_research.search.keyword import KeywordIndex
from extrophi_research.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    settings: Settings
    pool: Pool
    client: httpx.AsyncClient
    model: LocalModel
    embedder: Embedder
    index: KeywordIndex
    follower: Follower


def _state(request: Request) -> State:
    return cast("State", request.app.state.extrophi)


App = Annotated[State, Depends(_state)]
