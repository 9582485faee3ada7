"""Pages, feeds and sitemaps of a real server, collected as a job collects them."""

import gzip
from collections.abc import Iterator

import pytest

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.target import recognise
from extrophi_backend.errors import BackendError, ForbiddenAddress, InvalidTarget, PlatformUnavailable
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import Paced
from tests.collecting import LOOPBACK, Library, target
from tests.sample_files import make_pdf
from tests.web_server import Reply, WebServer, article, serving, sitemap


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


def site(server: WebServer, pages: int) -> list[str]:
    """So many articles and a sitemap of them."""
    urls = [server.url(f"/{number}") for number in range(pages)]
    server.pages |= {f"/{number}": article(f"Story {number}") for number in range(pages)}
    server.pages["/sitemap.xml"] = sitemap(*urls)
    return urls


async def test_a_page_is_a_document_with_what_it_says_of_itself(server: WebServer, collector: WebCollector) -> None:
    head = "<meta name='author' content='Ada Lovelace'>"
    head += "<meta property='article:published_time' content='2026-01-31T12:00:00Z'>"
    server.pages["/moved"] = Reply(status=301, headers={"Location": "/story?utm_source=mail"})
    server.pages["/story?utm_source=mail"] = article("The heron", head=head)
    library = Library()
    await library.collect(collector, target(server.url("/moved")))
    (document,) = library.documents.values()
    assert document.external_id == document.url == server.url("/story")
    assert (document.title, document.language) == ("The heron", "en")
    assert document.author == "Ada Lovelace"
    assert document.published_at is not None
    assert document.published_at.isoformat() == "2026-01-31T12:00:00+00:00"
    assert "told here at some length" in document.text
    assert [document.text[b.start : b.end] for b in document.blocks if b.level] == ["The heron"]
    assert document.capture is not None
    assert document.capture.body.startswith(b"<!doctype html>")
    assert library.cursor == {"done": True}


async def test_a_pdf_is_known_by_its_content(server: WebServer, collector: WebCollector) -> None:
    server.pages["/paper"] = Reply(make_pdf([[(72, 700, 12, "Words on paper")]]), media_type="text/html")
    library = Library()
    await library.collect(collector, target(server.url("/paper")))
    (document,) = library.documents.values()
    assert document.text == "Words on paper"
    assert document.anchors[0].page == 1
    assert document.capture is not None
    assert document.capture.media_type.startswith("application/pdf")


async def test_a_sitemap_again_sends_no_body(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 12)
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert sorted(library.documents) == sorted(urls)
    server.bodies.clear()
    before = dict(library.documents)
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert library.unchanged == urls
    assert library.documents == before
    assert not +server.bodies


async def test_without_validators_the_pages_travel_and_nothing_is_asked_conditionally(
    server: WebServer, collector: WebCollector
) -> None:
    server.pages["/"] = Reply(article("Plain").body, validators=False)
    library = Library()
    for _ in range(2):
        await library.collect(collector, target(server.url("/")))
    assert "If-None-Match" not in server.headers["/"]
    assert not library.unchanged
    assert len(library.documents) == 1


async def test_a_sitemap_of_sitemaps_goes_on_where_it_stopped(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 60)
    server.pages["/a.xml"] = sitemap(*urls[:25])
    packed = gzip.compress(str(sitemap(*urls[25:]).body).encode())
    server.pages["/b.xml.gz"] = Reply(packed, media_type="application/gzip")
    server.pages["/sitemap.xml"] = sitemap(server.url("/a.xml"), server.url("/b.xml.gz"), server.url("/"), index=True)
    library = Library()
    while library.cursor != {"done": True}:
        before = library.cursor
        await library.collect(collector, target(server.url("/sitemap.xml")), pages=1, resume=True)
        assert library.cursor != before
    assert sorted(library.documents) == sorted(urls)
    assert [failure.code for failure in library.failures] == ["not_a_sitemap"]
    assert all(server.requests[f"/{number}"] == 1 for number in range(60))


async def test_a_limit_is_kept_over_a_resumption(server: WebServer, collector: WebCollector) -> None:
    site(server, 40)
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")), limit=15, pages=1)
    await library.collect(collector, target(server.url("/sitemap.xml")), limit=15, resume=True)
    assert len(library.documents) == 15


