"""`up`: starts all parts of Extrophi on one machine, keeps them running, stops them in order.

One thread and one loop: children must be started by the thread that lives as long as we do (their death signal hangs
on it), and a small process is all a supervisor should be.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from extrophi_cli.embedded import chroma
from extrophi_cli.embedded.home import Home, Up
from extrophi_cli.embedded.idle import Idleness
from extrophi_cli.embedded.postgres import Postgres, PostgresFailed
from extrophi_cli.embedded.probe import get_json
from extrophi_cli.embedded.processes import Recorded, birth, end_left_behind, kill_group, listens, record, start_process
from extrophi_cli.embedded.services import (
    Servers,
    Service,
    code_stamp,
    is_free,
    migration_of,
    newest_migration,
    plan_services,
    views_stamp,
)
from extrophi_cli.embedded.valkey import Valkey
from extrophi_cli.errors import UNREACHABLE, CommandError
from extrophi_cli.settings import is_given, service_digests

Say = Callable[[str], None]

_START_SECONDS = 120  # a first start makes a cluster and migrates; a laptop on battery takes its time
_LONGEST_BACKOFF = 30.0
_STEADY_SECONDS = 60  # after which a child's earlier crashes are forgotten
_IDLE_LOOK_SECONDS = 5.0


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass(slots=True)
class Child:
    """A process of ours, and what is needed to start it again."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]
    log: Path
    stop_with: signal.Signals = signal.SIGTERM
    started_at: float = 0.0
    crashes: int = 0
    restart_at: float | None = None


