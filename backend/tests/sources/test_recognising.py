"""What targets are, told before anything is done with them."""

import asyncio
from typing import Any

import httpx

from extrophi_backend.db import Pool
from tests.web_server import WebServer


async def recognise(api: httpx.AsyncClient, *targets: str, **more: Any) -> Any:
    answer = await api.post("/sources/recognise", json={"targets": targets, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_each_platforms_spellings_are_told_apart(api: httpx.AsyncClient) -> None:
    found = await recognise(
        api, "r/selfhosted", "x.com/nasa", "youtu.be/GJLlxj_dtq8", "example.org", "https://example.org/a?utm_source=x"
    )
    assert [(one["platform"], one["target"], one["scope"]) for one in found] == [
        ("reddit", "https://www.reddit.com/r/selfhosted/new/", "page"),
        ("twitter", "https://x.com/nasa", "page"),
        ("youtube", "https://www.youtube.com/watch?v=GJLlxj_dtq8", "page"),
        ("web", "https://example.org/", "site"),
        ("web", "https://example.org/a", "page"),
    ]
    assert all(one["problem"] is None and one["source_id"] is None for one in found)


async def test_what_cannot_be_added_says_why_beside_what_can(api: httpx.AsyncClient) -> None:
    unclear, nothing, private, fine = await recognise(api, "@ida", "what is this?", "http://10.0.0.1/", "r/birds")
    assert unclear["problem"]["code"] == "ambiguous_target"
    assert [one["platform"] for one in unclear["problem"]["choices"]] == ["twitter", "youtube"]
    assert (unclear["platform"], unclear["target"]) == (None, None)
    assert nothing["problem"]["code"] == "invalid_target"
    assert nothing["problem"]["hint"]
    assert private["problem"]["code"] == "forbidden_address"
    assert fine["problem"] is None


async def test_nothing_is_fetched_and_nothing_is_stored(api: httpx.AsyncClient, server: WebServer, pool: Pool) -> None:
    await recognise(api, server.url("/"))
    await asyncio.sleep(0)
    assert not server.requests
    assert await pool.fetchval("SELECT count(*) FROM sources") == 0


async def test_a_target_that_is_a_source_already_names_it_in_its_collection(api: httpx.AsyncClient) -> None:
    made = (await api.post("/sources", json={"target": "http://example.org/feed/", "collect": False})).json()
    here, again, other = await recognise(api, "http://example.org/feed/", "https://www.example.org/feed/", "r/birds")
    assert [here["source_id"], again["source_id"], other["source_id"]] == [made["id"], made["id"], None]
    [elsewhere] = await recognise(api, "http://example.org/feed/", collection="birds")
    assert elsewhere["source_id"] is None


async def test_what_no_request_may_carry_is_refused(api: httpx.AsyncClient) -> None:
    for body in ({"targets": []}, {"targets": ["a"] * 101}, {"targets": [""]}, {"targets": ["\x00"]}, {}):
        assert (await api.post("/sources/recognise", json=body)).status_code == 422, body
