from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.archives.models import Archives
from extrophi_backend.collectors.models import Platform
from extrophi_backend.collectors.reddit.collector import RedditCollector, make_collector
from extrophi_backend.collectors.reddit.gathering import Limits
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.pace import Pace
from tests.collecting import LOOPBACK
from tests.platforms.reddit import APP, RedditServer, serving

OAUTH = {"client_id": APP[0], "client_secret": APP[1]}


@dataclass
class Keys:
    """A person's accounts, in memory. `refused` has what Reddit did not take."""

    values: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, ...]] = field(default_factory=list)

    async def credentials(self, platform: Platform) -> Credentials:
        return Credentials(platform, dict(self.values), (), {})

    async def note_refused(self, used: Credentials, names: Sequence[str], detail: str, *, host: str = "") -> None:
        assert not any(secret in detail for secret in used.values.values())
        self.refused.append(tuple(names))


@dataclass
class Clock:
    """The present, which passes when it is told to."""

    moment: datetime = datetime(2026, 2, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, time: timedelta) -> None:
        self.moment += time


@pytest.fixture
def server() -> Iterator[RedditServer]:
    with serving(RedditServer()) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(max_bytes=32_000_000, seconds=20, allow=LOOPBACK)
    yield fetcher
    await fetcher.close()


@pytest.fixture
def loop_time() -> list[float]:
    return [0.0]


@pytest.fixture
async def paced(loop_time: list[float]) -> AsyncIterator[Fetcher]:
    """A way out whose time passes when it is told to."""
    fetcher = Fetcher(max_bytes=32_000_000, seconds=20, allow=LOOPBACK, pace=Pace(clock=lambda: loop_time[0]))
    yield fetcher
    await fetcher.close()


@pytest.fixture
def keys() -> Keys:
    return Keys(dict(OAUTH))


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[..., RedditCollector]


@pytest.fixture
def make(server: RedditServer, keys: Keys, clock: Clock, fetcher: Fetcher) -> Make:
    """Makes a collector as a worker has it; with other limits, another way out, or archives."""

    def made(
        limits: Limits | None = None, way_out: Fetcher | None = None, archives: Archives | None = None
    ) -> RedditCollector:
        urls: Mapping[str, str] = {"reddit_url": server.url, "oauth_url": f"{server.oauth_url}/"}
        return make_collector(way_out or fetcher, keys, **urls, archives=archives, limits=limits or Limits(), now=clock)

    return made


@pytest.fixture
def collector(make: Make) -> RedditCollector:
    return make()
