"""What the three services have in common, each run as its own process with nothing else in reach."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

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


def command(name: str, **settings: str) -> tuple[list[str], dict[str, str]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("EXTROPHI_", "OPENAI_"))}
    ours = NOWHERE | {"PYTHONPATH": COMPONENTS, "EXTROPHI_HOST": "127.0.0.1", "EXTROPHI_ROLE": "api"}
    return [sys.executable, "-m", f"extrophi_{name}"], kept | ours | settings


@contextmanager
def running(name: str, **settings: str) -> Generator[Service]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="xt-") as folder, tempfile.TemporaryFile() as log:
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
                yield Service(name, client)
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module", params=NAMES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with running(request.param) as started:
        yield started


@pytest.fixture(scope="module", params=("research", "backend"))
def guarded(request: pytest.FixtureRequest) -> Iterator[Service]:
    with running(request.param, EXTROPHI_SERVICE_KEY="the-service-key") as started:
        yield started


def test_it_is_alive_with_nothing_in_reach(service: Service) -> None:
    answer = service.client.get("/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_it_is_not_ready_with_nothing_in_reach_and_says_what_is_missing(service: Service) -> None:
    answer = service.client.get("/ready")
    assert answer.status_code == 503
    missing = {"orchestrator": "research", "research": "database", "backend": "database"}[service.name]
    assert missing in answer.text


def test_metrics_are_those_of_prometheus(service: Service) -> None:
    answer = service.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE" in answer.text


def test_an_unknown_path_is_a_problem_with_a_code(service: Service) -> None:
    answer = service.client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() >= {"type", "title", "status", "detail", "code"}


def test_a_request_id_comes_back(service: Service) -> None:
    assert service.client.get("/health", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert service.client.get("/health").headers["x-request-id"]


def test_without_the_service_key_only_health_answers(guarded: Service) -> None:
    path = {"research": "/search", "backend": "/documents"}[guarded.name]
    refused = guarded.client.request("POST" if guarded.name == "research" else "GET", path)
    assert refused.status_code == 401
    assert refused.json()["hint"]
    assert guarded.client.get("/health").status_code == 200
    wrong = guarded.client.get(path, headers={"Authorization": "Bearer another"})
    assert wrong.status_code == 401


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_setting_ends_the_start_with_one_line_that_names_it(name: str) -> None:
    line, env = command(name, EXTROPHI_PORT="a lot")
    ended = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "EXTROPHI_PORT" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