async def test_a_feed_tells_what_its_pages_leave_out(server: WebServer, collector: WebCollector) -> None:
    server.pages["/one"] = article("One")
    server.pages["/feed"] = Reply(
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
        "<item><title>One</title><link>/one</link>"
        "<dc:creator>Ada</dc:creator><pubDate>Mon, 01 Jun 2026 10:00:00 GMT</pubDate></item><item>"
        "<title>Note</title>"
        "<guid>n-2</guid><description>&lt;p&gt;A note without a page, in a sentence or two.&lt;/p&gt;</description>"
        "</item>"
        "</channel></rss>",
        media_type="text/plain",
    )
    library = Library()
    await library.collect(collector, target(server.url("/feed")))
    assert not library.failures
    one, note = library.documents.values()
    assert (one.external_id, one.author) == (server.url("/one"), "Ada")
    assert one.published_at is not None
    assert (note.external_id, note.title) == (server.url("/feed#n-2"), "Note")
    assert note.text == "A note without a page, in a sentence or two."


async def test_one_bad_page_is_one_failure(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 6)
    server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /5\n", media_type="text/plain")
    server.pages["/1"] = Reply("", 403)
    server.pages["/2"] = Reply(b"\x89PNG\r\n\x1a\n" + bytes(100), media_type="image/png")
    server.pages["/3"] = Reply(b"x" * 1_000_001)
    server.pages["/4"] = Reply("<html><body><nav>Menu</nav></body></html>")
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert list(library.documents) == urls[:1]
    assert {failure.target.rpartition("/")[2]: failure.code for failure in library.failures} == {
        "1": "http_403",
        "2": "unsupported_type",
        "3": "too_large",
        "4": "no_text",
        "5": "robots_disallowed",
    }
    assert library.cursor == {"done": True}


async def test_a_page_that_vanished_is_gone_and_comes_back(server: WebServer, collector: WebCollector) -> None:
    page = server.pages["/"] = article("Here and gone")
    library = Library()
    await library.collect(collector, target(server.url("/")))
    server.pages["/"] = Reply("", 404)
    await library.collect(collector, target(server.url("/")))
    assert library.gone == {server.url("/")}
    assert [failure.code for failure in library.failures] == ["http_404"]
    assert len(library.documents) == 1
    server.pages["/"] = page
    await library.collect(collector, target(server.url("/")))
    assert not library.gone


async def test_a_block_page_is_a_failure_and_replaces_nothing(server: WebServer, collector: WebCollector) -> None:
    server.pages["/"] = article("An article")
    library = Library()
    await library.collect(collector, target(server.url("/")))
    server.pages["/"] = Reply(
        "<!doctype html><html lang='en-US'><head><title>Just a moment...</title></head><body>"
        "<div class='main-wrapper'><h1>site.example</h1><h2>Checking if the site connection is secure</h2>"
        "<div id='challenge-stage'></div><noscript>Enable JavaScript and cookies to continue</noscript>"
        "<p>site.example needs to review the security of your connection before proceeding.</p></div>"
        "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1'></script></body></html>",
        403,
    )
    await library.collect(collector, target(server.url("/")))
    assert [failure.code for failure in library.failures] == ["captcha"]
    assert [document.title for document in library.documents.values()] == ["An article"]
    assert not library.gone


async def test_a_busy_host_gives_the_slot_back_with_what_was_collected(
    server: WebServer, collector: WebCollector
) -> None:
    urls = site(server, 5)
    server.pages["/3"] = Reply("", 429, headers={"Retry-After": "90"})
    library = Library()
    with pytest.raises(PlatformUnavailable) as busy:
        await library.collect(collector, target(server.url("/sitemap.xml")))
    assert busy.value.retry_after == 90
    assert list(library.documents) == urls[:3]
    assert library.cursor is not None
    assert (library.cursor["after"], library.cursor["handled"]) == (urls[2], 3)


async def goes_on(library: Library, server: WebServer, runs: int, path: str = "/sitemap.xml") -> list[BackendError]:
    """Run the job over and over, each time as if all that was to be waited for had passed."""
    waits: list[BackendError] = []
    for _ in range(runs):
        fetcher = Fetcher(max_bytes=1_000_000, seconds=30, allow=LOOPBACK)
        failures = library.failures
        try:
            await library.collect(WebCollector(fetcher, max_bytes=1_000_000), target(server.url(path)), resume=True)
        except PlatformUnavailable as wait:
            waits.append(wait)
        finally:
            library.failures[:0] = failures
            await fetcher.close()
        if library.cursor == {"done": True}:
            break
    return waits


