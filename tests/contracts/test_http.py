"""What the three services have in common, each run as its own process with nothing else in reach."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.contracts.services import NAMES, Service, command, running


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
