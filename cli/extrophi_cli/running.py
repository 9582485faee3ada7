"""Reaching an Extrophi: the one given by --url, or this machine's, which is started when it does not run."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_cli.embedded.home import Home, Up
from extrophi_cli.embedded.services import code_stamp, python_module
from extrophi_cli.errors import CommandError, Unreachable
from extrophi_cli.output import note
from extrophi_cli.settings import Settings, inherited, read, read_settings, service_digests

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

DEFAULT_PORT = 8000
_START_SECONDS = 180
_STOP_SECONDS = 30
Start = Callable[[], "subprocess.Popen[bytes]"]


def connect(url: str | None, key: str | None) -> "Extrophi":
    """The Extrophi that a command speaks to. Raises Unreachable when there is none."""
    settings = read_settings()
    url = url or settings.url
    home = Home(settings.home)
    start = partial(start_detached, settings, until_idle=True)
    process: subprocess.Popen[bytes] | None = None
    if url is None:
        up = running_up(home)
        if up and up.code != code_stamp():
            up = _renew(home, up)
        if up:
            _tell_changed(home, up)
        else:
            process = start()
    from extrophi_cli.client import Extrophi  # noqa: PLC0415  imported while the services start

    if url is not None:
        return Extrophi(url, key=key or settings.key)
    up = wait_ready(home, start, process)
    return Extrophi(f"http://127.0.0.1:{up.port}", is_local=True)


def running_up(home: Home) -> Up | None:
    """This home's Extrophi when all of it is ready, else None."""
    up = home.running()
    return up if up and up.state == "ready" else None


def _renew(home: Home, up: Up) -> Up | None:
    """What runs, once it is known that its code is not ours: None when it was stopped, to be started anew."""
    if not up.idle_stop:
        note("Extrophi was updated since it started: `extrophi down`, then `extrophi up`, to run what is new.")
        return up
    note("Extrophi was updated since it started: starting it anew.")
    stop(home)
    return None


def _tell_changed(home: Home, up: Up) -> None:
    # One that is not set here may have been set for `up` alone, in another terminal: that is nothing to complain of.
    names = [name for name in changed_settings(home, up) if read(name)]
    if names:
        note(f"{', '.join(names)} changed since Extrophi started: `extrophi down` first, to have it heeded.")


def changed_settings(home: Home, up: Up) -> list[str]:
    """Names of the settings whose values are not those that it was started with."""
    now = service_digests(home.service_key())
    return sorted(name for name in now.keys() | up.settings.keys() if now.get(name) != up.settings.get(name))


def start_detached(settings: Settings, *, until_idle: bool, port: int | None = None) -> "subprocess.Popen[bytes]":
    """Start `up` on its own, output to logs/up.log. One that finds another running ends at once, which is fine."""
    home = Home(settings.home)
    home.make()
    log = home.logs / "up.log"
    if log.exists() and log.stat().st_size > 1_000_000:
        log.replace(home.logs / "up.log.1")
    command = python_module("extrophi_cli.embedded", "--port", str(port or settings.port or DEFAULT_PORT))
    if until_idle:
        command += ["--idle-stop", str(settings.idle_stop.total_seconds())]
    environment = {**inherited(), "EXTROPHI_HOME": str(settings.home)}
    # Modules are found the way ours were, also when somebody started us from elsewhere.
    paths = [str(Path(__file__).parents[1]), environment["PYTHONPATH"]]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )


def stop(home: Home, *, seconds: float = _STOP_SECONDS) -> bool:
    """Stop what runs, and wait until it has; whether anything ran. Raises CommandError when it cannot be stopped."""
    if not home.is_locked():
        return False
    told: Up | None = None
    deadline = time.monotonic() + seconds
    while home.is_locked():
        up = home.running()
        if up and up.pid != (told and told.pid):
            _signal(up, signal.SIGTERM)
            told = up
        if time.monotonic() > deadline:
            who = f" (process {told.pid})" if told else ", and says not who it is"
            raise CommandError(f"It still runs after {seconds:g} s{who}.", hint=f"See {home.logs}.")
        time.sleep(0.05)
    return True


def _signal(up: Up, number: signal.Signals) -> None:
    try:
        os.kill(up.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise CommandError("It was started by another user.", hint="Do this as that user.") from None


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


def wait_ready(home: Home, start: Start, process: "subprocess.Popen[bytes] | None" = None) -> Up:
    """This home's Extrophi once it serves, started by `start` while none runs (`process`: it has been).

    Raises:
        Unreachable: it did not start; with its own last words.
    """
    patience = _Patience(time.monotonic())
    deadline = patience.began + _START_SECONDS
    while time.monotonic() < deadline:
        if up := running_up(home):
            return up
        if process is not None and process.poll() == 0:  # it found another one, or was stopped meanwhile
            process = None
        elif not home.is_locked():
            if process is None:
                process = start()
            elif process.poll() is not None:
                up = home.read_up()
                failed = up if up and up.state == "failed" else None
                reason = failed.error if failed and failed.error else "Extrophi did not start."
                raise Unreachable(reason, hint=(failed and failed.hint) or f"The log is {home.logs / 'up.log'}.")
        patience.tell()
        time.sleep(0.05)
    raise Unreachable(f"Extrophi did not start in {_START_SECONDS} s.", hint=f"The logs are in {home.logs}.")


def wait_staying(home: Home, start: Start) -> Up:
    """As `wait_ready`; one that would stop when idle is asked to stay, until it has said that it does."""
    while True:
        up = wait_ready(home, start)
        if not up.idle_stop:
            return up
        _signal(up, signal.SIGUSR1)
        time.sleep(0.05)
