import time

from fastapi import APIRouter

from extrophi_research.http.problems import responses
from extrophi_research.http.state import App
from extrophi_research.search.models import Mode
from extrophi_research.search.schemas import SearchIn, SearchOut, hit_out
from extrophi_research.search.service import search

router = APIRouter(tags=["search"])


@router.post("/search", summary="Find chunks by word and by meaning", responses=responses())
async def post_search(app: App, body: SearchIn) -> SearchOut:
    """A "quoted phrase" ranks its matches first, then (`relaxed`) the rest; -word excludes."""
    by_default = body.as_typed and "mode" not in body.model_fields_set
    mode: Mode = "keyword" if by_default else body.mode  # a meaning takes its time, and half a word has none
    began = time.perf_counter()
    found = await search(
        app,
        body.query,
        limit=body.limit,
        mode=mode,
        group=body.group,
        filters=body.filters.filters(),
        as_of=body.as_of,
        as_typed=body.as_typed,
    )
    took = round((time.perf_counter() - began) * 1000, 1)
    items = [hit_out(hit) for hit in found.items]
    return SearchOut(items=items, mode=mode, degraded=found.degraded, relaxed=found.relaxed, took_ms=took)
