"""What crosses HTTP about events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from extrophi_backend.events.models import Event, Kind


class EventOut(BaseModel):
    """What happened to a document. Of a deleted one, title and address are null."""

    id: str = Field(description="The same wherever and however often this event is told.")
    kind: Kind
    document_id: UUID
    version: int
    platform: str
    title: str | None
    url: str | None
    source_ids: list[UUID] = Field(description="Sources that have found the document.")
    collections: list[str]
    happened_at: datetime


def shown(event: Event) -> dict[str, Any]:
    """As JSON."""
    fields = {name: getattr(event, name) for name in EventOut.model_fields if name != "id"}
    return EventOut(id=str(event.seq), **fields).model_dump(mode="json")
