"""Waits for jobs and shows how they move."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from extrophi_cli.errors import FAILED, PARTIAL, CommandError, Refused, Unreachable
from extrophi_cli.output import note
from extrophi_cli.progress import ENDED, JobBoard, tell_failures
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_RETRIES = 8
_FIRST_WAIT = 0.2  # doubled each time: about 25 s in all, in which `up` has started a part again that crashed


@dataclass(slots=True)
class Patience:
    """How often a broken stream is opened again, and after which waits."""

    sleep: Callable[[float], None] = time.sleep
    failures: int = 0

    def reset(self) -> None:
        self.failures = 0

    def is_lost(self) -> bool:
        """Count a failure and wait a while; True when there have been too many in a row."""
        self.failures += 1
        if self.failures == _RETRIES:
            return True
        self.sleep(_FIRST_WAIT * 2 ** (self.failures - 1))
        return False


def may_pass(error: CommandError) -> bool:
    """Whether trying again may help: there was no answer, or the front door's word that a component is away."""
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.status in {502, 503, 504})


def worst(codes: Sequence[int]) -> int:
    """The exit code of several things done in one command: failed when all are, in part when some are."""
    if codes and all(code == FAILED for code in codes):
        return FAILED
    return PARTIAL if any(codes) else 0


def codes_of(board: JobBoard) -> list[int]:
    """An exit code for each job (and refused target) of the board."""
    codes = {"failed": FAILED, "canceled": FAILED, "partial": PARTIAL}
    return [codes.get(str(job.get("status")), 0) for job in board.jobs.values()]


def collect_all(extrophi: "Extrophi", jobs: Sequence[JSON], *, quiet: bool = False) -> list[int]:
    """Wait for the end of all `jobs`; gives each one's exit code. Ctrl-C cancels them, and only them."""
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
    return codes_of(board)


def follow_job(extrophi: "Extrophi", job: JSON, board: JobBoard, patience: Patience | None = None) -> JSON:
    """Follow one job to its end, over broken connections too; gives it as it ended."""
    patience = patience or Patience()
    last_id: str | None = None
    while job.get("status") not in ENDED:
        try:
            with extrophi.events("GET", f"/api/jobs/{job['id']}/events", last_id=last_id) as events:
                for event in events:
                    patience.reset()
                    last_id = event.id or last_id
                    if event.name == "job":
                        job = event.data
                        board.show(job)
            if job.get("status") not in ENDED:  # the stream ended early: ask
                job = extrophi.get(f"/api/jobs/{job['id']}")
                board.show(job)
        except CommandError as error:
            if not may_pass(error):
                raise
        if job.get("status") not in ENDED and patience.is_lost():
            raise Unreachable("Lost sight of the job.", hint=f"`extrophi jobs {job['id']}` tells how it goes.")
    return job
