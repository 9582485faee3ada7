"""What crosses HTTP about search."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from extrophi_research.http.fields import Question, Text
from extrophi_research.search.models import Filters, Group, Hit, Mode

Names = Annotated[list[Annotated[Text, Field(max_length=1000)]], Field(max_length=100)]
Ids = Annotated[list[UUID], Field(max_length=100)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC this is before the year 1 or after the year 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
AsOf = Annotated[
    Moment | None, Field(description="Only what the library held at this moment, in the versions of then.")
]


class FiltersIn(BaseModel):
    model_config = ConfigDict(extra="forbid")  # a filter that is misspelt would filter nothing
    platforms: Annotated[list[Literal["twitter", "youtube", "reddit", "web", "files"]], Field(max_length=5)] = []
    collections: Names = []
    source_ids: Ids = []
    job_ids: Ids = []
    authors: Annotated[Names, Field(description="Of documents: not who comments in a discussion.")] = []
    languages: Names = []
    published_after: Moment | None = None
    published_before: Moment | None = None

    def filters(self) -> Filters:
        return Filters(**{name: getattr(self, name) for name in FiltersIn.model_fields})


class SearchIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"query": "reading on phones", "limit": 5}]}
    )
    query: Question
    limit: Annotated[int, Field(ge=1, le=100, strict=True)] = 10
    mode: Mode = "hybrid"
    group: Group = "document"
    filters: FiltersIn = FiltersIn()
    as_of: AsOf = None
    as_typed: bool = Field(
        False,
        strict=True,
        description="The last word is still being typed: words that begin so are found, too. By word only, unless"
        " `mode` says otherwise.",
    )


class CitationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    document_id: UUID
    version: int
    platform: str
    external_id: str
    title: str
    author: str | None
    published_at: datetime | None
    url: str | None
    deep_link: str | None
    quote: str
    quote_start: int
    quote_end: int


class HitOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    document_id: UUID
    version: int
    chunk_id: UUID
    score: float
    text: str
    start: int
    end: int
    citation: CitationOut
    also: list[CitationOut]


class SearchOut(BaseModel):
    items: list[HitOut]
    mode: Mode
    degraded: str | None
    relaxed: bool
    took_ms: float


def hit_out(hit: Hit) -> HitOut:
    return HitOut.model_validate(hit)
