"""Every statement about what is cited."""

from collections.abc import Collection, Sequence
from uuid import UUID

from extrophi_backend.citations.models import Head
from extrophi_backend.db import Connection


async def heads(conn: Connection, document_ids: Sequence[UUID], versions: Sequence[int]) -> dict[UUID, Head]:
    """Of the documents that there are. No text is read for it: how many bytes one has, its row says."""
    rows = await conn.fetch(
        """SELECT d.id, d.version, d.state, d.gone_at, v.version AS of_version, octet_length(v.text) AS bytes
             FROM documents d
             LEFT JOIN document_versions v ON v.document_id = d.id
              AND (v.version = d.version OR EXISTS (
                     SELECT FROM unnest($1::uuid[], $2::int[]) AS w (document_id, version)
                      WHERE w.document_id = d.id AND w.version = v.version))
            WHERE d.id = ANY($1)""",
        document_ids,
        versions,
    )
    sizes: dict[UUID, dict[int, int]] = {}
    for row in rows:
        sizes.setdefault(row["id"], {})[row["of_version"]] = row["bytes"]
    return {row["id"]: Head(row["version"], row["state"], row["gone_at"], sizes[row["id"]]) for row in rows}


async def deleted(conn: Connection, document_ids: Collection[UUID]) -> set[UUID]:
    """Those that were deleted for good."""
    rows = await conn.fetch("SELECT id FROM deleted_documents WHERE id = ANY($1::uuid[])", list(document_ids))
    return {row["id"] for row in rows}


async def texts(conn: Connection, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """The texts of some versions."""
    rows = await conn.fetch(
        """SELECT document_id, version, text FROM document_versions
             JOIN unnest($1::uuid[], $2::int[]) AS w (document_id, version) USING (document_id, version)""",
        [document_id for document_id, _ in wanted],
        [version for _, version in wanted],
    )
    return {(row["document_id"], row["version"]): row["text"] for row in rows}
