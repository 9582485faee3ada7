"""Archives pushed in: looked at, told about, kept for as long as their job."""

import io
import json
import random
import zipfile
from typing import Any

import httpx
import pytest

from extrophi_backend.archives import service
from extrophi_backend.archives.store import KeptArchives
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.youtube.archive import videos
from extrophi_backend.db import Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.errors import Refused
from extrophi_backend.settings import Settings

TAKEOUT = {
    "Takeout/archive_browser.html": "<a href='https://www.youtube.com/watch?v=notread0000'>",
    "Takeout/YouTube und YouTube Music/Playlists/Reiher-videos.csv": (
        "Video ID,Playlist Video Creation Timestamp\nGJLlxj_dtq8,2024-01-31T12:00:00+00:00\n-dsMFmonKD4,2024\n"
    ),
    # As it was until 2023: the list's own data first.
    "Takeout/YouTube und YouTube Music/Playlists/Old.csv": (
        "Playlist Id,Channel Id,Time Created\nPLx,UCy,2020\n\nVideo Id,Time Added\nGJLlxj_dtq8,2020\naaaaaaaaaaa,2020\n"
    ),
    "Takeout/YouTube und YouTube Music/Playlists/Playlists.csv": "Playlist ID,Title\nPLabcdefghijklmnop,Reiher\n",
    "Takeout/YouTube und YouTube Music/Verlauf/Wiedergabeverlauf.json": (
        '[{"title": "Watched", "titleUrl": "https://www.youtube.com/watch?v\\u003dbbbbbbbbbbb"},'
        ' {"title": "A deleted one"}, {"titleUrl": "https://www.youtube.com/watch?v\\u003dGJLlxj_dtq8"}]'
    ),
    "Takeout/YouTube und YouTube Music/Verlauf/Suchverlauf.html": (
        "<a href='https://www.youtube.com/results?search_query=herons'>herons</a>"
    ),
    "Takeout/YouTube und YouTube Music/Abos/Abos.csv": (
        "Channel Id,Channel Url,Channel Title\n"
        "UCVYamHliCI9rw1tHR1xbkfw,http://www.youtube.com/channel/UCVYamHliCI9rw1tHR1xbkfw,Dave2D\n"
    ),
}


def packed(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in members.items():
            zipped.writestr(name, body)
    return out.getvalue()


async def push(api: httpx.AsyncClient, body: bytes, **data: Any) -> httpx.Response:
    return await api.post("/archives", files={"file": ("takeout.zip", body, "application/zip")}, data=data)


async def test_a_dry_run_says_what_is_in_it_and_stores_nothing(api: httpx.AsyncClient, pool: Pool) -> None:
    one = {"platform": "youtube", "external_id": "GJLlxj_dtq8", "text": "Herons."}
    (await api.post("/documents", json={"documents": [one]})).raise_for_status()
    answer = await push(api, packed(TAKEOUT), dry_run="true")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["platform"], told["job"]) == ("youtube", None)
    assert [(part["name"], part["count"], part["known"]) for part in told["parts"]] == [
        ("videos of the list “Old”", 2, 1),
        ("videos of the list “Reiher”", 2, 1),
        ("videos of the history", 2, 1),
        ("channels that are followed (`extrophi add` collects one)", 1, 0),
    ]
    assert [bool(part["becomes"]) for part in told["parts"]] == [True, True, True, False]
    assert await pool.fetchval("SELECT count(*) FROM archives") == 0
    assert (await api.get("/jobs")).json()["items"] == []


async def test_an_archive_may_be_larger_than_other_bodies(api: httpx.AsyncClient) -> None:
    body = packed(TAKEOUT | {"Takeout/noise.txt": random.Random(7).randbytes(2_000_000).hex()})
    assert len(body) > 2_000_000
    assert (await push(api, body, dry_run="true")).status_code == 200


async def test_an_archive_is_kept_until_its_job_has_ended(
    api: httpx.AsyncClient, pool: Pool, settings: Settings
) -> None:
    captures = Captures(None, settings.data / "captures")
    answer = await push(api, packed(TAKEOUT), collection="mine", limit="3")
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert (job["platform"], job["collection"], job["limit"], job["status"]) == ("youtube", "mine", 3, "queued")
    archive = await KeptArchives(pool, captures).open(job["target"])
    assert list(videos(archive)) == ["GJLlxj_dtq8", "aaaaaaaaaaa", "-dsMFmonKD4", "bbbbbbbbbbb"]

    async def a_week_later() -> None:
        await pool.execute("UPDATE archives SET created_at = now() - interval '7 days'")
        await pool.execute("UPDATE loose_captures SET since = now() - interval '7 days'")
        await service.prune(pool)
        await documents.delete_loose_captures(pool, captures)

    await a_week_later()
    await KeptArchives(pool, captures).open(job["target"])  # it has not ended
    await api.post(f"/jobs/{job['id']}/cancel")
    await a_week_later()
    with pytest.raises(Refused, match="kept no more"):
        await KeptArchives(pool, captures).open(job["target"])
    assert [path for path in (settings.data / "captures").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"no zip", packed({}), packed({"a/b.txt": "x"}), packed({"../../youtube/x.csv": "../../etc/passwd,1"})],
    ids=[
        "empty",
        "no zip",
        "a zip of nothing",
        "of something else",
        "of paths that lead out",
    ],  # a zip has the time in it
)
async def test_what_is_no_archive_is_refused_with_the_next_step(
    api: httpx.AsyncClient, pool: Pool, body: bytes
) -> None:
    answer = await push(api, body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "invalid_input", "file")
    assert problem["hint"]
    assert await pool.fetchval("SELECT count(*) FROM archives") == 0


async def test_one_that_is_too_large_is_refused(api: httpx.AsyncClient) -> None:
    answer = await push(api, packed(TAKEOUT), limit="0")
    assert answer.status_code == 422
    body = json.loads((await push(api, b"x" * (64 * 2**20 + 1))).text)
    assert (body["code"], bool(body["hint"])) == ("too_large", True)
