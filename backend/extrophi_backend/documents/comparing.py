"""What changed between a document's versions."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from extrophi_backend.db import Pool
from extrophi_backend.diffing import texts
from extrophi_backend.diffing.texts import Diff, TooManyLines
from extrophi_backend.documents import service, sql
from extrophi_backend.documents.models import Document, Version
from extrophi_backend.errors import InvalidInput

MOST_COUNTED = 8_000_000
"""Characters of all versions of a page of a list, for their lines to be counted."""


async def versions(pool: Pool, document_id: UUID, older: int | None, newer: int | None) -> tuple[Document, Document]:
    """The two versions: by default the newest, and the one before. The first version is compared with itself.

    Raises:
        Gone, NotFound.
    """
    async with pool.acquire() as conn:
        after = await service.read(conn, document_id, newer)
        if older is None:
            older = await sql.version_before(conn, document_id, after.version) or after.version
        before = after if older == after.version else await service.read(conn, document_id, older)
    return before, after


async def diff(before: Document, after: Document) -> Diff:
    """By lines and words. Raises InvalidInput where there are too many."""
    try:
        return await asyncio.to_thread(texts.diff, before.text or "", after.text or "")
    except TooManyLines:
        raise _too_many() from None


async def unified(before: Document, after: Document) -> str:
    """As `diff -u` tells it. Raises InvalidInput where there are too many lines."""
    names = (f"version {one.version}\t{one.collected_at.isoformat()}" for one in (before, after))
    try:
        return await asyncio.to_thread(_joined, before.text or "", after.text or "", *names)
    except TooManyLines:
        raise _too_many() from None


async def count_lines(pool: Pool, document_id: UUID, found: Sequence[Version]) -> dict[int, tuple[int, int]]:
    """Lines added and removed in each of these versions (newest first) since the one that comes after it in the list.

    Those of the last one, and of all where they are too long together, are not counted.
    """
    if len(found) < 2 or sum(one.characters for one in found) > MOST_COUNTED:
        return {}
    async with pool.acquire() as conn:
        read = await sql.texts(conn, document_id, [one.version for one in found])
    pairs = [
        (newer.version, read[older.version], read[newer.version])
        for newer, older in pairwise(found)
        if newer.version in read and older.version in read  # else it was deleted since
    ]
    return await asyncio.to_thread(
        lambda: {version: texts.count_lines(before, after) for version, before, after in pairs}
    )


def _joined(a: str, b: str, a_name: str, b_name: str) -> str:
    return "".join(texts.unified(a, b, a_name, b_name))


def _too_many() -> InvalidInput:
    return InvalidInput(
        f"A version of this document has more than {texts.MOST_LINES:,} lines: too many to compare here.",
        hint="Read both versions (GET /documents/{id}?version=), and compare them with a program of your own.",
    )
