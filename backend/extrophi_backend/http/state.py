"""What routes reach through the app: made in lifespan, closed there."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, cast

from celery import Celery
from fastapi import Depends, Request
from kombu.exceptions import OperationalError

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.db import DATABASE_AWAY, Pool
from extrophi_backend.jobs.sending import send_unsent
from extrophi_backend.notifications import Notifications
from extrophi_backend.settings import Settings
from extrophi_backend.vectors.chroma import Chroma


@dataclass(frozen=True, slots=True)
class State:
    settings: Settings
    pool: Pool
    captures: Captures
    registry: Registry
    notifications: Notifications
    celery: Celery
    chroma: Chroma | None
    accounts: Accounts

    async def tell_workers(self) -> None:
        """Send what is unsent now. If Redis is away, the scheduler sends it later."""
        with suppress(OperationalError, *DATABASE_AWAY):
            await send_unsent(self.pool, self.celery)


async def _state(request: Request) -> State:  # async: FastAPI sends plain functions to a thread
    return cast("State", request.app.state.extrophi)


App = Annotated[State, Depends(_state)]
