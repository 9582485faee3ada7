from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from typing_extensions import override

from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Capture, Collected
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links
from extrophi_backend.errors import Unavailable


async def upload(api: httpx.AsyncClient, *files: tuple[str, bytes, str], **data: str) -> httpx.Response:
    return await api.post("/uploads", files=[("files", file) for file in files], data=data)


async def test_each_file_is_one_document_or_one_failure(api: httpx.AsyncClient, conn: Connection) -> None:
    answer = await upload(
        api,
        ("notes/a.md", b"# Herons\n\nThey eat at dawn.", "text/markdown"),
        ("b.pdf", b"%PDF-1.7 broken", "application/pdf"),
        ("c.txt", "Grüße 🦉".encode(), "text/plain"),
        ("empty.txt", b"", "text/plain"),
        collection="birds",
    )
    assert answer.status_code == 200, answer.text
    assert [(item["external_id"], item["status"]) for item in answer.json()["items"]] == [
        ("c.txt", "created"),
        ("notes/a.md", "created"),
    ]
    assert {failure["target"] for failure in answer.json()["failures"]} == {"b.pdf", "empty.txt"}
    assert all(failure["code"] and failure["detail"] for failure in answer.json()["failures"])
    listed = (await api.get("/documents", params={"collection": "birds"})).json()["items"]
    assert {item["title"] for item in listed} == {"Herons", "Grüße 🦉"}
    chunks = await conn.fetch(
        """SELECT c.text, v.text AS whole, c.start_offset AS a, c.end_offset AS b
             FROM chunks c JOIN document_versions v USING (document_id, version)"""
    )
    assert {row["text"] for row in chunks} == {"Herons\n\nThey eat at dawn.", "Grüße 🦉"}
    assert all(row["whole"][row["a"] : row["b"]] == row["text"] for row in chunks)


async def test_the_same_file_again_changes_nothing(api: httpx.AsyncClient) -> None:
    await upload(api, ("a.txt", b"one", "text/plain"))
    again = await upload(api, ("a.txt", b"one", "text/plain"))
    changed = await upload(api, ("a.txt", b"two", "text/plain"))
    assert [answer.json()["items"][0]["status"] for answer in (again, changed)] == ["unchanged", "updated"]


async def test_a_capture_is_sent_so_that_a_browser_runs_nothing_of_it(api: httpx.AsyncClient) -> None:
    body = b"# Herons\n\nThey eat at dawn."
    (item,) = (await upload(api, ("a.md", body, "text/markdown; charset=\xff"))).json()["items"]
    answer = await api.get(f"/documents/{item['id']}/capture")
    assert answer.content == body
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith("text/markdown")


def kept(folder: Path) -> int:
    return len([path for path in (folder / "captures").rglob("*") if path.is_file()])


async def test_a_deleted_documents_capture_goes_unless_another_has_the_same(
    api: httpx.AsyncClient, conn: Connection, tmp_path: Path
) -> None:
    (one,) = (await upload(api, ("a.md", b"the same", "text/markdown"))).json()["items"]
    (two,) = (await upload(api, ("b.md", b"the same", "text/markdown"))).json()["items"]
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    assert kept(tmp_path) == 1
    assert (await api.delete(f"/documents/{one['id']}")).status_code == 204
    assert kept(tmp_path) == 1
    assert (await api.get(f"/documents/{two['id']}/capture")).content == b"the same"
    assert (await api.delete(f"/documents/{two['id']}")).status_code == 204
    assert kept(tmp_path) == 0
    assert await conn.fetchval("SELECT count(*) FROM loose_captures") == 0


async def test_a_capture_just_put_outlives_a_deletion_of_the_same_and_goes_later_if_nothing_came_of_it(
    api: httpx.AsyncClient, conn: Connection, pool: Pool, tmp_path: Path
) -> None:
    """One collector has put the bytes and not yet written its document, as another's document of them is deleted."""
    captures = Captures(None, tmp_path / "captures")
    (item,) = (await upload(api, ("a.md", b"the same", "text/markdown"))).json()["items"]
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    found = Collected("files", "b.md", "the same", capture=Capture(b"the same", "text/markdown"))
    prepared = await documents.prepare(pool, captures, [found])
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert kept(tmp_path) == 1
    async with conn.transaction():
        (saved,) = await documents.write(conn, prepared, Links())
    assert (await api.get(f"/documents/{saved.id}/capture")).content == b"the same"

    await documents.prepare(pool, captures, [replace(found, text="x", capture=Capture(b"in vain", "text/plain"))])
    assert await documents.delete_loose_captures(pool, captures) == 0
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    assert await documents.delete_loose_captures(pool, captures) == 2
    assert kept(tmp_path) == 1
    assert (await api.get(f"/documents/{saved.id}/capture")).content == b"the same"


