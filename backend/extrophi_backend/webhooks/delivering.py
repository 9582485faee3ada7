"""Delivers what happens to documents to the webhooks of their sources, until told to stop."""

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import timedelta

from extrophi_backend.db import Connection, Pool, is_away
from extrophi_backend.errors import BackendError
from extrophi_backend.events import sql as events_sql
from extrophi_backend.events.models import Event
from extrophi_backend.events.schemas import shown
from extrophi_backend.log import event
from extrophi_backend.sealing import KeyRing, Unreadable
from extrophi_backend.webhooks import sql
from extrophi_backend.webhooks.models import DELAYS, LEASE_TIME, Claim, Outcome
from extrophi_backend.webhooks.posting import Poster
from extrophi_backend.webhooks.service import UNREADABLE, open_secrets

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0
_LONGEST_WAIT = 30.0
_MOST_AT_ONCE = 50
"""Messages under way in one worker: each may take its receiver's whole time, and holds up no other."""


async def keep_delivering(pool: Pool, poster: Poster, ring: KeyRing) -> None:
    """Route and deliver, for ever. Several workers may do so at once: each message is one's alone."""
    under_way: set[asyncio.Task[None]] = set()
    wait, away = _IDLE_SECONDS, False
    try:
        while True:
            try:
                async with pool.acquire() as conn, conn.transaction():
                    await sql.route(conn)
                async with pool.acquire() as conn:
                    claims = await sql.claim(conn, _MOST_AT_ONCE - len(under_way), LEASE_TIME)
                wait, away = _IDLE_SECONDS, False
            except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
                if not away:
                    _log.warning(event("webhooks.wait", error=repr(error)), exc_info=None if is_away(error) else error)
                claims, wait, away = [], min(wait * 2, _LONGEST_WAIT), True
            under_way |= {asyncio.create_task(_deliver(pool, poster, ring, claim)) for claim in claims}
            if not under_way:
                await asyncio.sleep(wait)
                continue
            done, under_way = await asyncio.wait(
                under_way, timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )  # fmt: skip
            if done and away:
                await asyncio.sleep(wait)
    finally:
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)


async def _deliver(pool: Pool, poster: Poster, ring: KeyRing, claim: Claim) -> None:
    """One message to one receiver. What becomes of it is noted; else its lease runs out, and it is delivered again."""
    try:
        async with pool.acquire() as conn:
            events = await events_sql.numbered(conn, await sql.events(conn, claim))
        outcome = await _post(poster, ring, claim, events)
        async with pool.acquire() as conn:
            await _conclude(conn, claim, outcome)
    except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again
        expected = is_away(error) or isinstance(error, BackendError)
        _log.warning(
            event("webhook.not_delivered", source=claim.source_id, error=repr(error)),
            exc_info=None if expected else error,
        )


async def _post(poster: Poster, ring: KeyRing, claim: Claim, events: Sequence[Event]) -> Outcome:
    if not events:  # their documents were deleted since
        return Outcome(None)
    try:
        secrets = await asyncio.to_thread(open_secrets, ring, claim)
    except Unreadable:
        return Outcome(None, UNREADABLE)
    message = {
        "type": "documents",
        "timestamp": events[-1].happened_at.isoformat(),
        "data": {"source_id": str(claim.source_id), "events": [shown(one) for one in events]},
    }
    body = json.dumps(message, ensure_ascii=False).encode()
    return await poster.post(claim.url, secrets, str(claim.message_id), body)


async def _conclude(conn: Connection, claim: Claim, outcome: Outcome) -> None:
    error = outcome.error
    if error is None:
        await sql.delivered(conn, claim)
        return
    _log.info(event("webhook.failed", source=claim.source_id, code=error["code"], attempts=claim.attempts + 1))
    if outcome.is_gone:
        await sql.disable(conn, claim, error)
    elif claim.attempts < len(DELAYS):
        wait = max(DELAYS[claim.attempts], timedelta(seconds=outcome.retry_after))
        await sql.failed(conn, claim, error, wait)
    else:
        await sql.failed(conn, claim, error, None)
