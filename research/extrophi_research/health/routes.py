"""Liveness, readiness, metrics. They answer without a key, and in bounded time."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from extrophi_research.embeddings.local import no_memory
from extrophi_research.http.middleware import NO_KEY
from extrophi_research.http.state import App
from extrophi_research.state import State

router = APIRouter(tags=["health"])
_SECONDS = 2.0


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    component: Literal["research"] = "research"
    dependencies: dict[str, str]


class Readiness(BaseModel):
    ready: bool
    missing: dict[str, str]


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="It serves; what it needs is told in the body")
async def health(app: App) -> Health:
    found = await _dependencies(app) | {"local_model": no_memory() or "ok"}
    return Health(status="ok" if set(found.values()) == {"ok"} else "degraded", dependencies=found)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", summary="It can do its work", responses={503: {"model": Readiness, "description": "Not yet"}})
async def ready(app: App, response: Response) -> Readiness:
    missing = {name: state for name, state in (await _dependencies(app)).items() if state != "ok"}
    response.status_code = 503 if missing else 200
    return Readiness(ready=not missing, missing=missing)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _dependencies(app: State) -> dict[str, str]:
    index = "ok" if app.index.whole and not app.index.broken else _unbuilt(app)
    found = {"database": await _database(app), "keyword_index": index}
    return found | ({"service_key": NO_KEY} if app.settings.is_closed else {})


def _unbuilt(app: State) -> str:
    return f"not whole: {app.follower.missing}" if app.follower.missing else "not built yet: it reads the database"


async def _database(app: State) -> str:
    try:
        async with asyncio.timeout(_SECONDS), app.pool.acquire() as conn:
            published = await conn.fetchval("SELECT to_regclass('read_v1.vector_store') IS NOT NULL")
            return "ok" if published else "not migrated: run backend with EXTROPHI_ROLE=migrate"
    except Exception as error:  # noqa: BLE001  whatever it is, this is where one looks for it
        return f"out of reach ({type(error).__name__})"
