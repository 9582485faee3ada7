"""Credentials in a whole Extrophi as a person runs it: used, warned of, rotated, and seen nowhere."""

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from extrophi_cli.embedded.home import Home
from tests.platforms_server import PlatformsServer
from tests.platforms_server import serving as serving_platforms
from tests.system.running import REPO, Running, eventually, is_worker, up
from tests.web_server import WebServer, article
from tests.web_server import serving as serving_web

pytestmark = pytest.mark.xdist_group("secrets")
SECRETS = {
    "bearer_token": "BEARERbearerBEARERbearerBEARERbearerBEARERbearer",
    "auth_token": "beefaced" * 5,
    "ct0": "facebeef" * 20,
    "client_id": "Client-Id-Of-My-Own",
    "client_secret": "Client-Secret-Of-My-Own-Indeed",
    "feed_token": "feedfeed" * 5,
    "youtube": "YouTubeLoginYouTubeLogin",
    "web": "WebLoginWebLoginWebLogin",
}
FROM_ENVIRONMENT = "RefreshTokenRefreshTokenRefreshToken"


@pytest.fixture(scope="module")
def platforms() -> Iterator[PlatformsServer]:
    with serving_platforms(PlatformsServer(how="echoing")) as server:
        yield server


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with serving_web(WebServer()) as server:
        yield server


@pytest.fixture(scope="module")
def extrophi(platforms: PlatformsServer) -> Iterator[Running]:
    settings = {"EXTROPHI_FETCH_ALLOW": "127.0.0.0/8", "REDDIT_REFRESH_TOKEN": FROM_ENVIRONMENT}
    with up(None, **platforms.settings(), **settings) as running:
        yield running


def give(extrophi: Running, platform: str, name: str, value: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "extrophi_cli", "accounts", "set", platform, name],
        env=extrophi.environment, input=value, capture_output=True, text=True, check=False, cwd=REPO,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not seen_in((ran.stdout + ran.stderr).encode())


def give_all(extrophi: Running) -> None:
    for platform, names in {
        "twitter": ["bearer_token", "auth_token", "ct0"],
        "reddit": ["client_id", "client_secret", "feed_token"],
    }.items():
        for name in names:
            give(extrophi, platform, name, SECRETS[name])
    give(extrophi, "reddit", "feed_user", "heron")
    give(extrophi, "youtube", "cookies", f".youtube.com\tTRUE\t/\tTRUE\t0\tLOGIN_INFO\t{SECRETS['youtube']}\n")
    give(extrophi, "web", "cookies", f"127.0.0.1\tFALSE\t/\tFALSE\t0\tlogin\t{SECRETS['web']}\n")


def seen_in(content: bytes) -> list[str]:
    """Which secrets stand in it: as they are, as base64, as hex, and in a hash of Basic authentication."""
    values = [*SECRETS.values(), FROM_ENVIRONMENT]
    basic = base64.b64encode(f"{SECRETS['client_id']}:{SECRETS['client_secret']}".encode())
    spelled = {
        value: (value.encode(), base64.b64encode(value.encode())[:-4], value.encode().hex().encode())
        for value in values
    }
    return [value for value, ways in spelled.items() if any(way in content for way in (*ways, basic))]


async def dumped(home: Path) -> bytes:
    """All rows of all tables, as text."""
    connection = await asyncpg.connect(f"postgresql://postgres@/extrophi?host={home / 'run' / 'postgres'}")
    try:
        tables = await connection.fetch(
            """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
        )
        rows = [await connection.fetch(f"SELECT one::text FROM {table[0]} AS one") for table in tables]
    finally:
        await connection.close()
    return "\n".join(str(row[0]) for found in rows for row in found).encode()


async def test_no_secret_is_seen_anywhere(extrophi: Running, platforms: PlatformsServer, web: WebServer) -> None:
    """Everything is done with them, the platforms repeat all they were sent, and then one looks everywhere."""
    give_all(extrophi)
    web.pages["/page"] = article("A page behind a login")
    bodies: list[bytes] = []

    def look(method: str, path: str, body: Any = None) -> None:
        answer = extrophi.client.request(method, path, json=body)
        bodies.append(answer.content + str(answer.headers).encode())

    for platform in ("twitter", "reddit", "youtube", "web", "files"):
        look("POST", f"/api/accounts/{platform}/test")
    assert len(platforms.asked) >= 6  # it was asked, and repeated what it was sent
    assert any(SECRETS["bearer_token"] in asked.headers.get("Authorization", "") for asked in platforms.asked)
    job = extrophi.post("/api/jobs", {"target": web.url("/page")})
    assert extrophi.ended(job["id"])["status"] == "succeeded"
    assert SECRETS["web"] in web.headers["/page"]["Cookie"]
    failed = extrophi.post("/api/jobs", {"target": web.url("/missing")})
    extrophi.ended(failed["id"])
    for wrong in ({"bearer_token": f"{SECRETS['bearer_token']}\n\n!"}, {SECRETS["bearer_token"]: SECRETS["ct0"]}):
        look("PUT", "/api/accounts/twitter", {"values": wrong})
    look("PUT", "/api/accounts/reddit", {"values": {"refresh_token": f"x{SECRETS['ct0']}"}})  # the environment has it
    for path in (
        "/api/accounts", "/api/platforms", "/api/sources", "/api/jobs", f"/api/jobs/{failed['id']}", "/api/stats",
        "/api/documents", "/health", "/ready", "/metrics", "/openapi.json",
    ):  # fmt: skip
        look("GET", path)
    for arguments in (["accounts"], ["accounts", "test"], ["accounts", "--json"], ["status"], ["doctor"], ["export"]):
        ran = extrophi.cli(*arguments)
        bodies.append((ran.stdout + ran.stderr).encode())
    bodies.append(await asked_by_mcp(extrophi))
    assert b"A page behind a login" in b"".join(bodies)
    assert not seen_in(b"".join(bodies))
    assert not seen_in(await dumped(extrophi.home))
    logs = b"".join(log.read_bytes() for log in sorted((extrophi.home / "logs").iterdir()))
    assert len(logs) > 1000
    assert not seen_in(logs)
    kept = [
        file for file in extrophi.home.rglob("*") if file.is_file() and not file.is_relative_to(extrophi.home / "run")
    ]
    assert not [file for file in kept if seen_in(file.read_bytes())]


async def asked_by_mcp(extrophi: Running) -> bytes:
    """What the MCP server tells of its tools and of the library."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "extrophi_cli", "mcp", "--allow-collect"],
        env=extrophi.environment,
        cwd=REPO,
    )
    async with stdio_client(command) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        tools = await session.list_tools()
        found = await session.call_tool("search", {"query": "login"})
        wrong = await session.call_tool("collect", {"target": "nothing that can be collected"})
    return (tools.model_dump_json() + found.model_dump_json() + wrong.model_dump_json()).encode()


