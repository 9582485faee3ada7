"""Sites collected as a whole: every page once, nothing forbidden, no trap for long, and the same after any end."""

import os
import random
import socket
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from extrophi_backend.collectors.models import Scope, Target
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.survey import survey
from extrophi_backend.collectors.web.target import recognise
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import Library
from tests.generated_site import TRAPS, GeneratedSite, serving_site
from tests.web_server import Reply, WebServer, article, serving, sitemap

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def collector() -> AsyncIterator[WebCollector]:
    fetcher = Fetcher(max_bytes=1_000_000, seconds=10, allow=LOOPBACK)
    yield WebCollector(fetcher, max_bytes=1_000_000)
    await fetcher.close()


def target(url: str) -> Target:
    found = recognise(url, LOOPBACK)
    assert found is not None
    return found


def check(site: GeneratedSite, documents: list[str]) -> None:
    """Every article is there once, nothing forbidden was asked for, and no trap for more than 20 pages."""
    assert sorted(uri for uri in documents if "/post/" in uri) == site.articles
    asked = site.server.requests
    assert not [path for path in asked if "/private/" in path or "edit=" in path or "hidden" in path]
    assert not [path for path in asked if path.endswith(".png")]
    assert {trap: len(pages) for trap in TRAPS if len(pages := site.asked.get(trap, set())) > 20} == {}
    assert max(count for path, count in asked.items() if path.startswith(("/post/", "/archive"))) == 1
    assert site.url("/quiet") not in documents
    assert site.url("/about") in documents


@pytest.mark.timeout(900)
async def test_a_site_of_2000_pages_is_collected_whole_and_its_traps_are_left(collector: WebCollector) -> None:
    library = Library()
    with serving_site(2000) as site:
        await library.collect(collector, target(site.url("/")), limit=100_000, scope="site")
        check(site, list(library.documents))
        assert set(TRAPS) <= site.asked.keys()  # each was seen, and left
        assert [failure.target for failure in library.failures] == [site.url("/post/2001")]  # a link that leads nowhere


async def whole(collector: WebCollector, site: GeneratedSite) -> dict[str, str]:
    library = Library()
    await library.collect(collector, target(site.url("/")), limit=100_000, scope="site")
    return {uri: document.text for uri, document in library.documents.items()}


async def interrupted(collector: WebCollector, site: GeneratedSite, rng: random.Random) -> dict[str, str]:
    """The same, given up after some pages again and again; each run begins with what the last one saved."""
    library = Library()
    while library.cursor != {"done": True}:
        # One page more is made, and is not saved: so ends a worker that is killed.
        await library.collect(
            collector, target(site.url("/")), limit=100_000, scope="site", pages=rng.randint(1, 6), resume=True
        )
    return {uri: document.text for uri, document in library.documents.items()}


async def test_a_run_that_was_stopped_finds_what_an_undisturbed_one_finds(collector: WebCollector) -> None:
    with serving_site(60) as site:
        undisturbed = await whole(collector, site)
        assert sorted(uri for uri in undisturbed if "/post/" in uri) == site.articles
        assert await interrupted(collector, site, random.Random(1)) == undisturbed
        assert {trap: len(pages) for trap, pages in site.asked.items() if len(pages) > 20} == {}


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_twenty_stopped_runs_find_what_an_undisturbed_one_finds(collector: WebCollector) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")  # noqa: T201  to be given again
    rng = random.Random(seed)
    with serving_site(120) as site:
        undisturbed = await whole(collector, site)
        for _ in range(20):
            assert await interrupted(collector, site, rng) == undisturbed


def asked(server: WebServer) -> dict[str, int]:
    """What was asked for since the last time, robots.txt apart."""
    seen = {path: count for path, count in server.requests.items() if path != "/robots.txt"}
    server.requests.clear()
    return seen


FEED = "<rss version='2.0'><channel><title>News</title>{}</channel></rss>"


