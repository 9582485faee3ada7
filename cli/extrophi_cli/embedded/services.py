"""How each of our own processes is started: its command, its environment, its port."""

import os
import random
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

COMPONENTS = ("backend", "cli", "orchestrator", "research")
ROOT = Path(__file__).resolve().parents[3]  # the clone


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Redis are. None: a `*_FILE` variable says it, and is passed on as it is."""

    database_url: str | None
    redis_url: str | None


@dataclass(frozen=True, slots=True)
class Service:
    """One child of ours: `python -m module` with `environment`."""

    name: str
    module: str
    environment: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", self.module]


def plan_services(home: Path, *, port: int, service_key: str, servers: Servers) -> list[Service]:
    """The four services of one machine, the orchestrator at `port`, the others at free ports of loopback."""
    research, backend, worker = free_ports(3)
    ours = {
        "EXTROPHI_HOST": "127.0.0.1",
        "EXTROPHI_SERVICE_KEY": service_key,
        "EXTROPHI_LOCAL": "1",
        "BACKEND_URL": f"http://127.0.0.1:{backend}",
        "RESEARCH_URL": f"http://127.0.0.1:{research}",
        "PYTHONUNBUFFERED": "1",
        # glibc keeps an arena for each thread otherwise: tens of megabytes a process for nothing.
        "MALLOC_ARENA_MAX": "2",
        # Given any value, glibc no longer learns to keep large blocks (mallopt(3)): what one batch of embeddings or
        # one long PDF needed goes back to the system. Half the reader's memory, at the same speed.
        "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
    }
    if servers.database_url is not None:
        ours["DATABASE_URL"] = servers.database_url
    if servers.redis_url is not None:
        ours["REDIS_URL"] = servers.redis_url
    # Examples of the clone may be collected too, wherever it lies.
    roots = os.environ.get("EXTROPHI_FILES_ROOTS", "").strip() or f"{Path.home()},{ROOT}"
    inherited = {name: value for name, value in os.environ.items() if name not in {"EXTROPHI_ROLE", "EXTROPHI_DATA"}}
    paths = [str(ROOT / component) for component in COMPONENTS if (ROOT / component).is_dir()]
    if before := os.environ.get("PYTHONPATH"):
        paths.append(before)
    common = {**inherited, **ours, "EXTROPHI_FILES_ROOTS": roots, "PYTHONPATH": os.pathsep.join(paths)}

    def service(name: str, component: str, at: int, role: str | None = None) -> Service:
        own = {"EXTROPHI_PORT": str(at), "EXTROPHI_DATA": str(home / component)}
        if role:
            own["EXTROPHI_ROLE"] = role
        return Service(name=name, module=f"extrophi_{component}", environment={**common, **own})

    return [
        service("research", "research", research),
        service("backend", "backend", backend, "api"),
        service("worker", "backend", worker, "worker"),
        service("orchestrator", "orchestrator", port),
    ]


def migration_of(backend: Service) -> Service:
    return Service("migrate", backend.module, {**backend.environment, "EXTROPHI_ROLE": "migrate"})


def newest_migration() -> str:
    """Name of the newest migration this version brings, read from the backend's files: nothing is imported."""
    package = find_spec("extrophi_backend")
    folder = Path(package.origin).parent if package and package.origin else ROOT / "backend" / "extrophi_backend"
    names = sorted(file.stem for file in (folder / "schema" / "migrations").glob("*.sql"))
    return names[-1] if names else "none"


def free_ports(count: int) -> list[int]:
    """Free ports of loopback, below the range from which the system takes ports for outgoing connections."""
    found: list[int] = []
    candidates = random.sample(range(20_000, 32_000), 200)
    for port in candidates:
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no neighbour
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def given(names: Iterable[str]) -> bool:
    """Whether one of these variables is set to more than blanks."""
    return any(os.environ.get(name, "").strip() for name in names)
