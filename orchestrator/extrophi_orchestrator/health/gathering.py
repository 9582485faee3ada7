"""What the components say of themselves: asked at most once a second, however many ask us."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.gateway.routing import Component
from extrophi_orchestrator.http.access import OPEN_PATHS

_SECONDS = 2.0
_FRESH_SECONDS = 1.0
_LARGEST = 1_000_000

Told = dict[Component, tuple[int, dict[str, Any]]]
"""Status and JSON object of each; status 0 where none was to be had."""


@dataclass(slots=True)
class Gathering:
    """Anyone may ask for health, so it has connections of its own, apart from those that work is done by."""

    upstreams: Upstreams
    client: httpx.AsyncClient
    _asked: dict[str, tuple[float, "asyncio.Task[Told]"]] = field(
        default_factory=dict[str, "tuple[float, asyncio.Task[Told]]"]
    )

    async def health(self) -> Told:
        return await self._gather("health", {"backend": "/health", "research": "/health"})

    async def readiness(self) -> Told:
        return await self._gather("ready", {"backend": "/ready", "research": "/ready"})

    async def entrance(self) -> Told:
        """What each answers where our key is needed, and little else."""
        return await self._gather("entrance", {"backend": "/platforms", "research": "/v1/models"})

    async def _gather(self, name: str, paths: Mapping[Component, str]) -> Told:
        now = asyncio.get_running_loop().time()
        asked = self._asked.get(name)
        if asked is None or now - asked[0] > _FRESH_SECONDS:
            asked = self._asked[name] = now, asyncio.create_task(self._ask(paths))
        return await asyncio.shield(asked[1])  # who leaves takes nothing from the others

    async def _ask(self, paths: Mapping[Component, str]) -> Told:
        answers = await asyncio.gather(*(self._one(name, path) for name, path in paths.items()))
        return dict(zip(paths, answers, strict=True))

    async def _one(self, name: Component, path: str) -> tuple[int, dict[str, Any]]:
        """Whatever it does, it takes no longer than _SECONDS, and no more than _LARGEST bytes."""
        body = b""
        key = {} if path in OPEN_PATHS else self.upstreams.headers("health")
        headers = key | {"Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(_SECONDS),  # httpx's own limits run anew with each byte
                self.client.stream("GET", f"{self.upstreams.urls[name]}{path}", headers=headers) as response,
            ):
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > _LARGEST:
                        return 0, {}
                told = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError, TimeoutError):
            return 0, {}
        return (response.status_code, told) if isinstance(told, dict) else (0, {})
