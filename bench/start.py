"""The second start of `./extrophi investigate`, up to the first read of its target, against its parts, each alone.

    python -m bench.start [ROUNDS]

The parts: starting PostgreSQL and Valkey, each until it answers, and importing each of the three services.
"""

import ctypes
import os
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.library import REPO
from extrophi_cli.embedded.postgres import Postgres
from extrophi_cli.embedded.services import COMPONENTS, free_ports
from extrophi_cli.embedded.valkey import Valkey

LIMIT = 1.5
QUESTION = "Why do long articles get read less on phones?"
_IN_ACCESS, _IN_ISDIR = 0x1, 0x40000000  # linux/inotify.h
_EVENT = struct.Struct("iIII")


class Reads:
    """Tells the first read of a file in a folder (inotify: a collector opens files in a process of its own)."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK)
        if self._descriptor < 0 or libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _IN_ACCESS) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            events, at = os.read(self._descriptor, 65536), 0
            while at < len(events):
                _, mask, _, length = _EVENT.unpack_from(events, at)
                at += _EVENT.size + length
                if not mask & _IN_ISDIR:
                    return
        raise TimeoutError(f"no file was read within {seconds} s")

    def close(self) -> None:
        os.close(self._descriptor)


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="xs-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = environment(folder / "home")
        target = folder / "reading"
        shutil.copytree(REPO / "examples" / "reading", target)
        settings["EXTROPHI_FILES_ROOTS"] = str(folder)
        _investigate(target, settings)  # makes the home: what is measured is every start after it
        postgres = Postgres(data=folder / "postgres", sockets=folder / "p")
        postgres.make()
        valkey = Valkey(sockets=folder / "v", log=folder / "valkey.log")
        modules = {name: f"extrophi_{name}.app" for name in ("orchestrator", "research", "backend")}
        parts: dict[str, list[float]] = {}
        whole: list[float] = []
        for _ in range(rounds):
            whole.append(_investigate(target, settings))
            parts.setdefault("PostgreSQL", []).append(_start(postgres.start, postgres.is_ready, signal.SIGINT))
            parts.setdefault("Valkey", []).append(_start(valkey.start, valkey.is_ready, signal.SIGTERM))
            for service, module in modules.items():
                parts.setdefault(f"import {service}", []).append(_import(module, settings))
    medians = {name: statistics.median(times) for name, times in parts.items()}
    for name, seconds in medians.items():
        print(f"{name:24} {seconds:6.2f} s")
    total, figure = sum(medians.values()), statistics.median(whole)
    print(f"{'the parts':24} {total:6.2f} s")
    print(f"{'investigate, first read':24} {figure:6.2f} s   of {', '.join(f'{one:.2f}' for one in sorted(whole))}")
    print(f"ratio {figure / total:.2f}, limit {LIMIT}")
    return int(figure / total > LIMIT)


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXTROPHI_", "OPENAI_"))}
    paths = os.pathsep.join(str(REPO / component) for component in COMPONENTS)
    return kept | {"EXTROPHI_HOME": str(home), "EXTROPHI_PORT": str(free_ports(1)[0]), "PYTHONPATH": paths}


def _investigate(target: Path, settings: dict[str, str]) -> float:
    """Seconds from the command to the first read, with nothing running before; leaves nothing running."""
    for file in target.iterdir():  # one that has not changed is not read again
        os.utime(file)
    reads = Reads(target)
    began = time.monotonic()
    command = [sys.executable, "-m", "extrophi_cli", "investigate", QUESTION, str(target), "--json"]
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPO)
    try:
        reads.wait(120)
        return time.monotonic() - began
    finally:
        reads.close()
        process.wait(timeout=120)
        down = [sys.executable, "-m", "extrophi_cli", "down"]
        subprocess.run(down, env=settings, check=True, cwd=REPO, stdout=subprocess.DEVNULL)


def _start(start: Callable[[], "subprocess.Popen[bytes]"], ready: Callable[[], bool], end: signal.Signals) -> float:
    began = time.monotonic()
    process = start()
    while not ready():
        time.sleep(0.005)
    took = time.monotonic() - began
    process.send_signal(end)
    process.wait(timeout=30)
    return took


def _import(module: str, environment: dict[str, str]) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {module}"], env=environment, check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
