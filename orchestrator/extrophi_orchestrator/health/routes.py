"""The health of the whole, in one call and in bounded time."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from extrophi_orchestrator.gateway.passing import key_refused
from extrophi_orchestrator.health.gathering import Gathering
from extrophi_orchestrator.http.problems import responses

router = APIRouter(tags=["health"])

Self = Annotated[bool, Query(alias="self", description="Ask for the orchestrator alone.")]


class Health(BaseModel):
    status: Literal["ok", "degraded"]
    component: Literal["orchestrator"] = "orchestrator"
    idle_seconds: float
    components: dict[str, dict[str, Any]]


class Readiness(BaseModel):
    ready: bool
    missing: dict[str, Any]


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="It serves; how the components are is told in the body", responses=responses())
async def health(request: Request, *, alone: Self = False) -> Health:
    gathering: Gathering = request.app.state.gathering
    found = {} if alone else await gathering.health()
    components = {
        name: (body if status == 200 else {"status": "unreachable"}) for name, (status, body) in sorted(found.items())
    }
    well = all(body.get("status") == "ok" for body in components.values())
    return Health(
        status="ok" if well else "degraded",
        idle_seconds=round(request.app.state.quiet.seconds, 1),
        components=components,
    )


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready",
    summary="All of it can do its work",
    responses=responses() | {503: {"model": Readiness, "description": "Not yet"}},
)
async def ready(request: Request, response: Response, *, alone: Self = False) -> Readiness:
    gathering: Gathering = request.app.state.gathering
    found = {} if alone else await gathering.readiness()
    missing = {name: body.get("missing", "out of reach") for name, (status, body) in found.items() if status != 200}
    if found and not missing:  # what is said to anyone does not tell whether they take our key
        entrance = await gathering.entrance()
        missing = {name: key_refused(name).detail for name, (status, _) in entrance.items() if status == 401}
    response.status_code = 503 if missing else 200
    return Readiness(ready=not missing, missing=missing)


@router.head("/metrics", include_in_schema=False)
@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
