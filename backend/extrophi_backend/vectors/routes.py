from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from extrophi_backend.db import Pool
from extrophi_backend.errors import Conflict, Unavailable
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.vectors import moving, sql
from extrophi_backend.vectors.chroma import Missing
from extrophi_backend.vectors.models import Store, StoreName

router = APIRouter(prefix="/vectors", tags=["vectors"])

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e30, le=1e30)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VectorsOut(BaseModel):
    """Where the nearest vectors are looked for. Of a move: `done` of `total` vectors are where they shall be."""

    store: StoreName
    moving_to: StoreName | None
    paused: bool
    done: int
    total: int


class Move(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "chroma"}]})
    to: StoreName


class Nearest(BaseModel):
    """`among`: the hashes of the vectors to look at, at most 50,000; else all of the model are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"model_id": 1, "vector": [0.6, 0.8], "limit": 10}]}
    )
    model_id: Annotated[int, Field(ge=1, le=32767)]
    vector: Annotated[list[Number], Field(min_length=1, max_length=4000)]
    limit: Annotated[int, Field(ge=1, le=50_000)] = 10
    among: Annotated[list[Hash], Field(max_length=50_000)] | None = None


class Found(BaseModel):
    """The nearest first: hashes of embedded texts, and cosines. `behind`: ChromaDB is still to be told of some."""

    hashes: list[str]
    similarities: list[float]
    behind: bool


@router.get("", summary="Where the vectors are, and how far a move is", responses=responses())
async def index(app: App) -> VectorsOut:
    async with app.pool.acquire() as conn:
        store = await sql.store(conn)
    return await _out(app.pool, store)


@router.post("/migrate", status_code=202, summary="Move all vectors to the other store", responses=responses(409))
async def migrate(app: App, body: Move) -> VectorsOut:
    """Search goes on meanwhile, and changes over at the end. A move that was stopped is gone on with."""
    return await _out(app.pool, await moving.begin(app.pool, app.chroma, body.to))


@router.post("/stop", summary="Let the move rest", responses=responses(409))
async def stop(app: App) -> VectorsOut:
    return await _out(app.pool, await moving.pause(app.pool))


@router.post("/query", summary="The nearest vectors in ChromaDB", responses=responses(409, 503))
async def query(app: App, body: Nearest) -> Found:
    """For research, since ChromaDB may be on backend's loopback alone."""
    async with app.pool.acquire() as conn:
        store = await sql.store(conn)
        behind = await sql.is_behind(conn, body.model_id)
    if store.name != "chroma":
        raise Conflict("The vectors are in pgvector.", hint="Ask PostgreSQL.")
    if app.chroma is None:
        raise Unavailable("The vectors are in ChromaDB, and no server of it is known.", hint="Set CHROMA_URL.")
    try:
        found = await app.chroma.nearest(store.collection(body.model_id), body.vector, body.limit, body.among)
    except Missing:
        async with app.pool.acquire() as conn:
            if await sql.has_vectors(conn, body.model_id):
                raise Unavailable(
                    "ChromaDB has yet to be told of the vectors.", hint="It is, within a minute."
                ) from None
        found = []
    return Found(hashes=[one for one, _ in found], similarities=[similarity for _, similarity in found], behind=behind)


async def _out(pool: Pool, store: Store) -> VectorsOut:
    async with pool.acquire() as conn:
        total, waiting, indexed = await sql.progress(conn)
        if store.moving_to == "pgvector":
            done = indexed + int((total - indexed) * await sql.index_progress(conn))
        else:
            done = max(0, total - waiting) if store.uses_chroma else total
    return VectorsOut(store=store.name, moving_to=store.moving_to, paused=store.paused, done=done, total=total)
