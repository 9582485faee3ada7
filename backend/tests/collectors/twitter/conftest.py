from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from pydantic import SecretStr

from backend.tests.collectors.twitter.samples import SESSION
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.db import Pool
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.rendered import Limits
from extrophi_backend.settings import Settings
from tests.collecting import LOOPBACK
from tests.platforms.x import TOKEN, XServer, serving
from tests.platforms.x_web import XWeb
from tests.platforms.x_web import serving as serving_web

Make = Callable[..., TwitterCollector]


@pytest.fixture
def server() -> Iterator[XServer]:
    with serving(XServer()) as server:
        yield server


@pytest.fixture
def web() -> Iterator[XWeb]:
    with serving_web(XWeb(auth_token=SESSION["x_auth_token"], ct0=SESSION["x_ct0"])) as web:
        yield web


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(max_bytes=32_000_000, seconds=20, allow=LOOPBACK)
    yield fetcher
    await fetcher.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    limits = Limits(seconds=20, html_bytes=16_000_000, traffic_bytes=64_000_000, memory=2**30)
    browser = Browser(allow=LOOPBACK, limits=limits)
    yield browser
    await browser.close()


@pytest.fixture
def accounts(pool: Pool, settings: Settings) -> Callable[..., Accounts]:
    """Accounts whose credentials are those given, by their settings' names."""

    def accounts(**given: str) -> Accounts:
        secrets = {name: SecretStr(value) for name, value in given.items()}
        return Accounts(pool, settings.model_copy(update=secrets))

    return accounts


@pytest.fixture
def make(
    fetcher: Fetcher, browser: Browser, accounts: Callable[..., Accounts], server: XServer, web: XWeb
) -> Callable[..., TwitterCollector]:
    """A collector for somebody who has the credentials given."""

    def make(**given: str) -> TwitterCollector:
        return TwitterCollector(
            fetcher, accounts(**given), browser, api_url=server.url, web_url=web.url, quiet_seconds=0.5
        )

    return make


@pytest.fixture
def collector(make: Make) -> TwitterCollector:
    """For somebody with a bearer token."""
    return make(x_bearer_token=TOKEN)
