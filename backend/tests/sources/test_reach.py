"""How far a source reaches, what it missed, and what looking for news costs: over a real database."""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Page, Run
from extrophi_backend.collectors.registry import Registry, make_registry
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.db import Pool
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.http.cursors import write_cursor
from extrophi_backend.jobs import misses
from extrophi_backend.jobs import service as jobs
from extrophi_backend.jobs import sql as jobs_sql
from extrophi_backend.jobs.library import Library
from extrophi_backend.jobs.saving import save
from extrophi_backend.settings import Settings
from extrophi_backend.sources.scheduling import start_due, start_visits
from tests.generated_site import serving_site
from tests.web_server import Reply, WebServer, article, sitemap


def registry_for(settings: Settings, pool: Pool, purpose: Any = "all", revisit: Any = ()) -> Registry:
    """As a worker has it, its collector given a purpose; None: the job's own."""
    registry = make_registry(settings, pool, Accounts(pool, settings), Captures(None, settings.data))
    assert registry.fetcher is not None
    return Registry(registry.recognisers, {"web": Purposeful(registry.fetcher, purpose, revisit)}, (), registry.fetcher)


class Purposeful(WebCollector):
    def __init__(self, fetcher: Fetcher, purpose: Any, revisit: Any) -> None:
        super().__init__(fetcher, max_bytes=1_000_000)
        self._told = {"purpose": purpose, "revisit": revisit} if purpose else {}

    def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        fields = {name: getattr(run, name) for name in Run.__slots__}
        return super().collect(Run(**fields | self._told))


async def run(
    job_id: str, pool: Pool, settings: Settings, folder: Path, *, purpose: Any = "all", revisit: Any = ()
) -> None:
    registry = registry_for(settings, pool, purpose, revisit)
    await jobs.run(jobs.Parts(pool, Captures(None, folder / "captures"), registry, "test", lambda: None), UUID(job_id))
    await registry.close()


async def add(api: httpx.AsyncClient, target: str, **more: Any) -> Any:
    answer = await api.post("/sources", json={"target": target, **more})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


@pytest.mark.parametrize("how", ["resumed", "asked for"])
async def test_a_job_that_is_wanted_again_before_it_was_cancelled_goes_on(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, how: str
) -> None:
    source = await add(api, server.url("/"), scope="page", schedule="1d")
    job_id = UUID(source["last_job"]["id"])
    async with pool.acquire() as conn:
        assert await jobs_sql.take_lease(conn, job_id, "a worker")
    await api.patch(f"/sources/{source['id']}", json={"state": "paused"})
    assert await pool.fetchval("SELECT cancel_requested FROM jobs")
    if how == "resumed":
        await api.patch(f"/sources/{source['id']}", json={"state": "active"})
    else:
        await pool.execute("UPDATE sources SET state = 'active'")
        assert (await api.post(f"/sources/{source['id']}/jobs")).json()["id"] == str(job_id)
    assert not await pool.fetchval("SELECT cancel_requested FROM jobs")


