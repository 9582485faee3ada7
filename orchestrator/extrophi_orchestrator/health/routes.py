"""The health of the whole, in one call and in bounded time."""

import asyncio
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from extrophi_orchestrator.gateway.passing import Upstreams

router = APIRouter(tags=["health"])
_SECONDS = 2.0

Self = Annotated[bool, Query(alias="self", description="Ask for the orchestrator alone.")]


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    component: Literal["orchestrator"] = "orchestrator"
    idle_seconds: float
    components: dict[str, dict[str, Any]]


class Readiness(BaseModel):
    ready: bool
    missing: dict[str, Any]


@router.get("/health", summary="It serves; how the components are is told in the body")
async def health(request: Request, *, alone: Self = False) -> Health:
    found = {} if alone else await _ask(request.app.state.upstreams, "/health")
    components = {
        name: (body if status == 200 else {"status": "unreachable"}) for name, (status, body) in found.items()
    }
    well = all(body.get("status") == "ok" for body in components.values())
    return Health(
        status="ok" if well else "degraded",
        idle_seconds=round(request.app.state.quiet.seconds, 1),
        components=components,
    )


@router.get(
    "/ready", summary="All of it can do its work", responses={503: {"model": Readiness, "description": "Not yet"}}
)
async def ready(request: Request, response: Response, *, alone: Self = False) -> Readiness:
    found = {} if alone else await _ask(request.app.state.upstreams, "/ready")
    missing = {name: body.get("missing", "out of reach") for name, (status, body) in found.items() if status != 200}
    response.status_code = 503 if missing else 200
    return Readiness(ready=not missing, missing=missing)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _ask(upstreams: Upstreams, path: str) -> dict[str, tuple[int, dict[str, Any]]]:
    async def one(url: str) -> tuple[int, dict[str, Any]]:
        try:
            answer = await upstreams.client.get(f"{url}{path}", timeout=_SECONDS)
            return answer.status_code, answer.json()
        except (httpx.HTTPError, ValueError):
            return 0, {}

    names = sorted(upstreams.urls)
    answers = await asyncio.gather(*(one(upstreams.urls[name]) for name in names))
    return dict(zip(names, answers, strict=True))
