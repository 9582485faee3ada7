"""How each of our own processes is started: its command, its environment, its port."""

import os
import random
import socket
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

from extrophi_cli.settings import inherited, is_given, read

COMPONENTS = ("backend", "cli", "orchestrator", "research")
ROOT = Path(__file__).resolve().parents[3]  # the clone


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Redis are. None: the environment says it, and is passed on as it is."""

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
        return python_module(self.module)


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours: never one of that name in the current folder (-P)."""
    return [sys.executable, "-P", "-m", module, *arguments]


def plan_services(
    home: Path, *, port: int, service_key: str, key_ring: Path, servers: Servers, own_chroma: bool = False
) -> list[Service]:
    """The services of one machine, the orchestrator at `port`, the others at free ports of loopback."""
    research, backend, worker, chroma = free_ports(4)
    environment = inherited()
    ours = {
        "EXTROPHI_HOST": "127.0.0.1",
        "EXTROPHI_SERVICE_KEY": service_key,
        "EXTROPHI_LOCAL": read("EXTROPHI_LOCAL") or "1",
        "EXTROPHI_FILES_ROOTS": read("EXTROPHI_FILES_ROOTS") or _files_roots(),
        "BACKEND_URL": f"http://127.0.0.1:{backend}",
        "RESEARCH_URL": f"http://127.0.0.1:{research}",
        "PYTHONUNBUFFERED": "1",
        # glibc keeps an arena for each thread otherwise: tens of megabytes a process for nothing.
        "MALLOC_ARENA_MAX": "2",
        # Given any value, glibc no longer learns to keep large blocks (mallopt(3)): what one long PDF needed goes back
        # to the system.
        "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
    }
    if servers.database_url is not None:
        ours["DATABASE_URL"] = servers.database_url
    if servers.redis_url is not None:
        ours["REDIS_URL"] = servers.redis_url
    if own_chroma:
        ours["CHROMA_URL"] = f"http://127.0.0.1:{chroma}"
    paths = [str(ROOT / component) for component in COMPONENTS if (ROOT / component).is_dir()]
    paths += filter(None, [environment["PYTHONPATH"]])
    common = {**environment, **ours, "PYTHONPATH": os.pathsep.join(paths)}

    def service(name: str, component: str, at: int, role: str | None = None, module: str = "") -> Service:
        own = {"EXTROPHI_PORT": str(at), "EXTROPHI_DATA": str(home / component)}
        if role:
            own["EXTROPHI_ROLE"] = role
        if component == "backend" and not is_given("EXTROPHI_SECRET_KEY") and not is_given("EXTROPHI_KEY_RING"):
            own["EXTROPHI_KEY_RING"] = str(key_ring)
        return Service(name=name, module=f"extrophi_{component}{module}", environment={**common, **own})

    planned = [
        service("research", "research", research),
        service("backend", "backend", backend, "api"),
        service("worker", "backend", worker, "worker"),
        service("orchestrator", "orchestrator", port),
    ]
    return [*planned, service("chroma", "backend", chroma, module=".vectors.server")] if own_chroma else planned


def _files_roots() -> str:
    """The person's home, and the clone, whose examples may be collected wherever it lies."""
    roots = [str(Path.home()), str(ROOT)]
    return ",".join(root for root in roots if "," not in root)  # the list has no way to write such a one


def migration_of(backend: Service) -> Service:
    return Service("migrate", backend.module, {**backend.environment, "EXTROPHI_ROLE": "migrate"})


def newest_migration() -> str:
    """Name of the newest migration this version brings, read from the backend's files: nothing is imported."""
    names = sorted(file.stem for file in (_schema() / "migrations").glob("*.sql"))
    return names[-1] if names else "none"


def views_stamp() -> str:
    """Tells these views from others: a migration publishes them, and they change without a new one."""
    return _stamp(sorted((_schema() / "views").glob("*.sql")))


def code_stamp() -> str:
    """Tells this version of the code from any other."""
    packages = [entry for component in COMPONENTS for entry in sorted((ROOT / component).glob("extrophi_*"))]
    files = [file for package in packages for file in sorted(package.rglob("*")) if file.suffix in {".py", ".sql"}]
    return _stamp([*files, *filter(Path.exists, [ROOT / "cli" / "requirements.txt"])])


def _schema() -> Path:
    package = find_spec("extrophi_backend")
    folder = Path(package.origin).parent if package and package.origin else ROOT / "backend" / "extrophi_backend"
    return folder / "schema"


def _stamp(files: Iterable[Path]) -> str:
    digest = blake2b(digest_size=8)
    for file in files:
        with suppress(FileNotFoundError):  # renamed just now, by an editor or a pull
            digest.update(blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


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
