"""Child processes that do not outlive us, and finding those that did."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


def dying_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`: the kernel sends `how` to the child when the thread that started it ends.

    Start such children from the main thread. None where there is no such call (not Linux): there, the next
    `up` ends what a killed one left.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask


def start_process(
    command: Sequence[str], *, log: Path, at_parents_death: signal.Signals, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (a terminal's Ctrl-C is ours to pass on), both outputs to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
            preexec_fn=dying_with_parent(at_parents_death),  # noqa: PLW1509  we run no threads when starting these
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A child as written down, to be found again by a later `up`: a pid alone could be anyone's by then."""

    name: str
    pid: int
    started: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def record(name: str, pid: int) -> Recorded:
    import psutil  # noqa: PLC0415  a tenth of a second that a plain client command need not spend

    try:
        return Recorded(name=name, pid=pid, started=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return Recorded(name=name, pid=pid, started=0)


def end_left_behind(recorded: Iterable[Recorded], *, seconds: float = 8) -> list[str]:
    """End the children of a supervisor that was killed; gives the names of those that still ran.

    PostgreSQL gets SIGINT (a fast shutdown), the others SIGTERM, and after `seconds` all that is left of their
    process groups SIGKILL.
    """
    import psutil  # noqa: PLC0415

    alive: list[tuple[Recorded, psutil.Process]] = []
    for child in recorded:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            # A clock that was set moves creation times a little, after a reboot pids mean other processes.
            if abs(process.create_time() - child.started) < 5 and process.status() != psutil.STATUS_ZOMBIE:
                alive.append((child, process))
    for child, process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT if child.name == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs([process for _, process in alive], timeout=seconds)
    for process in stubborn:
        kill_group(process.pid)
    for child, _ in alive:
        if child.name != "postgres":  # its backends leave the group, and leave by themselves
            kill_group(child.pid)
    return [child.name for child, _ in alive]


def kill_group(pid: int) -> None:
    """SIGKILL to the process group that a child leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
