from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.citations import service
from extrophi_backend.citations.models import LONGEST_QUOTE, LONGEST_SHOWN, Checked, Cited, State
from extrophi_backend.documents.schemas import DiffOp
from extrophi_backend.errors import InvalidInput
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.sources.states import State as DocumentState

router = APIRouter(prefix="/citations", tags=["citations"])

Number = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]


class CitedIn(BaseModel):
    """A span of a version's text, in code points."""

    model_config = ConfigDict(extra="forbid")
    document_id: UUID
    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
    start: Number
    end: Number


class CitationsIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "citations": [
                        {"document_id": "01a20ce0-0000-7000-8000-000000000000", "version": 1, "start": 0, "end": 10}
                    ]
                }
            ]
        },
    )
    citations: Annotated[list[CitedIn], Field(min_length=1, max_length=500)]


class CheckedOut(BaseModel):
    """What became of a citation.

    `same`: the newest version has it at the same place. `moved`: the very words are elsewhere. `changed`: other words
    stand there. `vanished`: nothing does, or hardly anything. `deleted`: the document was, for good. `unknown`: there
    is no such document, version or span here.
    """

    state: State
    quote: str | None = Field(description="As it stood in the version cited.")
    prefix: str | None = Field(description="What stood before it then.")
    suffix: str | None
    latest_version: int | None
    start: int | None = Field(description="Where it is in the newest version; null where it is not.")
    end: int | None
    now: str | None = Field(description=f"What stands there now; its first {LONGEST_SHOWN:,} characters.")
    ops: list[DiffOp] = Field(description="Of what changed: from the quote to what stands there now.")
    document_state: DocumentState | None
    gone_at: datetime | None


class CheckedItems(BaseModel):
    items: list[CheckedOut]


@router.post("/check", summary="Whether citations still stand where they stood", responses=responses())
async def check(app: App, body: CitationsIn) -> CheckedItems:
    """Each in its version against the newest one of its document; the answers are in order."""
    for index, one in enumerate(body.citations):
        if not one.start < one.end <= one.start + LONGEST_QUOTE:
            raise InvalidInput(
                f"citations.{index}.end: {one.end} is not after the start ({one.start}), or more than"
                f" {LONGEST_QUOTE:,} characters after it.",
                field=f"citations.{index}.end",
                hint="Send the span that is quoted.",
            )
    cited = [Cited(one.document_id, one.version, one.start, one.end) for one in body.citations]
    return CheckedItems(items=[_out(one) for one in await service.check(app.pool, cited)])


def _out(one: Checked) -> CheckedOut:
    return CheckedOut(
        state=one.state,
        quote=one.quote,
        prefix=one.prefix,
        suffix=one.suffix,
        latest_version=one.head.version if one.head else None,
        start=one.start,
        end=one.end,
        now=one.now,
        ops=[
            DiffOp(
                op=op.kind,
                from_start=op.a_start,
                from_end=op.a_end,
                to_start=op.b_start,
                to_end=op.b_end,
                text=text,
            )
            for op, text in one.ops
        ],
        document_state=one.head.state if one.head else None,  # pyright: ignore[reportArgumentType]  a row has no other
        gone_at=one.head.gone_at if one.head else None,
    )
