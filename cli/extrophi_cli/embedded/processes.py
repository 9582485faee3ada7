"""Child processes that do not outlive us, and finding those that did."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
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


def run_tool(command: Sequence[str], *, sleep: Callable[[float], None] = time.sleep) -> tuple[int, str]:
    """Run a tool to its end; gives its code and the end of what it said on stderr.

    It has a session of its own: a terminal's Ctrl-C is for us, who end it when `sleep` raises.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
        try:
            while process.poll() is None:
                sleep(0.05)
        finally:
            if process.poll() is None:
                kill_group(process.pid)
                process.wait()
        said.seek(0)
        return process.returncode, said.read().decode(errors="replace").strip()[-2000:]


def birth(pid: int) -> str | None:
    """What tells a process from a later one of that pid, also after a reboot; None when it is gone.

    On Linux in ticks since the boot, which no setting of the clock moves.
    """
    if sys.platform != "linux":
        import psutil  # noqa: PLC0415  a tenth of a second

        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.0f}"
        except psutil.Error:
            return None
    try:
        # proc(5): the state is the first field after the name, which may hold blanks and brackets; the start the 20th.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return None if fields[0] in {b"Z", b"X"} else f"{boot} {fields[19].decode()}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as written down, to be found again: a pid alone could be anyone's by then."""

    name: str
    pid: int
    born: str | None

    def is_alive(self) -> bool:
        return self.born is not None and birth(self.pid) == self.born

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def record(name: str, pid: int) -> Recorded:
    return Recorded(name=name, pid=pid, born=birth(pid))


def listens(pid: int, port: int) -> bool:
    """Whether this very process serves a port. Whoever answers there could be another's."""
    import psutil  # noqa: PLC0415  a tenth of a second that a plain client command need not spend

    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr[1] == port for one in connections)


def end_left_behind(recorded: Iterable[Recorded], *, seconds: float = 8) -> list[str]:
    """End the children of a supervisor that was killed; gives the names of those that still ran.

    PostgreSQL gets SIGINT (a fast shutdown), the others SIGTERM, and after `seconds` all that is left of their
    process groups SIGKILL.
    """
    found = [child for child in recorded if child.is_alive()]
    if not found:
        return []
    import psutil  # noqa: PLC0415  after a crash only

    alive: list[tuple[Recorded, psutil.Process]] = []
    for child in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            alive.append((child, psutil.Process(child.pid)))
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
