"""What bad input gets: a 4xx that names the field, never a 5xx."""

import pytest

from extrophi_research.log import request_id

ASKED = {"query": "herons"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "  \n "}, "query"),
        ({"query": "x" * 8001}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": 7}, "query"),
        ({"query": "-birds -exclusions"}, "query"),
        ({"query": '"'}, "query"),
        (ASKED | {"limit": -1}, "limit"),
        (ASKED | {"limit": 101}, "limit"),
        (ASKED | {"limit": "ten"}, "limit"),
        (ASKED | {"mode": "magic"}, "mode"),
        (ASKED | {"filters": {"platforms": "web"}}, "filters.platforms"),
        (ASKED | {"filters": {"job_ids": ["not an id"]}}, "filters.job_ids.0"),
        (ASKED | {"filters": {"published_after": "yesterday"}}, "filters.published_after"),
        (ASKED | {"filters": {"published_after": "9999-12-31T23:59:59-23:00"}}, "filters.published_after"),
        (ASKED | {"filters": {"published_before": "0001-01-01T00:00:00+23:00"}}, "filters.published_before"),
        (ASKED | {"filters": {"platform": ["web"]}}, "filters.platform"),
        (ASKED | {"modus": "vector"}, "modus"),
    ],
)
async def test_bad_input_is_a_422_that_names_the_field(research, body, field):
    answer = await research.client.post("/search", json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["field"] == field
    assert problem["code"]
    assert problem["hint"]


@pytest.mark.parametrize(
    "content", [b"not json", b'{"query": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b'{"query": "x", "limit": 1e999}']
)
async def test_a_body_that_cannot_be_read_is_a_4xx(research, content):
    answer = await research.client.post("/search", content=content, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_large_is_refused(research):
    answer = await research.client.post("/search", content=b"x" * 1_000_001)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


async def test_any_query_is_served(research, library):
    await library.add("Herons stand in the shallows.", title="herons")
    for query in ('"', '""', "- -", '"unclosed', "C++ AND (OR) NOT *?~^:/\\", "𓂀", "🙂", "x" * 8000, "+", "a:b"):
        answer = await research.client.post("/search", json={"query": query})
        assert answer.status_code in {200, 422}, query


async def test_a_database_that_is_away_is_a_503_that_says_when_to_try_again(start_research, tmp_path):
    async with start_research("postgresql://nobody@127.0.0.1:9/none", tmp_path) as research:
        answer = await research.client.post("/search", json=ASKED)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert (await research.client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:8001"}, 403),
        ({"host": "[::1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
        ({"host": "127.0.0.1:8001", "origin": "http://localhost:5173"}, 200),
        ({"host": "[::1]:8001"}, 200),
        ({"host": "research:8000"}, 200),
    ],
)
async def test_on_loopback_without_a_key_no_other_site_may_ask(research, headers, status):
    answer = await research.client.post("/search", json=ASKED, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "foreign_origin"
        assert (await research.client.get("/health", headers=headers)).status_code == 200


async def test_with_a_service_key_any_name_will_do(start_research, database, tmp_path):
    async with start_research(database, tmp_path, EXTROPHI_SERVICE_KEY="key") as research:
        headers = {"host": "research.example", "authorization": "Bearer key"}
        assert (await research.client.post("/search", json=ASKED, headers=headers)).status_code == 200


async def test_a_fault_of_ours_has_the_requests_id_in_the_reply_and_in_the_log(research, caplog, monkeypatch):
    async def fail():
        raise LookupError("nobody thought of it")

    research.app.add_api_route("/fail", fail)
    logged = []
    monkeypatch.setattr(caplog.handler, "emit", lambda record: logged.append((record.getMessage(), request_id.get())))
    answer = await research.client.get("/fail", headers={"x-request-id": "mine"})
    assert (answer.status_code, answer.json()["code"], answer.headers["x-request-id"]) == (500, "internal", "mine")
    assert logged == [("request.failed path=/fail", "mine")]


async def test_without_the_service_key_nothing_but_health_answers(start_research, database, tmp_path):
    async with start_research(database, tmp_path, EXTROPHI_SERVICE_KEY="key") as research:
        assert (await research.client.post("/search", json=ASKED)).status_code == 401
        entered = await research.client.post("/search", json=ASKED, headers={"authorization": "Bearer key"})
        assert entered.status_code == 200
        assert (await research.client.get("/metrics")).status_code == 200
