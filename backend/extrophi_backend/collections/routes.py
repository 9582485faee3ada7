from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from extrophi_backend.collections import sql
from extrophi_backend.http.fields import Name
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
    next_cursor: None = None


@router.get("", summary="List collections by name", responses=responses())
async def index(app: App) -> Collections:
    async with app.pool.acquire() as conn:
        found = await sql.every(conn)
    return Collections(items=[_out(one) for one in found])


@router.post("", status_code=201, summary="Make a collection, unless it is there", responses=responses())
async def create(app: App, body: NewCollection) -> CollectionOut:
    async with app.pool.acquire() as conn, conn.transaction():
        await sql.ensure(conn, body.name)
        found = await sql.find(conn, body.name)
        assert found is not None
    return _out(found)


def _out(one: sql.Collection) -> CollectionOut:
    return CollectionOut(id=one.id, name=one.name, created_at=one.created_at, documents=one.documents)
