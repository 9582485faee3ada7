"""Every statement about loose captures: those that no version and no archive refers to, yet or any more."""

from collections.abc import Sequence
from datetime import timedelta

from extrophi_backend.db import Connection


async def used(conn: Connection, keys: Sequence[str]) -> dict[str, list[tuple[int, int]] | None]:
    """What is referred to of these: parts of an object (start, length in bytes), or all of it (None).

    Uses document_versions_capture, …_screenshot and archives_capture.
    """
    rows = await conn.fetch(
        """SELECT capture_key AS key, capture_start AS start, capture_length AS length
             FROM document_versions WHERE capture_key = ANY($1::text[])
            UNION
           SELECT screenshot_key, NULL, NULL FROM document_versions WHERE screenshot_key = ANY($1::text[])
            UNION
           SELECT capture_key, NULL, NULL FROM archives WHERE capture_key = ANY($1::text[])""",
        keys,
    )
    parts: dict[str, list[tuple[int, int]] | None] = {}
    for key, start, length in rows:
        known = parts.setdefault(key, [])
        if start is None:
            parts[key] = None
        elif known is not None:
            known.append((start, length))
    return parts


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


async def lock(conn: Connection, after: timedelta, among: Sequence[str] | None = None) -> list[str]:
    """Some, perhaps only of these, that have been loose for so long: this caller's alone until its transaction ends."""
    rows = await conn.fetch(
        """SELECT key FROM loose_captures
            WHERE since < now() - $1::interval AND ($2::text[] IS NULL OR key = ANY($2))
            ORDER BY since LIMIT 100 FOR UPDATE SKIP LOCKED""",
        after,
        among,
    )
    return [row["key"] for row in rows]


async def forget(conn: Connection, keys: Sequence[str]) -> None:
    await conn.execute("DELETE FROM loose_captures WHERE key = ANY($1::text[])", keys)
