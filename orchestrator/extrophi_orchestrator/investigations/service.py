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

    def start(self, stored: Mapping[str, Any]) -> None:
        """Drive an investigation whose lease is ours, whoever listens."""
        driver = Driver(
            self._upstreams,
            id=stored["id"],
            fence=stored["fence"],
            question=stored["question"],
            targets=stored["targets"],
            limit=stored["limit"],
            scope=stored["scope"],
            job_ids=list(stored.get("job_ids", [])),
        )
        task = asyncio.create_task(driver.drive())
        self._driven[task] = driver
        task.add_done_callback(self._ended)

    async def take_over(self) -> None:
        """Look for ever for investigations whose driver is gone."""
        while True:
            try:
                url = f"{self._upstreams.urls['backend']}/investigations/claims"
                answer = await self._upstreams.client.post(url, headers=self._upstreams.headers("claims"), timeout=10)
                if answer.status_code == 200:
                    _log.info(event("investigation.taken_over", id=answer.json()["id"]))
                    self.start(answer.json())
                    continue
            except (httpx.HTTPError, ValueError, KeyError) as error:
                # backend is away, or of another version: /health says so, and we look again
                _log.debug(event("investigation.none_claimed", error=error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def stop(self) -> None:
        """Let go of all, so that another goes on at once. One that cannot be told is taken when its lease runs out."""
        driven = dict(self._driven)
        for task in driven:
            task.cancel()
        if driven:
            await asyncio.wait(driven)
            releases = {asyncio.create_task(driver.release()) for driver in driven.values()}
            _, late = await asyncio.wait(releases, timeout=_RELEASE_SECONDS)
            for task in late:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        driver = self._driven.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error(event("investigation.fault", id=driver.id), exc_info=error)
