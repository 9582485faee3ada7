"""The story of an archive: looked at, kept, let go of. In between, a job collects from it."""

import asyncio
import io
from collections.abc import Mapping, Sequence

from uuid_utils.compat import uuid7

from extrophi_backend.archives import sql
from extrophi_backend.archives.kinds import KINDS
from extrophi_backend.archives.models import KEPT, TARGET, Contents
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.captures import loose
from extrophi_backend.captures.store import Captures, capture_key
from extrophi_backend.collectors.models import Target
from extrophi_backend.db import Pool
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.errors import InvalidInput
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs.models import Job

_AT_ONCE = 5000


async def look(body: bytes) -> Contents:
    """What an archive holds. Raises InvalidInput: it is none, or none that we know."""

    def find() -> Contents | None:
        archive = Archive(io.BytesIO(body))
        for kind in KINDS:
            if any(kind.members.search(name) for name in archive.names):
                found = kind.look(archive)
                if found is not None:
                    return found
        return None

    try:
        found = await asyncio.to_thread(find)
    except BadArchive as error:
        raise InvalidInput(
            f"file: {error.detail}", field="file", hint="Download it anew, and give it whole."
        ) from error
    if found is None:
        raise InvalidInput(
            "file: it is no archive that is known: it has no posts, lists or history of X, YouTube or Reddit.",
            field="file",
            hint="docs/archives.md says which archives these are, and how to get them.",
        )
    return found


async def known(pool: Pool, contents: Contents) -> Mapping[str, int]:
    """Of how many things of each part the library has documents, by the part's name."""
    counts: dict[str, int] = {}
    async with pool.acquire() as conn:
        for part in contents.parts:
            counts[part.name] = 0
            for start in range(0, len(part.external_ids), _AT_ONCE):
                some = part.external_ids[start : start + _AT_ONCE]
                counts[part.name] += len(await documents_sql.heads(conn, contents.platform, some))
    return counts


async def keep(
    pool: Pool, captures: Captures, contents: Contents, *, name: str, body: bytes, collection: str, limit: int
) -> Job:
    """Keep an archive and make the job that collects from it; workers are told after it."""
    archive_id, key = uuid7(), capture_key(body)
    async with pool.acquire() as conn:
        await loose.add(conn, [key])
    await captures.put(key, body)
    target = Target(contents.platform, f"{TARGET}{archive_id}", name)
    async with pool.acquire() as conn, conn.transaction():
        await sql.insert(conn, archive_id, platform=contents.platform, name=name, capture_key=key)
        return await jobs.create(conn, target, collection=collection, limit=limit)


async def prune(pool: Pool) -> Sequence[str]:
    """Let go of archives whose jobs have ended; their bytes go with the next loose captures."""
    async with pool.acquire() as conn, conn.transaction():
        keys = await sql.prune(conn, TARGET, KEPT)
        await loose.loosen(conn, sorted(keys))
    return keys
