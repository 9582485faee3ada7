"""What crosses HTTP about documents."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from extrophi_backend.diffing.texts import Diff, Hunk, Op
from extrophi_backend.documents.models import Document, Status
from extrophi_backend.http.fields import ExternalId, Name, Text
from extrophi_backend.sources.states import State


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and last hours of the calendar, in some time zones
        raise ValueError("no calendar has this moment in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_COMPARED = ("title", "author", "url", "canonical_url", "published_at", "language", "format")
MOST_SHOWN = 10_000
MOST_OPS = 20_000
Offset = Annotated[int, Field(strict=True, ge=0)]


class Place(BaseModel):
    """Where in the original a place of the text is, and whose words they are if not the document's author's."""

    model_config = ConfigDict(extra="forbid")
    page: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    url: Annotated[Text, Field(max_length=8000)] | None = None
    author: Annotated[Text, Field(max_length=1000)] | None = None
    published_at: Moment | None = None
    depth: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None
    score: Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)] | None = None
    state: Literal["deleted", "removed"] | None = None


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
    state: State = "collected"
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
    state: State
    gone_at: datetime | None
    reason: Annotated[dict[str, str] | None, Field(description="Why it could not be had when last looked at.")]
    seen_at: Annotated[datetime, Field(description="When it was last had from its source, to the day.")]
    next_visit_at: Annotated[datetime | None, Field(description="When it is looked at again by itself.")]
    cited_at: Annotated[datetime | None, Field(description="When an answer last cited it.")]
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
    highlights: int = Field(description="In all its versions; they and their notes go when it is deleted.")


class Documents(BaseModel):
    items: list[ListedDocument]
    next_cursor: str | None


class VersionOut(BaseModel):
    version: int
    title: str
    collected_at: datetime
    characters: int
    bytes: int = Field(description="Of the text in UTF-8.")
    lines_added: int | None = Field(
        description="Since the version before; null where there is none, or too much to count."
    )
    lines_removed: int | None


class Versions(BaseModel):
    items: list[VersionOut]
    next_cursor: str | None


class FieldChange(BaseModel):
    """A field of the head, in the one version and in the other."""

    field: str
    before: str | None
    after: str | None


class DiffOp(BaseModel):
    """A part of a hunk. Offsets are code points of the two texts; of an insertion the place in `from` is empty."""

    op: Literal["equal", "delete", "insert"]
    from_start: int
    from_end: int
    to_start: int
    to_end: int
    text: str = Field(description=f"What stands there; its first {MOST_SHOWN:,} characters.")


class DiffHunk(BaseModel):
    """Changes that stand close together, with up to three lines around them. Lines count from 1."""

    from_line: int
    from_lines: int
    to_line: int
    to_lines: int
    ops: list[DiffOp]


class DiffOut(BaseModel):
    """What changed between two versions."""

    document_id: UUID
    from_version: int
    to_version: int
    fields: list[FieldChange]
    lines_added: int
    lines_removed: int
    hunks: list[DiffHunk]
    is_cut: bool = Field(description=f"It has more than {MOST_OPS:,} parts, of which these are the first.")


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


def diff_out(before: Document, after: Document, found: Diff) -> DiffOut:
    a, b = before.text or "", after.text or ""
    shown = list(_first_ops(found))
    return DiffOut(
        document_id=after.id,
        from_version=before.version,
        to_version=after.version,
        fields=[
            FieldChange(field=name, before=_shown(old), after=_shown(new))
            for name in _COMPARED
            if (old := getattr(before, name)) != (new := getattr(after, name))
        ],
        lines_added=found.lines_added,
        lines_removed=found.lines_removed,
        hunks=[
            DiffHunk(
                from_line=hunk.a_lines[0] + 1,
                from_lines=hunk.a_lines[1] - hunk.a_lines[0],
                to_line=hunk.b_lines[0] + 1,
                to_lines=hunk.b_lines[1] - hunk.b_lines[0],
                ops=[
                    DiffOp(
                        op=op.kind,
                        from_start=op.a_start,
                        from_end=op.a_end,
                        to_start=op.b_start,
                        to_end=op.b_end,
                        text=_part(b, op.b_start, op.b_end) if op.kind == "insert" else _part(a, op.a_start, op.a_end),
                    )
                    for op in ops
                ],
            )
            for hunk, ops in shown
        ],
        is_cut=sum(len(ops) for _, ops in shown) < sum(len(hunk.ops) for hunk in found.hunks),
    )


def _first_ops(found: Diff) -> Iterator[tuple[Hunk, Sequence[Op]]]:
    left = MOST_OPS
    for hunk in found.hunks:
        if left <= 0:
            return
        yield hunk, hunk.ops[:left]
        left -= len(hunk.ops)


def _part(text: str, start: int, end: int) -> str:
    return text[start : min(end, start + MOST_SHOWN)]


def _shown(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
