from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from typing import Protocol

import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.settings import Settings
from tests.platforms_server import PlatformsServer, serving

KEY = "11" * 32


class Serve(Protocol):
    def __call__(self, **more: object) -> AbstractAsyncContextManager[httpx.AsyncClient]: ...


@pytest.fixture
def platforms() -> Iterator[PlatformsServer]:
    with serving(PlatformsServer()) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, platforms: PlatformsServer) -> Settings:
    """A key, and the platforms on loopback."""
    addresses = {name.removeprefix("EXTROPHI_").lower(): HttpUrl(url) for name, url in platforms.settings().items()}
    more = {"secret_key": SecretStr(KEY), "fetch_allow": (ip_network("127.0.0.0/8"), ip_network("::1/128"))}
    return settings.model_copy(update=addresses | more)


@pytest.fixture
def serve(settings: Settings) -> Serve:
    """The app with other settings."""

    @asynccontextmanager
    async def with_settings(**more: object) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(settings.model_copy(update=more))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://backend") as client,
        ):
            yield client

    return with_settings
