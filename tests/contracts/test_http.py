"""What the three services have in common, each run as its own process with nothing else in reach."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from tests.contracts.services import NAMES, Service, command, running

# A path of each that takes JSON, and the field of it that takes any text.
WRITES = {
    "orchestrator": ("/api/investigations", {"question": "?", "targets": ["/x"]}, "question"),
    "research": ("/search", {"query": "?"}, "query"),
    "backend": ("/jobs", {"target": "/x"}, "target"),
}


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


def is_problem(answer: httpx.Response, status: int) -> dict[str, str]:
    """Whatever is wrong is told in one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    told = answer.json()
    assert told.keys() >= {"type", "title", "status", "detail", "code", "hint"}
    assert told["type"] == f"urn:extrophi:problem:{told['code']}"
    assert told["hint"]
    return told


def test_another_method_is_a_problem_that_says_which_are_taken(service: Service) -> None:
    path, _, _ = WRITES[service.name]
    answer = service.client.put(path, json={})
    assert is_problem(answer, 405)["code"] == "method_not_allowed"
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("framing", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_refused_however_its_length_is_told(service: Service, framing: str) -> None:
    path, _, _ = WRITES[service.name]
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-Id: mine-2\r\n"
    with socket.create_connection(("127.0.0.1", service.client.base_url.port or 0), timeout=20) as connection:
        connection.sendall(f"{head}{framing}\r\n\r\n".encode())
        with suppress(ConnectionError):
            for _ in range(50 if "chunked" in framing else 0):
                connection.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        told = b""
        while b"}" not in told and (part := connection.recv(65_536)):
            told += part
    assert told.split(b" ")[1] == b"413"
    assert b"x-request-id: mine-2" in told.lower()
    assert b'"code":"too_large"' in told.replace(b": ", b":")


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "invalid_json"), (b"", None), (b"[]", "invalid_input"), (b"\xff", None)]
)
def test_what_is_no_json_object_is_input_at_fault(service: Service, body: bytes, code: str | None) -> None:
    path, _, _ = WRITES[service.name]
    told = is_problem(service.client.post(path, content=body, headers={"Content-Type": "application/json"}), 422)
    assert code in {None, told["code"]}


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfffx"])
def test_what_no_text_may_hold_names_the_field(service: Service, text: str) -> None:
    path, body, field = WRITES[service.name]
    content = json.dumps(body | {field: text}).encode()
    answer = service.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert is_problem(answer, 422)["field"] == field


@pytest.mark.parametrize("name", NAMES)
async def test_a_bug_is_a_problem_that_has_its_id(name: str) -> None:
    async def boom() -> None:
        raise RuntimeError("here")

    settings = import_module(f"extrophi_{name}.settings").Settings.model_construct()
    app = import_module(f"extrophi_{name}.app").create_app(settings)
    app.router.add_api_route("/boom", boom)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/boom", headers={"X-Request-Id": "mine-3"})
    assert is_problem(answer, 500)["code"] == "internal"
    assert answer.headers["x-request-id"] == "mine-3"


@pytest.mark.parametrize("name", ["orchestrator", "research"])
def test_without_a_key_openais_clients_are_told_in_openais_words(name: str) -> None:
    with running(name, EXTROPHI_HOST="0.0.0.0", EXTROPHI_SERVICE_KEY="inner", EXTROPHI_API_KEYS="mine") as service:
        refused = service.client.get("/v1/models")
    assert refused.status_code == 401
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert refused.headers["x-request-id"]


@pytest.mark.parametrize("name", ["research", "backend"])
def test_a_blank_key_is_none_and_a_file_may_hold_one(name: str, tmp_path: Path) -> None:
    path = {"research": "/v1/models", "backend": "/platforms"}[name]
    with running(name, EXTROPHI_SERVICE_KEY="  ") as service:
        assert service.client.get(path).status_code == 200
    (tmp_path / "key").write_text("inner\n")
    with running(name, EXTROPHI_SERVICE_KEY_FILE=str(tmp_path / "key")) as service:
        assert service.client.get(path).status_code == 401
        assert service.client.get(path, headers={"Authorization": "Bearer inner"}).status_code == 200


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
