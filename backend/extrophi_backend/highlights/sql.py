"""Every statement about highlights."""

from datetime import datetime
from uuid import UUID

from extrophi_backend.db import Connection
from extrophi_backend.highlights.models import Colour, Highlight, NewHighlight

_HIGHLIGHT = """
    SELECT h.id, h.document_id, h.version, h.start_offset AS start, h.end_offset AS "end", h.quote, h.note, h.colour,
           h.note_id, h.created_at, h.updated_at, d.title, d.author, d.platform, d.external_id, d.url
      FROM highlights h JOIN documents d ON d.id = h.document_id
"""


async def insert(conn: Connection, new: NewHighlight, quote: str) -> bool:
    """False if there is one of that id already; of two at once, the second waits for the first."""
    done = await conn.execute(
        """INSERT INTO highlights (id, document_id, version, start_offset, end_offset, quote, note, colour)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING""",
        new.id,
        new.document_id,
        new.version,
        new.start,
        new.end,
        quote,
        new.note,
        new.colour,
    )
    return done == "INSERT 0 1"


async def get(conn: Connection, highlight_id: UUID, *, lock: bool = False) -> Highlight | None:
    """`lock`: nobody else changes it until the end of the transaction."""
    row = await conn.fetchrow(
        f"{_HIGHLIGHT} WHERE h.id = $1 {'FOR UPDATE OF h' if lock else ''}",
        highlight_id,
    )
    return Highlight(**row) if row else None


async def newest(
    conn: Connection,
    *,
    before: tuple[datetime, UUID] | None,
    document_id: UUID | None,
    query: str | None,
    limit: int,
) -> list[Highlight]:
    """The newest first, of a document or of all. Uses highlights_document, or highlights_newest.

    `query` stands in the note or the quote, in upper or lower case.
    """
    rows = await conn.fetch(
        f"""{_HIGHLIGHT}
            WHERE ($1::timestamptz IS NULL OR (h.created_at, h.id) < ($1, $2))
              AND ($3::uuid IS NULL OR h.document_id = $3)
              AND ($4::text IS NULL OR h.note ILIKE $4 OR h.quote ILIKE $4)
            ORDER BY h.created_at DESC, h.id DESC LIMIT $5""",
        before[0] if before else None,
        before[1] if before else None,
        document_id,
        _holding(query) if query is not None else None,
        limit,
    )
    return [Highlight(**row) for row in rows]


async def update(conn: Connection, highlight_id: UUID, *, note: str, colour: Colour) -> None:
    await conn.execute(
        "UPDATE highlights SET note = $2, colour = $3, updated_at = now() WHERE id = $1", highlight_id, note, colour
    )


async def note_is(conn: Connection, highlight_id: UUID, note_id: UUID) -> None:
    """Its note is this document."""
    await conn.execute("UPDATE highlights SET note_id = $2 WHERE id = $1", highlight_id, note_id)


async def delete(conn: Connection, highlight_id: UUID) -> None:
    await conn.execute("DELETE FROM highlights WHERE id = $1", highlight_id)


def _holding(query: str) -> str:
    """A pattern of LIKE: this text, whatever it holds."""
    for mark in "\\%_":
        query = query.replace(mark, f"\\{mark}")
    return f"%{query}%"
