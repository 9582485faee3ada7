"""The folder that holds everything of one Extrophi: data, logs, its lock, and what runs.

home/
├── lock           held (flock) by the supervisor as long as it runs
├── up.json        what runs: process, port, state, settings, children
├── service-key    random, 0600: guards the inner services
├── secret-key     random, 0600: what credentials are sealed under; while it is changed, the new key and the old
├── version        the schema that the data has, and the copy taken for a migration that has not ended well
├── postgres/  backend/  research/  orchestrator/     data, one folder for each part
├── backups/       copies taken before a migration
├── logs/
└── run/           sockets (or a folder under the temporary one, when this path will not do)
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extrophi_cli.embedded.processes import Recorded, birth, run_tool
from extrophi_cli.errors import CommandError

# sockaddr_un holds 108 bytes (104 on macOS); the longest name below the run folder is postgres/.s.PGSQL.5432.lock
_LONGEST_RUN_FOLDER = 75


class HomeInUse(Exception):
    """Another supervisor holds this home's lock."""


@dataclass(frozen=True, slots=True)
class Up:
    """What `up.json` says. Only `Home.running` tells whether it still holds.

    Attributes:
        pid: The supervisor's.
        born: What tells it from a later process of that pid.
        port: Where the orchestrator listens, or will.
        state: `starting`, `ready`, `stopping`, `stopped` or `failed` (then with `error` and `hint`).
        error: Why it did not start.
        hint: The next step then.
        idle_stop: Seconds without requests after which it stops by itself; 0: never.
        code: The stamp of the code that runs.
        settings: Digests of the settings it was started with, by name.
        children: Its processes.
    """

    pid: int
    born: str | None
    port: int
    state: str
    error: str | None = None
    hint: str | None = None
    idle_stop: float = 0
    code: str = ""
    settings: dict[str, str] = field(default_factory=dict[str, str])
    children: tuple[Recorded, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in ("logs", "postgres", "backend", "research", "orchestrator"):
                (self.path / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise CommandError(
                f"Cannot write to {self.path}: {error.strerror}.", hint="Set EXTROPHI_HOME to a folder of yours."
            ) from error

    @contextmanager
    def locked(self, *, seconds: float = 1) -> Generator[None]:
        """Hold the home. Raises HomeInUse when another does for longer than `seconds`: a look holds it a moment."""
        with (self.path / "lock").open("ab") as file:
            deadline = time.monotonic() + seconds
            while not _try_lock(file.fileno(), fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise HomeInUse
                time.sleep(0.02)
            yield

    def is_locked(self) -> bool:
        try:
            with (self.path / "lock").open("rb") as file:
                return not _try_lock(file.fileno(), fcntl.LOCK_SH)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def running(self) -> Up | None:
        """What runs here. None: nothing does, or it has not said so yet; what an earlier one left is not believed."""
        up = self.read_up() if self.is_locked() else None
        return up if up and up.born and birth(up.pid) == up.born else None

    def read_up(self) -> Up | None:
        try:
            saved: dict[str, Any] = json.loads((self.path / "up.json").read_text())
            children = tuple(Recorded(**child) for child in saved.pop("children"))
            return Up(**saved, children=children)
        except (OSError, ValueError, TypeError, KeyError):
            return None  # none yet, or cut short by a crash of the machine

    def write_up(self, up: Up) -> None:
        write_whole(self.path / "up.json", json.dumps(asdict(up)))

    def service_key(self) -> str:
        """The key that the inner services ask for; made once."""
        file = self.path / "service-key"
        with contextlib.suppress(FileNotFoundError):
            if key := file.read_text().strip():
                return key
        write_whole(file, secrets.token_urlsafe(32))
        return file.read_text().strip()

    @property
    def key_ring(self) -> Path:
        """The file of the keys that secrets are sealed under, comma-separated: the first seals, all unseal."""
        return self.path / "secret-key"

    def secret_keys(self) -> list[str]:
        """Those keys; the first is made once."""
        with contextlib.suppress(FileNotFoundError):
            if keys := self.key_ring.read_text().strip():
                return keys.split(",")
        self.save_secret_keys([secrets.token_urlsafe(32)])
        return self.key_ring.read_text().strip().split(",")

    def save_secret_keys(self, keys: list[str]) -> None:
        write_whole(self.key_ring, ",".join(keys))
        # What is sealed next is on the disk when its transaction ends: so has its key to be, by its name too.
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def changing_keys(self) -> Generator[None]:
        """One at a time changes the key: each would take the other's away."""
        with (self.path / "secret-key.lock").open("ab") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            yield

    def schema(self) -> str | None:
        """Name of the newest migration that the data here has; None: new, or not known."""
        return self._version().get("schema")

    def save_schema(self, schema: str, *, views: str = "") -> None:
        """Note that the data has this schema now. A copy that was taken to get there has done its duty."""
        write_whole(self.path / "version", json.dumps({"schema": schema, "views": views}))

    def views(self) -> str | None:
        """The stamp of the views that were published last."""
        return self._version().get("views")

    def forget_copy(self) -> None:
        """The copy of a migration that failed is only a copy from now on: the data changes again."""
        version = self._version()
        if version.pop("copy", None):
            write_whole(self.path / "version", json.dumps(version))

    def _version(self) -> dict[str, str]:
        try:
            read = json.loads((self.path / "version").read_text())
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}

    def keep_copy(self, of_schema: str, *, sleep: Callable[[float], None] = time.sleep) -> Path:
        """Copy PostgreSQL's data folder, which must be stopped, to backups/. Gives the copy; the last two are kept.

        After a migration that failed, the copy taken before it is given: the data is not as it was any more.
        """
        backups = self.path / "backups"
        version = self._version()
        if (name := version.get("copy")) and (backups / name).is_dir():
            return backups / name
        backups.mkdir(exist_ok=True, mode=0o700)
        copy = backups / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{of_schema}"
        aside = backups / ".unfinished"
        shutil.rmtree(aside, ignore_errors=True)
        # cp, not shutil: owners are kept, and file systems that can, share the blocks.
        code, said = run_tool(["cp", "-a", str(self.path / "postgres" / "data"), str(aside)], sleep=sleep)
        if code != 0:
            raise CommandError(
                f"Could not copy the data before migrating it: {said[-300:]}",
                hint=f"Make room on the disk of {self.path}; nothing was changed.",
            )
        aside.rename(copy)
        write_whole(self.path / "version", json.dumps({**version, "copy": copy.name}))
        for old in sorted(entry for entry in backups.iterdir() if not entry.name.startswith("."))[:-2]:
            shutil.rmtree(old, ignore_errors=True)
        return copy

    def make_run_folder(self) -> Path:
        """A fresh folder for sockets, for our user alone. Sockets of a crash are swept away with the old one."""
        folder = self.path / "run"
        # A comma parts two hosts in a database's address.
        if len(os.fsencode(folder)) > _LONGEST_RUN_FOLDER or "," in str(folder):
            name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
            folder = Path(tempfile.gettempdir()) / f"extrophi-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        # Under /tmp anyone could have made it first, or a link by that name.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise CommandError(
                f"{folder} belongs to someone else.", hint="Set EXTROPHI_HOME to a folder with a shorter path."
            )
        folder.chmod(0o700)
        for entry in folder.iterdir():
            shutil.rmtree(entry, ignore_errors=True)
        return folder

    def rotate_logs(self) -> None:
        for log in self.logs.glob("*.log"):
            if log.name != "up.log" and log.stat().st_size:
                log.replace(log.with_suffix(".log.1"))


def key_id(key: str) -> str:
    """What backend calls a key: its digest in short, which tells nothing about it (extrophi_backend/sealing.py).

    Empty for what is no key: somebody wrote into the file.
    """
    try:
        secret = bytes.fromhex(key) if len(key) == 64 else base64.urlsafe_b64decode(f"{key}=")
    except ValueError:
        return ""
    return hashlib.blake2b(secret, digest_size=4, person=b"extrophi-key").hexdigest()


def write_whole(file: Path, text: str) -> None:
    """Write a file of ours (0600) so that a crash leaves the old or the new, never half of one."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    aside.replace(file)


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