async def test_one_page_that_is_always_busy_does_not_end_the_job(server: WebServer) -> None:
    urls = site(server, 5)
    server.pages["/3"] = Reply("", 429, headers={"Retry-After": "90"})
    library = Library()
    waits = await goes_on(library, server, 10)
    assert [type(wait) for wait in waits] == [PlatformUnavailable, PlatformUnavailable, Paced]
    assert library.cursor == {"done": True}
    assert list(library.documents) == [*urls[:3], urls[4]]
    assert [(one.target, one.code) for one in library.failures] == [(urls[3], "rate_limited")]


async def test_a_host_that_is_always_busy_is_given_up(server: WebServer) -> None:
    urls = site(server, 9)
    for number in range(1, 9):
        server.pages[f"/{number}"] = Reply("", 429)
    library = Library()
    waits = await goes_on(library, server, 20)
    assert len(waits) == 5
    assert library.cursor == {"done": True}
    assert list(library.documents) == urls[:1]
    assert [one.code for one in library.failures] == ["rate_limited"] * 8
    assert sum(server.requests[f"/{number}"] for number in range(1, 9)) <= 6


async def test_while_one_host_waits_the_others_are_collected(server: WebServer) -> None:
    with serving(WebServer()) as busy:
        busy.pages |= {f"/{number}": article(f"Busy {number}") for number in range(3)}
        busy.pages["/0"] = Reply("", 503, headers={"Retry-After": "30"})
        urls = site(server, 4)
        mixed = [busy.url("/0"), urls[0], busy.url("/1"), *urls[1:], busy.url("/2")]
        server.pages["/sitemap.xml"] = sitemap(*mixed)
        library = Library()
        (wait,) = await goes_on(library, server, 1)
        assert wait.retry_after is not None
        assert 0 < wait.retry_after <= 30
        assert list(library.documents) == urls
        assert library.cursor is not None
        assert library.cursor["aside"] == [busy.url("/0"), busy.url("/1")]
        busy.pages["/0"] = article("Busy no more")
        assert not await goes_on(library, server, 1)
    assert sorted(library.documents) == sorted(mixed)
    assert all(server.requests[f"/{number}"] == 1 for number in range(4))
    assert not library.failures


async def test_what_is_put_aside_counts_towards_the_limit(server: WebServer, collector: WebCollector) -> None:
    with serving(WebServer({"/": Reply("", 429)})) as busy:
        urls = site(server, 4)
        server.pages["/sitemap.xml"] = sitemap(busy.url("/"), *urls)
        library = Library()
        with pytest.raises(PlatformUnavailable):
            await library.collect(collector, target(server.url("/sitemap.xml")), limit=3)
    assert list(library.documents) == urls[:2]


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_crawl_delay_slows_a_sitemap_of_sitemaps_and_does_not_end_it(
    server: WebServer, *, remembers: bool
) -> None:
    urls = site(server, 3)
    server.pages["/a.xml"] = server.pages["/sitemap.xml"]
    server.pages["/sitemap.xml"] = sitemap(server.url("/a.xml"), index=True)
    server.pages["/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 20\n", media_type="text/plain")
    library = Library()
    waits: list[BackendError] = []
    while library.cursor != {"done": True} and len(waits) < 8:
        if not remembers:
            library.notes.clear()
        waits += await goes_on(library, server, 1)
    assert sorted(library.documents) == urls
    assert len(waits) == 3
    assert {type(wait) for wait in waits} == {Paced}  # none of them says that the site would not answer
    if remembers:
        assert server.requests["/sitemap.xml"] == server.requests["/a.xml"] == 1


async def test_robots_that_cannot_be_read_are_waited_for_and_told(server: WebServer) -> None:
    site(server, 2)
    server.pages["/robots.txt"] = Reply("", 429)
    library = Library()
    assert await goes_on(library, server, 20)
    assert library.cursor == {"done": True}
    assert [one.code for one in library.failures] == ["robots_unreachable"] * 2


