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


class Heard:
    """What was notified on a channel since it was last taken."""

    def __init__(self) -> None:
        self._payloads: set[str] = set()
        self._is_whole = True
        self._something = asyncio.Event()

    def add(self, payload: str | None) -> None:
        """None: something may have been missed."""
        if payload is None:
            self._is_whole = False
        else:
            self._payloads.add(payload)
        self._something.set()

    async def wait(self) -> None:
        """Until there is something."""
        await self._something.wait()

    def take(self) -> set[str] | None:
        """The payloads; None where some may have been missed."""
        payloads = self._payloads if self._is_whole else None
        self._payloads, self._is_whole = set(), True
        self._something.clear()
        return payloads


class Notifications:
    """One connection that listens for all waiters of this process, and comes back when it is lost."""

    def __init__(self, dsn: str, *channels: str) -> None:
        self._dsn = dsn
        self._channels = channels
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._hearers: dict[str, set[Heard]] = {channel: set() for channel in channels}

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

    @contextlib.contextmanager
    def heard(self, channel: str) -> Generator[Heard]:
        """Whatever is notified on `channel` from now on."""
        hearer = Heard()
        self._hearers[channel].add(hearer)
        try:
            yield hearer
        finally:
            self._hearers[channel].discard(hearer)

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
            for hearers in self._hearers.values():
                for hearer in hearers:
                    hearer.add(None)
            await ended.wait()
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for waiter in self._waiters.get(f"{channel}/{payload}", ()):
            waiter.set()
        for hearer in self._hearers[channel]:
            hearer.add(str(payload))


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
