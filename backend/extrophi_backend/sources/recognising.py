"""What targets are, told while somebody types: nothing is stored, and nothing is asked for outside."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.collectors.models import Platform, Scope
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.errors import AmbiguousTarget, BackendError, ForbiddenAddress, InvalidTarget
from extrophi_backend.http.fields import Name, Text
from extrophi_backend.http.problems import ChoiceOut, responses
from extrophi_backend.http.state import App
from extrophi_backend.sources import sql

router = APIRouter(prefix="/sources", tags=["sources"])

_MOST = 100


class Typed(BaseModel):
    """Targets as a person typed or pasted them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"targets": ["r/selfhosted", "https://example.org/"]}]}
    )
    targets: Annotated[
        list[Annotated[Text, Field(min_length=1, max_length=8000)]], Field(min_length=1, max_length=_MOST)
    ]
    collection: Annotated[Name, Field(description="Where sources of them are looked for.")] = "default"


class Unrecognised(BaseModel):
    """Why a target cannot be added as it is. `choices` are what it may mean, each as it would have to be given."""

    code: str
    detail: str
    hint: str = ""
    choices: list[ChoiceOut] = []


class Recognised(BaseModel):
    """`platform`, `target` and `scope` are null where there is a `problem`.

    A link that only leads elsewhere is followed when it is added, and may turn out to be another platform's.
    """

    typed: str
    platform: Platform | None = None
    target: Annotated[str | None, Field(description="In its canonical form.")] = None
    scope: Annotated[Scope | None, Field(description="What a source of it reaches to unless said otherwise.")] = None
    source_id: Annotated[UUID | None, Field(description="The source that it is already.")] = None
    problem: Unrecognised | None = None


class RecognisedTargets(BaseModel):
    items: Annotated[list[Recognised], Field(description="In the order of the targets.")]


@router.post("/recognise", summary="What targets are, before anything is done with them", responses=responses())
async def recognise(app: App, body: Typed) -> RecognisedTargets:
    """Nothing is stored, and nothing is fetched."""
    items = [await _recognised(app.registry, typed) for typed in body.targets]
    known = [(one.platform, one.target) for one in items if one.platform and one.target]
    async with app.pool.acquire() as conn:
        there = await sql.ids_of(conn, known, collection=body.collection)
    for one in items:
        if one.platform and one.target:
            one.source_id = there.get((one.platform, one.target))
    return RecognisedTargets(items=items)


async def _recognised(registry: Registry, typed: str) -> Recognised:
    try:
        target = await registry.look(typed)
    except (InvalidTarget, AmbiguousTarget, ForbiddenAddress) as refusal:
        return Recognised(typed=typed, problem=_told(refusal))
    return Recognised(typed=typed, platform=target.platform, target=target.canonical, scope=target.scope)


def _told(refusal: BackendError) -> Unrecognised:
    choices = refusal.choices if isinstance(refusal, AmbiguousTarget) else ()
    return Unrecognised(
        code=refusal.code,
        detail=refusal.detail,
        hint=refusal.hint,
        choices=[ChoiceOut.model_validate(one, from_attributes=True) for one in choices],
    )
