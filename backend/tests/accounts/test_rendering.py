"""Cookies of one's own in the browser of a real worker process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.tests.accounts.conftest import KEY, Serve
from backend.tests.jobs.test_running import ended, job, worker
from extrophi_backend.settings import Settings
from extrophi_cli.embedded.valkey import Valkey
from tests.web_server import Reply, WebServer, article, serving

SECRET = "e7c1f0-the-session"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


def scripted(script: str) -> Reply:
    return Reply(f"<!doctype html><title>The heron</title><div id=root></div><script>{script}</script>")


def behind_login(path: str, reply: Reply):
    """A page's answer to who is signed in; others get the form."""

    def answer(server: WebServer) -> Reply:
        if f"login={SECRET}" in server.headers[path].get("Cookie", ""):
            return reply
        return Reply("<h1>Log in</h1><p>Please log in.</p><form><input type=password></form>", validators=False)

    return answer


async def test_a_page_that_scripts_make_behind_a_login_is_collected_with_ones_own_cookies(
    serve: Serve,
    settings: Settings,
    web: WebServer,
    valkey: Valkey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = article("The heron").body
    assert isinstance(told, str)
    web.pages |= {
        "/app": behind_login(
            "/app",
            scripted("fetch('/data').then(r => r.text()).then(t => { root.innerHTML = t + document.cookie; });"),
        ),
        "/data": behind_login("/data", Reply(told)),
        "/leaving": scripted("location.replace('/log-out');"),
        "/log-out": article("Good bye"),
    }
    monkeypatch.setenv("EXTROPHI_SECRET_KEY", KEY)  # the worker's; the API's own is in its settings
    redis = SecretStr(valkey.url)
    async with serve(redis_url=redis) as api:
        lines = f"127.0.0.1\tFALSE\t/\tFALSE\t0\tlogin\t{SECRET}"
        (await api.put("/accounts/web", json={"values": {"cookies": lines}})).raise_for_status()
        with worker(settings.model_copy(update={"redis_url": redis})):
            for path in ("/app", "/leaving"):
                done = await ended(api, (await job(api, web.url(path)))["id"])
                assert (done["status"], done["failures"]) == ("succeeded", [])
        found = {one["title"]: one["id"] for one in (await api.get("/documents")).json()["items"]}
        assert set(found) == {"The heron", "Good bye"}
        document = (await api.get(f"/documents/{found['The heron']}")).json()
        assert "is told here at some length" in document["text"]
    assert SECRET in web.headers["/leaving"]["Cookie"]
    assert "Cookie" not in web.headers["/log-out"]  # it would end the login
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("captures" in path.parts for path in kept)
    for path in kept:  # captures, the worker's log
        assert SECRET.encode() not in path.read_bytes(), path
