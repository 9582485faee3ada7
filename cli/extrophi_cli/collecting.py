"""Waits for jobs and shows how they move."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from extrophi_cli.errors import FAILED, PARTIAL, CommandError, Unreachable
from extrophi_cli.output import note
from extrophi_cli.progress import ENDED, JobBoard, tell_failures
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_RETRIES = 5


def worst(*codes: int) -> int:
    """The exit code of several that were done one after the other: what failed in part is not done."""
    return FAILED if FAILED in codes else max(codes, default=0)


def collect_all(extrophi: "Extrophi", jobs: Sequence[JSON], *, quiet: bool = False) -> int:
    """Wait for the end of all `jobs`; gives the exit code. Ctrl-C cancels them, and only them."""
    board = JobBoard(quiet=quiet)
    try:
        with board.showing():
            for job in jobs:
                board.show(job)
            for job in jobs:
                follow_job(extrophi, job, board)
    except KeyboardInterrupt:
        for job in board.jobs.values():
            if job.get("status") not in ENDED:
                with suppress(CommandError):
                    extrophi.post(f"/api/jobs/{job['id']}/cancel")
        note("Canceled. What was collected is kept; Extrophi goes on running.")
        raise
    for job in board.jobs.values():
        tell_failures(job)
    states = {job.get("status") for job in board.jobs.values()}
    if states & {"failed", "canceled"}:
        return FAILED
    return PARTIAL if "partial" in states else 0


def follow_job(extrophi: "Extrophi", job: JSON, board: JobBoard) -> JSON:
    """Follow one job to its end, over broken connections too; gives it as it ended."""
    last_id: str | None = None
    failures = 0
    while job.get("status") not in ENDED:
        try:
            with extrophi.events("GET", f"/api/jobs/{job['id']}/events", last_id=last_id) as events:
                for event in events:
                    failures = 0
                    last_id = event.id or last_id
                    if event.name == "job":
                        job = event.data
                        board.show(job)
            if job.get("status") not in ENDED:  # the stream ended early: ask
                job = extrophi.get(f"/api/jobs/{job['id']}")
                board.show(job)
                failures += 1
        except Unreachable:
            failures += 1
        if failures > _RETRIES:
            raise Unreachable("Lost sight of the job.", hint=f"`extrophi jobs {job['id']}` tells how it goes.")
    return job
