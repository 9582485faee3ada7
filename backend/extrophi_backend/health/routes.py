"""Liveness, readiness, metrics. They answer without a key, and in bounded time."""

import asyncio
from typing import Literal

import asyncpg
import redis.asyncio
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from extrophi_backend.db import DATABASE_AWAY
from extrophi_backend.http.middleware import NO_KEY
from extrophi_backend.http.state import App, State
from extrophi_backend.schema.migrate import NO_PGVECTOR, has_pgvector, is_migrated
from extrophi_backend.vectors import sql
from extrophi_backend.vectors.chroma import ChromaAway

router = APIRouter(tags=["health"])
_SECONDS = 2.0


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    component: Literal["backend"] = "backend"
    dependencies: dict[str, str]


class Readiness(BaseModel):
    ready: bool
    missing: dict[str, str]


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="It serves; what it needs is told in the body")
async def health(app: App) -> Health:
    found = await _dependencies(app)
    return Health(status="ok" if set(found.values()) == {"ok"} else "degraded", dependencies=found)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", summary="It can do its work", responses={503: {"model": Readiness, "description": "Not yet"}})
async def ready(app: App, response: Response) -> Readiness:
    missing = {name: state for name, state in (await _dependencies(app)).items() if state != "ok"}
    missing.pop("redis", None)  # jobs are taken in without it; they start when it is back
    missing.pop("captures", None)  # and all but collecting works without a place for them
    missing.pop("vectors", None)  # search goes on by word
    response.status_code = 503 if missing else 200
    return Readiness(ready=not missing, missing=missing)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _dependencies(app: State) -> dict[str, str]:
    database, queue, vectors = await asyncio.gather(_database(app), _redis(app), _vectors(app))
    found = {"database": database, "redis": queue, "captures": app.captures.problem() or "ok", "vectors": vectors}
    return found | ({"service_key": NO_KEY} if app.settings.is_closed else {})


async def _database(app: State) -> str:
    try:
        async with asyncio.timeout(_SECONDS), app.pool.acquire() as conn:
            if await is_migrated(conn):
                return "ok"
            if not await has_pgvector(conn):
                return NO_PGVECTOR
            return "not migrated: run with EXTROPHI_ROLE=migrate"
    except (asyncpg.PostgresError, *DATABASE_AWAY) as error:
        return f"out of reach ({type(error).__name__})"


async def _vectors(app: State) -> str:
    """Of the store of vectors, where it is not PostgreSQL, which is told of anyway."""
    wanted = app.settings.vector_store
    try:
        async with asyncio.timeout(_SECONDS), app.pool.acquire() as conn:
            store = await sql.store(conn)
    except (asyncpg.PostgresError, *DATABASE_AWAY):
        return "ok"  # as far as one knows
    if store.uses_chroma:
        if app.chroma is None:
            return "they are in ChromaDB: set CHROMA_URL"
        try:
            async with asyncio.timeout(_SECONDS):
                await app.chroma.check()
        except ChromaAway as error:
            return error.detail
        except TimeoutError:
            return "Chroma does not answer in time."
    if store.name != wanted and store.moving_to is None:
        return (
            f"they are in {store.name}, and VECTOR_STORE={wanted}: `extrophi vectors migrate --to {wanted}` moves them"
        )
    return "ok"


async def _redis(app: State) -> str:
    client = redis.asyncio.from_url(app.settings.redis_url.get_secret_value(), socket_timeout=_SECONDS)
    try:
        async with asyncio.timeout(_SECONDS):
            await client.ping()
    except (redis.RedisError, OSError, TimeoutError) as error:
        return f"out of reach ({type(error).__name__})"
    else:
        return "ok"
    finally:
        await client.aclose()
