"""Cookies of one's own on their way to the web, through the worker's fetcher."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import httpx
import pytest

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.db import Pool
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.settings import Settings
from tests.web_server import Reply, WebServer, serving


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@asynccontextmanager
async def fetching(accounts: Accounts) -> AsyncIterator[Fetcher]:
    allow = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    fetcher = Fetcher(allow=allow, max_bytes=100_000, seconds=20)
    fetcher.use_cookies(accounts.cookie_header)
    try:
        yield fetcher
    finally:
        await fetcher.close()


async def give(api: httpx.AsyncClient, *lines: str) -> None:
    answer = await api.put("/accounts/web", json={"values": {"cookies": "\n".join(lines)}})
    assert answer.status_code == 200, answer.text


def sent(web: WebServer, path: str) -> set[str]:
    return set(web.headers[path].get("Cookie", "").split("; ")) - {""}


async def test_cookies_go_to_their_host_and_nowhere_else(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, web: WebServer
) -> None:
    await give(
        api,
        "127.0.0.1\tFALSE\t/\tFALSE\t0\tlogin\tmine",
        "127.0.0.1\tFALSE\t/deep\tFALSE\t0\tdeep\tmine",
        "127.0.0.1\tFALSE\t/\tTRUE\t0\tsecure\tmine",
    )
    web.pages |= {
        "/": Reply("home"),
        "/deep/er": Reply("deeper"),
        "/away": Reply(status=302, headers={"Location": f"http://localhost:{web.port}/elsewhere"}),
        "/elsewhere": Reply(status=302, headers={"Location": web.url("/back")}),
        "/back": Reply("back"),
        "/do?action=logout": Reply("bye"),
        "/sign-out": Reply("bye"),
    }
    async with fetching(Accounts(pool, settings)) as fetcher:
        for path in ("/", "/deep/er", "/away", "/do?action=logout", "/sign-out"):
            await fetcher.fetch(web.url(path), typed=True)
        await fetcher.fetch(web.url("/"), typed=False)
    assert sent(web, "/") == {"login=mine"}  # the secure one needs https
    assert sent(web, "/deep/er") == {"login=mine", "deep=mine"}
    assert sent(web, "/away") == {"login=mine"}
    assert sent(web, "/elsewhere") == set()
    assert sent(web, "/back") == {"login=mine"}
    assert "Cookie" not in web.headers["/robots.txt"]
    assert sent(web, "/do?action=logout") == sent(web, "/sign-out") == set()  # they would end the login


async def test_what_a_site_sets_on_the_way_goes_before_ones_own(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, web: WebServer
) -> None:
    await give(api, "127.0.0.1\tFALSE\t/\tFALSE\t0\tlogin\tmine", "127.0.0.1\tFALSE\t/\tFALSE\t0\tlanguage\ten")
    web.pages |= {
        "/": Reply(status=302, headers={"Location": "/in", "Set-Cookie": "login=fresh; Path=/"}),
        "/in": Reply("in"),
    }
    async with fetching(Accounts(pool, settings)) as fetcher:
        await fetcher.fetch(web.url("/"), typed=True)
        assert sent(web, "/in") == {"login=fresh", "language=en"}
        await fetcher.fetch(web.url("/"), typed=True)  # another fetch begins with one's own
        assert sent(web, "/") == {"login=mine", "language=en"}


async def test_new_cookies_are_heeded_without_a_restart(api: httpx.AsyncClient, pool: Pool, settings: Settings) -> None:
    worker = Accounts(pool, settings)

    async def becomes(header: str) -> None:
        deadline = asyncio.get_running_loop().time() + 30
        while await worker.cookie_header("http://a.example/") != header:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.1)

    await becomes("")
    await give(api, "a.example\tFALSE\t/\tFALSE\t0\tlogin\tmine")
    await becomes("login=mine")
    assert await worker.cookie_header("ftp://a.example/") == ""
    await api.delete("/accounts/web")
    await becomes("")