def feed(*urls: str) -> Reply:
    items = "".join(f"<item><title>{url}</title><link>{url}</link></item>" for url in urls)
    return Reply(f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>", media_type="text/xml")


def front(*links: str, head: str = "") -> Reply:
    listed = "".join(f"<li><a href='{link}'>{link}</a></li>" for link in links)
    body = str(article("The front", head=head).body).replace("</main>", f"</main><ul>{listed}</ul>")
    return Reply(body)


LINKED_FEED = "<link rel='alternate' type='application/rss+xml' href='/feed.xml'>"


def a_site(server: WebServer, kind: str) -> str:
    """A target of the kind with five pages; gives its address."""
    urls = [f"/{number}" for number in range(5)]
    server.pages |= {url: article(f"Story {url}", f"What {url} tells: " + "word " * int(f"9{url[1:]}")) for url in urls}
    match kind:
        case "page":
            return "/0"
        case "feed":
            server.pages["/feed.xml"] = feed(*urls)
            return "/feed.xml"
        case "sitemap":
            server.pages["/map.xml"] = sitemap(*map(server.url, urls))
            return "/map.xml"
        case "site with a feed":
            server.pages |= {"/": front(*urls, head=LINKED_FEED), "/feed.xml": feed(*urls)}
        case "site with a feed and a sitemap":
            server.pages |= {"/": front(head=LINKED_FEED), "/feed.xml": feed(*urls[:2])}
            server.pages["/sitemap.xml"] = sitemap(*map(server.url, urls))
        case "site with a sitemap":
            server.pages |= {"/": front(), "/sitemap.xml": sitemap(*map(server.url, urls))}
        case _:
            # With all that is no document: a redirect, a copy, a page without text, a dead link, a forbidden one.
            server.pages["/moved"] = Reply(status=302, headers={"Location": "/0"})
            told = "What /1 tells: " + "word " * 91
            server.pages["/copy"] = article("Story /1", told, head="<link rel='canonical' href='/1'>")
            server.pages["/list"] = Reply("<html><body><ul><li><a href='/2'>2</a></ul></body></html>")
            server.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /no", media_type="text/plain")
            server.pages["/"] = front(*urls, "/moved", "/copy", "/list", "/dead", "/no")
    return "/"


KINDS = {
    "page": "/0", "feed": "/feed.xml", "sitemap": "/map.xml", "site with a feed": "/feed.xml",
    "site with a feed and a sitemap": "/feed.xml", "site with a sitemap": "/sitemap.xml", "bare site": "/",
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
async def test_looking_for_what_is_new_costs_one_request(collector: WebCollector, kind: str) -> None:
    library = Library()
    with serving(WebServer()) as server:
        address = a_site(server, kind)
        scope: Scope = "site" if "site" in kind else "page"
        await library.collect(collector, target(server.url(address)), scope=scope)
        had = dict(library.documents)
        assert len([uri for uri in had if uri.removeprefix(server.base)[1:].isdigit()]) == (1 if kind == "page" else 5)
        asked(server)
        for _ in range(2):
            await library.collect(collector, target(server.url(address)), scope=scope, purpose="new")
            assert asked(server) == {KINDS[kind]: 1}
            assert not library.failures
        assert library.documents.keys() == had.keys()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "page"])
async def test_what_is_new_is_found_and_nothing_else_is_asked_for(collector: WebCollector, kind: str) -> None:
    library = Library()
    with serving(WebServer()) as server:
        address = a_site(server, kind)
        scope: Scope = "site" if "site" in kind else "page"
        await library.collect(collector, target(server.url(address)), scope=scope)
        asked(server)
        server.pages["/new"] = article("New", "It has not been told before. " * 20)
        where = KINDS[kind]
        body = str(server.pages[where].body)  # pyright: ignore[reportAttributeAccessIssue,reportFunctionMemberAccess]
        for old, new in (
            ("</channel>", "<item><title>New</title><link>/new</link></item></channel>"),
            ("</urlset>", f"<url><loc>{server.url('/new')}</loc></url></urlset>"),
            ("</ul>", "<li><a href='/new'>new</a></ul>"),
        ):
            body = body.replace(old, new)
        server.pages[where] = Reply(body, media_type="text/html" if where == "/" else "text/xml")
        await library.collect(collector, target(server.url(address)), scope=scope, purpose="new")
        assert asked(server) == {where: 1, "/new": 1}
        assert server.url("/new") in library.documents


async def test_what_is_nothing_to_a_site_is_news_to_a_feed(collector: WebCollector) -> None:
    """An address that leads out of a site holds no document of the site; who lists it may want it all the same."""
    library = Library()
    with serving(WebServer()) as server, serving(WebServer()) as other:
        other.pages["/story"] = article("A story of another site")
        server.pages["/go"] = Reply(status=302, headers={"Location": other.url("/story")})
        server.pages |= {"/": front("/go"), "/feed.xml": feed("/go")}
        await library.collect(collector, target(server.url("/")), scope="site")
        assert list(library.documents) == [server.url("/")]
        assert not other.requests["/story"]  # it is not even asked
        await library.collect(collector, target(server.url("/feed.xml")), purpose="new")
        assert other.url("/story") in library.documents


BOTH = (False, False)


