"""Sources over HTTP, and their jobs run by hand."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.registry import make_registry
from extrophi_backend.db import Pool
from extrophi_backend.errors import NotFound
from extrophi_backend.jobs import service as jobs
from extrophi_backend.settings import Settings
from extrophi_backend.sources import service
from tests.web_server import Reply, WebServer, article, sitemap


async def run(job_id: str, pool: Pool, settings: Settings, folder: Path) -> None:
    captures = Captures(None, folder / "captures")
    registry = make_registry(settings, pool, Accounts(pool, settings), captures)
    parts = jobs.Parts(pool, captures, registry, "test", lambda: None)
    await jobs.run(parts, UUID(job_id))
    await registry.close()


async def add(api: httpx.AsyncClient, target: str, **more: Any) -> Any:
    answer = await api.post("/sources", json={"target": target, **more})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def test_all_spellings_of_a_target_are_one_source(api: httpx.AsyncClient) -> None:
    first = await api.post("/sources", json={"target": "https://Example.org?utm_source=x"})
    again = await api.post("/sources", json={"target": "example.org"})
    other = await api.post("/sources", json={"target": "example.org", "collection": "birds"})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 201]
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert first.json()["target"] == "https://example.org/"
    assert [one["collection"] for one in (await api.get("/sources")).json()["items"]] == ["birds", "default"]


async def test_a_source_is_collected_by_one_job_at_a_time(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, server.url("/"), scope="page")
    assert source["last_job"]["status"] == "queued"
    asked = await asyncio.gather(*(api.post(f"/sources/{source['id']}/jobs") for _ in range(4)))
    assert {answer.json()["id"] for answer in asked} == {source["last_job"]["id"]}
    await run(source["last_job"]["id"], pool, settings, tmp_path)

    seen = (await api.get(f"/sources/{source['id']}")).json()
    assert seen["documents"] == 1
    assert seen["last_job"]["status"] == "succeeded"
    following = (await api.post(f"/sources/{source['id']}/jobs")).json()
    assert following["id"] != source["last_job"]["id"]
    assert following["source_id"] == source["id"]
    await run(following["id"], pool, settings, tmp_path)
    assert (await api.get(f"/jobs/{following['id']}")).json()["progress"]["unchanged"] == 1
    assert server.bodies["/"] == 1


async def test_what_was_collected_before_is_a_sources_own_once_it_has_looked(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    server.pages |= {path: article(path) for path in ("/1", "/2")}
    server.pages["/list.xml"] = sitemap(server.url("/1"), server.url("/2"))
    once = (await api.post("/jobs", json={"target": server.url("/list.xml")})).json()
    await run(once["id"], pool, settings, tmp_path)
    source = await add(api, server.url("/list.xml"), collection="birds")
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    assert (await api.get(f"/sources/{source['id']}")).json()["documents"] == 2
    assert len((await api.get("/documents?collection=birds")).json()["items"]) == 2
    assert (server.bodies["/1"], server.bodies["/2"]) == (1, 1)
    # From now on it looks for what is new, which costs one request.
    server.requests.clear()
    again = (await api.post(f"/sources/{source['id']}/jobs")).json()
    await run(again["id"], pool, settings, tmp_path)
    assert server.requests == {"/list.xml": 1}


async def test_a_source_that_was_not_to_be_collected_has_no_job(api: httpx.AsyncClient) -> None:
    assert (await add(api, "example.org", collect=False))["last_job"] is None


async def test_deleting_a_source_keeps_its_documents_and_cancels_its_job(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, server.url("/"))
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    waiting = (await api.post(f"/sources/{source['id']}/jobs")).json()
    assert (await api.delete(f"/sources/{source['id']}")).status_code == 204
    assert (await api.get(f"/sources/{source['id']}")).status_code == 404
    assert (await api.delete(f"/sources/{source['id']}")).status_code == 404
    job = (await api.get(f"/jobs/{waiting['id']}")).json()
    assert (job["status"], job["source_id"]) == ("canceled", None)
    assert len((await api.get("/documents")).json()["items"]) == 1


async def test_a_source_can_be_renamed_paused_and_limited(api: httpx.AsyncClient) -> None:
    source = await add(api, "example.org")
    changed = (await api.patch(f"/sources/{source['id']}", json={"title": "Birds", "state": "paused"})).json()
    assert (changed["title"], changed["state"], changed["limit"]) == ("Birds", "paused", 100)
    assert (await api.patch(f"/sources/{source['id']}", json={"limit": 7})).json()["limit"] == 7
    for wrong in ({"state": "asleep"}, {"limit": 0}, {"limit": "7"}, {"platform": "files"}, {"title": "\ud800"}):
        body = str(wrong).replace("'", '"').encode("ascii", "backslashreplace")
        answer = await api.patch(f"/sources/{source['id']}", content=body)
        assert answer.status_code == 422, wrong
    assert [one["id"] for one in (await api.get("/sources?state=paused")).json()["items"]] == [source["id"]]
    assert (await api.get("/sources?state=active")).json()["items"] == []


async def test_a_source_may_come_with_its_title(api: httpx.AsyncClient) -> None:
    assert (await add(api, "example.org", title="Birds"))["title"] == "Birds"
    assert (await add(api, "example.org", title="Fish"))["title"] == "Birds"  # it was there already


async def test_a_paused_source_is_not_collected(api: httpx.AsyncClient) -> None:
    source = await add(api, "example.org", collect=False)
    await api.patch(f"/sources/{source['id']}", json={"state": "paused"})
    answer = await api.post(f"/sources/{source['id']}/jobs")
    assert (answer.status_code, answer.json()["code"]) == (409, "source_paused")
    assert answer.json()["hint"]
    await api.patch(f"/sources/{source['id']}", json={"state": "active"})
    assert (await api.post(f"/sources/{source['id']}/jobs")).status_code == 202


async def test_a_source_deleted_just_before_its_job_is_made_is_unknown(api: httpx.AsyncClient, pool: Pool) -> None:
    source = await add(api, "example.org", collect=False)
    async with pool.acquire() as conn:
        found = await service.get(conn, UUID(source["id"]))
        await api.delete(f"/sources/{source['id']}")
        with pytest.raises(NotFound):
            await service.collect_now(conn, found)


async def test_sources_page_by_cursor(api: httpx.AsyncClient) -> None:
    for number in range(5):
        await add(api, f"example.org/{number}", collect=False)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (await api.get("/sources", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [one["target"][-1] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["4", "3", "2", "1", "0"]
    assert cursor is None
    assert (await api.get("/sources?cursor=made-up")).status_code == 422


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("", "invalid_input"),
        ("two words", "invalid_target"),
        ("http://10.0.0.1/", "forbidden_address"),
        ("https://x.org:99999/", "invalid_target"),
        ("ftp://x.org/", "invalid_target"),
        ("x" * 9000, "invalid_input"),
    ],
)
async def test_a_bad_target_is_refused_by_name_and_nothing_is_stored(
    api: httpx.AsyncClient, target: str, code: str
) -> None:
    for path in ("/sources", "/jobs"):
        answer = await api.post(path, json={"target": target})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["field"] == "target"
    assert (await api.get("/sources")).json()["items"] == []
    assert (await api.get("/jobs")).json()["items"] == []


async def test_a_page_that_never_lets_us_in_is_one_failure_of_the_job(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    server.pages["/one"] = article("One")
    server.pages["/sitemap.xml"] = sitemap(server.url("/one"), server.url("/busy"))

    server.pages["/busy"] = Reply("", 429, headers={"Retry-After": "90"})
    job = (await api.post("/jobs", json={"target": server.url("/sitemap.xml")})).json()
    await run(job["id"], pool, settings, tmp_path)
    seen = (await api.get(f"/jobs/{job['id']}")).json()
    assert (seen["status"], seen["progress"]["created"]) == ("queued", 1)
    assert seen["error"]["code"] == "platform_unavailable"
    assert seen["run_after"] > seen["started_at"]
    for _ in range(25):
        await pool.execute("UPDATE jobs SET run_after = now()")
        await run(job["id"], pool, settings, tmp_path)
    seen = (await api.get(f"/jobs/{job['id']}")).json()
    assert (seen["status"], seen["progress"]["created"]) == ("partial", 1)
    assert [one["code"] for one in seen["failures"]] == ["rate_limited"]
    assert len((await api.get("/documents")).json()["items"]) == 1


async def test_platforms_say_what_they_collect(api: httpx.AsyncClient) -> None:
    platforms = {one["platform"]: one for one in (await api.get("/platforms")).json()["items"]}
    assert set(platforms) == {"web", "files", "twitter", "youtube", "reddit"}
    assert platforms["web"]["available"]
    assert not platforms["files"]["available"]  # no roots are set
    assert "uploads" in platforms["files"]["hint"]
