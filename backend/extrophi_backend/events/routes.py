from asyncio import sleep, timeout
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from extrophi_backend.events import service
from extrophi_backend.events.models import Kind, Position, Wanted
from extrophi_backend.events.schemas import shown
from extrophi_backend.http.fields import Name
from extrophi_backend.http.problems import responses
from extrophi_backend.http.sse import Event, EventStream
from extrophi_backend.http.state import App, State

router = APIRouter(prefix="/events", tags=["events"])

LOOK_AGAIN_SECONDS = 5.0  # for when a notification was missed
_PAUSE_SECONDS = 0.1
"""Between two looks: whoever pushes documents commits more often than anyone wants to be told."""
_MOST = 100

PlatformName = Annotated[str, Query(max_length=20, pattern=r"^[a-z]+$")]
Ids = Annotated[list[UUID], Query(max_length=_MOST, description="Documents that one of these sources has found.")]
Names = Annotated[list[Name], Query(max_length=_MOST, description="Documents in one of these collections.")]
Platforms = Annotated[list[PlatformName], Query(max_length=_MOST)]
Kinds = Annotated[list[Kind], Query(max_length=_MOST)]


@router.get(
    "",
    summary="What happens to documents, as Server-Sent Events",
    response_class=StreamingResponse,
    responses=responses(410)
    | {200: {"content": {"text/event-stream": {}}, "description": "Events named by their kind, and `position`."}},
)
async def events(
    app: App,
    source_id: Ids = [],  # noqa: B006  FastAPI copies it
    collection: Names = [],  # noqa: B006
    platform: Platforms = [],  # noqa: B006
    kind: Kinds = [],  # noqa: B006
    after: Annotated[str | None, Query(max_length=8000, description="As Last-Event-ID, which goes before.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=8000, description="Go on after this event.")] = None,
) -> EventStream:
    """From now on, or from after an event; each is told once. `position` only says from where to go on.

    A comment comes every 10 s. Events are kept for 30 days; an id older than that is answered with 410.
    """
    async with app.pool.acquire() as conn:
        if last_event_id:
            position = await service.read_position(conn, last_event_id, "last-event-id")
        elif after:
            position = await service.read_position(conn, after, "after")
        else:
            position = await service.present(conn)
    return EventStream(_follow(app, position, Wanted(source_id, collection, platform, kind)))


async def _follow(app: State, start: Position, wanted: Wanted) -> AsyncGenerator[Event, None]:
    # At once: whoever is cut off before the first event has an id to come back with.
    yield _position(start)
    position = told = start
    with app.notifications.subscribed("extrophi_changes") as changed:
        while True:
            changed.clear()
            async for event, after in service.new_events(app.pool, position, wanted):
                position = after
                if event is not None:
                    yield Event(event.kind, shown(event), id=service.write_position(position))
                    told = position
            if position.at - told.at > service.STALE:
                yield _position(position)
                told = position
            with suppress(TimeoutError):
                async with timeout(LOOK_AGAIN_SECONDS):
                    await changed.wait()
            await sleep(_PAUSE_SECONDS)


def _position(position: Position) -> Event:
    return Event("position", {}, id=service.write_position(position))
