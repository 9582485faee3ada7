"""Pages that are made by their scripts, collected by way of a real browser."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.rendering import Renderer
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.rendered import Limits
from tests.collecting import LOOPBACK, Library, target
from tests.web_server import Reply, WebServer, article, serving, sitemap

LIMITS = Limits(seconds=60, html_bytes=2_000_000, traffic_bytes=8_000_000, memory=2**30)
STORY = "".join(
    f"<p>The heron stands in the shallows, says sentence {number}, and waits until something moves below.</p>"
    for number in range(12)
)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(max_bytes=1_000_000, seconds=10, allow=LOOPBACK)
    yield fetcher
    await fetcher.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser(allow=LOOPBACK, limits=LIMITS, agent="Extrophi/test")
    yield browser
    await browser.close()


@pytest.fixture
def collector(fetcher: Fetcher, browser: Browser) -> WebCollector:
    return WebCollector(fetcher, max_bytes=1_000_000, renderer=Renderer(browser, fetcher))


def scripted(script: str, body: str = "<div id=root></div>", title: str = "A page") -> Reply:
    """What a framework sends: nothing, and a script that makes the page of it."""
    return Reply(
        f"<!doctype html><html lang=en><head><title>{title}</title></head><body>{body}<script>{script}</script>"
    )


def writes(html: str) -> str:
    return f"setTimeout(() => {{ document.getElementById('root').innerHTML = {html!r}; }}, 100);"


async def collected(collector: WebCollector, url: str) -> Library:
    library = Library()
    await library.collect(collector, target(url))
    return library


async def test_a_page_that_is_made_by_its_script_is_a_document(server: WebServer, collector: WebCollector) -> None:
    server.pages["/data"] = Reply(f"<article><h1>The heron</h1>{STORY}</article>")
    script = "fetch('/data').then(r => r.text()).then(t => { document.getElementById('root').innerHTML = t; });"
    server.pages["/app"] = scripted(script, title="The heron")
    library = await collected(collector, server.url("/app"))
    assert not library.failures
    (document,) = library.documents.values()
    assert document.external_id == document.url == server.url("/app")
    assert "waits until something moves" in document.text
    assert document.capture is not None
    assert b"waits until something moves" in document.capture.body
    assert document.capture.media_type == "text/html; charset=utf-8"
    assert document.screenshot is not None
    assert document.screenshot.media_type == "image/webp"
    assert document.screenshot.body[8:12] == b"WEBP"
    # What was sent stays the same, whatever the script fetches: it is looked at anew each time.
    assert not {"etag", "last_modified"} & document.validators.keys()
    assert "Extrophi/test" in server.headers["/data"]["User-Agent"]


async def test_what_a_person_typed_is_rendered_again_at_their_word(server: WebServer, collector: WebCollector) -> None:
    server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", media_type="text/plain")
    server.pages |= {path: scripted(writes(STORY), title=path) for path in ("/app", "/other")}
    library = await collected(collector, server.url("/app"))
    due = [server.url("/app"), server.url("/other")]
    await library.collect(collector, target(server.url("/other")), purpose="revisit", revisit=due)
    assert [(one.target, one.code) for one in library.failures] == [(server.url("/other"), "robots_disallowed")]
    assert server.requests["/app"] > 2  # by each run, and by the browser of each
    assert server.requests["/other"] == 0


async def test_a_page_with_text_starts_no_browser(server: WebServer, collector: WebCollector, browser: Browser) -> None:
    server.pages["/"] = article("Plain")
    server.pages["/script"] = article("With a script", head="<script>document.title = 'Changed';</script>")
    server.pages["/short"] = Reply("<html><body><p>A short page without scripts.</p></body></html>")
    for path in ("/", "/script", "/short"):
        library = await collected(collector, server.url(path))
        assert len(library.documents) == 1
        assert server.requests[path] == 1
    assert not browser.is_running


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("<h1>Page not found</h1><p>Sorry, the page you are looking for does not exist.</p>", "soft_404"),
        ("<h1>Log in</h1><p>Please log in to continue.</p><form><input type=password></form>", "login_needed"),
        ("<h1>Just a moment...</h1><p>Verify you are human below.</p><div class='g-recaptcha'></div>", "captcha"),
    ],
)
async def test_a_page_in_the_articles_place_is_told_when_a_script_makes_it(
    server: WebServer, collector: WebCollector, html: str, code: str
) -> None:
    title = html.partition("<h1>")[2].partition("<")[0]
    server.pages["/"] = scripted(f"document.title = {title!r};" + writes(html))
    library = await collected(collector, server.url("/"))
    assert [failure.code for failure in library.failures] == [code]
    assert not library.documents


async def test_where_nothing_comes_the_reason_is_the_pages(server: WebServer, collector: WebCollector) -> None:
    server.pages["/"] = scripted("throw new Error('broken');")
    library = await collected(collector, server.url("/"))
    assert [failure.code for failure in library.failures] == ["javascript_needed"]


async def test_where_a_script_leads_is_the_documents_address(server: WebServer, collector: WebCollector) -> None:
    server.pages["/"] = scripted("location.replace('/story?utm_source=x');")
    server.pages["/story?utm_source=x"] = article("The story")
    library = await collected(collector, server.url("/"))
    (document,) = library.documents.values()
    assert document.external_id == server.url("/story")


async def test_where_a_script_leads_robots_txt_is_heeded(server: WebServer, collector: WebCollector) -> None:
    server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /closed", media_type="text/plain")
    server.pages["/"] = scripted("location.replace('/closed');")
    server.pages["/closed"] = article("Closed")
    server.pages["/sitemap.xml"] = sitemap(server.url("/"))
    library = await collected(collector, server.url("/sitemap.xml"))
    assert [failure.code for failure in library.failures] == ["robots_disallowed"]
    assert not server.requests["/closed"]
    library = await collected(collector, server.url("/"))  # a person's word
    assert [document.title for document in library.documents.values()] == ["Closed"]


@pytest.mark.parametrize("where", ["http://127.0.0.2:{port}/", "http://2130706434:{port}/", "http://169.254.169.254/"])
async def test_a_script_leads_to_no_private_address(server: WebServer, collector: WebCollector, where: str) -> None:
    server.pages["/"] = scripted(f"location.replace('{where.format(port=server.port)}secret');")
    library = await collected(collector, server.url("/"))
    assert not library.documents
    assert [failure.code for failure in library.failures] == ["forbidden_address"]
    assert not server.requests["/secret"]


async def test_little_text_stays_where_a_browser_finds_no_more(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = scripted(
        "for (;;) {}", body="<article><h1>Note</h1><p>It is short, and all there is.</p></article>"
    )
    browser = Browser(allow=LOOPBACK, limits=replace(LIMITS, seconds=3))
    collector = WebCollector(fetcher, max_bytes=1_000_000, renderer=Renderer(browser, fetcher))
    library = await collected(collector, server.url("/"))
    await browser.close()
    assert not library.failures
    (document,) = library.documents.values()
    assert "all there is" in document.text
    assert document.screenshot is None


async def test_without_a_browser_the_failure_says_how_to_have_one(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = scripted(writes(STORY))
    missing = Browser(named=Path("/nowhere/chromium"), allow=LOOPBACK, limits=LIMITS)
    collector = WebCollector(fetcher, max_bytes=1_000_000, renderer=Renderer(missing, fetcher))
    library = await collected(collector, server.url("/"))
    (failure,) = library.failures
    assert failure.code == "browser_missing"
    assert "EXTROPHI_CHROMIUM" in failure.detail


async def test_a_site_that_its_scripts_make_is_followed_by_the_links_that_a_browser_shows(
    server: WebServer, collector: WebCollector
) -> None:
    links = "".join(f"<li><a href=/posts/{name}>The story of the {name}</a></li>" for name in ("heron", "bittern"))
    server.pages["/"] = scripted(writes(f"<nav><ul>{links}</ul></nav>"))
    for name in ("heron", "bittern"):
        server.pages[f"/posts/{name}"] = scripted(writes(f"<article><h1>The {name}</h1>{STORY}</article>"), title=name)
    library = Library()
    await library.collect(collector, target(server.url("/")), scope="site")
    found = {one.external_id: one for one in library.documents.values()}
    assert set(found) == {server.url("/posts/heron"), server.url("/posts/bittern")}
    assert all("waits until something moves" in one.text and one.screenshot for one in found.values())
