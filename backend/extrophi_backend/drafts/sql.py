"""Every statement about drafts, their revisions and pieces."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from extrophi_backend.db import Connection, containing
from extrophi_backend.drafts.content import Prepared, read_lines
from extrophi_backend.drafts.models import Draft, Held, Mark, Revision, Written
from extrophi_backend.drafts.pieces import Piece
from extrophi_backend.drafts.thinning import Saved

_HEAD = (
    "d.id, d.title, d.excerpt, d.settings, d.revision, d.words, d.characters, d.created_at, d.updated_at, d.trashed_at"
)
_REVISION = "revision, saved_at, title, words, characters, mark"


async def insert(conn: Connection, draft_id: UUID, prepared: Prepared, now: datetime) -> bool:
    """Store a draft's head, unless there is one of its id: then nothing, and False."""
    return bool(
        await conn.fetchval(
            """INSERT INTO drafts (id, title, excerpt, words, characters, settings, revision, digest,
                                   created_at, updated_at, thinned_at)
               VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $8, $8) ON CONFLICT DO NOTHING RETURNING true""",
            draft_id,
            prepared.head.title,
            prepared.head.excerpt,
            prepared.words,
            prepared.characters,
            prepared.settings,
            prepared.digest,
            now,
        )
    )


async def advance(conn: Connection, draft_id: UUID, prepared: Prepared, now: datetime) -> Draft:
    """Let the draft's head tell of its next revision. In the transaction that holds it."""
    row = await conn.fetchrow(
        f"""UPDATE drafts d SET title = $2, excerpt = $3, words = $4, characters = $5, settings = $6, digest = $7,
                               updated_at = $8, revision = revision + 1
             WHERE id = $1 RETURNING {_HEAD}""",  # noqa: S608  a constant of ours
        draft_id,
        prepared.head.title,
        prepared.head.excerpt,
        prepared.words,
        prepared.characters,
        prepared.settings,
        prepared.digest,
        now,
    )
    assert row is not None
    return _draft(row)


