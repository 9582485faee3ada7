"""What crosses HTTP about documents."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from extrophi_backend.documents.models import Document, Status
from extrophi_backend.http.fields import ExternalId, Name, Text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and last hours of the calendar, in some time zones
        raise ValueError("no calendar has this moment in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Offset = Annotated[int, Field(strict=True, ge=0)]


class Place(BaseModel):
    """Where in the original a place of the text is."""

    model_config = ConfigDict(extra="forbid")
    page: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    url: Annotated[Text, Field(max_length=8000)] | None = None


def _array(length: int, **items: Any) -> WithJsonSchema:
    """OpenAPI's words for a tuple. `prefixItems` would say more, and generators of clients stumble over it."""
    return WithJsonSchema({"type": "array", "minItems": length, "maxItems": length, "items": items})


Level = Annotated[int, Field(strict=True, ge=0, le=6)]
PushedAnchor = Annotated[tuple[Offset, Place], _array(2)]
PushedBlock = Annotated[tuple[Offset, Offset, Level], _array(3, type="integer", minimum=0)]
AnchorOut = Annotated[tuple[int, dict[str, Any]], _array(2)]
BlockOut = Annotated[tuple[int, int, int], _array(3, type="integer")]


class PushedDocument(BaseModel):
    """A document pushed in. Its text is kept verbatim; html is extracted.

    The fields from `canonical_url` on are for documents that come from another library, as `GET /documents` gives them
    there. With `collected_at`, one version after the other may be sent; a version no later than what is here already
    changes nothing but the collections.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"platform": "files", "external_id": "note-1", "text": "The heron eats at dawn."}]
        }
    )
    platform: Literal["twitter", "youtube", "reddit", "web", "files"]
    external_id: ExternalId
    text: Text
    title: Annotated[Text, Field(max_length=2000)] = ""
    author: Annotated[Text, Field(max_length=1000)] | None = None
    url: Annotated[Text, Field(max_length=8000)] | None = None
    published_at: Moment | None = None
    language: Annotated[Text, Field(max_length=35)] | None = None
    format: Literal["text", "markdown", "html"] = "text"
    collection: Name = "default"
    collections: Annotated[list[Name], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Instead of `collection`: all that it goes into."
    )
    canonical_url: Annotated[Text, Field(max_length=8000)] | None = None
    anchors: list[PushedAnchor] = Field([], description="From each offset of the text on: its place in the original.")
    blocks: list[PushedBlock] | None = Field(
        None,
        description="[start, end, level of heading or 0] of the text's parts, ascending and apart. Given, even empty:"
        " the text is extracted already, also when its format is html.",
    )
    collected_at: Moment | None = None
    state: Literal["collected", "gone"] = "collected"
    gone_at: Moment | None = None


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
    has_screenshot: bool = Field(description="Whether `/documents/{id}/screenshot` has how a browser showed it.")


class ListedDocument(DocumentHead):
    """`anchors` and `blocks` come with the text."""

    text: str | None = None
    anchors: list[AnchorOut] | None = None
    blocks: list[BlockOut] | None = None


class DocumentOut(DocumentHead):
    text: str
    anchors: list[AnchorOut] = []
    blocks: list[BlockOut] = []


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
    next_cursor: str | None


def head(document: Document) -> dict[str, Any]:
    """The fields of DocumentHead."""
    return {name: getattr(document, name) for name in DocumentHead.model_fields}


def body(document: Document) -> dict[str, Any]:
    """The text, and what belongs to places of it."""
    return {
        "text": document.text or "",
        "anchors": [(offset, dict(place)) for offset, place in document.anchors],
        "blocks": document.blocks,
    }
