from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from extrophi_research.enrich.service import evidence
from extrophi_research.http.fields import Question
from extrophi_research.http.problems import responses
from extrophi_research.http.state import App
from extrophi_research.search.schemas import AsOf, FiltersIn, HitOut, hit_out

router = APIRouter(tags=["enrich"])


class EnrichIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "Phones are used in short gaps, and long articles do not fit them."}]},
    )
    text: Question
    limit: Annotated[int, Field(ge=1, le=100, strict=True)] = 5
    filters: FiltersIn = FiltersIn()
    as_of: AsOf = None


class Evidence(BaseModel):
    items: list[HitOut]
    degraded: str | None


@router.post("/enrich", summary="Evidence for a passage of a draft", responses=responses())
async def enrich(app: App, body: EnrichIn) -> Evidence:
    """Hits that bear on the passage. None quotes a sentence that the passage already holds word for word."""
    found = await evidence(app, body.text, body.limit, body.filters.filters(), body.as_of)
    return Evidence(items=[hit_out(hit) for hit in found.items], degraded=found.degraded)
