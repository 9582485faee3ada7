"""The health of the whole, in one call and in bounded time."""

import asyncio
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.http.problems import responses

router = APIRouter(tags=["health"])
_SECONDS = 2.0
_LARGEST = 1_000_000

Self = Annotated[bool, Query(alias="self", description="Ask for the orchestrator alone.")]


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    component: Literal["orchestrator"] = "orchestrator"
    idle_seconds: float
    components: dict[str, dict[str, Any]]


class Readiness(BaseModel):
    ready: bool
    missing: dict[str, Any]


@router.get("/health", summary="It serves; how the components are is told in the body", responses=responses())
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
    "/ready",
    summary="All of it can do its work",
    responses=responses() | {503: {"model": Readiness, "description": "Not yet"}},
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
    """Both at once. Whatever they do, it takes no longer than _SECONDS, and no more than _LARGEST bytes."""

    async def one(url: str) -> tuple[int, dict[str, Any]]:
        body = b""
        try:
            async with (
                asyncio.timeout(_SECONDS),  # httpx's own limits run anew with each byte
                upstreams.client.stream("GET", f"{url}{path}", headers={"Accept-Encoding": "identity"}) as answer,
            ):
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > _LARGEST:
                        return 0, {}
                told = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError, TimeoutError):
            return 0, {}
        return (answer.status_code, told) if isinstance(told, dict) else (0, {})

    names = sorted(upstreams.urls)
    answers = await asyncio.gather(*(one(upstreams.urls[name]) for name in names))
    return dict(zip(names, answers, strict=True))
