from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter

from extrophi_backend.http.cursors import number, read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Name
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.index import service
from extrophi_backend.index.models import Progress

router = APIRouter(prefix="/embeddings", tags=["embeddings"])

_ADDRESS: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _endpoint(text: str) -> str:
    return text if text in {"local", "openai"} else str(_ADDRESS.validate_python(text)).rstrip("/")


EndpointName = Annotated[
    Name,
    AfterValidator(_endpoint),
    Field(description="`local`, `openai`, or the base address of another endpoint, which ends in /v1."),
]


class NewModel(BaseModel):
    """An embedding model, as its endpoint calls it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "all-MiniLM-L6-v2", "endpoint": "local"}]})
    model: Name
    endpoint: EndpointName = "local"


class ModelName(BaseModel):
    model: Name
    endpoint: EndpointName | None = None


class ModelOut(BaseModel):
    """`pending`: texts that wait for a vector of this model; `failed`: those that never get one."""

    id: int
    model: str
    endpoint: str
    dimensions: int
    state: Literal["building", "active", "retired"]
    embedded: int
    pending: int
    failed: int
    created_at: datetime
    activated_at: datetime | None


class Models(BaseModel):
    items: list[ModelOut]
    next_cursor: str | None


@router.get("", summary="Which embedding models there are, and how far they are", responses=responses())
async def index(app: App, limit: Limit = 100, cursor: Cursor = None) -> Models:
    (before,) = read_cursor(cursor, number) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await service.progress(conn, before=before, limit=limit + 1)
    return Models(
        items=[_out(one) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].model.id)) if len(found) > limit else None,
    )


@router.post("", status_code=202, summary="Build another model beside the active one", responses=responses(409))
async def build(app: App, body: NewModel) -> ModelOut:
    """Search goes on with the active model, and changes over once the new one is whole."""
    return _out(await service.build(app.pool, app.settings, body.model, body.endpoint))


@router.post("/activate", summary="Search with this model from now on", responses=responses(409))
async def activate(app: App, body: ModelName) -> ModelOut:
    return _out(await service.activate(app.pool, body.model, body.endpoint))


@router.delete("/{id}", status_code=204, summary="Drop a model that search does not use", responses=responses(409))
async def forget(app: App, id: Annotated[int, Path(ge=1, le=32767)]) -> Response:  # noqa: A002  as everywhere
    await service.forget(app.pool, id)
    return Response(status_code=204)


def _out(one: Progress) -> ModelOut:
    return ModelOut(
        id=one.model.id,
        model=one.model.name,
        endpoint=one.model.endpoint,
        dimensions=one.model.dimensions,
        state=one.model.state,
        embedded=one.embedded,
        pending=one.pending,
        failed=one.failed,
        created_at=one.created_at,
        activated_at=one.activated_at,
    )
