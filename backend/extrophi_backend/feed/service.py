"""The story of the feed: who may read it, and of the tokens that open it."""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.db import Connection
from extrophi_backend.errors import FeedTokenRefused, InvalidInput, NotFound
from extrophi_backend.feed import sql
from extrophi_backend.feed.models import FeedToken


async def make_token(conn: Connection, name: str, collections: Sequence[str] | None) -> tuple[FeedToken, str]:
    """A new token, and its text, which is kept nowhere. Raises InvalidInput: there is no such collection."""
    if collections is not None:
        unknown = await sql.unknown_collections(conn, collections)
        if unknown:
            raise InvalidInput(
                f"collections: there is none called {unknown[0][:200]!r}.",
                field="collections",
                hint="GET /collections lists them.",
            )
    text = secrets.token_urlsafe(32)
    return await sql.add_token(conn, uuid7(), _hash(text), name, collections), text


async def delete_token(conn: Connection, token_id: UUID) -> None:
    """It opens nothing from now on. Raises NotFound."""
    if not await sql.delete_token(conn, token_id):
        raise NotFound(f"There is no feed token {token_id}.", hint="GET /feed-tokens lists them.")


async def admit(conn: Connection, token: str | None, *, has_key: bool) -> Sequence[str] | None:
    """The collections that may be read; None: all. A token that is given is looked at, whoever gives it.

    Raises:
        FeedTokenRefused: there is neither a key nor a token that opens anything.
    """
    if token is None and has_key:
        return None
    found = await sql.find_token(conn, _hash(token)) if token else None
    if found is None:
        raise FeedTokenRefused(
            "This feed's token is unknown, or was revoked." if token else "This feed needs a token.",
            hint="POST /api/feed-tokens, with a key, makes one: /api/feed.atom?token=…",
        )
    await sql.note_use(conn, found.id)
    return found.collections


def _hash(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
