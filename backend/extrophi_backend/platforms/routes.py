import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from extrophi_backend.accounts.known import ACCOUNTS
from extrophi_backend.accounts.models import Held
from extrophi_backend.accounts.service import is_usable
from extrophi_backend.collectors.models import Platform as PlatformName
from extrophi_backend.db import is_away
from extrophi_backend.http.problems import responses
from extrophi_backend.http.state import App, State
from extrophi_backend.platforms.offers import OFFERS, Offer

router = APIRouter(prefix="/platforms", tags=["platforms"])
_SECONDS = 2.0


class Platform(BaseModel):
    """What can be collected from a platform, and what it needs for that.

    `credentials`: `none` are needed, or they are `set` or `missing`; GET /accounts tells more.
    """

    platform: PlatformName
    title: str
    available: bool
    collects: list[str]
    examples: list[str]
    credentials: Literal["none", "set", "missing"]
    hint: str


class Platforms(BaseModel):
    items: list[Platform]


@router.get("", summary="What each platform can collect, and whether its credentials are set", responses=responses())
async def index(app: App) -> Platforms:
    roots = [str(root) for root in app.settings.files_roots]
    held, now = await _held(app), datetime.now(UTC)

    def credentials(name: PlatformName) -> Literal["none", "set", "missing"]:
        if is_usable(ACCOUNTS[name], held[name], now):
            return "set"
        return "missing" if ACCOUNTS[name].needed else "none"

    def offered(offer: Offer) -> Platform:
        state = credentials(offer.platform)
        return Platform(
            platform=offer.platform,
            title=ACCOUNTS[offer.platform].title,
            available=True,
            collects=list(offer.collects),
            examples=list(offer.examples),
            credentials=state,
            hint=offer.without if state == "missing" else "",
        )

    files = Platform(
        platform="files",
        title=ACCOUNTS["files"].title,
        available=bool(roots),
        collects=["Markdown", "plain text", "HTML", "PDF", "DOCX", "EPUB", "a folder of them"],
        examples=[f"{root}/notes" for root in roots[:1]] or ["/home/me/notes"],
        credentials="none",
        hint=f"Read below: {', '.join(roots)}."
        if roots
        else "Set EXTROPHI_FILES_ROOTS, or push files to POST /uploads.",
    )
    return Platforms(items=[*map(offered, OFFERS), files])


async def _held(app: State) -> Mapping[PlatformName, Sequence[Held]]:
    """Credentials. Without the database one still wants to know what can be collected."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await app.accounts.held()
    except Exception as error:
        if not is_away(error):
            raise
        return app.accounts.given()
