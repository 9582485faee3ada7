"""The real PostgreSQL and Valkey that tests run against: one of each per test process, started when first asked for.

Every test gets a database of its own, cloned from a migrated template (`database`), or an empty one
(`empty_database`).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from extrophi_cli.embedded.postgres import Postgres
from extrophi_cli.embedded.services import free_ports
from extrophi_cli.embedded.valkey import Valkey
from tests.folders import quick

SCHEMA = Path(__file__).parent.parent / "backend" / "extrophi_backend" / "schema"


@contextmanager
def stopping(process: subprocess.Popen[bytes], how: signal.Signals) -> Generator[None]:
    try:
        yield
    finally:
        process.send_signal(how)
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    # Not tmp_path: a socket's path has to stay under 108 bytes.
    folder = Path(tempfile.mkdtemp(prefix="extrophi-test-", dir=quick()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[Postgres]:
    server = Postgres(data=server_folder / "postgres", sockets=server_folder / "run")
    server.make()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("fsync = off\nfull_page_writes = off\n")  # no test pulls the plug, and each makes a database
    process = server.start()
    with stopping(process, signal.SIGINT):  # a fast shutdown: open connections are cut
        server.wait_ready(process)
        yield server


@pytest.fixture(scope="session")
def valkey(server_folder: Path) -> Iterator[Valkey]:
    server = Valkey(sockets=server_folder / "valkey", log=server_folder / "valkey.log")
    process = server.start()
    with stopping(process, signal.SIGTERM):
        server.wait_ready(process)
        yield server


def dsn_of(server: Postgres, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={server.sockets}"


async def _admin(server: Postgres, statement: str) -> None:
    connection = await asyncpg.connect(dsn_of(server, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A migrated database. The published SQL files are read as they are: no component's code is needed for it."""
    import asyncio  # noqa: PLC0415

    async def make() -> None:
        await _admin(postgres, "CREATE DATABASE template_migrated")
        connection = await asyncpg.connect(dsn_of(postgres, "template_migrated"))
        try:
            for file in [*sorted((SCHEMA / "migrations").glob("*.sql")), *sorted((SCHEMA / "views").glob("*.sql"))]:
                await connection.execute(file.read_text())
            await connection.execute(
                """CREATE TABLE schema_migrations
                   (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"""
            )
            names = sorted(file.name for file in (SCHEMA / "migrations").glob("*.sql"))
            await connection.execute("INSERT INTO schema_migrations (name) SELECT unnest($1::text[])", names)
        finally:
            await connection.close()

    asyncio.run(make())
    return "template_migrated"


@pytest.fixture
async def database(postgres: Postgres, template: str) -> AsyncIterator[str]:
    """The DSN of a migrated database that this test alone has."""
    name = f"test_{uuid.uuid4().hex}"
    # By copying files: half the time of writing each block to the log as well.
    await _admin(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield dsn_of(postgres, name)
    await _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database(postgres: Postgres) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    await _admin(postgres, f"CREATE DATABASE {name}")
    yield dsn_of(postgres, name)
    await _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def chroma_server(data: Path, port: int) -> Generator[subprocess.Popen[bytes]]:
    """A Chroma server as backend runs its own; it may be killed meanwhile."""
    environment = os.environ | {"CHROMA_URL": f"http://127.0.0.1:{port}", "EXTROPHI_DATA": str(data)}
    environment["PYTHONPATH"] = str(SCHEMA.parent.parent)
    process = subprocess.Popen([sys.executable, "-m", "extrophi_backend.vectors.server"], env=environment)
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{environment['CHROMA_URL']}/api/v2/heartbeat", trust_env=False)
                break
            assert process.poll() is None, "Chroma ended"
            assert time.monotonic() < deadline, "Chroma does not answer"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def chroma(server_folder: Path) -> Iterator[str]:
    """The address of a Chroma server. Each library has collections of its own there."""
    port = free_ports(1)[0]
    with chroma_server(server_folder / "chroma", port):
        yield f"http://127.0.0.1:{port}"
