"""The three services, each run as its own process with nothing else in reach unless a test says so."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.folders import quick
from tests.system.running import COMPONENTS, eventually, free_port

NAMES = ("orchestrator", "research", "backend")
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9",
    "BACKEND_URL": "http://127.0.0.1:9",
    "RESEARCH_URL": "http://127.0.0.1:9",
}


@dataclass(frozen=True)
class Service:
    name: str
    client: httpx.Client
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return str(self.client.base_url)


def command(name: str, **settings: str) -> tuple[list[str], dict[str, str]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("EXTROPHI_", "OPENAI_"))}
    ours = NOWHERE | {"PYTHONPATH": COMPONENTS, "EXTROPHI_HOST": "127.0.0.1", "EXTROPHI_ROLE": "api"}
    return [sys.executable, "-m", f"extrophi_{name}"], kept | ours | settings


@contextmanager
def running(name: str, port: int = 0, **settings: str) -> Generator[Service]:
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="xt-", dir=quick()) as folder, tempfile.TemporaryFile() as log:
        line, env = command(name, EXTROPHI_PORT=str(port), EXTROPHI_DATA=folder, **settings)
        process = subprocess.Popen(line, env=env, stdout=log, stderr=log, cwd=folder)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:

                def serves() -> bool | None:
                    if process.poll() is not None:
                        log.seek(0)
                        raise AssertionError(log.read().decode())
                    return True if client.get("/health").status_code else None

                eventually(serves, seconds=60)
                yield Service(name, client, process)
        finally:
            process.terminate()
            process.wait(timeout=20)