@dataclass(slots=True)
class Supervisor:
    home: Home
    port: int
    say: Say
    idle_stop: timedelta = timedelta(0)  # zero: never
    on_ready: Callable[[str], None] | None = None
    _children: list[Child] = field(default_factory=list[Child])
    _left_behind: tuple[Recorded, ...] = ()
    _backend_port: int = 0
    _code: str = field(default_factory=code_stamp)
    _stopping: bool = False
    _asked_to_stay: bool = False
    _wake: socket.socket | None = None

    def run(self) -> None:
        """Run everything until told to stop. Raises HomeInUse, or CommandError when a part does not start.

        SIGUSR1 asks one that stops when idle to stay.
        """
        self.home.make()
        with self.home.locked(), self._signals():
            failure: CommandError | None = None
            try:
                self._clean_up_after_crash()
                self._start()
                self._save("ready")
                self._tell(f"Extrophi is at http://127.0.0.1:{self.port}")
                if self.on_ready:
                    self.on_ready(f"http://127.0.0.1:{self.port}")
                self._watch()
            except Stopped:
                pass
            except (CommandError, PostgresFailed, OSError) as error:
                # What fails because we are stopping is no failure.
                failure = None if self._stopping else _failure(error, hint=self._logs_hint())
            finally:
                self._stop()
                self._try_to_save("failed" if failure else "stopped", failure)
            if failure:
                raise failure

    def _start(self) -> None:
        if not is_free(self.port):
            raise self._port_taken()
        self.home.rotate_logs()
        run = self.home.make_run_folder()
        database_is_elsewhere = is_given("DATABASE_URL")
        redis_is_elsewhere = is_given("REDIS_URL")
        postgres = Postgres(
            data=self.home.path / "postgres" / "data",
            sockets=run / "postgres",
            log_file=self.home.logs / "postgres.log",
        )
        valkey = Valkey(sockets=run / "valkey", log=self.home.logs / "valkey.log")
        self.home.secret_keys()  # made before anyone reads the ring
        services = plan_services(
            self.home.path,
            port=self.port,
            service_key=self.home.service_key(),
            key_ring=self.home.key_ring,
            servers=Servers(
                database_url=None if database_is_elsewhere else postgres.dsn,
                redis_url=None if redis_is_elsewhere else valkey.url,
            ),
            own_chroma=self._has_chroma(),
        )
        self._backend_port = int(services[1].environment["EXTROPHI_PORT"])
        newest, views = newest_migration(), views_stamp() + ("-chroma" if chroma.is_asked_for() else "")
        # A database elsewhere may have been migrated, or not, by others: only asking it tells.
        migrated = not database_is_elsewhere and self._prepare_data(postgres, newest, views)
        if not database_is_elsewhere:
            self._add("postgres", postgres.start, postgres.log, stop_with=signal.SIGINT)
        if not redis_is_elsewhere:
            self._add("valkey", valkey.start, valkey.log)
        if migrated:  # they connect when it is there: their imports take as long as its start
            self._start_services(services)
        if not database_is_elsewhere:
            self._wait(postgres.is_ready, "PostgreSQL")
        if not migrated:
            self._migrate(migration_of(services[1]))
            if not database_is_elsewhere:
                self.home.save_schema(newest, views=views)
            self._start_services(services)
        if not redis_is_elsewhere:
            self._wait(valkey.is_ready, "Valkey")
        self._wait(self._is_ready, "Extrophi", missing=self._missing)

    def _has_chroma(self) -> bool:
        """Whether a Chroma server is to run beside the rest; it is installed if it is not there."""
        if not chroma.is_wanted(self.home.path) or chroma.is_installed():
            return chroma.is_wanted(self.home.path)
        self._tell("Installing ChromaDB's server, once (60 MB).")
        try:
            chroma.install()
        except CommandError as error:
            if chroma.is_asked_for():
                raise
            self._tell(f"{error.message} Where vectors are in it, search is by word only.")
            return False
        return True

    def _is_ready(self) -> bool:
        # Two homes started at once on one port both find it free; who answers there may be the other's.
        front_door = next(child for child in self._children if child.name == "orchestrator")
        return listens(front_door.process.pid, self.port) and get_json(self.port, "/ready").status == 200

    def _port_taken(self) -> CommandError:
        return CommandError(
            f"Port {self.port} is taken by another program.",
            hint=f"Choose another: extrophi up --port {self.port + 10}, or set EXTROPHI_PORT.",
            code=UNREACHABLE,
        )

    def _clean_up_after_crash(self) -> None:
        before = self.home.read_up()
        self._left_behind = before.children if before else ()
        self._save("starting")  # from here on, what an earlier one wrote is believed by nobody
        if ended := end_left_behind(self._left_behind):
            self._tell(f"Ended what an earlier run left behind: {', '.join(ended)}.")
        self._left_behind = ()

    def _prepare_data(self, postgres: Postgres, newest: str, views: str) -> bool:
        """Make the cluster, or take a copy of an older one. True when it needs no migration."""
        if not (postgres.data / "PG_VERSION").exists():
            self._tell("Making the database, once.")
            postgres.make(sleep=self._sleep)
            return False
        postgres.forget_crash()
        schema = self.home.schema()
        if schema == newest:
            # What a failed migration left may be written to from here on: the next one needs a copy of its own.
            self.home.forget_copy()
            return self.home.views() == views
        if schema is not None and schema > newest:
            raise CommandError(
                f"The data in {self.home.path} is from a newer Extrophi (schema {schema}; this one has {newest}).",
                hint="Update this clone (git pull), or point EXTROPHI_HOME elsewhere.",
                code=UNREACHABLE,
            )
        if schema is not None:
            copy = self.home.keep_copy(schema, sleep=self._sleep)
            self._tell(f"Migrating the data from {schema} to {newest}; a copy is kept in {copy}.")
        return False

    def _migrate(self, migration: Service) -> None:
        log = self.home.logs / "migrate.log"
        process = start_process(
            migration.command, log=log, at_parents_death=signal.SIGTERM, environment=dict(migration.environment)
        )
        try:
            self._wait(lambda: process.poll() is not None, "the migration")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise CommandError(
                f"Migrating the database failed: {last_line(log)}", hint=f"All of it is in {log}.", code=UNREACHABLE
            )

    def _start_services(self, services: list[Service]) -> None:
        for service in services:
            log = self.home.logs / f"{service.name}.log"

            def start(service: Service = service, log: Path = log) -> subprocess.Popen[bytes]:
                return start_process(
                    service.command, log=log, at_parents_death=signal.SIGTERM, environment=dict(service.environment)
                )

            self._add(service.name, start, log)

    def _add(
        self,
        name: str,
        start: Callable[[], subprocess.Popen[bytes]],
        log: Path,
        stop_with: signal.Signals = signal.SIGTERM,
    ) -> None:
        child = Child(name, start, start(), log, stop_with, started_at=time.monotonic())
        self._children.append(child)
        self._save("starting")

    def _wait(self, done: Callable[[], bool], what: str, missing: Callable[[], str] | None = None) -> None:
        """Wait for a part to be there, looking after the others meanwhile."""
        deadline = time.monotonic() + _START_SECONDS
        while not done():
            for child in self._children:
                # A service that ends at once has a wrong setting or a broken install: trying again mends neither.
                if child.process.poll() is not None and time.monotonic() - child.started_at < _STEADY_SECONDS:
                    if child.name == "orchestrator" and not is_free(self.port):
                        raise self._port_taken()
                    message = f"{child.name} ended at its start: {last_line(child.log)}"
                    raise CommandError(message, hint=f"All of it is in {child.log}.", code=UNREACHABLE)
            if time.monotonic() > deadline:
                reason = missing() if missing else "no answer"
                message = f"{what} did not start in {_START_SECONDS} s: {reason}"
                raise CommandError(message, hint=self._logs_hint(), code=UNREACHABLE)
            self._sleep(0.05)

    def _missing(self) -> str:
        return get_json(self.port, "/ready").missing

    def _watch(self) -> None:
        idleness = Idleness(self.port, self._backend_port, self.home.service_key())
        next_look = time.monotonic() + _IDLE_LOOK_SECONDS
        while True:
            now = time.monotonic()
            if self._asked_to_stay and self.idle_stop:
                self.idle_stop = timedelta(0)
                self._try_to_save("ready")
                self._tell("Asked to stay: it stops by `extrophi down` only.")
            for child in self._children:
                self._look_after(child, now)
            if self.idle_stop and now >= next_look:
                next_look = now + _IDLE_LOOK_SECONDS
                if idleness.lasts(self.idle_stop.total_seconds()) and not self._asked_to_stay:
                    self._tell(f"Nothing asked for {self.idle_stop}: stopping (EXTROPHI_IDLE_STOP).")
                    return
            restarts = [child.restart_at for child in self._children if child.restart_at is not None]
            looks = [next_look] if self.idle_stop else []
            self._sleep(max(0.0, min([*restarts, *looks, now + 3600]) - time.monotonic()))

    def _look_after(self, child: Child, now: float) -> None:
        if child.restart_at is not None:
            if now >= child.restart_at:
                child.restart_at = None
                child.process, child.started_at = child.start(), now
                self._try_to_save("ready")
                self._tell(f"{child.name} is started again.")
        elif child.process.poll() is not None:
            child.crashes = 1 if now - child.started_at > _STEADY_SECONDS else child.crashes + 1
            backoff = min(0.25 * 2**child.crashes, _LONGEST_BACKOFF)
            child.restart_at = now + backoff
            kill_group(child.process.pid)
            how = _ending(child.process.returncode)
            self._tell(f"{child.name} {how}; starting it again in {backoff:g} s ({child.log}).")

    def _stop(self) -> None:
        """Stop all in order: the front door and what works first, then what they work on. About ten seconds at most."""
        if not self._children:
            return
        self._try_to_save("stopping")
        self._stopping = True
        servers = [child for child in self._children if child.name in {"postgres", "valkey"}]
        services = [child for child in self._children if child not in servers]
        _end(services, seconds=5)
        _end(servers, seconds=4)
        self._children.clear()

    def _save(self, state: str, failure: CommandError | None = None) -> None:
        children = tuple(record(child.name, child.process.pid) for child in self._children)
        self.home.write_up(
            Up(
                pid=os.getpid(),
                born=birth(os.getpid()),
                port=self.port,
                state=state,
                error=failure.message if failure else None,
                hint=failure.hint if failure else None,
                idle_stop=self.idle_stop.total_seconds(),
                code=self._code,
                settings=service_digests(self.home.service_key()),
                children=(*self._left_behind, *children),
            )
        )

    def _try_to_save(self, state: str, failure: CommandError | None = None) -> None:
        """As `_save`, where something matters more: a full disk must not keep children from being looked after."""
        try:
            self._save(state, failure)
        except OSError as error:
            self._tell(f"Cannot write {self.home.path / 'up.json'}: {error.strerror}.")

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more, or the log's disk is full
            self.say(text)

    def _sleep(self, seconds: float) -> None:
        """Sleep until then, or until a signal: a child that ended, or the wish to stop, which raises Stopped."""
        assert self._wake is not None
        if not self._stopping:
            readable, _, _ = select.select([self._wake], [], [], seconds)
            if readable:
                self._wake.recv(4096)
        if self._stopping:
            raise Stopped

    @contextmanager
    def _signals(self) -> Generator[None]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._wake = ours
        previous = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1)
        before = [signal.signal(number, self._take_signal) for number in handled]
        try:
            yield
        finally:
            for number, handler in zip(handled, before, strict=True):
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous)
            ours.close()
            theirs.close()

    def _take_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGUSR1:
            self._asked_to_stay = True
        elif number != signal.SIGCHLD:
            self._stopping = True

    def _logs_hint(self) -> str:
        return f"The logs are in {self.home.logs}; `extrophi doctor` looks for what is missing."


def _end(children: list[Child], *, seconds: float) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.process.send_signal(child.stop_with)
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.process.wait(timeout=max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # PostgreSQL's immediate shutdown; it recovers from its log at the next start.
            child.process.send_signal(signal.SIGQUIT if child.name == "postgres" else signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=2)
        kill_group(child.process.pid)


def _failure(error: CommandError | PostgresFailed | OSError, *, hint: str) -> CommandError:
    return error if isinstance(error, CommandError) else CommandError(str(error), hint=hint, code=UNREACHABLE)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    try:
        text = log.read_text(errors="replace")[-8000:]
    except OSError:
        return "it left no log"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "it said nothing"
