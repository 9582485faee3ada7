from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from extrophi_backend.collections import sql
from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Name, stored
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App

router = APIRouter(prefix="/collections", tags=["collections"])


class NewCollection(BaseModel):
    name: Name


class CollectionOut(BaseModel):
    id: UUID
    name: str
    created_at: datetime
    documents: int


class Collections(BaseModel):
    items: list[CollectionOut]
    next_cursor: str | None


@router.get("", summary="List collections by name", responses=responses())
async def index(app: App, limit: Limit = 100, cursor: Cursor = None) -> Collections:
    (after,) = read_cursor(cursor, stored) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.by_name(conn, after=after, limit=limit + 1)
    return Collections(
        items=[_out(one) for one in found[:limit]],
        next_cursor=write_cursor(found[limit - 1].name) if len(found) > limit else None,
    )


@router.post("", status_code=201, summary="Make a collection, unless it is there", responses=responses())
async def create(app: App, body: NewCollection) -> CollectionOut:
    async with app.pool.acquire() as conn, conn.transaction():
        return _out(await sql.get(conn, await sql.ensure(conn, body.name)))


def _out(one: sql.Collection) -> CollectionOut:
    return CollectionOut(id=one.id, name=one.name, created_at=one.created_at, documents=one.documents)
