"""The story of a source: a target to come back to, collected by one job at a time."""

from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.reach import PAGE, Reach
from extrophi_backend.db import Connection
from extrophi_backend.documents import sql as documents_sql
from extrophi_backend.errors import NotFound, SourcePaused
from extrophi_backend.jobs import sql as jobs_sql
from extrophi_backend.jobs.models import NewJob
from extrophi_backend.sources import sql
from extrophi_backend.sources.sql import Source


async def add(
    conn: Connection, target: Target, *, title: str, collection: str, limit: int, collect: bool, reach: Reach = PAGE
) -> tuple[UUID, bool]:
    """A source for the target, and its first job. In the caller's transaction.

    Returns:
        The source's id, and whether it is new; all spellings of one target are one source of a collection.
    """
    collection_id = await collections_sql.ensure(conn, collection)
    made = await sql.insert(
        conn,
        uuid7(),
        platform=target.platform,
        target=target.canonical,
        typed=target.typed,
        title=title,
        collection_id=collection_id,
        limit=limit,
        scope=reach.scope,
        depth=reach.depth,
    )
    source_id = made or await sql.find(conn, target.platform, target.canonical, collection_id)
    if source_id is None:  # deleted between the two statements
        return await add(conn, target, title=title, collection=collection, limit=limit, collect=collect, reach=reach)
    if made and collect:
        await collect_now(conn, await get(conn, source_id))
    return source_id, made is not None


async def get(conn: Connection, source_id: UUID) -> Source:
    """Raises NotFound."""
    found = await sql.get(conn, source_id)
    if found is None:
        raise _unknown(source_id)
    return found


async def collect_now(conn: Connection, source: Source) -> UUID:
    """A job for the source: the one that is open, or a new one. In the caller's transaction.

    Raises:
        SourcePaused, NotFound.
    """
    if source.state == "paused":
        raise SourcePaused(f"Source {source.id} is paused.", hint="PATCH it to `active` first.")
    if not await sql.hold(conn, source.id):  # deleted since it was read
        raise _unknown(source.id)
    while True:
        job = NewJob(
            uuid7(),
            source.target,
            source.typed,
            source.platform,
            source.collection_id,
            source.document_limit,
            source.id,
            source.scope,
            source.depth,
        )
        if await jobs_sql.insert(conn, job):
            return job.id
        opened = await jobs_sql.open_of_source(conn, source.id)
        if opened is not None:  # else it ended between the two statements
            return opened


async def remove(conn: Connection, source_id: UUID) -> None:
    """Collect it no more; an open job of it is cancelled. Its documents stay. In the caller's transaction.

    Raises:
        NotFound.
    """
    if not await sql.own(conn, source_id):
        raise _unknown(source_id)
    opened = await jobs_sql.open_of_source(conn, source_id)
    if opened is not None:
        await jobs_sql.cancel(conn, opened)
    kept = await sql.documents(conn, source_id)
    await sql.delete(conn, source_id)
    await documents_sql.log_changes(conn, sorted(kept))  # search filters by source


def _unknown(source_id: UUID) -> NotFound:
    return NotFound(f"There is no source {source_id}.", hint="GET /sources lists them.")
