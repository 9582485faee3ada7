"""What crosses HTTP about drafts."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.drafts.models import Content, Draft, Mark, Revision, Written
from extrophi_backend.http.fields import JSONObject, Text

_ITEMS = "CSL-JSON items: each has an `id`, a string that no other has. All else in them is the client's."
_SETTINGS = "The client's own; at most 16 KB."


class NewDraft(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "# Herons\n\nThey wait."}]})
    id: UUID | None = Field(None, description="Made by the client, so that what it sends twice is stored once.")
    text: Text = ""
    bibliography: list[JSONObject] = Field([], description=_ITEMS)
    settings: JSONObject = Field({}, description=_SETTINGS)

    def content(self) -> Content:
        return Content(self.text, self.bibliography, self.settings)


class ChangedDraft(BaseModel):
    """All of it: what is left out would be lost."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "# Herons", "bibliography": [], "settings": {}}]}
    )
    text: Text
    bibliography: list[JSONObject] = Field(description=_ITEMS)
    settings: JSONObject = Field(description=_SETTINGS)
    mark: Mark | None = Field(None, description="Why, where it was not just written. Marked revisions are kept.")

    def content(self) -> Content:
        return Content(self.text, self.bibliography, self.settings)


class DraftHead(BaseModel):
    id: UUID
    title: str = Field(description="From its front matter, or its first heading, or its first line.")
    excerpt: str = Field(description="How it goes on.")
    settings: dict[str, Any]
    revision: int
    words: int
    characters: int
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


class DraftOut(DraftHead):
    text: str
    bibliography: list[dict[str, Any]]


class Drafts(BaseModel):
    items: list[DraftHead]
    next_cursor: str | None


class RevisionHead(BaseModel):
    revision: int
    saved_at: datetime
    words: int
    characters: int
    title: str
    mark: Mark | None


class RevisionOut(RevisionHead):
    text: str
    bibliography: list[dict[str, Any]]


class Revisions(BaseModel):
    items: list[RevisionHead]
    next_cursor: str | None


class ImageOut(BaseModel):
    name: str = Field(description="Made of the image's bytes: the same image has the same name.")
    media_type: str = Field(description="What its bytes say, whatever it was sent as.")
    bytes: Annotated[int, Field(ge=1)]


def head(draft: Draft) -> dict[str, Any]:
    """The fields of DraftHead."""
    return {name: getattr(draft, name) for name in DraftHead.model_fields}


def draft_out(draft: Draft, written: Written) -> DraftOut:
    return DraftOut(**head(draft), text=written.text, bibliography=[dict(item) for item in written.bibliography])


def revision_head(revision: Revision) -> dict[str, Any]:
    """The fields of RevisionHead."""
    return {name: getattr(revision, name) for name in RevisionHead.model_fields}
