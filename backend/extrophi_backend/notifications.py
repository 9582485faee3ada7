"""LISTEN: wakes whoever waits for something to change. A wake-up says "look", never what there is to see."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

from extrophi_backend.db import connect, is_away
from extrophi_backend.log import event

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0


class Notifications:
    """One connection that listens for all waiters of this process, and comes back when it is lost."""

    def __init__(self, dsn: str, *channels: str) -> None:
        self._dsn = dsn
        self._channels = channels
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def subscribed(self, channel: str, payload: str = "") -> Generator[asyncio.Event]:
        """An event that is set whenever `payload` is notified on `channel`, and after the connection was lost."""
        waiter = asyncio.Event()
        self._waiters[f"{channel}/{payload}"].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[f"{channel}/{payload}"].discard(waiter)
            if not self._waiters[f"{channel}/{payload}"]:
                del self._waiters[f"{channel}/{payload}"]

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  the edge: whatever it was, it listens again
                unexpected = None if is_away(error) else error
                _log.info(event("notifications.lost", error=type(error).__name__), exc_info=unexpected)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await connect(self._dsn, server_settings={"application_name": "extrophi-notifications"})
        try:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            for channel in self._channels:
                await connection.add_listener(channel, self._heard)
            for waiters in self._waiters.values():  # something may have been missed
                for waiter in waiters:
                    waiter.set()
            await ended.wait()
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for waiter in self._waiters.get(f"{channel}/{payload}", ()):
            waiter.set()


@asynccontextmanager
async def listening(dsn: str, *channels: str) -> AsyncGenerator[Notifications]:
    """Notifications that listen while the context lasts."""
    notifications = Notifications(dsn, *channels)
    task = asyncio.create_task(notifications.run())
    try:
        yield notifications
    finally:
        task.cancel()
        await asyncio.wait({task})
