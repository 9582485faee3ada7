import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from extrophi_backend.http.cursors import read_cursor, write_cursor
from extrophi_backend.http.fields import Cursor, Limit, Text
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App
from extrophi_backend.webhooks import service, sql
from extrophi_backend.webhooks.models import State as WebhookState
from extrophi_backend.webhooks.models import Webhook
from extrophi_backend.webhooks.posting import Poster

router = APIRouter(tags=["sources"])

_PATH = "/sources/{id}/webhook"
Id = Annotated[UUID, Path(description="A source's id.")]


class NewWebhook(BaseModel):
    """Where a source's events are posted to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"url": "https://example.org/extrophi-events"}]}
    )
    url: Annotated[Text, Field(min_length=1, max_length=8000)]
    secret: Annotated[
        Text | None,
        Field(max_length=200, description="`whsec_` and 24 to 64 bytes as base64. Left out: kept, or made."),
    ] = None


class NewSecret(BaseModel):
    """What messages are signed with from now on."""

    model_config = ConfigDict(extra="forbid")
    secret: Annotated[
        Text | None, Field(max_length=200, description="`whsec_` and 24 to 64 bytes as base64. Left out: made.")
    ] = None


class WebhookError(BaseModel):
    code: str
    detail: str


class WebhookOut(BaseModel):
    """`failed`: the last attempt for a day was in vain; what waits goes out once a test succeeds or it is set anew."""

    source_id: UUID
    target: Annotated[str, Field(description="The source's.")]
    url: str
    state: Annotated[WebhookState, Field(description="disabled: the receiver answered 410.")]
    error: Annotated[WebhookError | None, Field(description="Why the last attempt failed.")]
    attempts: Annotated[int, Field(description="In vain, of the message that goes out next.")]
    next_attempt_at: datetime | None
    waiting: Annotated[int, Field(description="Events that are still to go out.")]
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SetWebhook(WebhookOut):
    secret: Annotated[str | None, Field(description="The secret that was made for it: shown this once.")]


class Webhooks(BaseModel):
    items: list[WebhookOut]
    next_cursor: str | None


class Tried(BaseModel):
    delivered: bool
    status: int | None
    error: WebhookError | None


@router.get("/webhooks", summary="List webhooks, those of the newest sources first", responses=responses())
async def index(app: App, limit: Limit = 50, cursor: Cursor = None) -> Webhooks:
    (before,) = read_cursor(cursor, UUID) if cursor is not None else (None,)
    async with app.pool.acquire() as conn:
        found = await sql.of_newest(conn, before=before, limit=limit + 1)
    return Webhooks(
        items=[WebhookOut(**_shown(one)) for one in found[:limit]],
        next_cursor=write_cursor(str(found[limit - 1].source_id)) if len(found) > limit else None,
    )


@router.put(_PATH, summary="Post a source's events to an address", responses=responses(409))
async def put(app: App, id: Id, body: NewWebhook) -> SetWebhook:  # noqa: A002  the contract's name
    """Messages are signed as Standard Webhooks has it. What waits goes to the new address."""
    async with app.pool.acquire() as conn, conn.transaction():
        made = await service.put(conn, app.accounts.ring, id, body.url, body.secret)
        return SetWebhook(**_shown(await service.get(conn, id)), secret=made)


@router.post(f"{_PATH}/rotate", summary="Sign with another secret", responses=responses(409))
async def rotate(app: App, id: Id, body: NewSecret) -> SetWebhook:  # noqa: A002  the contract's name
    """For a day, messages carry a signature by the secret until now as well. All else stays as it is."""
    async with app.pool.acquire() as conn, conn.transaction():
        made = await service.rotate(conn, app.accounts.ring, id, body.secret)
        return SetWebhook(**_shown(await service.get(conn, id)), secret=made)


@router.get(_PATH, summary="A source's webhook, and how it goes", responses=responses())
async def read(app: App, id: Id) -> WebhookOut:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn:
        return WebhookOut(**_shown(await service.get(conn, id)))


@router.delete(_PATH, status_code=204, summary="Post a source's events no more", responses=responses())
async def delete(app: App, id: Id) -> Response:  # noqa: A002  the contract's name
    async with app.pool.acquire() as conn, conn.transaction():
        await service.remove(conn, id)
    return Response(status_code=204)


@router.post(f"{_PATH}/test", summary="Post a message that tells of nothing, now", responses=responses())
async def test(app: App, id: Id) -> Tried:  # noqa: A002  the contract's name
    """If the receiver takes it, a webhook that had failed is active again, and what waits goes out."""
    poster = await asyncio.to_thread(Poster, app.settings.fetch_allow)  # it reads the system's authorities
    try:
        outcome = await service.test(app.pool, app.accounts.ring, poster, id)
    finally:
        await poster.close()
    error = WebhookError(**outcome.error) if outcome.error else None
    return Tried(delivered=error is None, status=outcome.status, error=error)


def _shown(webhook: Webhook) -> dict[str, Any]:
    """Its fields, without the secret."""
    fields: dict[str, Any] = {
        name: getattr(webhook, name) for name in WebhookOut.model_fields if hasattr(webhook, name)
    }
    waits = webhook.state == "active" and webhook.waiting > 0
    return fields | {"next_attempt_at": webhook.run_after if waits else None}