async def test_dead_links_that_come_first_do_not_use_up_the_limit(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 40)
    server.pages |= {"/0": Reply("", 404), "/1": Reply("", 404)}
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")), limit=2)
    assert list(library.documents) == urls[2:4]
    server.pages |= {f"/{number}": Reply("", 404) for number in range(40)}
    dead = Library()
    await dead.collect(collector, target(server.url("/sitemap.xml")), limit=2)
    assert len(dead.failures) == 22  # there is an end to it


async def test_links_that_lead_nowhere_are_failures(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 1)
    server.pages["/sitemap.xml"] = sitemap("https://xn--n3h.invalid/", "http://[", "ftp://x.example/", *urls)
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert [one.code for one in library.failures] == ["name_not_resolved", "malformed_url", "unsupported_scheme"]
    assert list(library.documents) == urls


async def test_any_charset_that_a_page_names_harms_nothing(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 4)
    for number, charset in enumerate(["idna", "punycode", "undefined", "unicode_escape"]):
        page = str(article(f"Café {number}").body).encode("latin-1")
        server.pages[f"/{number}"] = Reply(page, media_type=f"text/html; charset={charset}")
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert list(library.documents) == urls


WHOLE = " ".join(f"Sentence {number} of what the feed itself holds of this page." for number in range(8))


def feed(server: WebServer, *contents: str) -> None:
    items = "".join(
        f"<item><title>Item {number}</title><link>/{number}</link>"
        f"<description>&lt;p&gt;{content}&lt;/p&gt;</description></item>"
        for number, content in enumerate(contents)
    )
    server.pages["/feed"] = Reply(f"<rss version='2.0'><channel>{items}</channel></rss>", media_type="text/xml")


async def test_what_a_feed_holds_stands_in_for_a_page_that_cannot_be_had(
    server: WebServer, collector: WebCollector
) -> None:
    feed(server, WHOLE, WHOLE, "Read more.", WHOLE)
    server.pages |= {f"/{number}": Reply("", 403) for number in range(4)}
    server.pages["/1"] = article("The page")
    server.pages["/3"] = Reply("", 404)
    library = Library()
    await library.collect(collector, target(server.url("/feed")))
    assert list(library.documents) == [server.url("/0"), server.url("/1")]
    assert [(one.target, one.code) for one in library.failures] == [
        (server.url("/2"), "http_403"),
        (server.url("/3"), "http_404"),
    ]
    assert (library.documents[server.url("/0")].title, library.documents[server.url("/0")].text) == ("Item 0", WHOLE)
    server.pages |= {"/0": article("Open now"), "/1": Reply("", 403)}
    await library.collect(collector, target(server.url("/feed")))
    assert [one.title for one in library.documents.values()] == ["Open now", "The page"]  # the page's own version stays
    assert [one.target for one in library.failures] == [server.url(f"/{number}") for number in (1, 2, 3)]


def leading_to(address: str, seconds: int = 0) -> Reply:
    return Reply(
        f"<!doctype html><html><head><meta http-equiv='Refresh' content='{seconds}; URL={address}'></head>"
        f"<body><p>This page has moved <a href='{address}'>here</a>.</p></body></html>"
    )


async def test_a_page_that_only_leads_on_is_followed(server: WebServer, collector: WebCollector) -> None:
    server.pages |= {"/old": leading_to("/older"), "/older": leading_to("new", 5), "/new": article("The new one")}
    library = Library()
    await library.collect(collector, target(server.url("/old")))
    assert list(library.documents) == [server.url("/new")]
    assert not library.failures


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/robbed", "robots_disallowed"),
        ("http://169.254.169.254/", "forbidden_address"),
        ("ftp://x.example/", "unsupported_scheme"),
        ("/?a", "too_many_redirects"),
    ],
)
async def test_a_page_that_leads_where_nothing_may_be_fetched_is_a_failure(
    server: WebServer, collector: WebCollector, address: str, code: str
) -> None:
    site(server, 1)
    server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /robbed\n", media_type="text/plain")
    server.pages |= {"/0": leading_to(address), "/?a": leading_to("/?b"), "/?b": leading_to("/?a")}
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")))
    assert not library.documents
    assert [(one.target, one.code) for one in library.failures] == [(server.url("/0"), code)]


