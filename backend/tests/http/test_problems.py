import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import Unreachable
from extrophi_backend.log import _Fields, event, request_id
from extrophi_backend.settings import Settings

DOCUMENT = {"platform": "files", "external_id": "x", "text": "t"}


async def post(api: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await api.post("/documents", content=body, headers={"Content-Type": "application/json"} | headers)


async def test_every_error_is_a_problem_with_a_code_and_a_hint(api: httpx.AsyncClient) -> None:
    for answer, status, code in (
        (await api.get("/nowhere"), 404, "not_found"),
        (await api.put("/documents"), 405, "method_not_allowed"),
        (await post(api, b"{"), 422, "invalid_json"),
        (await post(api, b'"\xff"'), 422, "invalid_body"),
        (await post(api, b"[" * 100_000), 422, "invalid_body"),
        (await post(api, b"{}"), 422, "invalid_input"),
        (await api.get("/documents/none"), 422, "invalid_input"),
        (await api.get("/documents/00000000-0000-7000-8000-00000000000a"), 404, "not_found"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.json()["hint"]
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": None}, "documents.0.text"),
        ({"platform": "gopher"}, "documents.0.platform"),
        ({"external_id": ""}, "documents.0.external_id"),
        ({"external_id": " "}, "documents.0.external_id"),
        ({"published_at": "yesterday"}, "documents.0.published_at"),
        ({"title": "\0"}, "documents.0.title"),
        ({"collection": ""}, "documents.0.collection"),
    ],
)
async def test_a_wrong_value_is_named_by_its_field(api: httpx.AsyncClient, change: dict, field: str) -> None:
    answer = await api.post("/documents", json={"documents": [DOCUMENT | change]})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await api.get("/documents")).json()["items"] == []


@pytest.mark.parametrize("limit", ["-1", "0", "101", "x"])
async def test_a_limit_out_of_range_is_refused(api: httpx.AsyncClient, limit: str) -> None:
    answer = await api.get("/documents", params={"limit": limit})
    assert (answer.status_code, answer.json()["field"]) == (422, "limit")


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(api: httpx.AsyncClient) -> None:
    async def endless():
        for _ in range(50):
            yield b" " * 1_000_000

    declared = await post(api, b"", **{"Content-Length": "99000000"})
    streamed = await api.post("/documents", content=endless(), headers={"Content-Type": "application/json"})
    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_request_id_comes_back_unless_it_could_do_harm(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health", headers={"X-Request-Id": "mine-1"})).headers["x-request-id"] == "mine-1"
    made = (await api.get("/health", headers={"X-Request-Id": "a b\tc"})).headers["x-request-id"]
    assert " " not in made


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError("x"), asyncpg.DataError("x")])
async def test_a_bug_is_a_problem_with_its_requests_id(
    settings: Settings, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def bug() -> None:
        ids.append(request_id.get())
        raise error

    ids: list[str] = []
    app = create_app(settings)
    app.add_api_route("/bug", bug)
    caplog.handler.setFormatter(_Fields())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as client:
        answer = await client.get("/bug", headers={"X-Request-Id": "mine-1"})
    assert (answer.status_code, answer.json()["code"], ids) == (500, "internal", ["mine-1"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine-1"
    assert "request.failed path=/bug request=mine-1" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("x"), "database_unavailable"),
        (asyncpg.InterfaceError("connection is closed"), "database_unavailable"),
        (asyncpg.DeadlockDetectedError("x"), "busy"),
    ],
)
async def test_what_may_go_better_later_is_503(settings: Settings, error: Exception, code: str) -> None:
    async def away() -> None:
        raise error

    app = create_app(settings)
    app.add_api_route("/away", away)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as client:
        answer = await client.get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert answer.headers["retry-after"]


async def test_a_database_that_is_not_there_is_503(settings: Settings) -> None:
    for address in (
        "postgresql://x@/x?host=/nowhere",
        "postgresql://x@localhost:9/x",
        "postgresql://x@nowhere.invalid/x",
    ):
        app = create_app(settings.model_copy(update={"database_url": SecretStr(address)}))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as client,
        ):
            answer = await client.get("/jobs")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert (await client.get("/health")).status_code == 200


def test_an_event_is_a_line() -> None:
    assert event("x", a=1, b="two words", c='say "x"', d="one\ntwo\x1b") == (
        r'x a=1 b="two words" c="say \"x\"" d="one\ntwo\u001b"'
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:8002"}, 403),
        ({"host": "[::1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
        ({"host": "127.0.0.1:8002", "origin": "http://localhost:5173"}, 200),
        ({"host": "[::1]:8002"}, 200),
        ({"host": "backend:8000"}, 200),
    ],
)
async def test_on_loopback_without_a_key_no_other_site_may_ask(
    api: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    for method, path in (("GET", "/documents"), ("POST", "/documents")):
        body = {"documents": [DOCUMENT]} if method == "POST" else None
        answer = await api.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "foreign_origin"
    assert (await api.get("/health", headers=headers)).status_code == 200
    stored = (await api.get("/documents")).json()["items"]
    assert len(stored) == (status == 200)


async def test_a_look_at_the_head_alone_is_answered(api: httpx.AsyncClient) -> None:
    for path in ("/health", "/ready"):
        assert (await api.head(path)).status_code == (await api.get(path)).status_code
