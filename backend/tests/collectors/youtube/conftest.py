from collections.abc import AsyncIterator, Iterator

import pytest

from extrophi_backend.collectors.youtube.collector import YouTubeCollector, make_collector
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import LOOPBACK
from tests.platforms.youtube import Wallet, YouTubeServer, serving


@pytest.fixture
def server() -> Iterator[YouTubeServer]:
    with serving(YouTubeServer()) as server:
        yield server


@pytest.fixture
def wallet() -> Wallet:
    return Wallet()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(max_bytes=8 * 2**20, seconds=10, allow=LOOPBACK)
    yield fetcher
    await fetcher.close()


@pytest.fixture
def collector(server: YouTubeServer, fetcher: Fetcher, wallet: Wallet) -> YouTubeCollector:
    return make_collector(fetcher, wallet, youtube_url=server.base)