async def test_a_page_that_loads_itself_anew_stays_a_page(server: WebServer, collector: WebCollector) -> None:
    reload = "<meta http-equiv='refresh' content='{}'>"
    server.pages |= {
        "/news": article("News", head=reload.format("300; url=/other")),
        "/long": article("Long", *[WHOLE] * 3, head=reload.format("0; url=/other")),
        "/self": article("Self", "Short.", head=reload.format("5; url=/self#x")),
    }
    for path in ("/news", "/long", "/self"):
        library = Library()
        await library.collect(collector, target(server.url(path)))
        assert list(library.documents) == [server.url(path)]


async def test_a_run_goes_on_from_any_cursor(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 24)
    server.pages |= {"/a.xml": sitemap(*urls[:11]), "/b.xml": sitemap(), "/c.xml": sitemap(*urls[11:])}
    server.pages["/sitemap.xml"] = sitemap(
        *(server.url(f"/{name}.xml") for name in ("a", "lost", "b", "c")), index=True
    )
    whole = Library()
    pages = await whole.collect(collector, target(server.url("/sitemap.xml")))
    assert len(pages) > 2
    assert [one.code for one in whole.failures] == ["not_a_sitemap"]
    for number, page in enumerate(pages):
        left = Library(cursor=page.cursor)
        await left.collect(collector, target(server.url("/sitemap.xml")), resume=True)
        before = [document.external_id for one in pages[: number + 1] for document in one.documents]
        assert [*before, *left.documents] == urls  # each once, in its order
        failed = sum(len(one.failures) for one in pages[: number + 1])
        assert failed + len(left.failures) == 1


async def test_a_poisonous_sitemap_is_passed_over(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 2)
    server.pages |= {"/a.xml": sitemap(urls[0]), "/b.xml": sitemap(urls[1])}
    server.pages["/sitemap.xml"] = sitemap(server.url("/a.xml"), server.url("/b.xml"), index=True)
    library = Library()
    aside = frozenset({server.url("/a.xml")})
    await library.collect(collector, target(server.url("/sitemap.xml")), set_aside=aside)
    assert [(one.target, one.code) for one in library.failures] == [(server.url("/a.xml"), "poisonous")]
    assert list(library.documents) == urls[1:]
    assert not server.requests["/a.xml"]


async def test_a_poisonous_page_is_named_and_passed_over(server: WebServer, collector: WebCollector) -> None:
    urls = site(server, 3)
    library = Library()
    await library.collect(collector, target(server.url("/sitemap.xml")), set_aside=frozenset({urls[1]}))
    assert [failure.code for failure in library.failures] == ["poisonous"]
    assert list(library.documents) == [urls[0], urls[2]]
    assert urls[0] in library.suspects
    assert urls[1] not in library.suspects


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("example.org", "https://example.org/"),
        ("www.example.org/a?utm_medium=x", "https://www.example.org/a"),
        (" HTTP://EXAMPLE.org/a#b ", "http://example.org/a"),
        ("https://xn--n3h.net/", "https://xn--n3h.net/"),
        ("bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("example.org:8080/x", "https://example.org:8080/x"),
    ],
)
def test_what_people_type_is_understood(typed: str, canonical: str) -> None:
    found = recognise(typed, ())
    scope = "site" if canonical.count("/") == 3 and canonical.endswith("/") else "page"
    assert found == Target("web", canonical, typed, scope)


@pytest.mark.parametrize("typed", ["", "hello", "two words", "@handle", "r/name", "1.5", "v1.2.3", "notes.", "/x"])
def test_what_is_no_address_is_left_to_others(typed: str) -> None:
    assert recognise(typed, ()) is None


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("ftp://example.org/", InvalidTarget),
        ("https://", InvalidTarget),
        ("https://user:pw@example.org/", InvalidTarget),
        ("http://127.0.0.1/", ForbiddenAddress),
        ("http://[::1]/", ForbiddenAddress),
        ("http://0x7f.1/", ForbiddenAddress),
        ("http://2130706433/", ForbiddenAddress),
        ("http://169.254.169.254/latest/meta-data", ForbiddenAddress),
    ],
)
def test_what_may_not_be_fetched_is_refused_when_typed(typed: str, error: type[BackendError]) -> None:
    with pytest.raises(error) as refused:
        recognise(typed, ())
    assert refused.value.field == "target"
    assert refused.value.hint
