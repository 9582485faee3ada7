"""Every statement about notes: documents beside another document, which are where it is, and go when it goes."""

from collections.abc import Sequence
from uuid import UUID

from extrophi_backend.db import Connection

# A note may have notes of its own.
_BESIDE = """
    WITH RECURSIVE beside (document_id, note_id) AS (
        SELECT document_id, note_id FROM highlights WHERE document_id = ANY($1::uuid[]) AND note_id IS NOT NULL
         UNION
        SELECT b.document_id, h.note_id FROM beside b JOIN highlights h ON h.document_id = b.note_id
         WHERE h.note_id IS NOT NULL)
"""


async def beside(conn: Connection, document_id: UUID) -> list[UUID]:
    """The notes on a document, and the notes on these. Uses highlights_document."""
    rows = await conn.fetch(f"{_BESIDE} SELECT note_id FROM beside", [document_id])  # noqa: S608  a text of our own
    return [row["note_id"] for row in rows]


async def join_collections(conn: Connection, document_ids: Sequence[UUID]) -> list[UUID]:
    """Put the notes on these documents into the collections that these are in. Returns those that are new in one."""
    if not document_ids:
        return []
    rows = await conn.fetch(
        f"""{_BESIDE}
           INSERT INTO collection_documents (collection_id, document_id)
           SELECT DISTINCT l.collection_id, b.note_id
             FROM beside b JOIN collection_documents l ON l.document_id = b.document_id
           ON CONFLICT DO NOTHING RETURNING document_id""",  # noqa: S608  a text of our own
        document_ids,
    )
    return [row["document_id"] for row in rows]


async def blank(conn: Connection, note_ids: Sequence[UUID]) -> None:
    """What was written in these notes, which are about to be deleted, is nowhere any more; their highlights stay."""
    await conn.execute(
        "UPDATE highlights SET note = '', note_id = NULL, updated_at = now() WHERE note_id = ANY($1::uuid[])", note_ids
    )


async def hold(conn: Connection, document_id: UUID) -> bool:
    """Until the end of the transaction, nobody deletes the document or puts it into a collection. False: there is none.

    Whoever writes it (`sql.lock_existing`) waits, and sees the note then.
    """
    return bool(await conn.fetchval("SELECT true FROM documents WHERE id = $1 FOR SHARE", document_id))
