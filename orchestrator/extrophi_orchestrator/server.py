"""The server around the app, as it runs for people and in tests."""

from socket import socket

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from extrophi_orchestrator.app import create_app
from extrophi_orchestrator.http.protocol import Protocol
from extrophi_orchestrator.settings import Settings

GRACE_SECONDS = 7  # and 2 at most for letting go of investigations: container platforms kill after 10


class Server(uvicorn.Server):
    """When it is told to stop, requests under way get GRACE_SECONDS; what others can go on with ends before."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.app = app

    @override
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self.app.state.upstreams.end_events()
        await self.app.state.drivers.stop()
        await super().shutdown(sockets)


def make_server(settings: Settings) -> Server:
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        http=Protocol,
        ws="none",
        proxy_headers=False,  # anyone on this machine could say to be anyone
    )
    return Server(app, config)
