"""The desktop program's cold start to a draft one can write in, and its memory, against an empty Tauri window.

    python -m bench.desktop [--rounds 9]

Both are release builds, started in turns with folders of their own that they never saw, in front of an Extrophi that
runs. Ready is when the page says so by its window's title: the empty one once its script has put the cursor into a
field, ours once the editor stands with the draft's text in it. So the time has all in it, from the process's start.
Memory is PSS of the program and of WebKit's processes below it, some seconds after that.

Needs what the desktop tests need (writer/README.md). The first run builds both: a quarter of an hour on two cores.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.desktop.program import look_around
from tests.desktop.surroundings import end, screen, somebody
from tests.system.running import REPO, up

MOST_TIMES, MOST_MB = 2.0, 100
WRITER = REPO / "writer"
TARGET = WRITER / "src-tauri" / "target"
_PATIENCE = 120
_SETTLE_SECONDS = 5
Seen = tuple[float, float]
"""Seconds to ready, and MB."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=9)
    rounds: int = arguments.parse_args().rounds
    build()
    ours: list[Seen] = []
    empty: list[Seen] = []
    with up() as extrophi, screen() as display:
        for number in range(rounds + 1):
            seen = [measure(one, display, extrophi.home) for one in (start_empty, start_ours)]
            if number:  # the first finds nothing of it in the system's memory of files
                empty.append(seen[0])
                ours.append(seen[1])
            print(f"round {number}: empty {show(seen[0])}, ours {show(seen[1])}", file=sys.stderr)
    times = statistics.median(one[0] / other[0] for one, other in zip(ours, empty, strict=True))
    more = statistics.median(one[1] - other[1] for one, other in zip(ours, empty, strict=True))
    print(f"cold start to a usable draft: {middle(ours, 0):.2f} s, an empty window {middle(empty, 0):.2f} s")
    print(f"  ratio of a round, median: {times:.2f} (asked: {MOST_TIMES})")
    print(f"memory (PSS): {middle(ours, 1):.0f} MB, an empty window {middle(empty, 1):.0f} MB")
    print(f"  more in a round, median: {more:.0f} MB (asked: {MOST_MB})")
    return int(times > MOST_TIMES or more > MOST_MB)


def build() -> None:
    look_around()
    subprocess.run(["npm", "run", "tauri:build", "--", "--no-bundle"], cwd=WRITER, check=True)
    subprocess.run(
        ["cargo", "build", "--release", "--features", "tauri/custom-protocol"],
        cwd=REPO / "bench" / "desktop_window",
        env=os.environ | {"CARGO_TARGET_DIR": str(TARGET)},
        check=True,
    )


def start_empty(_: Path) -> list[str]:
    return [str(TARGET / "release" / "empty-window")]


def start_ours(home: Path) -> list[str]:
    draft = home / "draft.md"
    draft.write_text("# The draft\n\nIts first paragraph.\n")
    return [str(TARGET / "release" / "extrophi-desktop"), str(draft)]


def measure(start: Callable[[Path], list[str]], display: str, extrophi_home: Path) -> Seen:
    with somebody(display, extrophi_home) as (home, environment):
        command = start(home)
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while b"The draft" not in titles(environment):
                assert process.poll() is None, "it ended"
                assert time.monotonic() < began + _PATIENCE, titles(environment)
                time.sleep(0.01)
            ready = time.monotonic() - began
            time.sleep(_SETTLE_SECONDS)
            return ready, memory(process.pid)
        finally:
            below = psutil.Process(process.pid).children(recursive=True)
            end(process)
            psutil.wait_procs(below, timeout=20)


def titles(environment: dict[str, str]) -> bytes:
    return subprocess.run(["wmctrl", "-l"], env=environment, capture_output=True, check=False).stdout


def memory(pid: int) -> float:
    program = psutil.Process(pid)
    return sum(one.memory_full_info().pss for one in [program, *program.children(recursive=True)]) / 1e6


def show(seen: Seen) -> str:
    return f"{seen[0]:.2f} s {seen[1]:.0f} MB"


def middle(seen: list[Seen], which: int) -> float:
    return statistics.median(one[which] for one in seen)


if __name__ == "__main__":
    raise SystemExit(main())
