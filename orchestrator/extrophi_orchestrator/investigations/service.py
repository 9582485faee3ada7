"""All investigations that this process drives."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import httpx

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.investigations.driving import Driver
from extrophi_orchestrator.log import event

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0
_RELEASE_SECONDS = 2.0


class Drivers:
    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._driven: dict[asyncio.Task[None], Driver] = {}
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self, held: Mapping[str, Any]) -> None:
        """Drive an investigation whose lease is ours, whoever listens."""
        driver = Driver(
            self._upstreams,
            id=held["id"],
            fence=held["fence"],
            question=held["question"],
            scope=held["scope"],
            job_ids=held["job_ids"],
            events=held["events"],
        )
        task = asyncio.create_task(driver.release() if self._stopped else driver.drive())
        self._driven[task] = driver
        task.add_done_callback(self._driven.pop)

    def look(self) -> None:
        """Take over, from now on, investigations whose driver is gone."""
        self._looking = asyncio.create_task(self._take_over())

    async def stop(self) -> None:
        """Let go of all, so that another goes on at once. One that cannot be told is taken when its lease runs out."""
        self._stopped = True
        driven = dict(self._driven)
        tasks: set[asyncio.Task[None]] = {*driven, *({self._looking} if self._looking else ())}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        releases = {asyncio.create_task(driver.release()) for driver in driven.values()}
        if releases:
            _, late = await asyncio.wait(releases, timeout=_RELEASE_SECONDS)
            for task in late:
                task.cancel()

    async def _take_over(self) -> None:
        url = f"{self._upstreams.urls['backend']}/investigations/claims"
        while True:
            try:
                told = await self._upstreams.client.post(url, headers=self._upstreams.headers("claims"), timeout=10)
                if told.status_code == 200:
                    _log.info(event("investigation.taken_over", id=told.json()["id"]))
                    self.start(told.json())
                    continue
            except (httpx.HTTPError, ValueError, KeyError) as error:
                # backend is away, or of another version: /health says so, and we look again
                _log.debug(event("investigation.none_claimed", error=error))
            await asyncio.sleep(_LOOK_SECONDS)