async def test_a_deleted_documents_capture_is_wiped_out_of_the_object_that_it_shares(
    api: httpx.AsyncClient, conn: Connection, pool: Pool, tmp_path: Path
) -> None:
    captures = Captures(None, tmp_path / "captures")
    names = ["one", "two", "three"]
    found = [Collected("files", name, name, capture=Capture(name.encode(), "text/plain")) for name in names]
    prepared = await documents.prepare(pool, captures, found)
    async with conn.transaction():
        ids = {one.external_id: one.id for one in await documents.write(conn, prepared, Links())}
    (shared,) = [path for path in (tmp_path / "captures").rglob("*") if path.is_file()]

    async def sent() -> list[bytes]:
        return [(await api.get(f"/documents/{ids[name]}/capture")).content for name in names if name in ids]

    assert await sent() == [b"one", b"two", b"three"]
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    assert await documents.delete_loose_captures(pool, captures) == 1
    assert await sent() == [b"one", b"two", b"three"]
    assert (await api.delete(f"/documents/{ids.pop('two')}")).status_code == 204
    assert await sent() == [b"one", b"three"]
    assert b"two" not in shared.read_bytes()
    # A page that is saved again puts the same object again, and what was wiped is wiped again.
    await documents.prepare(pool, captures, [replace(one, text=f"{one.text}!") for one in found])
    assert await sent() == [b"one", b"three"]
    assert b"two" in shared.read_bytes()
    assert await documents.delete_loose_captures(pool, captures) == 0
    await conn.execute("UPDATE loose_captures SET since = now() - interval '1 day'")
    assert await documents.delete_loose_captures(pool, captures) == 1
    assert await sent() == [b"one", b"three"]
    assert b"two" not in shared.read_bytes()
    for name in ("one", "three"):
        assert (await api.delete(f"/documents/{ids[name]}")).status_code == 204
    assert kept(tmp_path) == 0


async def test_an_object_that_the_store_does_not_let_go_of_stands_in_no_others_way(
    conn: Connection, pool: Pool, tmp_path: Path
) -> None:
    class Frozen(Captures):
        frozen = ""

        @override
        async def keep_only(self, key: str, parts: Iterable[tuple[int, int]]) -> None:
            if key == self.frozen:
                raise Unavailable("frozen", hint="thaw it")
            await super().keep_only(key, parts)

    captures = Frozen(None, tmp_path / "captures")
    deleted: list[UUID] = []
    for page in ("a", "b"):
        found = [Collected("files", f"{page}{n}", f"{page}{n}", capture=page_part(page, n)) for n in (1, 2)]
        prepared = await documents.prepare(pool, captures, found)
        async with conn.transaction():
            deleted.append((await documents.write(conn, prepared, Links()))[0].id)
        assert prepared[0].capture is not None
        captures.frozen = captures.frozen or prepared[0].capture.key
    for document_id in deleted:
        await documents.delete(pool, captures, document_id)
    await conn.execute("UPDATE loose_captures SET since = '-infinity'")
    assert await documents.delete_loose_captures(pool, captures) == 2
    bodies = [path.read_bytes() for path in (tmp_path / "captures").rglob("*") if path.is_file()]
    assert sorted(bodies) == [b"\0\0b2", b"a1a2"]
    assert await conn.fetch("SELECT key FROM loose_captures") == [(captures.frozen,)]
    await conn.execute("UPDATE loose_captures SET since = '-infinity'")
    with pytest.raises(Unavailable):
        await documents.delete_loose_captures(pool, captures)


def page_part(page: str, number: int) -> Capture:
    return Capture(f"{page}{number}".encode(), "text/plain")


async def test_what_is_no_upload_is_refused(api: httpx.AsyncClient) -> None:
    for answer in (
        await api.post("/uploads", json={}),
        await api.post("/uploads", content=b"x", headers={"Content-Type": "multipart/form-data"}),
        await api.post("/uploads", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=y"}),
        await upload(api, ("a.md", b"x", "text/markdown"), collection="  "),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["hint"]


@pytest.mark.parametrize("name", ["a" * 2000 + ".md", "鷺" * 667 + ".md", "a\x85b.md", "a\x7f.md"])
async def test_a_name_that_no_file_has_is_a_failure(api: httpx.AsyncClient, conn: Connection, name: str) -> None:
    answer = await upload(api, (name, b"x", "text/markdown"))
    assert answer.json()["failures"][0]["code"] == "invalid_name"
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0


@pytest.mark.parametrize(
    "name", ["鷺" * 665 + ".md", "Bericht\N{NO-BREAK SPACE}1.md", "11.05\u202fPM.md", "می\u200cخواهم.md"]
)
async def test_an_ordinary_name_of_any_language_is_taken(api: httpx.AsyncClient, name: str) -> None:
    (item,) = (await upload(api, (name, b"x", "text/markdown"))).json()["items"]
    assert item["external_id"] == name


async def test_a_field_of_a_form_that_cannot_be_stored_is_named(api: httpx.AsyncClient, conn: Connection) -> None:
    for wrong in ("\0", "a" * 201):
        answer = await upload(api, ("a.md", b"x", "text/markdown"), collection=wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, "collection")
    assert await conn.fetchval("SELECT count(*) FROM documents") == 0
