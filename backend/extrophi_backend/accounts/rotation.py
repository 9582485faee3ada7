"""Sealing everything anew under the first key of the ring, so that the others may be forgotten.

Who seals holds a lock that is shared, who rotates the same alone, and both look at the ring under it. So nothing is
sealed under an old key once a rotation has ended, and one that is killed has changed nothing.
"""

from dataclasses import dataclass

from extrophi_backend.accounts import sql
from extrophi_backend.accounts.sql import SealedColumn
from extrophi_backend.db import Connection, Pool
from extrophi_backend.sealing import Key, KeyRing, Unreadable, is_sealed_by, seal, unseal

SEALED = (
    SealedColumn("credentials", "sealed", "concat('credential/', platform, '/', name, '/', host)"),
    SealedColumn("webhooks", "sealed", "concat('webhook/', source_id)"),
    SealedColumn("webhooks", "former_sealed", "concat('webhook/', source_id)"),
)
"""Every column of sealed values there is (a test looks for columns of that name)."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many values were sealed anew, were so already, and are opened by no key."""

    resealed: int
    kept: int
    unreadable: int
    key: str


async def key_for_sealing(conn: Connection, ring: KeyRing) -> Key:
    """The key to seal under until the end of the caller's transaction. Raises NoSecretKey, Unavailable."""
    await sql.share_sealing(conn)
    return ring.first()


async def rotate(pool: Pool, ring: KeyRing) -> Rotation:
    """Seal all that any key opens under the first, at once or not at all. Raises NoSecretKey, Unavailable."""
    kept = unreadable = resealed = 0
    async with pool.acquire() as conn, conn.transaction():
        await sql.own_sealing(conn)
        keys, first = ring.keys(), ring.first()
        for one in SEALED:
            was: list[bytes] = []
            fresh: list[bytes] = []
            for sealed, context in await sql.sealed(conn, one):
                if is_sealed_by(first, sealed):
                    kept += 1
                    continue
                try:
                    fresh.append(seal(first, unseal(keys, sealed, context), context))
                except Unreadable:
                    unreadable += 1
                else:
                    was.append(sealed)
            await sql.reseal(conn, one, was, fresh)
            resealed += len(was)
    return Rotation(resealed, kept, unreadable, first.id)