@pytest.mark.parametrize(
    ("robots", "kept_and_followed"),
    [
        ((), (True, True)),
        (("noindex",), (False, True)),
        (("NoFollow",), (True, False)),
        (("noindex, nofollow",), BOTH),
        (("none",), BOTH),
        (("all", "noarchive", "noindex", "nofollow"), BOTH),
        (("noai, max-snippet: 20, max-image-preview:large, noindex",), (False, True)),
        (("unavailable_after: Wed, 25 Jun 2030 15:00:00 PST, noindex",), (False, True)),
        (("unavailable_after: 2030-06-25T15:00:00+00:00, nofollow",), (True, False)),
        (("otherbot: noindex, nofollow",), (True, True)),
        (("otherbot: noindex", "nofollow"), (True, False)),
        (("otherbot: none, extrophi: noindex",), (False, True)),
        (("noindex, otherbot: nofollow",), (False, True)),
        (("Extrophi: none",), BOTH),
        (("* : nofollow", "robots: noindex"), BOTH),
        (("foo: 5, noindex",), (False, True)),
        (("max-image-preview: none, nofollow",), (True, False)),
        (("otherbot: max-snippet: 5, noindex",), (True, True)),
        (("otherbot: noindex, foo: 5, nofollow",), (True, True)),
        (("noindexing", "no index", "", ",:,", ": noindex and more", "index: noindex"), (True, True)),
    ],
)
def test_what_the_header_asks_counts_as_what_the_page_asks(
    robots: tuple[str, ...], kept_and_followed: tuple[bool, bool]
) -> None:
    page = b"<html><body><a href='/on'>on</a></body></html>"
    found = survey(page, "text/html", "https://some.site/", robots)
    assert (found.is_kept, bool(found.links)) == kept_and_followed
    asks_both = page.replace(b"<body>", b"<head><meta name=robots content=none></head><body>")
    found = survey(asks_both, "text/html", "https://some.site/", robots)
    assert (found.is_kept, bool(found.links)) == BOTH


async def test_a_site_says_by_header_what_is_not_kept_or_followed(collector: WebCollector) -> None:
    library = Library()
    told = str(front("/beyond").body).encode()

    def raw_several(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(told)}"
        robots = "X-Robots-Tag: otherbot: none\r\nX-Robots-Tag: NOFOLLOW"
        connection.sendall(f"{head}\r\n{robots}\r\n\r\n".encode() + told)

    with serving(WebServer()) as server:
        quiet = Reply(front("/found").body, headers={"X-Robots-Tag": "noindex"})
        text = "A note that is long enough to be one. " * 20
        server.pages |= {"/": front("/quiet", "/several", "/note.txt", "/plain.txt"), "/quiet": quiet}
        server.pages |= {"/several": raw_several, "/found": article("Found"), "/beyond": article("Beyond")}
        server.pages["/note.txt"] = Reply(text, media_type="text/plain", headers={"X-Robots-Tag": "none"})
        server.pages["/plain.txt"] = Reply(f"Plain. {text}", media_type="text/plain")
        await library.collect(collector, target(server.url("/")), scope="site")
        assert sorted(library.documents) == [server.url(path) for path in ("/", "/found", "/plain.txt", "/several")]
        assert not library.failures
        assert server.requests["/note.txt"] == 1
        assert not server.requests["/beyond"]


async def test_what_is_no_address_ends_no_site(collector: WebCollector) -> None:
    library = Library()
    with serving(WebServer()) as server:
        server.pages |= {"/": front(), "/good": article("Good"), "/robots.txt": Reply("Sitemap: /map.xml\n")}
        server.pages["/map.xml"] = sitemap(
            "javascript:void(0)", "ftp://files.example/x", "http://", server.url("/good")
        )
        await library.collect(collector, target(server.url("/")), limit=100, scope="site")
        assert sorted(library.documents) == [server.url("/"), server.url("/good")]
        assert len(library.failures) <= 3


