import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import uvloop

from orchestrator.tests.servers import Door, Upstream, front_door, upstream


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that serves people."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as component:
        yield component


@pytest.fixture
async def research() -> AsyncIterator[Upstream]:
    async with upstream() as component:
        yield component


@pytest.fixture
async def door(backend: Upstream, research: Upstream) -> AsyncIterator[Door]:
    """On loopback."""
    async with front_door(backend.url, research.url, EXTROPHI_SERVICE_KEY="inner", EXTROPHI_API_KEYS="mine") as running:
        yield running


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=20, trust_env=False) as asking:
        yield asking
