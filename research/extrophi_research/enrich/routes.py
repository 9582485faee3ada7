from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from extrophi_research.http.fields import Question
from extrophi_research.http.problems import responses
from extrophi_research.http.state import App
from extrophi_research.search.schemas import FiltersIn, HitOut, hit_out
from extrophi_research.search.service import search

router = APIRouter(tags=["enrich"])


class EnrichIn(BaseModel):
    text: Question
    limit: Annotated[int, Field(ge=1, le=100, strict=True)] = 5
    filters: FiltersIn = FiltersIn()


class Evidence(BaseModel):
    items: list[HitOut]
    degraded: str | None


@router.post("/enrich", summary="Evidence for a passage of a draft", responses=responses())
async def enrich(app: App, body: EnrichIn) -> Evidence:
    # A draft's dashes and quotation marks are prose, not operators of a query.
    passage = " ".join(word.lstrip("-").replace('"', "") for word in body.text.split()) or body.text
    found = await search(app.pool, app.index, app.embedder, passage, limit=body.limit, filters=body.filters.filters())
    return Evidence(items=[hit_out(hit) for hit in found.items], degraded=found.degraded)
