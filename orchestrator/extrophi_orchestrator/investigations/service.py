"""All investigations that this process drives."""

import asyncio
import logging
from typing import Any

import httpx

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.investigations.driving import Driver
from extrophi_orchestrator.log import event

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0


class Drivers:
    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, stored: dict[str, Any]) -> None:
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
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def take_over(self) -> None:
        """Look for ever for investigations whose driver is gone."""
        while True:
            try:
                url = f"{self._upstreams.urls['backend']}/investigations/claims"
                answer = await self._upstreams.client.post(url, headers=self._upstreams.headers("claims"))
                if answer.status_code == 200:
                    _log.info(event("investigation.taken_over", id=answer.json()["id"]))
                    self.start(answer.json())
                    continue
            except (httpx.HTTPError, ValueError):
                pass  # backend is away: /health says so, and we look again
            await asyncio.sleep(_LOOK_SECONDS)

    async def stop(self) -> None:
        """Let go of all; their leases run out, and another goes on."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
