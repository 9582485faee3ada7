"""The app: what surrounds requests, and the slices' routes."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import httpx
from fastapi import FastAPI

from extrophi_research.answer.chat import chat_model
from extrophi_research.answer.model_routes import router as answer_model
from extrophi_research.answer.noting import Notes
from extrophi_research.answer.routes import router as answer
from extrophi_research.db import make_pool
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.embeddings.routes import router as embeddings
from extrophi_research.embeddings.service import Embedder
from extrophi_research.enrich.routes import router as enrich
from extrophi_research.health.routes import router as health
from extrophi_research.http.middleware import NO_KEY, Surroundings
from extrophi_research.http.problems import App, handle_problems
from extrophi_research.log import event
from extrophi_research.search.follow import Follower
from extrophi_research.search.keyword import IndexBroken, IndexInUse, KeywordIndex
from extrophi_research.search.routes import router as search
from extrophi_research.search.vectors import Vectors
from extrophi_research.settings import Settings
from extrophi_research.state import State

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """Research's API. Nothing is connected to before it starts, and a missing service does not end the start."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if settings.is_closed:
            _log.warning(event("service_key.missing", hint=NO_KEY))
        dsn = settings.database_url.get_secret_value()
        pool = await make_pool(dsn, name="research")
        index = KeywordIndex(settings.data / "keywords")
        with suppress(IndexBroken, IndexInUse):  # the follower tries again, and tells
            await index.thread(index.open)
        follower = Follower(pool, dsn, index)
        async with httpx.AsyncClient(trust_env=False) as client:
            model = LocalModel(settings.model_threads)
            embedder = Embedder(settings, model, client)
            notes = Notes(pool)
            vectors = Vectors(pool, client, str(settings.backend_url), settings.service_key)
            app.state.extrophi = State(settings, pool, model, embedder, vectors, index, follower, notes)
            app.state.chat = chat_model(settings, client)
            following = asyncio.create_task(follower.run())
            try:
                yield
            finally:
                await notes.close()
                following.cancel()
                await asyncio.wait({following})
                await asyncio.to_thread(index.close)
                model.close()
                pool.terminate()

    app = App(
        title="Extrophi research",
        version="0.1.0",
        description="Search, answers with citations, evidence for a draft, embeddings of the local model.",
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
    for router in (health, search, answer, answer_model, enrich, embeddings):
        app.include_router(router)
    return app
