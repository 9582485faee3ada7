"""The API: what surrounds requests, and the slices' routes."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from extrophi_backend.accounts.routes import router as account_routes
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.answers.routes import router as answers
from extrophi_backend.archives.routes import router as archives
from extrophi_backend.captures.store import Captures
from extrophi_backend.citations.routes import router as citations
from extrophi_backend.collections.routes import router as collections
from extrophi_backend.collectors.registry import make_registry
from extrophi_backend.db import make_pool
from extrophi_backend.documents.list_routes import router as document_lists
from extrophi_backend.documents.routes import router as documents
from extrophi_backend.drafts.routes import router as drafts
from extrophi_backend.events.routes import router as events
from extrophi_backend.feed.routes import router as feed
from extrophi_backend.health.routes import router as health
from extrophi_backend.highlights.routes import router as highlights
from extrophi_backend.http.middleware import NO_KEY, Surroundings
from extrophi_backend.http.problems import App, handle_problems
from extrophi_backend.http.state import State
from extrophi_backend.index.routes import router as embeddings
from extrophi_backend.investigations.routes import router as investigations
from extrophi_backend.jobs.routes import router as jobs
from extrophi_backend.log import event
from extrophi_backend.notifications import listening
from extrophi_backend.platforms.routes import router as platforms
from extrophi_backend.queue import make_celery
from extrophi_backend.settings import Settings
from extrophi_backend.sources.recognising import router as recognising
from extrophi_backend.sources.routes import router as sources
from extrophi_backend.stats.routes import router as stats
from extrophi_backend.uploads.routes import router as uploads
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.routes import router as vectors
from extrophi_backend.webhooks.routes import router as webhooks

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The backend's API. Nothing is connected to before it starts, and a missing service does not end the start."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if settings.is_closed:
            _log.warning(event("service_key.missing", hint=NO_KEY))
        pool = await make_pool(settings.database_url.get_secret_value(), name="backend-api")
        dsn = settings.database_url.get_secret_value()
        async with (
            listening(dsn, "extrophi_jobs", "extrophi_investigations", "extrophi_changes") as notifications,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            accounts = Accounts(pool, settings)
            captures = Captures(settings.captures_url, settings.data / "captures")
            app.state.extrophi = State(
                settings,
                pool,
                captures,
                make_registry(settings, pool, accounts, captures),
                notifications,
                make_celery(settings.redis_url.get_secret_value()),
                Chroma(client, str(settings.chroma_url)) if settings.chroma_url else None,
                accounts,
            )
            try:
                yield
            finally:
                pool.terminate()
                await app.state.extrophi.registry.close()

    app = App(
        title="Extrophi backend",
        version="0.1.0",
        description="Sources, jobs, documents, captures: what is collected, and how.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    handle_problems(app)
    app.add_middleware(
        Surroundings,
        service_key=settings.service_key.get_secret_value() if settings.service_key else None,
        on_loopback=settings.on_loopback,
    )
    for router in (
        health,
        platforms,
        account_routes,
        sources,
        recognising,
        webhooks,
        document_lists,
        documents,
        highlights,
        citations,
        uploads,
        archives,
        collections,
        events,
        feed,
        embeddings,
        vectors,
        jobs,
        investigations,
        drafts,
        answers,
        stats,
    ):
        app.include_router(router)
    return app
