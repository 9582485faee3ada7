"""What routes reach through the app: made in lifespan, closed there."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from extrophi_backend.captures.store import Captures
from extrophi_backend.db import Pool
from extrophi_backend.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    settings: Settings
    pool: Pool
    captures: Captures


def _state(request: Request) -> State:
    return cast("State", request.app.state.extrophi)


App = Annotated[State, Depends(_state)]
