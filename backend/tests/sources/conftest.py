from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from extrophi_backend.settings import Settings
from tests.web_server import WebServer, article, serving


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"fetch_allow": (ip_network("127.0.0.0/8"),)})


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        server.pages["/"] = article("The heron")
        yield server
