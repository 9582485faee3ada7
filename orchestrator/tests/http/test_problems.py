import asyncio

import httpx
import pytest

from extrophi_orchestrator.log import request_id
from orchestrator.tests.servers import Door, Upstream, read_answer


@pytest.mark.parametrize("path", ["/api/nowhere", "/api", "/nowhere", "/api/documents/%2e%2e", "/api/documents//x"])
async def test_a_path_that_nothing_answers_is_a_problem_with_a_hint(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    told = answer.json()
    assert told["code"] == "not_found"
    assert "/openapi.json" in told["hint"]
    assert told["type"] == "urn:extrophi:problem:not_found"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1", "/v1/%2e%2e/x", "/v1//models"])
async def test_errors_below_v1_have_openais_shape(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}


async def test_a_body_below_v1_that_is_too_large_has_openais_shape(door: Door) -> None:
    async with door.connected() as (reader, writer):
        writer.write(b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000001\r\n\r\n")
        status, _, body = await read_answer(reader)
    assert status == 413
    assert b'"error"' in body


async def test_a_method_that_a_path_does_not_take_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/investigations")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", "POST")
    assert answer.json()["hint"]
    assert (await client.delete("/health")).status_code == 405


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"question": "", "targets": ["x"]}, "question"),
        ({"question": "?", "targets": []}, "targets"),
        ({"question": "?", "targets": ["x"], "limit": -1}, "limit"),
        ({"question": "?" * 8001, "targets": ["x"]}, "question"),
        ({"question": "?", "targets": ["x"], "scope": "world"}, "scope"),
    ],
)
async def test_wrong_input_names_the_field(client: httpx.AsyncClient, body: dict[str, object], field: str) -> None:
    answer = await client.post("/api/investigations", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_half_a_surrogate_pair_is_input_at_fault(client: httpx.AsyncClient, backend: Upstream) -> None:
    answer = await client.post(
        "/api/investigations",
        content=b'{"question": "\\ud800", "targets": ["x"]}',
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert not backend.seen


async def test_a_body_without_end_to_a_route_of_our_own_is_refused_while_it_comes(door: Door) -> None:
    async with door.connected() as (reader, writer), asyncio.timeout(20):
        writer.write(
            b"POST /api/investigations HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(20):
            writer.write(b"%x\r\n%b\r\n" % (65_536, b" " * 65_536))
        status, headers, _ = await read_answer(reader)
    assert (status, headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"null"])
async def test_what_is_no_json_object_is_input_at_fault(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/api/investigations", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/boom", "/v1"])
async def test_a_bug_is_a_problem_with_its_id_that_the_page_may_read(
    door: Door, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async def boom() -> None:
        raise RuntimeError("here")

    door.server.app.router.add_api_route(path, boom)
    headers = {"X-Request-Id": "mine-1", "Origin": "https://reader.example", "Authorization": "Bearer mine"}
    ids: list[str] = []
    caplog.handler.addFilter(lambda _: ids.append(request_id.get()) or True)
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 500
    assert (answer.json()["error"] if path == "/v1" else answer.json())["code"] == "internal"
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "https://reader.example"
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.exc_info
    assert ids[-1] == "mine-1"


async def test_the_page_may_be_framed_by_none(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)
