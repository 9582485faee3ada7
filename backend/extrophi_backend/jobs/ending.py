"""How a run of a job ended, and what of it: done, failed, given back to be tried later, or lost."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import asyncpg

from extrophi_backend.db import Connection, Pool, is_away
from extrophi_backend.errors import BackendError, LeaseLost, PlatformUnavailable, Unavailable
from extrophi_backend.fetch.errors import Paced
from extrophi_backend.jobs import sql
from extrophi_backend.jobs.models import LEASE_TIME, Ending, Lease
from extrophi_backend.log import event
from extrophi_backend.sources import service as sources
from extrophi_backend.sources.states import reason_of

_log = logging.getLogger(__name__)

_MENDABLE = (
    Unavailable,
    asyncpg.TransactionRollbackError,  # a deadlock: somebody else went first
    asyncpg.InsufficientResourcesError,  # a full disk
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    OSError,
)
"""What is wrong with this machine or another, and not with what is collected."""


class Canceled(Exception):
    """Somebody asked for the job's end, and it was seen as a page was to be saved."""


async def conclude(pool: Pool, lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]") -> None:
    """Write how the run ended, and let the database be away for a while."""
    deadline = asyncio.get_running_loop().time() + LEASE_TIME.total_seconds()
    while True:
        try:
            async with pool.acquire() as conn, conn.transaction():
                await _write_end(lease, collecting, beating, conn)
        except Exception as error:  # noqa: BLE001  it is tried again while the lease lasts, whatever it was
            warn(lease, "job.not_concluded", error)
            if asyncio.get_running_loop().time() > deadline:
                return  # the lease runs out, and another goes on from the cursor
            await asyncio.sleep(0.5)
        else:
            return


async def _write_end(
    lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]", conn: Connection
) -> None:
    # Before the job, as by who deletes a source: the other way round the two would wait for each other.
    await sources.hold_of_job(conn, lease.id)
    await _write_how(lease, collecting, beating, conn)
    await sources.settle(conn, lease.id)


async def _write_how(
    lease: Lease, collecting: "asyncio.Task[None]", beating: "asyncio.Task[None]", conn: Connection
) -> None:
    soon = timedelta()
    if collecting.cancelled():
        if beating.cancelled():  # this process is stopping
            await sql.release(conn, lease, soon, None)
        elif beating.exception() is None:
            await sql.finish(conn, lease, Ending("canceled"))
        else:
            _log.info(event("job.lost", job=lease.id, fence=lease.fence))
        return
    error = collecting.exception()
    match error:
        case LeaseLost():
            _log.info(event("job.lost", job=lease.id, fence=lease.fence))
        case PlatformUnavailable():
            await _write_waiting(conn, lease, error)
        case BaseException() if is_away(error) or isinstance(error, _MENDABLE):
            _log.warning(event("job.waits", job=lease.id, error=repr(error)))
            await _wait(conn, lease, None, _out_of_reach(error))
        case _:
            await sql.finish(conn, lease, _ending(lease, error))
    _log.info(event("job.left", job=lease.id, error=type(error).__name__ if error else "none"))


def _ending(lease: Lease, error: BaseException | None) -> Ending | None:
    match error:
        case None:
            return None
        case Canceled():
            return Ending("canceled")
        case BackendError():
            return Ending("failed", _shown(error))
        case _:
            _log.error(event("job.failed", job=lease.id), exc_info=error)
            detail = f"Extrophi made a mistake while collecting ({type(error).__name__})."
            return Ending(
                "failed", {"code": "internal", "detail": detail, "hint": f"The log has it under job:{lease.id}."}
            )


async def _write_waiting(conn: Connection, lease: Lease, error: PlatformUnavailable) -> None:
    wait = timedelta(seconds=min(error.retry_after or 60, 86_400))
    if isinstance(error, Paced):
        # Our own manners, not the platform's silence: however often, these are no reason to give up. Nothing is noted
        # of the source's health: its waiting job says why it waits, and until when.
        await sql.release(conn, lease, wait, _shown(error))
    else:
        await _wait(conn, lease, wait, _shown(error))


def _out_of_reach(error: BaseException | None) -> dict[str, Any]:
    detail = f"Something that Extrophi needs is out of reach ({type(error).__name__})."
    if isinstance(error, BackendError):
        detail = error.detail
    return {"code": "unavailable", "detail": detail, "hint": "It is tried again."}


def warn(lease: Lease, name: str, error: Exception) -> None:
    _log.warning(event(name, job=lease.id, error=repr(error)), exc_info=None if is_away(error) else error)


async def _wait(conn: Connection, lease: Lease, wait: timedelta | None, error: dict[str, Any]) -> None:
    """Give the job back to be tried later, and say so of its source; or end it, after too many times."""
    if await sql.wait(conn, lease, wait, error):
        if lease.source_id:
            await sources.note_waiting(conn, lease.source_id, error)
    else:
        await sql.finish(conn, lease, Ending("failed", error | {"hint": "It was tried again and again, in vain."}))


def _shown(error: BackendError) -> dict[str, Any]:
    return reason_of(error.code, error.detail, error.hint).json
