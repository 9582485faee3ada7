"""Extrophi as a person runs it: `extrophi up` in a home of its own, reached over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.folders import quick

REPO = Path(__file__).parent.parent.parent
COMPONENTS = os.pathsep.join(str(REPO / name) for name in ("backend", "cli", "orchestrator", "research"))
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """What `extrophi` runs under: the person's own environment, less what would point it elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXTROPHI_", "OPENAI_"))}
    ours = {"EXTROPHI_HOME": str(home), "EXTROPHI_PORT": str(port), "PYTHONPATH": COMPONENTS, "NO_COLOR": "1"}
    return kept | ours | more


@dataclass
class Running:
    """One `extrophi up`. `client` speaks to its orchestrator."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    client: httpx.Client
    environment: dict[str, str]

    def cli(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the command against this Extrophi, its output kept apart from its errors."""
        command = [sys.executable, "-m", "extrophi_cli", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False, cwd=REPO
        )

    def children(self, *words: str) -> list[psutil.Process]:
        """Processes below `up` whose command line holds all the words."""
        found: list[psutil.Process] = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            if all(word in line for word in words):
                found.append(child)
        return found

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(path, json=body).raise_for_status().json()

    def ended(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        """The job once it has ended."""

        def look() -> dict[str, Any] | None:
            job = self.get(f"/api/jobs/{job_id}")
            return job if job["status"] not in {"queued", "running"} else None

        return eventually(look, seconds=seconds)

    def external_ids(self, platform: str) -> list[str]:
        """Those of all documents of a platform, sorted."""
        ids: list[str] = []
        cursor: str | None = None
        while True:
            page = self.client.get("/api/documents", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
            listing = page.raise_for_status().json()
            ids += [item["external_id"] for item in listing["items"] if item["platform"] == platform]
            cursor = listing["next_cursor"]
            if cursor is None:
                return sorted(ids)


def eventually(look: Callable[[], T | None], *, seconds: float = 60) -> T:
    """What `look` gives once it gives something. Lost connections count as nothing yet."""
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            seen = look()
        except httpx.HTTPError as error:
            last = error
        else:
            if seen is not None:
                return seen
        time.sleep(0.1)
    raise AssertionError(f"not seen within {seconds} s; last error: {last!r}")


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """The named events of a Server-Sent Events stream, their data read as JSON."""
    name, data = "message", ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif line == "" and data:
            yield name, json.loads(data)
            name, data = "message", ""


@contextmanager
def up(home: Path | None = None, port: int | None = None, /, **settings: str) -> Generator[Running]:
    """Start everything, and stop it as Ctrl-C would."""
    with tempfile.TemporaryDirectory(prefix="xt-", dir=quick()) as folder:
        home = home or Path(folder) / "home"
        port = port or free_port()
        env = environment(home, port, **settings)
        with (Path(folder) / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "extrophi_cli", "up"], env=env, stdout=log, stderr=subprocess.STDOUT, cwd=REPO
            )
        try:
            # The server closes what was idle for 5 s: a request must not be sent as it does.
            limits = httpx.Limits(keepalive_expiry=2)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits) as client:

                def ready() -> bool | None:
                    assert process.poll() is None, (Path(folder) / "up.log").read_text()
                    return True if client.get("/ready").status_code == 200 else None

                try:
                    eventually(ready, seconds=90)
                except AssertionError as error:
                    raise AssertionError((Path(folder) / "up.log").read_text()) from error
                yield Running(home, port, process, client, env)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def is_worker(process: psutil.Process) -> bool:
    try:
        return process.environ().get("EXTROPHI_ROLE") == "worker"
    except psutil.NoSuchProcess:  # ended since it was listed
        return False


def processes(extrophi: Running, victim: str) -> list[psutil.Process]:
    if victim == "worker":  # its command line is the API's, too: the role is told by the environment
        return [one for one in extrophi.children("extrophi_backend") if is_worker(one)]
    return extrophi.children({"postgres": "postgres", "valkey": "valkey-server"}[victim])


def strike(extrophi: Running, victim: str) -> None:
    """SIGKILL: no handler gets to tidy up. Valkey keeps nothing on disk, so its death wipes it."""
    os.kill(eventually(lambda: processes(extrophi, victim) or None)[0].pid, signal.SIGKILL)
