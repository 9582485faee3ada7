"""The front door: what surrounds requests, and the few routes that are its own."""

import logging
import ssl
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.responses import FileResponse

from extrophi_orchestrator.desk.serving import Web, make_router
from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.gateway.pool import Pool
from extrophi_orchestrator.gateway.routing import Component
from extrophi_orchestrator.health.gathering import Gathering
from extrophi_orchestrator.health.routes import router as health
from extrophi_orchestrator.http.access import make_access
from extrophi_orchestrator.http.problems import App, handle_problems
from extrophi_orchestrator.http.rates import Rates
from extrophi_orchestrator.http.sessions import router as sessions
from extrophi_orchestrator.http.surroundings import Quiet, Surroundings
from extrophi_orchestrator.investigations.routes import router as investigations
from extrophi_orchestrator.investigations.service import Drivers
from extrophi_orchestrator.log import event
from extrophi_orchestrator.settings import Settings

_log = logging.getLogger(__name__)
_CONNECTS = 3
"""Tries to connect: the second at once, the third half a second later. Nothing was sent until one succeeds."""

_API = Path(__file__).parent.parent / "openapi.json"


def create_app(settings: Settings) -> FastAPI:
    """The orchestrator. Nothing is connected to before it starts, and a missing component does not end the start."""
    keys = settings.api_keys.get_secret_value() if settings.api_keys else None
    web = Web.at()
    access, made = make_access(settings.host, keys, settings.allowed_hosts, web.paths)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if made:
            _log.warning(event("access.key_made", key=made, hint="set EXTROPHI_API_KEYS to choose your own"))
        timeout = httpx.Timeout(settings.answer_seconds, connect=2, pool=5)
        key = settings.service_key.get_secret_value() if settings.service_key else None
        urls: dict[Component, str] = {
            "backend": str(settings.backend_url).rstrip("/"),
            "research": str(settings.research_url).rstrip("/"),
        }
        tls = _trusted(urls.values())
        async with _client(timeout, tls) as client, _client(timeout, tls) as looking:
            pools: dict[Component, Pool] = {name: Pool(name, url) for name, url in urls.items()}
            app.state.upstreams = Upstreams(client, urls, pools, key, settings.answer_seconds)
            app.state.gathering = Gathering(app.state.upstreams, looking)
            app.state.drivers = Drivers(app.state.upstreams)
            app.state.drivers.look()
            try:
                yield
            finally:
                await app.state.drivers.stop()
                for pool in pools.values():
                    pool.close()

    app = App(
        title="Extrophi orchestrator",
        version="0.1.0",
        description="The front door. /api/* and /v1/* are passed on to the components that answer them.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    handle_problems(app)
    app.state.quiet = Quiet()
    app.state.access = access
    app.add_middleware(Surroundings, access=access, rates=Rates(settings.rate_limit), quiet=app.state.quiet)
    app.include_router(health)
    app.include_router(investigations)
    app.include_router(sessions)
    app.include_router(make_router(web))

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> FileResponse:
        """The whole API: what is routed here, and what the components answer (docs/openapi.py)."""
        return FileResponse(_API, media_type="application/json")

    return app


def _client(timeout: httpx.Timeout, tls: ssl.SSLContext) -> httpx.AsyncClient:
    """As the gateway's pools: while containers around a component come and go, its name may be missing for a moment."""
    patient = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, retries=_CONNECTS - 1)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, transport=patient)


def _trusted(urls: Iterable[str]) -> ssl.SSLContext:
    """Who is trusted when a component is asked over TLS. Where none is, nobody: authorities take megabytes."""
    if any(url.startswith("https:") for url in urls):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