def states(extrophi: Running) -> dict[str, str]:
    return {one["platform"]: one["state"] for one in extrophi.get("/api/accounts")["items"]}


def test_a_key_is_changed_while_all_goes_on(extrophi: Running, web: WebServer) -> None:
    give_all(extrophi)
    before = (extrophi.home / "secret-key").read_text()
    ran = extrophi.cli("accounts", "rotate", "--json")
    assert ran.returncode == 0, ran.stderr
    done = json.loads(ran.stdout)
    assert (done["resealed"], done["kept"], done["unreadable"]) == (9, 0, 0)
    after = (extrophi.home / "secret-key").read_text()
    assert (len(after), after == before) == (43, False)
    assert (extrophi.home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert "unreadable" not in states(extrophi).values()
    web.pages["/later"] = article("A later page")
    extrophi.ended(extrophi.post("/api/jobs", {"target": web.url("/later")})["id"])
    assert SECRETS["web"] in web.headers["/later"]["Cookie"]  # the worker has not been started anew


def test_a_rotation_killed_at_any_moment_leaves_all_readable(extrophi: Running) -> None:
    give_all(extrophi)
    ring = extrophi.home / "secret-key"
    for round_ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-m", "extrophi_cli", "accounts", "rotate"],
            env=extrophi.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPO,
        )  # fmt: skip
        before = ring.read_text()
        if round_:  # the first is killed as it begins; the others when the ring has both keys, each a bit later
            eventually(lambda before=before, process=process: _moved(ring, before, process))
            threading.Event().wait(0.004 * (round_ - 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert "unreadable" not in states(extrophi).values()
        give(extrophi, "twitter", "bearer_token", SECRETS["bearer_token"])  # nothing is locked
    assert extrophi.cli("accounts", "rotate").returncode == 0
    assert len(Home(extrophi.home).secret_keys()) == 1
    assert "unreadable" not in states(extrophi).values()


def _moved(ring: Path, before: str, process: subprocess.Popen[bytes]) -> bool | None:
    return True if ring.read_text() != before or process.poll() is not None else None


def test_rotations_at_once_leave_one_key_that_opens_all(extrophi: Running) -> None:
    give_all(extrophi)
    rotating = [
        subprocess.Popen(
            [sys.executable, "-m", "extrophi_cli", "accounts", "rotate"],
            env=extrophi.environment, stdout=subprocess.DEVNULL, cwd=REPO,
        )
        for _ in range(3)
    ]  # fmt: skip
    assert [process.wait(timeout=120) for process in rotating] == [0, 0, 0]
    assert len(Home(extrophi.home).secret_keys()) == 1
    assert "unreadable" not in states(extrophi).values()


def test_status_and_doctor_warn(extrophi: Running) -> None:
    give_all(extrophi)
    extrophi.client.post("/api/accounts/twitter/test")
    for command in ("status", "doctor"):
        assert "Credentials of X: refused." in extrophi.cli(command).stdout
    for worker in extrophi.children("extrophi_backend"):
        if is_worker(worker):
            worker.kill()  # the next looks at once
    log = extrophi.home / "logs" / "worker.log"
    eventually(lambda: True if "accounts.warning platform=twitter state=refused" in log.read_text() else None)


def test_a_key_of_the_environment_is_not_changed_by_the_home(tmp_path: Path) -> None:
    key = "ab" * 32
    with up(EXTROPHI_SECRET_KEY=key) as running:
        ran = running.cli("accounts", "rotate")
        assert ran.returncode == 0, ran.stderr
        assert "first key of EXTROPHI_SECRET_KEY" in ran.stdout
        made = Home(running.home).secret_keys()
        assert len(made) == 1  # the home's own is as it was
        give(running, "twitter", "bearer_token", SECRETS["bearer_token"])
        assert states(running)["twitter"] == "set"
