"""Every statement about loose captures: those that no version and no archive refers to, yet or any more."""

from collections.abc import Sequence
from datetime import timedelta

from extrophi_backend.db import Connection


async def unused(conn: Connection, keys: Sequence[str]) -> list[str]:
    """Of these, the ones that nothing refers to. Uses document_versions_capture, …_screenshot and archives_capture."""
    rows = await conn.fetch(
        """SELECT k.key FROM unnest($1::text[]) AS k (key)
            WHERE NOT EXISTS (SELECT FROM document_versions v WHERE v.capture_key = k.key)
              AND NOT EXISTS (SELECT FROM document_versions v WHERE v.screenshot_key = k.key)
              AND NOT EXISTS (SELECT FROM archives a WHERE a.capture_key = k.key)""",
        keys,
    )
    return [row["key"] for row in rows]


async def add(conn: Connection, keys: Sequence[str]) -> None:
    """Captures that are put from now on, and that no version refers to yet."""
    await conn.execute(
        """INSERT INTO loose_captures (key) SELECT unnest($1::text[])
           ON CONFLICT (key) DO UPDATE SET since = now()""",
        keys,
    )


async def loosen(conn: Connection, keys: Sequence[str]) -> None:
    """Captures of a document that is deleted, to go as soon as nobody may be about to refer to them."""
    # The update changes nothing; it waits for who looks at that row, and may forget it, at this moment.
    await conn.execute(
        """INSERT INTO loose_captures (key, since) SELECT unnest($1::text[]), '-infinity'
           ON CONFLICT (key) DO UPDATE SET since = loose_captures.since""",
        keys,
    )


async def lock(conn: Connection, after: timedelta) -> list[str]:
    """Some that have been loose for so long, until the end of the transaction this caller's alone."""
    rows = await conn.fetch(
        """SELECT key FROM loose_captures WHERE since < now() - $1::interval
            ORDER BY since LIMIT 100 FOR UPDATE SKIP LOCKED""",
        after,
    )
    return [row["key"] for row in rows]


async def forget(conn: Connection, keys: Sequence[str]) -> None:
    await conn.execute("DELETE FROM loose_captures WHERE key = ANY($1::text[])", keys)
