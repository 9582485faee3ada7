"""What crosses HTTP about documents."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from extrophi_backend.documents.models import Document, Status
from extrophi_backend.http.fields import Name, Text


class PushedDocument(BaseModel):
    """A document pushed in. Its text is kept verbatim; html is extracted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"platform": "files", "external_id": "note-1", "text": "The heron eats at dawn."}]
        }
    )
    platform: Literal["twitter", "youtube", "reddit", "web", "files"]
    external_id: Annotated[Text, Field(min_length=1, max_length=2000)]
    text: Text
    title: Annotated[Text, Field(max_length=2000)] = ""
    author: Annotated[Text, Field(max_length=1000)] | None = None
    url: Annotated[Text, Field(max_length=8000)] | None = None
    published_at: AwareDatetime | None = None
    language: Annotated[Text, Field(max_length=35)] | None = None
    format: Literal["text", "markdown", "html"] = "text"
    collection: Name = "default"


class PushedDocuments(BaseModel):
    documents: Annotated[list[PushedDocument], Field(min_length=1, max_length=1000)]


class SavedItem(BaseModel):
    id: UUID
    external_id: str
    status: Status


class SavedItems(BaseModel):
    items: list[SavedItem]


class DocumentHead(BaseModel):
    id: UUID
    version: int
    platform: str
    external_id: str
    url: str | None
    canonical_url: str | None
    title: str
    author: str | None
    published_at: datetime | None
    collected_at: datetime
    language: str | None
    format: str
    state: str
    gone_at: datetime | None
    collections: list[str]


class ListedDocument(DocumentHead):
    text: str | None = None


class DocumentOut(DocumentHead):
    text: str
    anchors: list[tuple[int, dict[str, Any]]] = []


class Documents(BaseModel):
    items: list[ListedDocument]
    next_cursor: str | None


class VersionOut(BaseModel):
    version: int
    title: str
    collected_at: datetime
    characters: int


class Versions(BaseModel):
    items: list[VersionOut]


def head(document: Document) -> dict[str, Any]:
    """The fields of DocumentHead."""
    return {name: getattr(document, name) for name in DocumentHead.model_fields}
