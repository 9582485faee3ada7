"""Reaching an Extrophi: the one given by --url, or this machine's, which is started when it does not run."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_cli.embedded.home import Home
from extrophi_cli.embedded.probe import get_json
from extrophi_cli.errors import Unreachable
from extrophi_cli.output import note
from extrophi_cli.settings import Settings, read_settings

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

DEFAULT_PORT = 8000
_START_SECONDS = 180


def connect(url: str | None, key: str | None) -> "Extrophi":
    """The Extrophi that a command speaks to. Raises Unreachable when there is none."""
    settings = read_settings()
    url = url or settings.url
    process: subprocess.Popen[bytes] | None = None
    if url is None:
        home = Home(settings.home)
        if running_port(home) is None:
            process = start_detached(settings, until_idle=True)
    from extrophi_cli.client import Extrophi  # noqa: PLC0415  imported while the services start

    if url is not None:
        return Extrophi(url, key=key or settings.key)
    port = wait_ready(Home(settings.home), process)
    return Extrophi(f"http://127.0.0.1:{port}", is_local=True)


def running_port(home: Home) -> int | None:
    """The port of this home's orchestrator when all of it is ready, else None."""
    up = home.read_up() if home.is_locked() else None
    return up.port if up and up.state == "ready" else None


def start_detached(settings: Settings, *, until_idle: bool, port: int | None = None) -> subprocess.Popen[bytes]:
    """Start `up` on its own, output to logs/up.log. One that finds another running ends at once, which is fine."""
    home = Home(settings.home)
    home.make()
    log = home.logs / "up.log"
    if log.exists() and log.stat().st_size > 1_000_000:
        log.replace(home.logs / "up.log.1")
    command = [sys.executable, "-m", "extrophi_cli.embedded"]
    command += ["--port", str(port or settings.port or DEFAULT_PORT)]
    if until_idle:
        command += ["--idle-stop", str(settings.idle_stop.total_seconds())]
    environment = {**os.environ, "EXTROPHI_HOME": str(settings.home)}
    # Modules are found the way ours were, also when somebody started us from elsewhere.
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )


@dataclass(slots=True)
class _Patience:
    """Tells a waiting person what is waited for: a line when it begins, another when it lasts."""

    began: float
    told: int = 0

    def tell(self) -> None:
        waited = time.monotonic() - self.began
        if self.told == 0 and waited > 0.3:
            note("Starting Extrophi …")
            self.told = 1
        elif waited > 10 * self.told > 0:
            note(f"… still starting ({waited:.0f} s; a first start makes the database)")
            self.told += 1


def wait_ready(home: Home, process: subprocess.Popen[bytes] | None) -> int:
    """Wait until this home's Extrophi serves; gives its port. Raises Unreachable with its own last words."""
    patience = _Patience(time.monotonic())
    deadline = patience.began + _START_SECONDS
    while time.monotonic() < deadline:
        locked = home.is_locked()
        up = home.read_up()
        if locked and up and up.state in {"starting", "ready"} and get_json(up.port, "/ready").status == 200:
            return up.port
        if not locked and process is not None and process.poll() is not None:
            if process.returncode == 0:  # it found another one, which has ended since
                process = start_detached(read_settings(), until_idle=True)
                continue
            reason = up.error if up and up.state == "failed" and up.error else "it did not start"
            hint = up.hint if up and up.state == "failed" else None
            raise Unreachable(reason, hint=hint or f"The log is {home.logs / 'up.log'}.")
        if not locked and process is None:
            raise Unreachable("Extrophi stopped meanwhile.", hint=f"The log is {home.logs / 'up.log'}.")
        patience.tell()
        time.sleep(0.05)
    raise Unreachable(f"Extrophi did not start in {_START_SECONDS} s.", hint=f"The logs are in {home.logs}.")
