"""Every statement about archives."""

from datetime import timedelta
from uuid import UUID

from extrophi_backend.db import Connection


async def insert(conn: Connection, archive_id: UUID, *, platform: str, name: str, capture_key: str) -> None:
    await conn.execute(
        "INSERT INTO archives (id, platform, name, capture_key) VALUES ($1, $2, $3, $4)",
        archive_id,
        platform,
        name,
        capture_key,
    )


async def capture_key(conn: Connection, archive_id: UUID) -> str | None:
    return await conn.fetchval("SELECT capture_key FROM archives WHERE id = $1", archive_id)


async def prune(conn: Connection, prefix: str, kept: timedelta) -> list[str]:
    """Forget archives that came so long ago and have no job that is to go on; gives their captures' keys.

    Uses jobs_open.
    """
    rows = await conn.fetch(
        """DELETE FROM archives a
            WHERE created_at < now() - $2::interval
              AND NOT EXISTS (SELECT FROM jobs j
                               WHERE j.status IN ('queued', 'running') AND j.target = $1 || a.id::text)
        RETURNING capture_key""",
        prefix,
        kept,
    )
    return [row["capture_key"] for row in rows]
