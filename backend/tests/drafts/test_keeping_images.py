import asyncio
from hashlib import sha256

import httpx
import pytest

from backend.tests.drafts.test_routes import UNKNOWN, make, refused
from extrophi_backend.db import Connection

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


async def send(api: httpx.AsyncClient, draft: str, body: bytes, media_type: str = "image/png") -> httpx.Response:
    return await api.post(f"/drafts/{draft}/images", content=body, headers={"Content-Type": media_type})


async def test_an_image_is_kept_once_and_comes_back_as_it_was(api: httpx.AsyncClient) -> None:
    draft = (await make(api))["id"]
    name = f"{sha256(PNG).hexdigest()[:16]}.png"
    answers = await asyncio.gather(*(send(api, draft, PNG) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert all(one.json() == {"name": name, "media_type": "image/png", "bytes": len(PNG)} for one in answers)
    shown = await api.get(f"/drafts/{draft}/images/{name}")
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, PNG, "image/png")
    assert shown.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-disposition"] == "inline"
    assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
    other = (await make(api))["id"]
    await refused(await api.get(f"/drafts/{other}/images/{name}"), 404, "not_found")


async def test_the_bytes_decide_what_it_is(api: httpx.AsyncClient, conn: Connection) -> None:
    draft = (await make(api))["id"]
    assert (await send(api, draft, PNG, "image/jpeg")).json()["media_type"] == "image/png"
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for body, media_type in ((svg, "image/svg+xml"), (svg, "image/png"), (b"", "image/png"), (b"<html>", "image/gif")):
        await refused(await send(api, draft, body, media_type), 415, "unsupported_media_type")
    assert await conn.fetchval("SELECT count(*) FROM draft_images") == 1


@pytest.mark.parametrize("size", [20_000_000, 20_000_001, 32_000_001])
async def test_an_image_has_20_mb_at_most(api: httpx.AsyncClient, size: int) -> None:
    draft = (await make(api))["id"]
    answer = await send(api, draft, PNG + bytes(size - len(PNG)))
    if size == 20_000_000:
        assert answer.status_code == 201
        shown = await api.get(f"/drafts/{draft}/images/{answer.json()['name']}")
        assert len(shown.content) == size
    else:
        await refused(answer, 413, "too_large")


async def test_an_image_belongs_to_a_draft_that_is_there(api: httpx.AsyncClient) -> None:
    await refused(await send(api, UNKNOWN, PNG), 404, "not_found")
    draft = (await make(api))["id"]
    await send(api, draft, PNG)
    await api.delete(f"/drafts/{draft}")
    await refused(await send(api, draft, PNG), 409, "draft_trashed")
    assert (await api.get(f"/drafts/{draft}/images/{sha256(PNG).hexdigest()[:16]}.png")).status_code == 200
    for name in ("x.png", "0123456789abcdef.svg", "0123456789ABCDEF.png", "%00"):
        assert (await api.get(f"/drafts/{draft}/images/{name}")).status_code == 422
