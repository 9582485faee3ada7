"""The story of highlights. A note on one is a document beside the highlighted one, written with it or not at all."""

from collections.abc import Sequence
from uuid import UUID

from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Prepared
from extrophi_backend.errors import Conflict, InvalidInput, NotFound
from extrophi_backend.highlights import sql
from extrophi_backend.highlights.models import LONGEST_QUOTE, Colour, Highlight, NewHighlight
from extrophi_backend.highlights.noting import as_document


async def create(pool: Pool, new: NewHighlight) -> tuple[Highlight, bool]:
    """The highlight, and whether it is new: the same once more is the one that is there.

    Raises:
        InvalidInput: Its span is not one of that version's text.
        Conflict: Another has its id.
        Gone, NotFound: There is no such document, or version.
    """
    async with pool.acquire() as conn:
        document = await documents.read(conn, new.document_id, new.version)
    quote = _quoted(document.text or "", new.start, new.end)
    called = _called(document.title, document.url, document.external_id)
    prepared = await _prepared(pool, new.id, new.note, quote, called)
    async with pool.acquire() as conn, conn.transaction():
        await documents.hold_for_note(conn, new.document_id, to_delete=False)
        is_new = await sql.insert(conn, new, quote)
        if is_new and prepared:
            await _write_note(conn, new.id, new.document_id, prepared)
        made = await _get(conn, new.id)
    if not is_new and _content(made) != _content(new):
        raise Conflict(f"There is another highlight {new.id}.", hint="PATCH changes its note or colour.")
    return made, is_new


async def get(pool: Pool, highlight_id: UUID) -> Highlight:
    """Raises NotFound."""
    async with pool.acquire() as conn:
        return await _get(conn, highlight_id)


async def update(pool: Pool, highlight_id: UUID, note: str | None, colour: Colour | None) -> Highlight:
    """Change its note, its colour, or both. None leaves it as it is. Raises NotFound."""
    before = await get(pool, highlight_id)
    called = _called(before.title, before.url, before.external_id)
    prepared = await _prepared(pool, highlight_id, note or "", before.quote, called)
    is_blank = note is not None and not prepared
    async with pool.acquire() as conn, conn.transaction():
        await documents.hold_for_note(conn, before.document_id, to_delete=is_blank)
        here = await _get(conn, highlight_id, lock=True)
        await sql.update(
            conn,
            highlight_id,
            note=here.note if note is None else note,
            colour=colour or here.colour,
        )
        if prepared:
            await _write_note(conn, highlight_id, here.document_id, prepared)
        elif is_blank and here.note_id is not None:
            await documents.remove(conn, await documents.with_notes(conn, here.note_id))
        return await _get(conn, highlight_id)


async def delete(pool: Pool, highlight_id: UUID) -> None:
    """With its note. Raises NotFound."""
    before = await get(pool, highlight_id)
    async with pool.acquire() as conn, conn.transaction():
        await documents.hold_for_note(conn, before.document_id, to_delete=True)
        here = await _get(conn, highlight_id, lock=True)
        if here.note_id is not None:
            await documents.remove(conn, await documents.with_notes(conn, here.note_id))
        await sql.delete(conn, highlight_id)


async def _write_note(conn: Connection, highlight_id: UUID, document_id: UUID, prepared: Sequence[Prepared]) -> None:
    await sql.note_is(conn, highlight_id, await documents.write_note(conn, prepared))
    await documents.place_notes(conn, document_id)


async def _prepared(pool: Pool, highlight_id: UUID, note: str, quote: str, called: str) -> list[Prepared]:
    """The note as a document; none where it is blank."""
    if not note.strip():
        return []
    return await documents.prepare(pool, None, [as_document(highlight_id, note, quote, called)])


async def _get(conn: Connection, highlight_id: UUID, *, lock: bool = False) -> Highlight:
    found = await sql.get(conn, highlight_id, lock=lock)
    if found is None:
        raise NotFound(f"There is no highlight {highlight_id}.", hint="GET /highlights lists them.")
    return found


def _quoted(text: str, start: int, end: int) -> str:
    """Raises InvalidInput."""
    if start >= end:
        raise InvalidInput(f"end: {end} is not after the start ({start}).", field="end", hint="Mark some text.")
    if end > len(text):
        hint = "Offsets count Unicode code points of that version's text."
        raise InvalidInput(f"end: the text ends at {len(text)}, before {end}.", field="end", hint=hint)
    if end - start > LONGEST_QUOTE:
        raise InvalidInput(f"end: these are more than {LONGEST_QUOTE:,} characters.", field="end", hint="Mark fewer.")
    return text[start:end]


def _called(title: str, url: str | None, external_id: str) -> str:
    return title.strip() or url or external_id


def _content(one: Highlight | NewHighlight) -> tuple[UUID, int, int, int, str, str]:
    return one.document_id, one.version, one.start, one.end, one.note, one.colour
