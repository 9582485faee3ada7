"""`up` with real databases and components that do nothing but answer: what is tested is the looking after them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from cli.tests.support import ROOT, Run
from extrophi_cli.embedded.home import Home, Up
from extrophi_cli.embedded.postgres import Postgres
from extrophi_cli.errors import CommandError
from extrophi_cli.running import stop
from tests.folders import quick

COMPONENT = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
if os.environ.get("EXTROPHI_ROLE") == "migrate":
    with open(os.environ["EXTROPHI_DATA"] + "/migrated", "a") as file:
        file.write(".")
    sys.exit("no such column" if os.path.exists(os.environ["EXTROPHI_DATA"] + "/fail") else 0)
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

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Run:
        process = self.start(*arguments, cwd=cwd, **variables)
        out, err = process.communicate(timeout=100)
        return Run(process.returncode, out, err)

    def start(self, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "extrophi_cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(**variables),
            cwd=cwd,
            start_new_session=True,
        )

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
    (migrations.parent / "views").mkdir()
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
    process = clone.start("up")
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
        assert ran.code == 3
        assert f"Port {clone.port} is taken" in ran.err
        assert "--port" in ran.err
        ran = clone.run("search", "a")
        assert ran.code == 3
        assert f"Port {clone.port} is taken" in ran.err


def test_a_second_up_uses_the_running_one(clone: Clone) -> None:
    processes = [clone.start("up", "--detach") for _ in range(2)]
    assert [(process.communicate(timeout=60)[0][:15], process.returncode) for process in processes] == [
        ("Extrophi is at ", 0)
    ] * 2
    ran = clone.run("up", "--port", "9")
    assert ran.code == 0
    assert "runs already" in ran.err
    assert f"It runs at port {clone.port}, not at 9" in ran.err


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
    assert ran.code == 3
    assert "newer Extrophi" in ran.err


def test_a_part_that_cannot_start_is_named_with_its_last_words(clone: Clone) -> None:
    (clone.root / "research" / "extrophi_research" / "__main__.py").write_text("raise SystemExit('CHAT_URL is wrong')")
    ran = clone.run("up")
    assert ran.code == 3
    assert "research ended at its start: CHAT_URL is wrong" in ran.err
    assert not any(is_alive(pid) for pid in clone.pids().values())


def test_two_homes_started_at_once_on_one_port_are_told_apart(clone: Clone, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="xh-", dir=quick()) as other:
        second = Clone(clone.root, Path(other), clone.port)
        processes = [one.start("up", "--detach") for one in (clone, second)]
        errors = [process.communicate(timeout=60)[1] for process in processes]
        try:
            assert sorted(process.returncode for process in processes) == [0, 3]
            assert sum(f"Port {clone.port} is taken by another program." in error for error in errors) == 1
        finally:
            second.run("down")


def test_nobody_is_stopped_who_only_has_the_number(home: Path) -> None:
    held = Home(home)
    held.write_up(Up(pid=os.getpid(), born="another boot 1", port=9, state="ready"))
    with held.locked(), pytest.raises(CommandError, match="says not who it is"):
        stop(held, seconds=0.3)  # a signal would end this very process


def test_one_started_by_a_command_stays_once_that_is_asked(clone: Clone) -> None:
    clone.run("search", "a", EXTROPHI_IDLE_STOP="1h")
    before = clone.up()
    assert before["idle_stop"] == 3600
    ran = clone.run("up", "--detach", "--json")
    assert ran.json() == {"state": "ready", "url": f"http://127.0.0.1:{clone.port}", "home": str(clone.home)}
    assert (clone.up()["pid"], clone.up()["idle_stop"]) == (before["pid"], 0)


def test_a_setting_that_does_not_reach_what_runs_is_named(clone: Clone) -> None:
    clone.run("up", "--detach", CHAT_MODEL="one", CHAT_URL="http://127.0.0.1:9/v1")
    assert "changed" not in clone.run("search", "a", CHAT_MODEL="one").err
    assert "CHAT_MODEL changed since Extrophi started" in clone.run("search", "a", CHAT_MODEL="two").err
    findings = {finding["what"]: finding for finding in clone.run("doctor", "--json").json()["items"]}
    assert findings["settings"]["detail"] == "CHAT_MODEL, CHAT_URL changed since Extrophi started"
    assert "one" not in json.dumps(clone.up()["settings"])


def test_new_code_is_run_at_once_or_named(clone: Clone) -> None:
    def update() -> None:
        with (clone.root / "research" / "extrophi_research" / "__init__.py").open("a") as file:
            file.write("# newer\n")

    clone.run("search", "a")
    before = clone.up()["pid"]
    update()
    assert "starting it anew" in clone.run("search", "a").err
    assert clone.up()["pid"] != before
    clone.run("up", "--detach")
    before = clone.up()["pid"]
    update()
    assert "`extrophi down`, then `extrophi up`" in clone.run("search", "a").err
    assert clone.up()["pid"] == before


def test_a_module_in_the_current_folder_is_not_run(clone: Clone, tmp_path: Path) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for name in ("json", "argparse", "typer", "extrophi_research"):
        (downloads / f"{name}.py").write_text(f"open({str(downloads / 'run')!r}, 'a').write(__name__)")
    assert clone.run("up", "--detach", cwd=downloads).code == 0
    assert not (downloads / "run").exists()


def test_a_persons_own_word_on_the_local_model_stands(clone: Clone) -> None:
    clone.run("up", "--detach", EXTROPHI_LOCAL="0", EXTROPHI_FILES_ROOTS=" ")
    environment = psutil.Process(clone.pids()["worker"]).environ()
    assert environment["EXTROPHI_LOCAL"] == "0"
    assert environment["EXTROPHI_FILES_ROOTS"] == f"{Path.home()},{clone.root}"


def test_what_cannot_be_written_down_keeps_nothing_from_being_looked_after(clone: Clone) -> None:
    clone.run("up", "--detach")
    supervisor, before = clone.up()["pid"], clone.pids()
    parts = psutil.Process(supervisor).children()
    (clone.home / "up.json").unlink()
    (clone.home / "up.json").mkdir()  # as if the disk were full
    os.kill(before["valkey"], signal.SIGKILL)
    eventually(lambda: "valkey is started again" in clone.log())
    os.kill(supervisor, signal.SIGTERM)
    eventually(lambda: not is_alive(supervisor))
    assert not any(is_alive(part.pid) for part in parts)
    (clone.home / "up.json").rmdir()


def test_ctrl_c_while_the_database_is_made_is_no_failure(clone: Clone) -> None:
    process = clone.start("up")
    assert process.stdout is not None
    assert process.stdout.readline() == "Making the database, once.\n"
    eventually(lambda: any(child.name() == "initdb" for child in psutil.Process(process.pid).children(recursive=True)))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "Stopped.\n", "")
    assert clone.up()["state"] == "stopped"
    assert list((clone.home / "postgres").iterdir()) == []


def test_changed_views_are_published_without_a_new_migration(clone: Clone) -> None:
    clone.run("up", "--detach")
    clone.run("down")
    assert clone.run("up", "--detach").code == 0
    clone.run("down")
    assert (clone.home / "backend" / "migrated").read_text() == "."
    views = clone.root / "backend" / "extrophi_backend" / "schema" / "views"
    (views / "read_v1.sql").write_text("-- newer")
    clone.run("up", "--detach")
    assert (clone.home / "backend" / "migrated").read_text() == ".."
    assert not (clone.home / "backups").exists()


async def test_a_home_that_holds_data_survives_a_migration_that_fails(clone: Clone) -> None:
    async def ask(statement: str) -> Any:
        connection = await asyncpg.connect(Postgres(clone.home, clone.home / "run" / "postgres").dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    clone.run("up", "--detach")
    await ask("CREATE TABLE notes AS SELECT 'kept' AS text")
    clone.run("down")
    (clone.root / "backend" / "extrophi_backend" / "schema" / "migrations" / "0002_second.sql").touch()
    (clone.home / "backend" / "fail").touch()
    for _ in range(3):
        ran = clone.run("up", "--detach")
        assert ran.code == 3
        assert "Migrating the database failed: no such column" in ran.err
    [copy] = (clone.home / "backups").iterdir()

    (clone.home / "backend" / "fail").unlink()
    clone.run("up", "--detach")
    assert await ask("SELECT text FROM notes") == "kept"
    await ask("DROP TABLE notes")  # spoilt: back to the copy, as docs/cli.md says
    clone.run("down")
    shutil.rmtree(clone.home / "postgres" / "data")
    copy.rename(clone.home / "postgres" / "data")
    (clone.home / "version").write_text('{"schema": "0001_first"}')
    assert clone.run("up", "--detach").code == 0
    assert await ask("SELECT text FROM notes") == "kept"
