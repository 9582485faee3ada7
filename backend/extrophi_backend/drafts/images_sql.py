"""Every statement about the images of drafts."""

from datetime import datetime, timedelta
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.drafts.images import Image


async def put(conn: Connection, draft_id: UUID, image: Image, now: datetime) -> bool:
    """Keep an image; one that is there came anew, and is kept as long again. Whether it is new."""
    return bool(
        await conn.fetchval(
            """INSERT INTO draft_images (draft_id, name, media_type, body, came_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (draft_id, name) DO UPDATE SET came_at = excluded.came_at RETURNING xmax = 0""",
            draft_id,
            image.name,
            image.media_type,
            image.body,
            now,
        )
    )


async def get(conn: Connection, draft_id: UUID, name: str) -> Image | None:
    row = await conn.fetchrow(
        "SELECT name, media_type, body FROM draft_images WHERE draft_id = $1 AND name = $2", draft_id, name
    )
    return Image(**row) if row else None


async def delete_unmentioned(conn: Connection, now: datetime, kept: timedelta) -> int:
    """Remove images that came so long ago and that no revision mentions. Uses draft_images_came."""
    done = await conn.execute(
        """DELETE FROM draft_images i
            WHERE came_at < $1
              AND NOT EXISTS (SELECT FROM draft_revisions r
                               WHERE r.draft_id = i.draft_id AND i.name = ANY(r.images))""",
        now - kept,
    )
    return int(done.rpartition(" ")[2])
