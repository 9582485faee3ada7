from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from extrophi_backend.documents import list_sql
from extrophi_backend.documents.models import Document, Order, Position, Sort, Wanted
from extrophi_backend.documents.schemas import Documents, ListedDocument, Moment, body, head
from extrophi_backend.errors import InvalidInput
from extrophi_backend.http.cursors import moment, read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Text, stored
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.sources.states import State

router = APIRouter(prefix="/documents", tags=["documents"])

MOST_LANDMARKS = 2000
_TIMES: frozenset[Sort] = frozenset({"collected", "published"})


class Landmarks(BaseModel):
    """Where a list's pages begin, so that it can be entered anywhere at once."""

    total: int
    every: int = Field(description="As many documents are between one cursor and the next.")
    cursors: list[str | None] = Field(description="Each for `cursor` of the list; null: its beginning.")


async def _wanted(  # async: FastAPI sends plain functions to a thread
    platform: Annotated[str | None, Query(max_length=20, pattern=r"^[a-z]+$")] = None,
    collection: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")] = None,
    state: Annotated[list[State] | None, Query(description="Only those in one of these states.", max_length=20)] = None,
    author: Annotated[
        Text | None, Query(min_length=1, max_length=1000, description="The whole name, in upper or lower case.")
    ] = None,
    language: Annotated[
        Text | None, Query(min_length=1, max_length=35, description="`en` is `en-GB`, too, and the other way round.")
    ] = None,
    source_id: Annotated[UUID | None, Query(description="Those that this source has found.")] = None,
    highlighted: Annotated[bool | None, Query(description="Those with a highlight; or without any.")] = None,
    collected_after: Annotated[Moment | None, Query(description="At or after this moment.")] = None,
    collected_before: Moment | None = None,
    published_after: Annotated[Moment | None, Query(description="At or after this moment.")] = None,
    published_before: Moment | None = None,
) -> Wanted:
    return Wanted(
        platform=platform,
        collection=collection,
        states=state or (),
        author=author,
        language=language,
        source_id=source_id,
        highlighted=highlighted,
        collected_after=collected_after,
        collected_before=collected_before,
        published_after=published_after,
        published_before=published_before,
    )


async def _order(
    sort: Annotated[Sort, Query(description="What has nothing of it comes last.")] = "collected",
    order: Annotated[
        Literal["newest", "oldest", "ascending", "descending"] | None,
        Query(
            description="Left out: times `newest` first, names `ascending`. `newest` and `oldest` are words for times."
            " `oldest` first: whoever reads to the end misses nothing that is collected meanwhile."
        ),
    ] = None,
) -> Order:
    if order in {"newest", "oldest"} and sort not in _TIMES:
        hint = "Names go `ascending` or `descending`."
        raise InvalidInput(f"order: nothing is {order} by its {sort}.", field="order", hint=hint)
    default = "newest" if sort in _TIMES else "ascending"
    return Order(sort, ascending=(order or default) in {"oldest", "ascending"})


Filters = Annotated[Wanted, Depends(_wanted)]
Ordered = Annotated[Order, Depends(_order)]


@router.get("", summary="List documents, newest first or in another order", responses=responses())
async def index(
    app: App,
    wanted: Filters,
    order: Ordered,
    limit: Limit = 50,
    cursor: Cursor = None,
    include: Annotated[str | None, Query(pattern="^text$", description="`text`: the texts, too.")] = None,
) -> Documents:
    after = _read(cursor, order.sort) if cursor is not None else None
    async with app.pool.acquire() as conn:
        found = await list_sql.page(conn, wanted, order, after, limit=limit + 1, with_text=include is not None)
    page = found[:limit]
    return Documents(
        items=[ListedDocument(**head(one), **(body(one) if include else {})) for one in page],
        next_cursor=_write(_position(page[-1], order.sort)) if len(found) > limit else None,
    )


@router.get("/landmarks", summary="Where the pages of a list of documents begin", responses=responses())
async def landmarks(
    app: App,
    wanted: Filters,
    order: Ordered,
    every: Annotated[int, Query(ge=1, le=100, description="Documents a page.")] = 100,
) -> Landmarks:
    """At most 2,000 cursors: of a list with more pages, every second one, or third, and `every` says so."""
    async with app.pool.acquire() as conn:
        total, keyed = await list_sql.count(conn, wanted, order)
        every *= max(1, -(-total // (every * MOST_LANDMARKS)))
        found = await list_sql.landmarks(conn, wanted, order, every=every, keyed=keyed, total=total)
    return Landmarks(total=total, every=every, cursors=[None, *(_write(one) for one in found)])


def _position(one: Document, sort: Sort) -> Position:
    keys = {
        "collected": one.collected_at,
        "published": one.published_at,
        "title": one.title_key,
        "author": one.author_key,
    }
    return Position(keys[sort], one.id)


def _write(at: Position) -> str:
    # No key is empty.
    return write_cursor(at.key.isoformat() if isinstance(at.key, datetime) else at.key or "", str(at.id))


def _read(cursor: str, sort: Sort) -> Position:
    """Raises InvalidInput."""
    key, document_id = read_cursor(cursor, _KEYS[sort], UUID)
    return Position(key, document_id)


def _words(text: str) -> str | None:
    return stored(text) or None


_KEYS: Mapping[Sort, Callable[[str], datetime | str | None]] = {
    "collected": moment,
    "published": lambda text: moment(text) if text else None,
    "title": _words,
    "author": _words,
}
