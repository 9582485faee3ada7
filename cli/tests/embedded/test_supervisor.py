"""`up` with real databases and components that do nothing but answer: what is tested is the looking after them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.tests.support import ROOT, Run

COMPONENT = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
if os.environ.get("EXTROPHI_ROLE") == "migrate":
    sys.exit(0)
began = time.monotonic()
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        idle = time.monotonic() - began
        body = json.dumps({"idle_seconds": idle, "jobs": {"queued": 0, "running": 0}, "pending": 0}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
ThreadingHTTPServer((os.environ["EXTROPHI_HOST"], int(os.environ["EXTROPHI_PORT"])), Handler).serve_forever()
"""
NAMES = ["postgres", "valkey", "research", "backend", "worker", "orchestrator"]


class Clone:
    """A clone with stand-in components, and one home."""

    def __init__(self, root: Path, home: Path, port: int) -> None:
        self.root, self.home, self.port = root, home, port

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("EXTROPHI_", "DATABASE_URL", "REDIS_URL"))}
        ours = {"PYTHONPATH": str(self.root / "cli"), "EXTROPHI_HOME": str(self.home)}
        return {**kept, **ours, "EXTROPHI_PORT": str(self.port), **variables}

    def run(self, *arguments: str, **variables: str) -> Run:
        command = [sys.executable, "-m", "extrophi_cli", *arguments]
        ran = subprocess.run(
            command, capture_output=True, text=True, env=self.environment(**variables), check=False, timeout=100
        )
        return Run(ran.returncode, ran.stdout, ran.stderr)

    def up(self) -> dict[str, Any]:
        return json.loads((self.home / "up.json").read_text())

    def pids(self) -> dict[str, int]:
        return {child["name"]: child["pid"] for child in self.up()["children"]}

    def log(self) -> str:
        return (self.home / "logs" / "up.log").read_text()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(look: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def clone(tmp_path: Path, home: Path) -> Iterator[Clone]:
    shutil.copytree(ROOT / "cli" / "extrophi_cli", tmp_path / "cli" / "extrophi_cli")
    for name in ("backend", "research", "orchestrator"):
        package = tmp_path / name / f"extrophi_{name}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(COMPONENT)
    migrations = tmp_path / "backend" / "extrophi_backend" / "schema" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_first.sql").touch()
    clone = Clone(tmp_path, home, free_port())
    yield clone
    clone.run("down")


def test_it_starts_all_parts_and_stops_them(clone: Clone) -> None:
    assert clone.run("up", "--detach").out == f"Extrophi is at http://127.0.0.1:{clone.port}\n"
    eventually(lambda: clone.up()["state"] == "ready")
    pids = clone.pids()
    assert list(pids) == NAMES
    assert clone.run("down").out == "Stopped.\n"
    assert not any(is_alive(pid) for pid in pids.values())
    assert clone.run("down").out == "Extrophi is not running.\n"


def test_ctrl_c_stops_all_of_it(clone: Clone) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "extrophi_cli", "up"], stdout=subprocess.PIPE, text=True, env=clone.environment()
    )
    eventually(lambda: (clone.home / "up.json").exists() and clone.up()["state"] == "ready")
    pids = clone.pids()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.endswith("Stopped.\n")
    assert not any(is_alive(pid) for pid in pids.values())


def test_children_do_not_outlive_a_killed_supervisor(clone: Clone) -> None:
    clone.run("up", "--detach")
    eventually(lambda: clone.up()["state"] == "ready")
    before = clone.up()
    os.kill(before["pid"], signal.SIGKILL)
    assert clone.run("up", "--detach").code == 0  # at once: some of them may still be stopping
    eventually(lambda: clone.up()["state"] == "ready")
    assert not any(is_alive(child["pid"]) for child in before["children"])


def test_after_a_crash_of_everything_it_starts_again(clone: Clone) -> None:
    clone.run("up", "--detach")
    eventually(lambda: clone.up()["state"] == "ready")
    for pid in [clone.up()["pid"], *clone.pids().values()]:
        os.kill(pid, signal.SIGKILL)
    ran = clone.run("up", "--detach")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("victim", ["postgres", "valkey", "worker"])
def test_a_killed_part_is_started_again_and_that_is_said(clone: Clone, victim: str) -> None:
    clone.run("up", "--detach")
    eventually(lambda: clone.up()["state"] == "ready")
    before = clone.pids()[victim]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: clone.pids()[victim] != before and is_alive(clone.pids()[victim]))
    assert f"{victim} was killed by SIGKILL" in clone.log()


def test_a_taken_port_is_said_with_the_next_step(clone: Clone) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", clone.port))
        other.listen()
        ran = clone.run("up")
        assert ran.code == 1
        assert f"Port {clone.port} is taken" in ran.err
        assert "--port" in ran.err
        ran = clone.run("search", "a")
        assert ran.code == 3
        assert f"Port {clone.port} is taken" in ran.err


def test_a_second_up_uses_the_running_one(clone: Clone) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-m", "extrophi_cli", "up", "--detach"], env=clone.environment())
        for _ in range(2)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    ran = clone.run("up")
    assert ran.code == 0
    assert "runs already" in ran.err


def test_it_stops_by_itself_when_idle(clone: Clone) -> None:
    clone.run("search", "a", EXTROPHI_IDLE_STOP="1s")
    eventually(lambda: clone.up()["state"] == "stopped")
    assert "EXTROPHI_IDLE_STOP" in clone.log()


def test_an_older_home_is_migrated_after_a_copy_was_kept(clone: Clone) -> None:
    clone.run("up", "--detach")
    clone.run("down")
    migrations = clone.root / "backend" / "extrophi_backend" / "schema" / "migrations"
    (migrations / "0002_second.sql").touch()
    assert clone.run("up", "--detach").code == 0
    [copy] = (clone.home / "backups").iterdir()
    assert copy.name.endswith("0001_first")
    assert (copy / "PG_VERSION").exists()
    clone.run("down")
    (migrations / "0002_second.sql").unlink()
    ran = clone.run("up")
    assert ran.code == 1
    assert "newer Extrophi" in ran.err


def test_a_part_that_cannot_start_is_named_with_its_last_words(clone: Clone) -> None:
    (clone.root / "research" / "extrophi_research" / "__main__.py").write_text("raise SystemExit('CHAT_URL is wrong')")
    ran = clone.run("up")
    assert ran.code == 1
    assert "research ended at its start: CHAT_URL is wrong" in ran.err
    assert not any(is_alive(pid) for pid in clone.pids().values())
