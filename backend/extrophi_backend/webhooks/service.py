"""The story of a source's webhook: set, shown, tried, and taken away."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.accounts import rotation
from extrophi_backend.db import Connection, Pool
from extrophi_backend.errors import InvalidInput, NotFound
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.sealing import KeyRing, Unreadable, seal, unseal
from extrophi_backend.sources import service as sources
from extrophi_backend.sources import sql as sources_sql
from extrophi_backend.webhooks import signing, sql
from extrophi_backend.webhooks.models import OVERLAP, Claim, Failure, Outcome, Webhook
from extrophi_backend.webhooks.posting import Poster


async def put(conn: Connection, ring: KeyRing, source_id: UUID, url: str, secret: str | None) -> str | None:
    """Set where a source's events go. In the caller's transaction.

    Returns:
        The secret, if one had to be made: it is shown this once.

    Raises:
        InvalidInput, NotFound, NoSecretKey, Unavailable.
    """
    address = _checked(url)
    # Before any row is locked: a rotation locks them after it.
    key = await rotation.key_for_sealing(conn, ring)
    if not await sources_sql.own(conn, source_id):  # two at once would each show a secret of their own
        await sources.get(conn, source_id)
    await sql.begin_routing(conn)
    sealed = await sql.sealed_secret(conn, source_id)
    made = None
    if secret is not None:
        _check_secret(secret)
    elif sealed is None:
        secret = made = signing.make_secret()
    if secret is not None:
        sealed = seal(key, secret, context(source_id))
    await sql.put(conn, source_id, address, sealed)
    return made


async def rotate(conn: Connection, ring: KeyRing, source_id: UUID, secret: str | None) -> str | None:
    """Sign with another secret from now on, and with the one until now as well for OVERLAP. All else stays as it is.

    In the caller's transaction.

    Returns:
        The secret, if one had to be made: it is shown this once.

    Raises:
        InvalidInput, NotFound, NoSecretKey, Unavailable.
    """
    made = None
    if secret is None:
        secret = made = signing.make_secret()
    else:
        _check_secret(secret)
    key = await rotation.key_for_sealing(conn, ring)
    await sql.sealed_secret(conn, source_id)  # until the end of the transaction it is ours
    before = await get(conn, source_id)
    # The same again, as by a client that repeats itself, must not push out the one from before.
    if secret not in _readable(ring, before)[:1]:
        await sql.rotate(conn, source_id, seal(key, secret, context(source_id)), OVERLAP)
    return made


def _readable(ring: KeyRing, webhook: Webhook) -> list[str]:
    try:
        return open_secrets(ring, webhook)
    except Unreadable:
        return []


def _check_secret(secret: str) -> None:
    """Raises InvalidInput."""
    try:
        signing.read_secret(secret)
    except ValueError as error:
        raise InvalidInput(
            f"secret: {error}.", field="secret", hint="Leave it out, and one is made and shown."
        ) from None


async def prune(pool: Pool) -> None:
    """Forget secrets that are used no more."""
    async with pool.acquire() as conn:
        await sql.forget_former(conn)


async def get(conn: Connection, source_id: UUID) -> Webhook:
    """Raises NotFound."""
    found = await sql.get(conn, source_id)
    if found is None:
        await sources.get(conn, source_id)
        raise _none(source_id)
    return found


async def remove(conn: Connection, source_id: UUID) -> None:
    """Its events go nowhere from now on. Raises NotFound."""
    if not await sql.delete(conn, source_id):
        await sources.get(conn, source_id)
        raise _none(source_id)


async def test(pool: Pool, ring: KeyRing, poster: Poster, source_id: UUID) -> Outcome:
    """Post a message that tells of nothing. If that succeeds, what waits goes out again.

    Raises:
        NotFound, Unavailable.
    """
    async with pool.acquire() as conn:
        webhook = await get(conn, source_id)
    moment = datetime.now(UTC).isoformat()
    body = json.dumps({"type": "test", "timestamp": moment, "data": {"source_id": str(source_id)}}).encode()
    try:
        secrets = await asyncio.to_thread(open_secrets, ring, webhook)
    except Unreadable:
        return Outcome(None, UNREADABLE)
    outcome = await poster.post(webhook.url, secrets, str(uuid7()), body)
    if outcome.error is None:
        async with pool.acquire() as conn:
            await sql.revive(conn, source_id)
    return outcome


def open_secrets(ring: KeyRing, webhook: Webhook | Claim) -> list[str]:
    """What its messages are signed with: its secret, then the one from before a rotation, if that can be read.

    Reads the ring's file. Raises Unreadable, Unavailable.
    """
    keys, bound_to = ring.keys(), context(webhook.source_id)
    secrets = [unseal(keys, webhook.sealed, bound_to)]
    if webhook.former_sealed is not None:
        with suppress(Unreadable):
            secrets.append(unseal(keys, webhook.former_sealed, bound_to))
    return secrets


def context(source_id: UUID) -> str:
    """What a webhook's secret is sealed for; as `accounts.rotation.SEALED` has it in SQL."""
    return f"webhook/{source_id}"


UNREADABLE: Failure = {
    "code": "secret_unreadable",
    "detail": "No key of EXTROPHI_SECRET_KEY opens the webhook's secret: set the webhook anew, with a secret.",
}


def _checked(url: str) -> str:
    try:
        return str(parse(url))
    except FetchFailed as error:
        raise InvalidInput(
            f"url: {error.detail}", field="url", hint="Give an address that begins with https:// or http://."
        ) from None


def _none(source_id: UUID) -> NotFound:
    return NotFound(f"Source {source_id} has no webhook.", hint=f"PUT /sources/{source_id}/webhook sets one.")
