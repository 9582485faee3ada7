"""How routes reach what the app is made of."""

from typing import Annotated, cast

from fastapi import Depends, Request

from extrophi_research.state import State


async def _state(request: Request) -> State:  # async: FastAPI sends plain functions to a thread
    return cast("State", request.app.state.extrophi)


App = Annotated[State, Depends(_state)]
