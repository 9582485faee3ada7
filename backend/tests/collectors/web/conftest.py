from collections.abc import AsyncIterator

import pytest

from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import LOOPBACK


@pytest.fixture
async def collector() -> AsyncIterator[WebCollector]:
    fetcher = Fetcher(max_bytes=1_000_000, seconds=10, allow=LOOPBACK)
    yield WebCollector(fetcher, max_bytes=1_000_000)
    await fetcher.close()
