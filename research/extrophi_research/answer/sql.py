"""What the answer slice asks of PostgreSQL itself."""

from collections.abc import Sequence
from uuid import UUID

from extrophi_research.db import Connection


async def note_cited(conn: Connection, document_ids: Sequence[UUID]) -> None:
    """Have backend look at these first, when it looks whether documents have changed."""
    await conn.execute("SELECT read_v1.note_cited($1)", document_ids)