@pytest.mark.parametrize(
    ("target", "more", "scope", "depth"),
    [
        ("https://example.org", {}, "site", 5),
        ("https://example.org/", {"scope": "page"}, "page", None),
        ("https://example.org/?p=1", {}, "page", None),
        ("https://example.org/blog/", {}, "page", None),
        ("https://example.org/blog/", {"scope": "site", "depth": 0}, "site", 0),
        ("https://example.org/blog/", {"scope": "site", "depth": 20}, "site", 20),
    ],
)
async def test_the_front_of_a_site_is_the_site_unless_said_otherwise(
    api: httpx.AsyncClient, target: str, more: dict[str, Any], scope: str, depth: int | None
) -> None:
    made = await add(api, target, **more)
    assert (made["scope"], made["depth"]) == (scope, depth)
    once = (await api.post("/jobs", json={"target": target, **more})).json()
    assert (once["scope"], once["depth"]) == ((scope, depth) if more else ("page", None))
    assert (await api.get(f"/jobs/{made['last_job']['id']}")).json()["scope"] == scope


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "galaxy"}, "scope"),
        ({"scope": "site", "depth": 21}, "depth"),
        ({"scope": "site", "depth": -1}, "depth"),
        ({"scope": "page", "depth": 3}, "depth"),
        ({"target": "/tmp", "scope": "site"}, "target"),  # nothing there may be read
    ],
)
async def test_a_reach_that_is_none_is_refused(api: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    for path in ("/sources", "/jobs"):
        answer = await api.post(path, json={"target": "https://example.org/"} | body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.fixture
def pond(server: WebServer) -> WebServer:
    """A site three steps deep, told by its links alone."""

    def page(title: str, *paths: str) -> Reply:
        linked = " ".join(f"<a href='{path}'>{path}</a>" for path in paths)
        told = (f"{title} has {number} of what a pond has, and more of it in other years." for number in range(5, 9))
        return article(title, *told, f"Read on: {linked}")

    server.pages |= {
        "/": page("The pond", "/birds"),
        "/birds": page("Its birds", "/birds/herons/grey"),
        "/birds/herons/grey": page("The grey heron", "/fish/of/the/heron"),
        "/fish/of/the/heron": page("What it eats"),
    }
    return server


async def next_run(pool: Pool, settings: Settings, folder: Path) -> Any:
    """Run what is due now to its end; gives the job as it was made."""
    now = datetime.now(UTC)
    assert await start_due(pool, now) == 1
    job = await pool.fetchrow("SELECT id, scope, depth, purpose FROM jobs WHERE status = 'queued'")
    assert job is not None
    await run(str(job["id"]), pool, settings, folder, purpose=None)
    return job["scope"], job["depth"], job["purpose"]


async def patch(api: httpx.AsyncClient, source: Any, **change: Any) -> Any:
    answer = await api.patch(f"/sources/{source['id']}", json=change)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def documents_of(api: httpx.AsyncClient, source: Any) -> int:
    return (await api.get(f"/sources/{source['id']}")).json()["documents"]


async def test_a_widened_source_is_looked_at_as_a_whole_at_once(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, pond.url("/"), scope="page")
    await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
    assert await start_due(pool, datetime.now(UTC)) == 0
    for depth, found in ((1, 2), (2, 3), (3, 4)):
        # From the second time on there is a memo of where the site tells its news: it must not do.
        seen = await patch(api, source, scope="site", depth=depth)
        assert (seen["scope"], seen["depth"]) == ("site", depth)
        assert datetime.fromisoformat(seen["next_run_at"]) <= datetime.now(UTC)
        assert await next_run(pool, settings, tmp_path) == ("site", depth, "all")
        assert await documents_of(api, source) == found
        assert await start_due(pool, datetime.now(UTC)) == 0
        await pool.execute("UPDATE sources SET next_run_at = now()")
        assert await next_run(pool, settings, tmp_path) == ("site", depth, "new")


async def test_a_source_that_is_asked_for_is_looked_at_as_a_whole_once_it_was_widened(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, pond.url("/"), scope="page", schedule="never")
    await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
    assert (await patch(api, source, scope="site"))["next_run_at"] is None
    for purpose in ("all", "new"):
        job = (await api.post(f"/sources/{source['id']}/jobs")).json()
        assert (job["scope"], job["depth"], job["purpose"]) == ("site", 5, purpose)
        await run(job["id"], pool, settings, tmp_path, purpose=None)
        assert await documents_of(api, source) == 4


async def test_a_job_that_has_begun_goes_on_as_it_was_begun_and_the_whole_comes_after_it(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, pond.url("/"), scope="page")
    job_id = source["last_job"]["id"]
    await pool.execute("UPDATE jobs SET cursor = '{}'")  # given back, after a page
    await patch(api, source, scope="site", depth=1)
    job = (await api.get(f"/jobs/{job_id}")).json()
    assert (job["status"], job["scope"], job["depth"]) == ("queued", "page", None)
    assert await start_due(pool, datetime.now(UTC)) == 0
    await run(job_id, pool, settings, tmp_path, purpose=None)
    assert await documents_of(api, source) == 1
    assert await next_run(pool, settings, tmp_path) == ("site", 1, "all")
    assert await documents_of(api, source) == 2


async def test_a_job_that_waits_takes_the_reach_that_its_source_has_by_then(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, pond.url("/"), scope="page")
    await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
    waiting = (await api.post(f"/sources/{source['id']}/jobs")).json()
    assert (waiting["scope"], waiting["purpose"]) == ("page", "new")
    await patch(api, source, scope="site", depth=1)
    job = (await api.get(f"/jobs/{waiting['id']}")).json()
    assert (job["scope"], job["depth"], job["purpose"]) == ("site", 1, "all")
    await run(waiting["id"], pool, settings, tmp_path, purpose=None)
    assert await documents_of(api, source) == 2
    assert await start_due(pool, datetime.now(UTC)) == 0  # that was the look at the whole


async def test_a_site_that_was_begun_and_is_only_a_page_now_is_not_gone_on_with(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    source = await add(api, pond.url("/"))
    job_id = UUID(source["last_job"]["id"])
    registry = registry_for(settings, pool)
    parts = jobs.Parts(pool, Captures(None, tmp_path / "captures"), registry, "test", lambda: None)
    async with pool.acquire() as conn:
        lease = await jobs_sql.take_lease(conn, job_id, "test")
        assert lease is not None
        assert not await some_pages(parts, lease, 1)
        await patch(api, source, scope="page")  # while it runs
        await jobs_sql.release(conn, lease, timedelta(), None)
    await registry.close()
    assert await pool.fetchval("SELECT count(*) FROM frontier WHERE state = 'waiting'") > 0
    pond.requests.clear()
    await run(str(job_id), pool, settings, tmp_path, purpose=None)
    assert set(pond.requests) <= {"/", "/robots.txt"}
    job = (await api.get(f"/jobs/{job_id}")).json()
    assert (job["status"], job["scope"], job["depth"]) == ("succeeded", "page", None)
    assert await pool.fetchval("SELECT count(*) FROM frontier") == 0


async def test_a_narrowed_source_keeps_its_documents_and_tries_no_more_what_it_missed(
    api: httpx.AsyncClient, pond: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    pond.pages["/birds/herons/grey"] = Reply("", 403)
    source = await add(api, pond.url("/"))
    await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
    before = (await api.get(f"/sources/{source['id']}")).json()
    path = f"/sources/{source['id']}/misses"
    assert len((await api.get(path)).json()["items"]) == 1
    again = (await api.post(f"/sources/{source['id']}/jobs")).json()
    less = await patch(api, source, depth=2)
    assert (less["depth"], less["next_run_at"]) == (2, before["next_run_at"])
    seen = await patch(api, source, scope="page")
    assert (seen["scope"], seen["depth"], seen["documents"]) == ("page", None, 2)
    assert seen["next_run_at"] == before["next_run_at"]
    assert (await api.get(path)).json()["items"] == []
    pond.requests.clear()
    await run(again["id"], pool, settings, tmp_path, purpose=None)  # as narrow as the source
    assert set(pond.requests) <= {"/", "/robots.txt"}
    await pool.execute("UPDATE sources SET next_run_at = now()")
    pond.requests.clear()
    assert await next_run(pool, settings, tmp_path) == ("page", None, "new")
    assert set(pond.requests) <= {"/", "/robots.txt"}
    assert await documents_of(api, source) == 2


@pytest.mark.parametrize(
    ("made", "change", "field"),
    [
        ({"scope": "page"}, {"depth": 3}, "depth"),
        ({"scope": "site"}, {"scope": "page", "depth": 3}, "depth"),
        ({"scope": "site"}, {"depth": 21}, "depth"),
        ({"scope": "site"}, {"depth": "3"}, "depth"),
        ({"scope": "page"}, {"scope": "galaxy"}, "scope"),
        ({"scope": "page", "platform": "files"}, {"scope": "site"}, "scope"),
    ],
)
async def test_a_reach_that_is_none_is_not_changed_to(
    api: httpx.AsyncClient, pool: Pool, made: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    source = await add(api, "https://example.org/", scope=made["scope"])
    if platform := made.get("platform"):
        await pool.execute("UPDATE sources SET platform = $1", platform)
    answer = await api.patch(f"/sources/{source['id']}", json={"title": "Another"} | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    seen = (await api.get(f"/sources/{source['id']}")).json()
    assert [seen[name] for name in ("scope", "depth", "title")] == [source["scope"], source["depth"], ""]


async def test_what_was_missed_is_noted_tried_when_due_and_forgotten_when_it_is_had(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    paths = ("/one", "/dead", "/broken")
    server.pages |= {"/one": article("One"), "/broken": Reply("", 500)}
    server.pages["/map.xml"] = sitemap(*map(server.url, paths))
    source = await add(api, server.url("/map.xml"))
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    noted = await pool.fetch("SELECT target, code, tries, next_try_at - tried_at AS wait FROM misses ORDER BY target")
    assert [(row["target"], row["code"], row["tries"]) for row in noted] == [
        (server.url("/broken"), "http_500", 1),
        (server.url("/dead"), "http_404", 1),
    ]
    assert [row["wait"].total_seconds() for row in noted] == [3600, 7 * 86_400]
    path = f"/sources/{source['id']}/misses"
    page = (await api.get(path, params={"limit": 1})).json()
    rest = (await api.get(path, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    shown = [(one["target"], one["state"], one["reason"]["code"]) for one in page["items"] + rest["items"]]
    assert shown == [
        (server.url("/broken"), "failed", "http_500"),
        (server.url("/dead"), "gone", "http_404"),
    ]
    assert rest["next_cursor"] is None
    assert (await api.get(path, params={"cursor": "WyJcdTAwMDAiXQ"})).status_code == 422  # NUL
    assert (await api.get("/sources/01a21bb7-6191-7556-9410-c30841c950e9/misses")).status_code == 404

    async def look() -> dict[str, int]:
        server.requests.clear()
        job = (await api.post(f"/sources/{source['id']}/jobs")).json()
        await run(job["id"], pool, settings, tmp_path, purpose="new")
        return {path: count for path, count in server.requests.items() if path != "/robots.txt"}

    assert await look() == {"/map.xml": 1}
    await pool.execute("UPDATE misses SET next_try_at = now() WHERE code = 'http_500'")
    assert (await look())["/broken"] == 3  # a server's error is asked about thrice
    assert await pool.fetchval("SELECT extract(hour FROM next_try_at - tried_at) FROM misses WHERE tries = 2") == 4
    server.pages["/broken"] = article("Mended")
    await pool.execute("UPDATE misses SET next_try_at = now() WHERE code = 'http_500'")
    assert await look() == {"/map.xml": 1, "/broken": 1}
    assert [row["target"] for row in await pool.fetch("SELECT target FROM misses")] == [server.url("/dead")]
    listed, server.pages["/map.xml"] = server.pages["/map.xml"], Reply("", 500)
    assert set(await look()) == {"/map.xml"}
    seen = (await api.get(f"/sources/{source['id']}")).json()
    assert (seen["state"], seen["reason"]["code"]) == ("failed", "http_500")
    # The source's own target is no miss: it is tried again when the source is, and by that clock alone.
    assert await pool.fetchval("SELECT count(*) FROM misses") == 1
    server.pages["/map.xml"] = listed
    assert await look() == {"/map.xml": 1}
    assert [row["target"] for row in await pool.fetch("SELECT target FROM misses")] == [server.url("/dead")]
    await pool.execute("UPDATE misses SET target = $1", spaced := "/Screenshot 9.41\u202fAM.png")
    (only,) = (await api.get(path, params={"limit": 1})).json()["items"]
    assert only["target"] == spaced
    beyond = write_cursor(spaced)
    assert (await api.get(path, params={"cursor": beyond})).json()["items"] == []


async def test_what_no_listing_names_any_more_is_forgotten_after_a_while(pool: Pool, api: httpx.AsyncClient) -> None:
    source = await add(api, "https://example.org/a", collect=False)
    for days, target in ((61, "old"), (59, "young")):
        await pool.execute(
            """INSERT INTO misses (source_id, target, code, detail, next_try_at)
               VALUES ($1, $2, 'x', '', now() - $3 * interval '1 day')""",
            UUID(source["id"]),
            target,
            days,
        )
    async with pool.acquire() as conn:
        await misses.prune(conn)
    assert [row["target"] for row in await pool.fetch("SELECT target FROM misses")] == ["young"]


async def test_a_revisit_looks_at_the_documents_it_is_given_and_at_nothing_else(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    paths = [f"/{number}" for number in range(6)]
    server.pages |= {path: article(f"Story {path}") for path in paths}
    server.pages["/map.xml"] = sitemap(*map(server.url, paths))
    source = await add(api, server.url("/map.xml"))
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    server.requests.clear()
    server.bodies.clear()
    del server.pages["/3"]
    server.pages["/4"] = article("Another story")
    job = (await api.post(f"/sources/{source['id']}/jobs")).json()
    due = [server.url(path) for path in ("/1", "/3", "/4")]
    await run(job["id"], pool, settings, tmp_path, purpose="revisit", revisit=due)
    assert {path for path in server.requests if path != "/robots.txt"} == {"/1", "/3", "/4"}
    assert "/1" not in server.bodies  # it was asked for conditionally
    done = (await api.get(f"/jobs/{job['id']}")).json()
    assert (done["progress"]["unchanged"], done["progress"]["updated"]) == (1, 1)
    gone = await pool.fetch("SELECT external_id FROM documents WHERE state = 'gone'")
    assert [row["external_id"] for row in gone] == [server.url("/3")]


async def test_a_revisit_asks_robots_of_all_but_what_a_person_typed(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    names = ("/found", "/once", "/source", "/led-to")
    server.pages |= {name: article(f"Story {name}") for name in names}
    server.pages["/short"] = Reply(status=301, headers={"Location": "/led-to"})
    server.pages["/map.xml"] = sitemap(*(server.url(name) for name in names))
    for name in ("/once", "/short"):
        job = (await api.post("/jobs", json={"target": server.url(name)})).json()
        await run(job["id"], pool, settings, tmp_path, purpose=None)
    for name in ("/source", "/map.xml"):
        source = await add(api, server.url(name), scope="page")
        await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
        if name == "/source":  # what a person typed once, they typed
            await api.delete(f"/sources/{source['id']}")
    server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", media_type="text/plain")
    server.requests.clear()
    for first in names:  # whichever of them comes first in its job
        await pool.execute("UPDATE documents SET next_visit_at = now(), cited_at = NULL, state = 'collected'")
        await pool.execute("UPDATE documents SET cited_at = now() WHERE external_id = $1", server.url(first))
        await pool.execute("DELETE FROM budgets")
        assert await start_visits(pool, datetime.now(UTC) + timedelta(seconds=1), 2000) == 4
        job_id = await pool.fetchval("SELECT id FROM jobs WHERE status = 'queued'")
        await run(str(job_id), pool, settings, tmp_path, purpose=None)
        rows = await pool.fetch("SELECT external_id, state FROM documents")
        states = {row["external_id"]: row["state"] for row in rows}
        assert states == {server.url(name): "blocked" if name == "/found" else "collected" for name in names}
    assert server.requests["/found"] == 0
    assert server.requests["/once"] == server.requests["/source"] == server.requests["/led-to"] == 4


async def test_a_visit_that_waits_leaves_out_what_was_paused_or_deleted_meanwhile(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    sources: dict[str, Any] = {}
    for name in ("/kept", "/paused", "/deleted"):
        server.pages[name] = article(f"Story {name}")
        sources[name] = await add(api, server.url(name))
        await run(sources[name]["last_job"]["id"], pool, settings, tmp_path, purpose=None)
    await pool.execute("UPDATE documents SET next_visit_at = now()")
    assert await start_visits(pool, datetime.now(UTC) + timedelta(seconds=1), 2000) == 3
    await patch(api, sources["/paused"], state="paused")
    deleted = await pool.fetchval("SELECT id FROM documents WHERE external_id = $1", server.url("/deleted"))
    await api.delete(f"/documents/{deleted}")
    server.requests.clear()
    job_id = await pool.fetchval("SELECT id FROM jobs WHERE purpose = 'revisit'")
    await run(str(job_id), pool, settings, tmp_path, purpose=None)
    assert {path for path in server.requests if path != "/robots.txt"} == {"/kept"}
    assert await pool.fetchval("SELECT count(*) FROM documents") == 2


async def test_a_source_of_which_nothing_can_be_had_says_so_until_something_can(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    paths = ("/one", "/two")
    server.pages |= {path: Reply("", 403) for path in paths}
    server.pages["/map.xml"] = sitemap(*map(server.url, paths))
    source = await add(api, server.url("/map.xml"), schedule="6h")

    async def look() -> tuple[str, str | None, bool]:
        job = (await api.post(f"/sources/{source['id']}/jobs")).json()
        await run(job["id"], pool, settings, tmp_path, purpose=None)
        seen = (await api.get(f"/sources/{source['id']}")).json()
        return seen["state"], (seen["reason"] or {}).get("code"), seen["next_run_at"] is not None

    assert await look() == ("blocked", "http_403", True)
    await pool.execute("UPDATE sources SET health = 'rate_limited', reason = NULL")  # as while a job waited
    server.requests.clear()
    assert await look() == ("blocked", "http_403", True)
    assert not server.requests["/one"]  # it is not due
    server.pages["/two"] = article("Two")
    await pool.execute("UPDATE misses SET next_try_at = now()")
    assert await look() == ("collected", None, True)
    assert await look() == ("unchanged", None, True)
    assert len((await api.get(f"/sources/{source['id']}/misses")).json()["items"]) == 1


async def test_the_target_of_a_source_is_tried_again_by_its_sources_clock_alone(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    server.pages["/"] = Reply("", 403)
    for scope in ("page", "site"):
        source = await add(api, server.url("/"), scope=scope, collection=scope)
        await run(source["last_job"]["id"], pool, settings, tmp_path, purpose=None)
        seen = (await api.get(f"/sources/{source['id']}")).json()
        assert (seen["state"], seen["reason"]["code"]) == ("blocked", "http_403")
        assert (await api.get(f"/sources/{source['id']}/misses")).json()["items"] == []
        assert datetime.fromisoformat(seen["next_run_at"]) < datetime.now(UTC) + timedelta(days=2)


async def test_an_entry_that_its_listing_says_to_have_changed_is_looked_at_once(
    api: httpx.AsyncClient, server: WebServer, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    def listed(*days: int) -> Reply:
        told = "".join(
            f"<url><loc>{server.url(f'/{n}')}</loc><lastmod>2026-01-{day:02}</lastmod></url>"
            for n, day in enumerate(days)
        )
        return Reply(f"<?xml version='1.0'?><urlset>{told}</urlset>", media_type="text/xml")

    server.pages |= {f"/{number}": article(f"Story {number}") for number in range(3)}
    server.pages["/map.xml"] = listed(1, 1, 1)
    source = await add(api, server.url("/map.xml"))
    await run(source["last_job"]["id"], pool, settings, tmp_path)
    server.pages["/map.xml"] = listed(1, 2, 2)
    server.pages["/2"] = article("Another story")
    for expected in ({"/map.xml": 1, "/1": 1, "/2": 1}, {"/map.xml": 1}):
        server.requests.clear()
        job = (await api.post(f"/sources/{source['id']}/jobs")).json()
        await run(job["id"], pool, settings, tmp_path, purpose="new")
        assert {path: count for path, count in server.requests.items() if path != "/robots.txt"} == expected


async def test_a_site_whose_runs_end_anywhere_is_collected_as_by_one(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    """The lease is dropped without a word, as by a worker that is killed: what was not saved is done again."""
    rng = random.Random(5)
    with serving_site(45) as site:
        source = await add(api, site.url("/"), limit=10_000)
        job_id = UUID(source["last_job"]["id"])
        registry = registry_for(settings, pool)
        parts = jobs.Parts(pool, Captures(None, tmp_path / "captures"), registry, "test", lambda: None)
        ended = False
        while not ended:
            async with pool.acquire() as conn:
                lease = await jobs_sql.take_lease(conn, job_id, "test")
            assert lease is not None
            ended = await some_pages(parts, lease, rng.randint(1, 5))
            await pool.execute("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = $1", job_id)
        await jobs.run(parts, job_id)
        await registry.close()
        job = (await api.get(f"/jobs/{job_id}")).json()
        assert (job["status"], job["progress"]["failed"]) == ("partial", 1), job  # a link that leads nowhere
        posts = "SELECT external_id FROM documents WHERE external_id LIKE '%/post/%' ORDER BY external_id COLLATE \"C\""
        assert [row["external_id"] for row in await pool.fetch(posts)] == site.articles
        assert await pool.fetchval("SELECT count(*) FROM frontier") == 0
        assert await pool.fetchval("SELECT count(*) FROM frontier_patterns") == 0
        left = job["left_out"]  # a person is told
        assert left["count"] > sum(one["count"] for one in left["examples"]) > 0
        assert not {one["target"] for one in left["examples"]} & {*site.articles}
        assert {trap: len(pages) for trap, pages in site.asked.items() if len(pages) > 20} == {}


async def some_pages(parts: jobs.Parts, lease: Any, most: int) -> bool:
    """Save some pages of a job, and leave the next one where it is. Whether that was all."""

    async def suspect(target: str) -> None:
        """Nothing here is to be blamed."""

    known = Library(parts.pool, lease.platform, lease.id, lease.source_id)
    target = parts.registry.recognise(lease.typed)
    run = Run(target, lease.document_limit, lease.cursor, known, suspect, scope=lease.scope, depth=lease.depth)
    async with aclosing(parts.registry.collectors["web"].collect(run)) as pages:
        async for page in pages:
            if most == 0:
                return False
            most -= 1
            await save(parts.pool, parts.captures, lease, page)
    return True


async def test_a_cancelled_jobs_frontier_is_forgotten(api: httpx.AsyncClient, pool: Pool, server: WebServer) -> None:
    source = await add(api, server.url("/"))
    job_id = source["last_job"]["id"]
    await pool.execute(
        """INSERT INTO frontier (job_id, key, url, rank, position, depth, state)
           VALUES ($1, '\\x01', 'u', 0, 0, 0, 'waiting')""",
        UUID(job_id),
    )
    await jobs.prune(pool)
    assert await pool.fetchval("SELECT count(*) FROM frontier") == 1
    await api.post(f"/jobs/{job_id}/cancel")
    await jobs.prune(pool)
    assert await pool.fetchval("SELECT count(*) FROM frontier") == 0


async def test_a_source_says_that_its_robots_cannot_be_read_and_is_tried_again(
    api: httpx.AsyncClient, pool: Pool, server: WebServer, settings: Settings, tmp_path: Path
) -> None:
    """Its front is had at every look: that must not let the job wait for ever, nor make the source a good one."""
    server.pages["/"] = article("The front")
    server.pages["/robots.txt"] = Reply("", 503, headers={"Retry-After": "60"})
    source = await add(api, server.url("/"))
    job_id = source["last_job"]["id"]
    statuses: list[str] = []
    while not statuses or statuses[-1] == "queued":
        await pool.execute("UPDATE jobs SET run_after = now() WHERE id = $1", UUID(job_id))
        await run(job_id, pool, settings, tmp_path, purpose=None)
        statuses.append((await api.get(f"/jobs/{job_id}")).json()["status"])
    assert statuses == ["queued", "queued", "failed"]
    job = (await api.get(f"/jobs/{job_id}")).json()
    assert (job["error"]["code"], job["progress"]["created"]) == ("robots_unreachable", 1)
    seen = (await api.get(f"/sources/{source['id']}")).json()
    assert (seen["state"], seen["reason"]["code"]) == ("failed", "robots_unreachable")
    assert "own addresses" in seen["reason"]["hint"]
    wait = datetime.fromisoformat(seen["next_run_at"]) - datetime.now(UTC)
    assert 13 < wait.total_seconds() / 60 < 17
    assert server.requests["/"] == 1
    server.pages["/robots.txt"] = Reply("", 404)
    await pool.execute("UPDATE sources SET next_run_at = now()")
    await next_run(pool, settings, tmp_path)
    assert (await api.get(f"/sources/{source['id']}")).json()["state"] == "unchanged"
