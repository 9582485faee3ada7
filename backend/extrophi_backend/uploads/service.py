"""Files pushed in: each becomes one document, or one failure with its reason."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from extrophi_backend.captures.store import Captures
from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import MAX_ID_BYTES, Capture, Collected, Failure
from extrophi_backend.db import Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links, Saved
from extrophi_backend.extraction.detecting import MEDIA_TYPES, SUFFIXES, suffix
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import extract


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent. `name` may hold a path; it is the document's external id."""

    name: str
    media_type: str | None
    body: bytes


async def save_uploads(
    pool: Pool, captures: Captures, batches: AsyncIterator[Sequence[Upload]], *, collection: str, max_bytes: int
) -> tuple[list[Saved], list[Failure]]:
    """Store batch after batch, so that no more than one is held in memory. The same name again is a new version."""
    saved: list[Saved] = []
    failures: list[Failure] = []
    async for batch in batches:
        found = await asyncio.gather(*(_read(upload, max_bytes) for upload in batch))
        failures += [one for one in found if isinstance(one, Failure)]
        prepared = await documents.prepare(pool, captures, [one for one in found if isinstance(one, Collected)])
        async with pool.acquire() as conn, conn.transaction():
            links = Links(collection_id=await collections_sql.ensure(conn, collection))
            saved += await documents.write(conn, prepared, links)
    return saved, failures


async def _read(upload: Upload, max_bytes: int) -> Collected | Failure:
    name = upload.name
    # Spaces of all kinds and joiners are ordinary in names; what controls a terminal, or is no character, is not.
    is_odd = any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    if not name.strip() or is_odd or len(name.encode(errors="replace")) > MAX_ID_BYTES:
        shown = name[:100].encode("ascii", "backslashreplace").decode() or "(no name)"
        return Failure(
            shown, "invalid_name", f"A file's name is 1 to {MAX_ID_BYTES} bytes, without control characters."
        )
    try:
        extracted = await extract(upload.body, media_type=upload.media_type, name=name, url=None, max_bytes=max_bytes)
    except ExtractionFailed as refusal:
        return Failure(name, refusal.code, refusal.detail)
    named = SUFFIXES.get(suffix(name), "text")  # the sender's word may be anything; this is sent back as a header
    return Collected(
        platform="files",
        external_id=name,
        text=extracted.text,
        format=extracted.format,
        blocks=extracted.blocks,
        anchors=extracted.anchors,
        title=extracted.title or PurePosixPath(name).stem,
        author=extracted.author,
        canonical_url=extracted.canonical_url,
        published_at=extracted.published_at,
        language=extracted.language,
        capture=Capture(upload.body, MEDIA_TYPES["html" if extracted.format == "html" else named]),
    )
