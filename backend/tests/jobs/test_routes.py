"""Jobs over HTTP, with no worker about."""

import json

import httpx
import pytest

from extrophi_backend.db import Connection


async def make(api: httpx.AsyncClient, path: str = "") -> dict:
    answer = await api.post("/jobs", json={"target": f"https://x.example/{path}"})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_jobs_page_newest_first_and_by_status(api: httpx.AsyncClient) -> None:
    made = [(await make(api, str(number)))["id"] for number in range(5)]
    await api.post(f"/jobs/{made[2]}/cancel")
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (await api.get("/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert cursor is None
    canceled = (await api.get("/jobs?status=canceled")).json()["items"]
    assert [one["id"] for one in canceled] == [made[2]]
    assert "indexing" not in canceled[0]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/jobs?cursor=made-up", "cursor"),
        ("/sources?cursor=WyJ4Il0", "cursor"),
        ("/collections?cursor=x", "cursor"),
        ("/embeddings?cursor=WyJ4Il0", "cursor"),
        ("/jobs?limit=-1", "limit"),
        ("/sources?limit=-1", "limit"),
        ("/collections?limit=0", "limit"),
        ("/jobs?status=asleep", "status"),
    ],
)
async def test_what_a_list_cannot_be_asked_is_named(api: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["hint"]


@pytest.mark.parametrize("path", ["/jobs", "/sources"])
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ('{"target": "https://x.example", "limit": -1}', "limit"),
        ('{"target": "https://x.example", "limits": 1}', "limits"),
        ('{"target": "https://x.example/\\u0000"}', "target"),
        ('{"target": "https://x.example/\\ud800"}', "target"),
        ('{"target": "https://x.example", "collection": "\\u0000"}', "collection"),
        (json.dumps({"target": "https://x.example/" + "x" * 2000}), "target"),
        (json.dumps({"target": "https://x.example/" + "鷺" * 300}), "target"),
    ],
)
async def test_what_cannot_be_collected_is_named_and_nothing_is_stored(
    api: httpx.AsyncClient, conn: Connection, path: str, wrong: str, field: str
) -> None:
    answer = await api.post(path, content=wrong, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert await conn.fetchval("SELECT count(*) FROM jobs") == await conn.fetchval("SELECT count(*) FROM sources") == 0


@pytest.mark.parametrize(
    ("last", "told"), [("", 1), ("1", 1), ("2", 0), ("²", 1), ("-1", 1), ("x", 1), ("9" * 30, 1), ("9" * 18, 0)]
)
async def test_a_stream_goes_on_after_the_event_seen_last(api: httpx.AsyncClient, last: str, told: int) -> None:
    job = await make(api)
    await api.post(f"/jobs/{job['id']}/cancel")  # its second revision, and its end
    answer = await api.get(f"/jobs/{job['id']}/events", headers={b"Last-Event-ID": last.encode()})
    assert answer.status_code == 200
    assert answer.text.count("event: job\n") == told
    if told:
        assert answer.text.startswith("id: 2\n")
        assert '"status": "canceled"' in answer.text


async def test_an_unknown_job_is_404(api: httpx.AsyncClient) -> None:
    for path in ("", "/events"):
        answer = await api.get(f"/jobs/00000000-0000-7000-8000-00000000000a{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