async def add_revision(
    conn: Connection, draft_id: UUID, revision: int, prepared: Prepared, *, mark: Mark | None, now: datetime
) -> None:
    """Store a revision, and those of its pieces that are new. In the transaction that holds the draft."""
    pieces: dict[bytes, Piece] = {one.hash: one for one in (*prepared.text, *prepared.bibliography)}
    await conn.execute(
        """INSERT INTO draft_pieces (draft_id, hash, body)
           SELECT $1, * FROM unnest($2::bytea[], $3::text[]) ON CONFLICT DO NOTHING""",
        draft_id,
        list(pieces),
        [one.body for one in pieces.values()],
    )
    await conn.execute(
        """INSERT INTO draft_revisions (draft_id, revision, saved_at, title, words, characters, mark, text_pieces,
                                        bibliography_pieces, images)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        draft_id,
        revision,
        now,
        prepared.head.title,
        prepared.words,
        prepared.characters,
        mark,
        [one.hash for one in prepared.text],
        [one.hash for one in prepared.bibliography],
        prepared.images,
    )


async def hold(conn: Connection, draft_id: UUID) -> Held | None:
    """The draft, which nobody else changes until the end of the transaction."""
    row = await conn.fetchrow(
        f"SELECT {_HEAD}, d.digest, d.thinned_at FROM drafts d WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608
        draft_id,
    )
    return Held(_draft(row), row["digest"], row["thinned_at"]) if row else None


async def get(conn: Connection, draft_id: UUID) -> Draft | None:
    row = await conn.fetchrow(f"SELECT {_HEAD} FROM drafts d WHERE id = $1", draft_id)  # noqa: S608
    return _draft(row) if row else None


async def newest(
    conn: Connection, *, trashed: bool, query: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Draft]:
    """Those in the trash, or those that are not; `query` is found in title and text, whatever the case.

    Uses drafts_newest.
    """
    updated_at, draft_id = before or (None, None)
    rows = await conn.fetch(
        f"""SELECT {_HEAD} FROM drafts d
             WHERE (d.trashed_at IS NOT NULL) = $1
               AND ($2::timestamptz IS NULL OR (d.updated_at, d.id) < ($2, $3::uuid))
               AND ($4::text IS NULL OR d.title ILIKE $4 OR EXISTS (
                       SELECT FROM draft_revisions r
                        WHERE r.draft_id = d.id AND r.revision = d.revision
                          AND joined_pieces(d.id, r.text_pieces) ILIKE $4))
             ORDER BY d.updated_at DESC, d.id DESC LIMIT $5""",  # noqa: S608  a constant of ours
        trashed,
        updated_at,
        draft_id,
        None if query is None else containing(query),
        limit,
    )
    return [_draft(row) for row in rows]


async def written(conn: Connection, draft_id: UUID, revision: int) -> tuple[Revision, Written] | None:
    """A revision with its text."""
    row = await conn.fetchrow(
        f"""SELECT {_REVISION}, joined_pieces(draft_id, text_pieces) AS text,
                   joined_pieces(draft_id, bibliography_pieces) AS bibliography
              FROM draft_revisions WHERE draft_id = $1 AND revision = $2""",  # noqa: S608  a constant of ours
        draft_id,
        revision,
    )
    if row is None:
        return None
    found = dict(row)
    text, lines = found.pop("text"), found.pop("bibliography")
    # A text that lacks a piece would be taken for the whole, and saved.
    assert len(text) == row["characters"], f"draft {draft_id} lacks a piece of revision {revision}"
    return Revision(**found), Written(text, read_lines(lines))


async def revisions(conn: Connection, draft_id: UUID, *, before: int | None, limit: int) -> list[Revision]:
    rows = await conn.fetch(
        f"""SELECT {_REVISION} FROM draft_revisions WHERE draft_id = $1 AND ($2::int IS NULL OR revision < $2)
             ORDER BY revision DESC LIMIT $3""",  # noqa: S608  a constant of ours
        draft_id,
        before,
        limit,
    )
    return [Revision(**row) for row in rows]


async def saved(conn: Connection, draft_id: UUID) -> list[Saved]:
    """What decides which revisions go, ascending; no text is read for it."""
    rows = await conn.fetch(
        """SELECT revision, saved_at, mark IS NOT NULL AS is_marked FROM draft_revisions
            WHERE draft_id = $1 ORDER BY revision""",
        draft_id,
    )
    return [Saved(**row) for row in rows]


async def drop_revisions(conn: Connection, draft_id: UUID, numbers: Sequence[int]) -> None:
    """Let revisions go, and the pieces that no other has. In the transaction that holds the draft."""
    await conn.execute(
        "DELETE FROM draft_revisions WHERE draft_id = $1 AND revision = ANY($2::int[])", draft_id, numbers
    )
    await conn.execute(
        """DELETE FROM draft_pieces WHERE draft_id = $1 AND hash NOT IN (
               SELECT unnest(text_pieces || bibliography_pieces) FROM draft_revisions WHERE draft_id = $1)""",
        draft_id,
    )


async def note_thinned(conn: Connection, draft_id: UUID, now: datetime) -> None:
    await conn.execute("UPDATE drafts SET thinned_at = $2 WHERE id = $1", draft_id, now)


async def unthinned(conn: Connection, since: datetime, limit: int) -> list[UUID]:
    """Drafts whose revisions nobody has looked through since then. Uses drafts_thinned."""
    rows = await conn.fetch("SELECT id FROM drafts WHERE thinned_at < $1 ORDER BY thinned_at LIMIT $2", since, limit)
    return [row["id"] for row in rows]


async def trash(conn: Connection, draft_id: UUID, now: datetime) -> bool:
    """Put it into the trash, if it is not there. False where there is no such draft."""
    return bool(
        await conn.fetchval(
            "UPDATE drafts SET trashed_at = coalesce(trashed_at, $2) WHERE id = $1 RETURNING true", draft_id, now
        )
    )


async def recover(conn: Connection, draft_id: UUID) -> Draft | None:
    row = await conn.fetchrow(
        f"UPDATE drafts d SET trashed_at = NULL WHERE id = $1 RETURNING {_HEAD}",  # noqa: S608  a constant of ours
        draft_id,
    )
    return _draft(row) if row else None


async def delete_trashed(conn: Connection, draft_id: UUID) -> bool:
    """Remove a draft with all that belongs to it, if it is in the trash."""
    return bool(
        await conn.fetchval("DELETE FROM drafts WHERE id = $1 AND trashed_at IS NOT NULL RETURNING true", draft_id)
    )


async def empty_trash(conn: Connection, now: datetime, kept: timedelta) -> int:
    """Remove what has been in the trash for so long. Uses drafts_trashed."""
    done = await conn.execute("DELETE FROM drafts WHERE trashed_at < $1", now - kept)
    return int(done.rpartition(" ")[2])


def _draft(row: asyncpg.Record) -> Draft:
    head: dict[str, Any] = {name: row[name] for name in Draft.__dataclass_fields__}
    return Draft(**head | {"settings": json.loads(head["settings"])})
