"""The images: from `podman run` to `/health` answered, against its parts; and what each takes when idle.

    python -m bench.containers [ROUNDS]

The parts: a bare container of the same base that prints a line, and importing the service's modules once in its own
image, each alone. The images have to be built (./build-containers.sh podman). Memory is PSS (proc(5), smaps_rollup)
of all processes of a container, ten seconds after it answered, with no database in reach.
"""

import shutil
import statistics
import subprocess
import sys
import time

import httpx
import psutil

START_LIMIT = 1.3
NOWHERE = ["-e", "DATABASE_URL=postgresql://localhost/test", "-e", "REDIS_URL=redis://localhost:6379"]
SERVICES = {
    # component: base, memory limit in MB, what its process imports
    "orchestrator": ("alpine", 60, "extrophi_orchestrator.__main__, extrophi_orchestrator.app"),
    "research": ("slim", 180, "extrophi_research.__main__, extrophi_research.app"),
    "backend": ("slim", 350, "extrophi_backend.__main__, extrophi_backend.app"),
}
_SETTLE_SECONDS = 10


def main(rounds: int) -> int:
    good = True
    for component, (base, most, modules) in SERVICES.items():
        starts, bares, imports = [], [], []
        for _ in range(rounds):  # in turns: what else the machine does falls on all alike
            starts.append(start(component))
            bares.append(bare(f"docker.io/library/python:3.11-{base}"))
            imports.append(importing(component, modules))
        service, parts = statistics.median(starts), statistics.median(bares) + statistics.median(imports)
        used = memory(component)
        good &= service <= START_LIMIT * parts and used <= most
        print(
            f"{component:14} start {service:5.2f} s, parts {parts:5.2f} s ({statistics.median(bares):.2f} bare,"
            f" {statistics.median(imports):.2f} importing): ratio {service / parts:.2f}, limit {START_LIMIT}"
        )
        print(f"{'':14} idle {used:6.1f} MB of {most} MB: ratio {used / most:.2f}", flush=True)
    return int(not good)


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()


def run(component: str) -> str:
    return podman("run", "-d", "-p", "127.0.0.1::8000", *NOWHERE, f"extrophi-{component}")


def answered(container: str) -> None:
    """Wait until `/health` is answered."""
    address = podman("port", container, "8000/tcp").splitlines()[0]
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                client.get(f"http://{address}/health").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.01)
            else:
                return


def remove(container: str) -> None:
    podman("rm", "-f", "-v", "-t", "0", container)


def start(component: str) -> float:
    began = time.monotonic()
    container = run(component)
    try:
        answered(container)
        return time.monotonic() - began
    finally:
        remove(container)


def bare(image: str) -> float:
    began = time.monotonic()
    container = podman("run", "-d", image, "python", "-u", "-c", "import time; print('up', flush=True); time.sleep(60)")
    try:
        while not podman("logs", container):
            time.sleep(0.01)
        return time.monotonic() - began
    finally:
        remove(container)


def importing(component: str, modules: str) -> float:
    """Seconds that a Python of the image takes to start and to import them, told by itself."""
    # From the process's own start, which the kernel notes in hundredths of a second since it came up.
    asks = (
        f"import {modules}, os, time; begun = int(open('/proc/self/stat').read().rsplit(')', 1)[1].split()[19]);"
        "print(time.clock_gettime(time.CLOCK_BOOTTIME) - begun / os.sysconf('SC_CLK_TCK'))"
    )
    return float(podman("run", "--rm", "--entrypoint", "python", f"extrophi-{component}", "-c", asks))


def memory(component: str) -> float:
    container = run(component)
    try:
        answered(container)
        time.sleep(_SETTLE_SECONDS)
        first = psutil.Process(int(podman("inspect", "--format", "{{.State.Pid}}", container)))
        return sum(one.memory_full_info().pss for one in [first, *first.children(recursive=True)]) / 1e6
    finally:
        remove(container)


if __name__ == "__main__":
    if shutil.which("podman") is None:
        print("podman is not installed here: nothing is measured")
        sys.exit(0)
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
