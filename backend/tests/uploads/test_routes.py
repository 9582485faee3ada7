import httpx

from extrophi_backend.db import Connection


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
    assert await conn.fetchval("SELECT bool_and(start_offset >= 0) FROM chunks")


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


async def test_a_deleted_documents_capture_goes_unless_another_has_the_same(api: httpx.AsyncClient, tmp_path) -> None:
    (one,) = (await upload(api, ("a.md", b"the same", "text/markdown"))).json()["items"]
    (two,) = (await upload(api, ("b.md", b"the same", "text/markdown"))).json()["items"]

    def kept() -> int:
        return len([path for path in (tmp_path / "captures").rglob("*") if path.is_file()])

    assert kept() == 1
    assert (await api.delete(f"/documents/{one['id']}")).status_code == 204
    assert kept() == 1
    assert (await api.get(f"/documents/{two['id']}/capture")).content == b"the same"
    assert (await api.delete(f"/documents/{two['id']}")).status_code == 204
    assert kept() == 0


async def test_what_is_no_upload_is_refused(api: httpx.AsyncClient) -> None:
    for answer in (
        await api.post("/uploads", json={}),
        await api.post("/uploads", content=b"x", headers={"Content-Type": "multipart/form-data"}),
        await api.post("/uploads", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=y"}),
        await upload(api, ("a.md", b"x", "text/markdown"), collection="  "),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["hint"]


async def test_a_name_that_no_file_has_is_a_failure(api: httpx.AsyncClient) -> None:
    answer = await upload(api, ("a" * 2000 + ".md", b"x", "text/markdown"))
    assert answer.json()["failures"][0]["code"] == "invalid_name"
