"""The server around the app, as it runs for people and in tests."""

import uvicorn

from extrophi_orchestrator.app import create_app
from extrophi_orchestrator.http.protocol import Protocol
from extrophi_orchestrator.settings import Settings


def make_server(settings: Settings) -> uvicorn.Server:
    """Requests under way get 10 s when it is told to stop."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
        http=Protocol,
        ws="none",
        proxy_headers=False,  # anyone on this machine could say to be anyone
    )
    return uvicorn.Server(config)
