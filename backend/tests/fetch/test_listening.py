"""A page that stays open and is scrolled: what its scripts are answered is heard, within the limits of all pages."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.listening import Listening
from extrophi_backend.fetch.rendered import Heard, Limits
from tests.web_server import Reply, WebServer, serving

LIMITS = Limits(seconds=15, html_bytes=200_000, traffic_bytes=500_000, memory=2**30)
SCROLLED = """<div id=end style="height: 3000px"><img src="/picture.png"></div><script>
let number = 0;
let asked = Promise.resolve();  // one after the other: two at once may be answered in either order
const more = () => asked = asked.then(() => fetch(`/api/${number++}`)).then((answer) => answer.text()).then(() => {
  const block = document.createElement("div");
  block.style.height = "2000px";
  document.body.append(block);
});
more();
addEventListener("scroll", () => { if (innerHeight + scrollY > document.body.scrollHeight - 500) more(); });
</script>"""


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        server.pages["/"] = Reply(SCROLLED)
        for number in range(50):
            server.pages[f"/api/{number}"] = Reply(f'"{number}"', headers={"X-Number": str(number)})
        yield server


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(allow=(ip_network("127.0.0.1/32"),), limits=LIMITS, pages=1)
    yield browser
    await browser.close()


def api(url: str) -> bool:
    return "/api/" in url


async def scrolled_until_heard(page: Listening) -> Heard:
    """An answer is heard before the page has grown by it: scrolling just then leads nowhere, and is done again."""
    async with asyncio.timeout(20):
        while (heard := await page.next(0.5)) is None:
            await page.scroll()
    return heard


async def test_answers_are_heard_in_their_order_as_the_page_is_scrolled(server: WebServer, browser: Browser) -> None:
    async with browser.listen(server.url("/"), api, cookies=()) as page:
        for number in range(5):
            heard = await scrolled_until_heard(page)
            assert (heard.url, heard.status) == (server.url(f"/api/{number}"), 200)
            assert (heard.body, heard.headers["x-number"]) == (f'"{number}"'.encode(), str(number))
        assert page.url == server.url("/")
    assert "/picture.png" not in server.requests


async def test_where_nothing_more_is_asked_for_nothing_is_heard(server: WebServer, browser: Browser) -> None:
    server.pages["/"] = Reply("<p>Still.")
    async with browser.listen(server.url("/"), api, cookies=()) as page:
        assert await page.next(0.3) is None


async def test_an_error_is_heard_as_well_and_where_the_page_went_is_seen(server: WebServer, browser: Browser) -> None:
    server.pages["/"] = Reply("<script>fetch('/api/x').then(() => history.pushState({}, '', '/login'))</script>")
    server.pages["/api/x"] = Reply("no", 429, headers={"x-rate-limit-reset": "12"})
    async with browser.listen(server.url("/"), api, cookies=()) as page:
        heard = await page.next(10)
        assert heard is not None
        assert (heard.status, heard.body, heard.headers["x-rate-limit-reset"]) == (429, b"no", "12")
        await page.next(0.3)
        assert page.url == server.url("/login")


async def test_cookies_go_to_their_host_and_scripts_read_those_that_they_need(
    server: WebServer, browser: Browser
) -> None:
    other = f"http://localhost:{server.port}/api/other"
    server.pages["/api/other"] = Reply("o", headers={"Access-Control-Allow-Origin": "*"})
    server.pages["/"] = Reply(
        f"<script>fetch('/api/0', {{ headers: {{ 'X-Seen': document.cookie }} }}).then(() => fetch('{other}'))</script>"
    )
    cookies = [Cookie(name, f"{name}-value", "127.0.0.1", host_only=True) for name in ("auth", "csrf")]
    async with browser.listen(server.url("/"), api, cookies=cookies, readable=frozenset({"csrf"})) as page:
        assert await page.next(10) is not None
        assert await page.next(10) is not None
    assert server.headers["/api/0"]["X-Seen"] == "csrf=csrf-value"
    assert set(server.headers["/api/0"]["Cookie"].split("; ")) == {"auth=auth-value", "csrf=csrf-value"}
    assert "Cookie" not in server.headers["/api/other"]


async def test_what_is_private_is_not_reached(server: WebServer, browser: Browser) -> None:
    with serving(WebServer(host="127.0.0.2")) as private:
        server.pages["/"] = Reply(
            f"<script>fetch('{private.url('/api/0')}', {{ mode: 'no-cors' }}).finally(() => fetch('/api/1'))</script>"
        )
        async with browser.listen(server.url("/"), lambda url: url.endswith("/api/1"), cookies=()) as page:
            assert await page.next(10) is not None
        assert not private.requests


async def listen(browser: Browser, url: str, *, after: float = 0.0) -> None:
    """To a page without end, from so many seconds after it has come."""
    async with browser.listen(url, api, cookies=()) as page:
        await asyncio.sleep(after)
        while True:
            await page.next(1)


async def test_its_place_is_given_back_when_who_listens_is_stopped(server: WebServer, browser: Browser) -> None:
    listening = asyncio.create_task(listen(browser, server.url("/")))
    while not server.requests["/api/0"]:
        await asyncio.sleep(0.05)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert (await browser.render(server.url("/"))).status == 200


async def test_a_page_that_loads_without_end_is_ended(server: WebServer, browser: Browser) -> None:
    server.pages["/"] = Reply(
        "<script>const go = () => fetch('/large').then((one) => one.text()).then(go); go()</script>"
    )
    server.pages["/large"] = Reply("x" * 2_000_000, validators=False)
    with pytest.raises(FetchFailed) as raised:
        await listen(browser, server.url("/"))
    assert raised.value.code == "too_large"


async def test_a_page_that_asks_faster_than_anybody_reads_is_ended(server: WebServer, browser: Browser) -> None:
    server.pages["/"] = Reply("<script>for (let n = 0; n < 300; n++) fetch(`/api/${n}`)</script>")
    with pytest.raises(FetchFailed) as raised:
        await listen(browser, server.url("/"), after=5)
    assert raised.value.code == "too_large"


async def test_an_answer_that_is_too_long_is_heard_without_its_body(server: WebServer, browser: Browser) -> None:
    server.pages["/"] = Reply("<script>fetch('/api/0')</script>")
    server.pages["/api/0"] = Reply("x" * 200_001)
    async with browser.listen(server.url("/"), api, cookies=()) as page:
        heard = await page.next(10)
        assert heard is not None
        assert (heard.status, heard.body) == (200, b"")


async def test_a_page_that_eats_memory_is_a_failure(server: WebServer) -> None:
    server.pages["/"] = Reply(
        "<script>window.kept = [];"
        "setInterval(() => { const b = new Uint8Array(2 ** 26); b.fill(1); kept.push(b); }, 50)</script>"
    )
    limits = replace(LIMITS, memory=400 * 2**20)
    browser = Browser(allow=(ip_network("127.0.0.1/32"),), limits=limits, pages=1)
    with pytest.raises(FetchFailed) as raised:
        await listen(browser, server.url("/"))
    await browser.close()
    assert raised.value.code == "render_failed"


async def test_who_does_not_answer_is_a_failure(browser: Browser) -> None:
    with pytest.raises(FetchFailed) as raised:
        await listen(browser, "http://127.0.0.1:1/")
    assert raised.value.code == "connection_failed"


async def test_one_page_is_listened_to_at_a_time_and_holds_up_no_other(server: WebServer) -> None:
    server.pages["/other"] = Reply("<p>Another page.")
    browser = Browser(allow=(ip_network("127.0.0.1/32"),), limits=LIMITS, pages=2, restart_after=1)
    try:
        async with browser.listen(server.url("/"), api, cookies=()) as page:
            with pytest.raises(Wait) as waits:
                async with browser.listen(server.url("/"), api, cookies=()):
                    pass
            assert waits.value.failure is None
            async with asyncio.timeout(30):  # although the browser is due for a restart
                for _ in range(3):
                    assert b"Another page." in (await browser.render(server.url("/other"))).html
            assert await page.next(10) is not None
        async with browser.listen(server.url("/"), api, cookies=()) as page:
            assert await page.next(10) is not None
    finally:
        await browser.close()
