"""The story of a draft: saved only over what its client has seen, its revisions thinned, thrown away and recovered."""

import asyncio
import logging
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.db import Connection, Pool
from extrophi_backend.drafts import images_sql, sql
from extrophi_backend.drafts.content import prepare
from extrophi_backend.drafts.images import MAX_BYTES, Image, read_image
from extrophi_backend.drafts.models import Content, Draft, Mark, Revision, Written
from extrophi_backend.drafts.thinning import thin
from extrophi_backend.errors import (
    Conflict,
    DraftChanged,
    DraftExists,
    DraftTrashed,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

KEPT_IN_TRASH = timedelta(days=30)
KEPT_UNMENTIONED = timedelta(days=30)
_THIN_EVERY = timedelta(minutes=1)
_THIN_IDLE_EVERY = timedelta(days=1)
_AT_ONCE = 200


async def create(pool: Pool, draft_id: UUID | None, content: Content, now: datetime) -> tuple[Draft, bool]:
    """Store a draft, and whether it is new: the same again, under an id of the client's, is stored once.

    Raises:
        DraftExists: another content has the id.
        TooLarge, InvalidInput: it cannot be saved.
    """
    prepared = await asyncio.to_thread(prepare, content)
    draft_id = draft_id or uuid7()
    async with pool.acquire() as conn, conn.transaction():
        made = await sql.insert(conn, draft_id, prepared, now)
        if made:
            await sql.add_revision(conn, draft_id, 1, prepared, mark=None, now=now)
        held = await sql.hold(conn, draft_id)
        if held is None:  # removed in between
            raise Conflict(f"Draft {draft_id} was just removed.", hint="Send it again.")
        if held.digest != prepared.digest:
            raise DraftExists(draft_id, held.draft.revision)
    return held.draft, made


async def save(pool: Pool, draft_id: UUID, seen: int, content: Content, *, mark: Mark | None, now: datetime) -> Draft:
    """Save a content over the revision that the client has seen; the one that is there already changes nothing.

    Two at once meet on the draft's row: the second finds another revision than it has seen.

    Raises:
        DraftChanged: there is a revision that the client has not seen.
        DraftTrashed: it is in the trash.
        NotFound, TooLarge, InvalidInput.
    """
    prepared = await asyncio.to_thread(prepare, content)
    async with pool.acquire() as conn, conn.transaction():
        held = await sql.hold(conn, draft_id)
        if held is None:
            raise _missing(draft_id)
        if held.draft.trashed_at is not None:
            raise DraftTrashed(draft_id)
        if held.digest == prepared.digest:  # the answer to the same was lost, say
            return held.draft
        if held.draft.revision != seen:
            raise DraftChanged(draft_id, held.draft.revision)
        saved = await sql.advance(conn, draft_id, prepared, now)
        await sql.add_revision(conn, draft_id, saved.revision, prepared, mark=mark, now=now)
        if now - held.thinned_at >= _THIN_EVERY:
            await _thin(conn, draft_id, now)
    return saved


async def get(pool: Pool, draft_id: UUID) -> Draft:
    """Raises NotFound."""
    async with pool.acquire() as conn:
        found = await sql.get(conn, draft_id)
    if found is None:
        raise _missing(draft_id)
    return found


async def read(pool: Pool, draft_id: UUID) -> tuple[Draft, Written]:
    """A draft with its text. Raises NotFound."""
    # Of one moment: the revision that the head names is not thinned away before its text is read.
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = await sql.get(conn, draft_id)
        written = found and await sql.written(conn, draft_id, found.revision)
    if not found or not written:
        raise _missing(draft_id)
    return found, written[1]


async def revision(pool: Pool, draft_id: UUID, number: int) -> tuple[Revision, Written]:
    """Raises NotFound."""
    async with pool.acquire() as conn:
        found = await sql.written(conn, draft_id, number)
    if found is None:
        raise NotFound(
            f"Draft {draft_id} has no revision {number}.", hint=f"/drafts/{draft_id}/revisions lists those it has."
        )
    return found


async def trash(pool: Pool, draft_id: UUID, now: datetime) -> None:
    """Raises NotFound."""
    async with pool.acquire() as conn:
        if not await sql.trash(conn, draft_id, now):
            raise _missing(draft_id)


async def recover(pool: Pool, draft_id: UUID) -> Draft:
    """Bring it back from the trash; one that is not there stays as it is. Raises NotFound."""
    async with pool.acquire() as conn:
        found = await sql.recover(conn, draft_id)
    if found is None:
        raise _missing(draft_id)
    return found


async def remove(pool: Pool, draft_id: UUID) -> None:
    """Remove it with its revisions and images. Raises NotFound; Conflict: it is not in the trash."""
    async with pool.acquire() as conn:
        if await sql.delete_trashed(conn, draft_id):
            _log.info(event("drafts.removed", draft=draft_id))
            return
    await get(pool, draft_id)
    raise Conflict(
        f"Draft {draft_id} is not in the trash.", hint="Only from there it is removed for good: delete it first."
    )


async def keep_image(pool: Pool, draft_id: UUID, body: bytes, now: datetime) -> tuple[Image, bool]:
    """Keep an image of a draft's, and whether it is new.

    Raises:
        TooLarge, UnsupportedMedia, NotFound, DraftTrashed.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge("The image is larger than 20 MB.", hint="Make it smaller, or save it as WebP or AVIF.")
    image = await asyncio.to_thread(read_image, body)
    if image is None:
        raise UnsupportedMedia(
            "These bytes are no PNG, JPEG, GIF, WebP or AVIF.",
            hint="Save the image as one of these. SVG is not taken: it is a document that may hold scripts.",
        )
    async with pool.acquire() as conn, conn.transaction():
        held = await sql.hold(conn, draft_id)
        if held is None:
            raise _missing(draft_id)
        if held.draft.trashed_at is not None:
            raise DraftTrashed(draft_id)
        return image, await images_sql.put(conn, draft_id, image, now)


async def image(pool: Pool, draft_id: UUID, name: str) -> Image:
    """Raises NotFound."""
    async with pool.acquire() as conn:
        found = await images_sql.get(conn, draft_id, name)
    if found is None:
        raise NotFound(
            f"Draft {draft_id} has no image {name}.", hint="One that no revision mentions is removed after 30 days."
        )
    return found


async def tidy(pool: Pool, now: datetime) -> None:
    """Let go of what has been in the trash long enough, of images that nothing mentions, of old revisions."""
    async with pool.acquire() as conn:
        emptied = await sql.empty_trash(conn, now, KEPT_IN_TRASH)
        images = await images_sql.delete_unmentioned(conn, now, KEPT_UNMENTIONED)
        idle = await sql.unthinned(conn, now - _THIN_IDLE_EVERY, _AT_ONCE)
    for draft_id in idle:
        async with pool.acquire() as conn, conn.transaction():
            if await sql.hold(conn, draft_id):
                await _thin(conn, draft_id, now)
    if emptied or images:
        _log.info(event("drafts.tidied", removed=emptied, images=images))


async def _thin(conn: Connection, draft_id: UUID, now: datetime) -> None:
    """In the transaction that holds the draft."""
    going = thin(await sql.saved(conn, draft_id), now)
    if going:
        await sql.drop_revisions(conn, draft_id, going)
    await sql.note_thinned(conn, draft_id, now)


def _missing(draft_id: UUID) -> NotFound:
    return NotFound(f"There is no draft {draft_id}.", hint="/drafts lists those there are, ?trashed=true the trash.")
