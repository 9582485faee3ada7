"""What a page of a collector leaves in the library, under the lease of its job."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import MAX_ID_BYTES, Collected, Failure, Page, Platform
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents import visits
from extrophi_backend.documents.models import Links, Others, Outcome, Prepared, Saved
from extrophi_backend.errors import LeaseLost
from extrophi_backend.jobs import frontier, misses, sql
from extrophi_backend.jobs.ending import Canceled
from extrophi_backend.jobs.models import Counts, Lease
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

_SHOWN = 2000
"""Characters of a failure's target or detail that are kept."""
_UNFIT = (ValueError, OverflowError, asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What a document raises that cannot be kept: text that is none, a number or a date past what PostgreSQL holds."""
_REVISITED = frozenset[Platform]({"web"})
"""Platforms whose documents are looked at one by one to see whether they changed or vanished."""


async def save(pool: Pool, captures: Captures, lease: Lease, page: Page) -> None:
    """A page and its cursor; a document that cannot be kept is one failure, and ends no job."""
    try:
        await _save_at_once(pool, captures, lease, _fit(page), one_by_one=False)
    except _UNFIT as error:
        _log.warning(event("job.page_refused", job=lease.id, error=type(error).__name__))
        await _save_at_once(pool, captures, lease, _fit(page), one_by_one=True)


async def _save_at_once(pool: Pool, captures: Captures, lease: Lease, page: Page, *, one_by_one: bool) -> None:
    """A page and its cursor, in one transaction and only under our fence.

    A page without its cursor would be collected again, a cursor without its page would be lost.
    """
    prepared, unfit = await _prepare(pool, captures, page, one_by_one=one_by_one)
    async with pool.acquire() as conn, conn.transaction():
        held = await sql.hold(conn, lease)
        if held is None:
            raise LeaseLost(f"Another worker has job {lease.id}.")
        if held.cancel_requested:
            raise Canceled
        links = Links(lease.collection_id, held.source_id, lease.id)
        others = Others(lease.platform, page.unchanged, page.gone, page.noted)
        saved: list[Saved] = []
        if one_by_one:
            await documents.write(conn, [], links, others)
            for one in prepared:
                try:
                    async with conn.transaction():
                        saved += await documents.write(conn, [one], links)
                except _UNFIT as error:
                    unfit.append(_unfit(one.collected, error))
        else:
            saved += await documents.write(conn, prepared, links, others)
        failures = [*map(_shown_failure, page.failures), *unfit]
        statuses = [one.status for one in saved]
        counts = Counts(
            created=statuses.count("created"),
            updated=statuses.count("updated"),
            unchanged=statuses.count("unchanged") + len(page.unchanged) + page.known,
            failed=len(failures),
        )
        await sql.advance(conn, lease, page.cursor, counts, failures)
        if lease.platform in _REVISITED:
            singly = lease.source_id is None and lease.purpose != "revisit"
            found = [*page.unchanged, *(one.external_id for one in saved)] if singly else []
            await visits.note_asked(conn, lease.platform, typed=page.typed, singly=found)
            await visits.plan(conn, lease.platform, _outcomes(lease, page, saved), failures)
        await _save_addresses(conn, lease, page)
        if held.source_id is not None:
            await misses.forget(conn, held.source_id, [*page.reached, *(one.external_id for one in page.documents)])
            # The source's own target is tried again when the source is, and has no clock of its own.
            listed = [one for one in failures if one.target not in {lease.target, lease.typed}]
            await misses.note(conn, held.source_id, listed)
        if page.memos and not one_by_one:  # a cache, which may be what is at fault
            await sql.keep_memos(conn, lease.platform, page.memos)
    _log.info(event("job.page_saved", job=lease.id, documents=len(saved), failures=len(failures)))


def _outcomes(lease: Lease, page: Page, saved: Sequence[Saved]) -> dict[str, Outcome]:
    """What is to be noted of each document for its next visit.

    That one did not change is noted by revisits alone: it is written down for each, and a feed may list thousands.
    """
    outcomes: dict[str, Outcome] = dict.fromkeys(page.gone, "gone")
    if lease.purpose == "revisit":
        outcomes |= dict.fromkeys(page.unchanged, "unchanged")
    for one in saved:
        if one.status != "unchanged" or lease.purpose == "revisit":
            outcomes[one.external_id] = one.status
    return outcomes


async def _save_addresses(conn: Connection, lease: Lease, page: Page) -> None:
    """What the page leaves in the job's frontier. In the page's own transaction."""
    if page.settled:
        await frontier.settle(conn, lease.id, page.settled)
    if page.met:
        await frontier.add(conn, lease.id, page.met)
    if page.patterns:
        await frontier.keep_patterns(conn, lease.id, page.patterns)


async def _prepare(
    pool: Pool, captures: Captures, page: Page, *, one_by_one: bool
) -> tuple[list[Prepared], list[Failure]]:
    if not one_by_one:
        return await documents.prepare(pool, captures, page.documents), []
    prepared: dict[tuple[str, str], Prepared] = {}
    unfit: list[Failure] = []
    for document in page.documents:
        try:
            (one,) = await documents.prepare(pool, captures, [document])
        except _UNFIT as error:
            unfit.append(_unfit(document, error))
        else:
            prepared[document.platform, document.external_id] = one
    return [one for _, one in sorted(prepared.items())], unfit


def _fit(page: Page) -> Page:
    """The page without what no index can hold."""
    long = [one for one in page.documents if _is_long(one.external_id)]
    if not long and not any(map(_is_long, page.memos)) and not any(_is_long(one.url) for one in page.met):
        return page
    detail = f"Its address is longer than the {MAX_ID_BYTES} bytes that Extrophi keeps."
    return replace(
        page,
        documents=[one for one in page.documents if not _is_long(one.external_id)],
        failures=[*page.failures, *(Failure(one.external_id, "too_long", detail) for one in long)],
        memos={name: value for name, value in page.memos.items() if not _is_long(name)},
        met=[one for one in page.met if not _is_long(one.url)],
    )


def _is_long(text: str) -> bool:
    return len(text.encode(errors="replace")) > MAX_ID_BYTES


def _unfit(document: Collected, error: Exception) -> Failure:
    detail = f"It holds what cannot be stored ({type(error).__name__})."
    return _shown_failure(Failure(document.external_id, "unstorable", detail))


def _shown_failure(failure: Failure) -> Failure:
    """A failure is kept whatever it names: what no column holds is replaced, and what nobody reads is cut off."""
    target, detail = (
        text[:_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
        for text in (failure.target, failure.detail)
    )
    return Failure(target, failure.code, detail)
