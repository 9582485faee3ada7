"""The images: from `podman run` to `/health` answered, against its parts; and what each takes when idle.

    python -m bench.containers [ROUNDS]

The parts: a bare container of the same base that prints a line, and importing the service's modules once in its own
image, each alone. The images have to be built (./build-containers.sh podman). Memory is PSS (proc(5), smaps_rollup)
of all processes of a container, with PostgreSQL and Redis in reach, ten seconds after all are ready: the backend's is
its API, a worker and its scheduler.
"""

import shutil
import statistics
import subprocess
import sys
import time
from uuid import uuid4

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
    for component, (base, _, modules) in SERVICES.items():
        starts, bares, imports = [], [], []
        for _ in range(rounds):  # in turns: what else the machine does falls on all alike
            starts.append(start(component))
            bares.append(bare(f"docker.io/library/python:3.11-{base}"))
            imports.append(importing(component, modules))
        service, parts = statistics.median(starts), statistics.median(bares) + statistics.median(imports)
        good &= service <= START_LIMIT * parts
        print(
            f"{component:14} start {service:5.2f} s, parts {parts:5.2f} s ({statistics.median(bares):.2f} bare,"
            f" {statistics.median(imports):.2f} importing): ratio {service / parts:.2f}, limit {START_LIMIT}"
        )
    for component, used in idle().items():
        most = SERVICES[component][1]
        good &= used <= most
        print(f"{component:14} idle {used:6.1f} MB of {most} MB: ratio {used / most:.2f}", flush=True)
    return int(not good)


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()


def run(component: str) -> str:
    return podman("run", "-d", "-p", "127.0.0.1::8000", *NOWHERE, f"extrophi-{component}")


def answered(container: str, path: str = "/health") -> None:
    """Wait until it answers that all is well."""
    address = podman("port", container, "8000/tcp").splitlines()[0]
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                client.get(f"http://{address}{path}").raise_for_status()
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


def idle() -> dict[str, float]:
    """Megabytes of each, while all are there and have nothing to do."""
    network = f"extrophi-bench-{uuid4().hex[:8]}"
    at = {one: f"{network}-{one}" for one in ("postgres", "redis", *SERVICES)}
    settings = {
        "DATABASE_URL": f"postgresql://postgres:secret@{at['postgres']}/postgres",
        "REDIS_URL": f"redis://{at['redis']}:6379",
        "EXTROPHI_SERVICE_KEY": "secret",
        "BACKEND_URL": f"http://{at['backend']}:8000",
        "RESEARCH_URL": f"http://{at['research']}:8000",
    }
    flags = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
    podman("network", "create", network)
    try:
        first = ["run", "-d", "--network", network, "--name"]
        podman(*first, at["postgres"], "-e", "POSTGRES_PASSWORD=secret", "docker.io/pgvector/pgvector:pg16")
        podman(*first, at["redis"], "docker.io/library/redis:7-alpine")
        for one in SERVICES:
            podman(*first, at[one], "-p", "127.0.0.1::8000", *flags, f"extrophi-{one}")
        answered(at["orchestrator"], "/ready")
        time.sleep(_SETTLE_SECONDS)
        return {one: memory(at[one]) for one in SERVICES}
    finally:
        podman("rm", "-f", "-v", "-i", "-t", "0", *at.values())
        podman("network", "rm", "-f", network)


def memory(container: str) -> float:
    first = psutil.Process(int(podman("inspect", "--format", "{{.State.Pid}}", container)))
    return sum(one.memory_full_info().pss for one in [first, *first.children(recursive=True)]) / 1e6


if __name__ == "__main__":
    if shutil.which("podman") is None:
        print("podman is not installed here: nothing is measured")
        sys.exit(0)
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
