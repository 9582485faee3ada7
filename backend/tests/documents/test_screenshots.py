"""How a browser showed a page: kept with its version, sent as safely as a capture, and gone with its document."""

from dataclasses import replace
from pathlib import Path

import httpx

from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Capture, Collected
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links, Saved

FIRST, SECOND = (Capture(b"RIFF....WEBP" + name, "image/webp") for name in (b"first", b"second"))
PAGE = Collected("web", "https://site.example/", "Text.", capture=Capture(b"<p>Text.", "text/html"), screenshot=FIRST)


async def save(pool: Pool, folder: Path, page: Collected) -> Saved:
    prepared = await documents.prepare(pool, Captures(None, folder / "captures"), [page])
    async with pool.acquire() as conn, conn.transaction():
        (saved,) = await documents.write(conn, prepared, Links())
    return saved


def kept(folder: Path) -> int:
    return len([path for path in (folder / "captures").rglob("*") if path.is_file()])


async def test_a_screenshot_is_sent_so_that_a_browser_runs_nothing_of_it(
    api: httpx.AsyncClient, pool: Pool, tmp_path: Path
) -> None:
    saved = await save(pool, tmp_path, PAGE)
    answer = await api.get(f"/documents/{saved.id}/screenshot")
    assert answer.content == FIRST.body
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await api.get(f"/documents/{saved.id}")).json()["has_screenshot"] is True
    assert (await api.get("/documents")).json()["items"][0]["has_screenshot"] is True


async def test_each_version_has_its_own(api: httpx.AsyncClient, pool: Pool, tmp_path: Path) -> None:
    saved = await save(pool, tmp_path, PAGE)
    await save(pool, tmp_path, replace(PAGE, screenshot=SECOND))  # the same text: nothing new to keep
    assert (await api.get(f"/documents/{saved.id}/screenshot")).content == FIRST.body
    await save(pool, tmp_path, replace(PAGE, text="New text.", screenshot=SECOND))
    await save(pool, tmp_path, replace(PAGE, text="Newer text.", screenshot=None))
    found = [await api.get(f"/documents/{saved.id}/screenshot", params={"version": one}) for one in (1, 2, 3, 4)]
    assert [answer.status_code for answer in found] == [200, 200, 404, 404]
    assert [answer.content for answer in found[:2]] == [FIRST.body, SECOND.body]
    assert (await api.get(f"/documents/{saved.id}")).json()["has_screenshot"] is False


async def test_a_document_without_one_says_so(api: httpx.AsyncClient, pool: Pool, tmp_path: Path) -> None:
    saved = await save(pool, tmp_path, replace(PAGE, screenshot=None))
    answer = await api.get(f"/documents/{saved.id}/screenshot")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "has_screenshot" in answer.json()["hint"]
    assert (await api.get("/documents/00000000-0000-7000-8000-00000000000a/screenshot")).status_code == 404


async def test_it_goes_with_its_document_unless_another_shows_the_same(
    api: httpx.AsyncClient, conn: Connection, pool: Pool, tmp_path: Path
) -> None:
    one = await save(pool, tmp_path, PAGE)
    other = await save(pool, tmp_path, replace(PAGE, external_id="https://site.example/other"))
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    assert await documents.delete_loose_captures(pool, Captures(None, tmp_path / "captures")) == 2
    assert kept(tmp_path) == 2
    assert (await api.delete(f"/documents/{one.id}")).status_code == 204
    assert kept(tmp_path) == 2
    assert (await api.get(f"/documents/{other.id}/screenshot")).content == FIRST.body
    assert (await api.delete(f"/documents/{other.id}")).status_code == 204
    assert kept(tmp_path) == 0