async def test_depth_and_limit_end_a_site(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        server.pages |= {"/": front("/a", "/b"), "/a": front("/a/next/one"), "/b": article("B")}
        server.pages |= {"/a/next/one": front("/a/next/one/more/deep"), "/a/next/one/more/deep": article("Deep")}
        for depth, limit, expected in ((0, 9, 1), (1, 9, 3), (2, 9, 4), (3, 9, 5), (3, 2, 2)):
            library = Library()
            await library.collect(collector, target(server.url("/")), scope="site", depth=depth, limit=limit)
            assert len(library.documents) == expected, (depth, limit)


async def test_a_sitemaps_index_says_which_of_its_sitemaps_are_as_they_were(collector: WebCollector) -> None:
    library = Library()
    with serving(WebServer()) as server:

        def index(first: str, second: str) -> Reply:
            told = "".join(
                f"<sitemap><loc>{server.url(f'/{name}.xml')}</loc><lastmod>{day}</lastmod></sitemap>"
                for name, day in (("a", first), ("b", second))
            )
            return Reply(f"<?xml version='1.0'?><sitemapindex>{told}</sitemapindex>", media_type="text/xml")

        server.pages |= {f"/{number}": article(f"Story {number}") for number in range(5)}
        server.pages |= {"/a.xml": sitemap(server.url("/0")), "/b.xml": sitemap(server.url("/1")), "/": front()}
        runs: list[tuple[Scope, str]] = [("page", "/sitemap.xml"), ("site", "/")]
        for scope, address in runs:
            server.pages["/sitemap.xml"] = index("2026-01-01", "2026-01-01")
            await library.collect(collector, target(server.url(address)), scope=scope)
            asked(server)
            await library.collect(collector, target(server.url(address)), scope=scope, purpose="new")
            assert asked(server) == {"/sitemap.xml": 1}
            server.pages["/sitemap.xml"] = index("2026-01-01", "2026-01-02")
            await library.collect(collector, target(server.url(address)), scope=scope, purpose="new")
            assert asked(server) == {"/sitemap.xml": 1, "/b.xml": 1}


async def test_a_front_that_is_gone_or_dead_is_told(collector: WebCollector) -> None:
    library = Library()
    with serving(WebServer()) as server:
        server.pages["/"] = front("/a")
        server.pages["/a"] = article("A")
        await library.collect(collector, target(server.url("/")), scope="site")
        del server.pages["/"]
        await library.collect(collector, target(server.url("/")), scope="site")
        assert [failure.code for failure in library.failures] == ["http_404"]
        assert server.url("/") in library.gone
        assert server.url("/a") in library.documents


async def test_an_address_that_pages_say_is_their_own_and_is_none_changes_nothing(collector: WebCollector) -> None:
    """A template that gives all pages one canonical address, and one that names pages which are not there."""
    with serving(WebServer()) as server:
        heads = {f"/{n}": f"<link rel='canonical' href='/{'listing' if n < 3 else f'lost/{n}'}'>" for n in range(6)}
        for path, head in heads.items():
            told = " ".join(f"{path[1:]} {word}{path[1:]}x" for word in "heron pond dawn reed ice bird fish".split())
            server.pages[path] = article(f"Story {path}", *[f"{told} {part}" for part in "abcd"], head=head)
        server.pages["/listing"] = article("A list", "It is about all of the stories, and none of them in itself. " * 5)
        server.pages["/"] = front(*heads, "/listing")
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert sorted(library.documents) == sorted(map(server.url, ["/", "/listing", *heads]))


LOGIN = (
    "<html><head><title>Sign in</title></head><body><form action='/in'><h1>Sign in</h1><p>Please sign in to continue.</p>"
    "<input name='user'><input type='password' name='word'><button>Sign in</button></form>"
    "<a href='/help'>Help</a> <a href='/terms'>Terms</a></body></html>"
)


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_wall_before_the_front_is_not_the_site(collector: WebCollector, *, elsewhere: bool) -> None:
    with serving(WebServer()) as server, serving(WebServer()) as other:
        walled = other if elsewhere else server
        server.pages["/"] = Reply(status=302, headers={"Location": walled.url("/signin")})
        walled.pages |= {"/signin": Reply(LOGIN), "/help": article("Help"), "/terms": article("Terms")}
        walled.pages["/sitemap.xml"] = sitemap(walled.url("/help"))
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert [(one.target, one.code) for one in library.failures] == [(server.url("/"), "login_needed")]
        assert not library.documents
        assert asked(walled).keys() | asked(server).keys() == {"/", "/signin"}
        # It is lifted: what is found then is the site that was typed.
        server.pages |= {"/": front("/help"), "/help": article("Help of the site itself")}
        await library.collect(collector, target(server.url("/")), scope="site", purpose="new")
        assert sorted(library.documents) == [server.url("/"), server.url("/help")]


async def test_a_wall_within_a_site_leads_nowhere(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        server.pages |= {"/": front("/members"), "/members": Reply(LOGIN), "/help": article("Help")}
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert [one.code for one in library.failures] == ["login_needed"]
        assert not server.requests["/help"]


async def test_a_site_that_moved_is_collected_where_it_is(collector: WebCollector) -> None:
    with serving(WebServer()) as server, serving(WebServer()) as other:
        server.pages["/"] = Reply(status=301, headers={"Location": other.url("/")})
        other.pages |= {"/": front("/a"), "/a": article("A")}
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert sorted(library.documents) == [other.url("/"), other.url("/a")]
