"""Cookies of the person's own in the browser: given to the site that a page is at, and to no other."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.fetch import addresses
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.rendered import Limits
from tests.web_server import Reply, WebServer, serving

LIMITS = Limits(seconds=60, html_bytes=2_000_000, traffic_bytes=8_000_000, memory=2**30, screenshot_height=0)
NOW = int(datetime.now(UTC).timestamp())
OWN = (
    Cookie("a", "mine", "a.example", host_only=True),
    Cookie("wide", "mine", "a.example", host_only=False, expires=NOW + 3600),
    Cookie("deep", "mine", "a.example", host_only=True, path="/deep"),
    Cookie("secure", "mine", "a.example", host_only=False, secure=True),
    Cookie("late", "mine", "a.example", host_only=True, expires=NOW - 1),
    Cookie("__Secure-odd", "mine", "a.example", host_only=True),  # no browser takes it
    Cookie("b", "mine", "b.example", host_only=False, http_only=True),
)


async def own(url: str) -> Sequence[Cookie]:
    return [one for one in OWN if one.belongs_to_host(addresses.parse(url), datetime.now(UTC))]


async def on_loopback(_: str) -> list[str]:
    return ["127.0.0.1"]


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
def at(server: WebServer) -> Callable[[str], str]:
    """The address of a host and path, all of which the one server answers."""

    def at(place: str) -> str:
        host, _, path = place.partition("/")
        return f"http://{host}:{server.port}/{path}"

    return at


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(allow=(ip_network("127.0.0.1/32"),), limits=LIMITS, resolve=on_loopback)
    browser.use_cookies(own)
    yield browser
    await browser.close()


def sent(server: WebServer, path: str) -> set[str]:
    return set(server.headers[path].get("Cookie", "").split("; ")) - {""}


def asks(*addresses: str, then: str = "") -> str:
    """A page's ways to ask for something, and where it goes once all was answered."""
    images = "".join(f"<img src='{address}'>" for address in addresses)
    fetches = ", ".join(
        f"fetch('{address}?fetched', {{mode: 'no-cors', credentials: 'include'}})" for address in addresses
    )
    loaded = "new Promise(resolve => addEventListener('load', resolve))"
    going = f".then(() => {{ location.href = '{then}'; }})" if then else ""
    return f"{images}<script>Promise.allSettled([{loaded}, {fetches}]){going};</script>"


async def test_what_a_page_asks_of_its_site_has_its_cookies_and_of_no_other_site(
    server: WebServer, at: Callable[[str], str], browser: Browser
) -> None:
    server.pages |= {
        "/page": Reply(
            asks(at("a.example/api"), at("a.example/deep/api"), at("sub.a.example/sub"), at("b.example/beside"))
            + f"<iframe src='{at('b.example/frame')}'></iframe><p id=p></p>"
            "<script>p.textContent = `Reads: ${document.cookie}.`;"
            f"new WebSocket('{at('a.example/socket').replace('http', 'ws')}');"
            f"new WebSocket('{at('b.example/beside-socket').replace('http', 'ws')}');</script>"
        ),
        "/frame": Reply(asks(at("b.example/of-frame")) + f"<iframe src='{at('a.example/nested')}'></iframe>"),
    }
    html = (await browser.render(at("a.example/page"))).html
    for path in ("/page", "/api", "/api?fetched", "/socket"):
        assert sent(server, path) == {"a=mine", "wide=mine"}, path
    assert sent(server, "/deep/api") == sent(server, "/deep/api?fetched") == {"a=mine", "wide=mine", "deep=mine"}
    assert sent(server, "/sub") == sent(server, "/sub?fetched") == {"wide=mine"}
    for path in ("/beside", "/beside?fetched", "/beside-socket", "/frame", "/of-frame", "/of-frame?fetched", "/nested"):
        assert sent(server, path) == set(), path
    assert b"Reads: ." in html  # none is for scripts, whether the export calls it HttpOnly or not


async def test_where_the_page_goes_its_sites_cookies_are_given_and_the_last_sites_taken_back(
    server: WebServer, at: Callable[[str], str], browser: Browser
) -> None:
    server.pages |= {
        "/start": Reply(status=302, headers={"Location": at("b.example/redirected")}),
        "/redirected": Reply(
            asks(at("b.example/of-b"), at("a.example/of-a"), at("c.example/of-c"), then=at("c.example/moved"))
        ),
        "/moved": Reply(asks(at("b.example/again-b"), at("a.example/again-a"), then=at("a.example/back"))),
        "/back": Reply("<p>Back again."),
    }
    assert b"Back again." in (await browser.render(at("a.example/start"))).html
    assert sent(server, "/start") == sent(server, "/back") == {"a=mine", "wide=mine"}
    assert sent(server, "/redirected") == sent(server, "/of-b") == sent(server, "/of-b?fetched") == {"b=mine"}
    for path in ("/of-a", "/of-c", "/again-a", "/again-b"):
        assert sent(server, path) == sent(server, f"{path}?fetched") == set(), path
    assert sent(server, "/moved") == set()


async def test_what_a_site_sets_goes_before_ones_own_wherever_the_page_has_been_since(
    server: WebServer, at: Callable[[str], str], browser: Browser
) -> None:
    server.pages |= {
        "/": Reply(status=302, headers={"Location": at("b.example/by"), "Set-Cookie": "a=fresh; Path=/"}),
        "/by": Reply(status=302, headers={"Location": at("a.example/in")}),
        "/in": Reply("<p>In."),
    }
    for _ in range(2):  # another page begins with one's own
        await browser.render(at("a.example/"))
        assert sent(server, "/") == {"a=mine", "wide=mine"}
        assert sent(server, "/by") == {"b=mine"}
        assert sent(server, "/in") == {"a=fresh", "wide=mine"}


async def test_a_page_whose_cookies_cannot_be_known_is_not_asked_without_them(
    server: WebServer, at: Callable[[str], str], browser: Browser
) -> None:
    async def away(_: str) -> Sequence[Cookie]:
        raise ConnectionError("the database is away")

    browser.use_cookies(away)
    with pytest.raises(ConnectionError):
        await browser.render(at("a.example/page"))
    assert not server.requests
