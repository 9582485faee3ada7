"""Sites collected as a whole: every page once, nothing forbidden, no trap for long, and the same after any end."""

import os
import random
import socket
import time

import pytest

from extrophi_backend.collectors.models import Purpose, Scope
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.survey import survey
from extrophi_backend.errors import BackendError, PlatformUnavailable, RobotsUnreachable
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import Paced
from tests.collecting import LOOPBACK, Library, target
from tests.generated_site import TRAPS, GeneratedSite, serving_site
from tests.web_server import Reply, WebServer, article, serving, sitemap


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


@pytest.mark.parametrize("listed", [0, 7])
async def test_a_run_that_was_stopped_finds_what_an_undisturbed_one_finds(collector: WebCollector, listed: int) -> None:
    with serving_site(60) as site:
        if listed:
            site.server.pages["/sitemap.xml"] = sitemap(*(f"{url}?utm_source=map" for url in site.articles[:listed]))
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


async def test_a_link_may_lead_to_a_feed_or_to_nothing_to_read_and_neither_is_a_failure(
    collector: WebCollector,
) -> None:
    with serving(WebServer()) as server:
        server.pages |= {
            "/": front("/birds.xml", "/app.zip", "/heron"),
            "/birds.xml": feed(server.url("/heron"), server.url("/egret"), "https://elsewhere.example/"),
            "/app.zip": Reply(b"PK\5\6" + bytes(18), media_type="application/zip"),
            **{path: article(path) for path in ("/heron", "/egret")},
        }
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert {server.url("/heron"), server.url("/egret")} <= library.documents.keys()
        assert (library.failures, len(library.documents)) == ([], 3)
        asked(server)
        await library.collect(collector, target(server.url("/")), scope="site", purpose="new")
        assert asked(server) == {"/": 1}


async def test_what_a_linked_feed_lists_is_as_deep_as_what_a_page_links(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        server.pages |= {f"/p/{n}": story(f"/p/{n}", f"/p/{n}/feed.xml") for n in range(30)}
        server.pages |= {f"/p/{n}/feed.xml": feed(server.url(f"/p/{n + 1}")) for n in range(30)}
        server.pages["/"] = front("/p/0")
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site", depth=3)
        assert library.documents.keys() == {server.url(path) for path in ("/", "/p/0", "/p/1")}


async def test_what_is_not_to_be_kept_makes_no_copy_of_what_is(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        page = story("/story")
        server.pages |= {
            "/": front("/story?print=1", "/story"),
            "/story": page,
            "/story?print=1": Reply(page.body, headers={"X-Robots-Tag": "noindex"}),
        }
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert library.documents.keys() == {server.url("/"), server.url("/story")}


async def test_what_leads_to_no_document_is_asked_once(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        server.pages |= {
            "/": front("/a", "/home", "/dead", head="<meta name=robots content=noindex>"),
            "/home": Reply(status=302, headers={"Location": "/"}),
            "/a": story("/a"),
        }
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        asked(server)
        pages = await library.collect(collector, target(server.url("/")), scope="site", purpose="new")
        assert asked(server) == {"/": 1}
        assert sum(page.known for page in pages) == 1  # else the source would seem to have nothing but what failed


async def test_a_link_that_several_listed_pages_have_outlives_each_of_them(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        server.pages |= {"/": front(), "/sitemap.xml": sitemap(server.url("/one"), server.url("/two"))}
        server.pages |= {"/one": story("/one", "/tag"), "/two": story("/two", "/tag"), "/tag": front()}
        library = Library()
        for _ in range(2):
            await library.collect(collector, target(server.url("/")), scope="site")
        del server.pages["/one"]
        server.pages |= {"/sitemap.xml": sitemap(server.url("/two")), "/tag": front("/news"), "/news": story("/news")}
        server.bodies.clear()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert server.url("/news") in library.documents
        assert not server.bodies["/two"]


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
    "<html><head><title>Sign in</title></head><body><form action='/in'><h1>Sign in</h1>"
    "<p>Please sign in to continue.</p>"
    "<input name='user'><input type='password' name='word'><button>Sign in</button></form>"
    "<a href='/help'>Help</a> <a href='/terms'>Terms</a></body></html>"
)


SHELL = (
    "<html><head><title>App</title></head><body><div id='root'></div><script src='/app.js'></script>"
    "<noscript>Please enable JavaScript. <a href='/help'>Help</a></noscript></body></html>"
)


@pytest.mark.parametrize(
    ("elsewhere", "path", "page", "code"),
    [
        (True, "/signin", LOGIN, "login_needed"),
        (False, "/signin", LOGIN, "login_needed"),
        (True, "/collectconsent", str(article("Before you go on").body), "cookie_wall"),
        (True, "/start", SHELL, "javascript_needed"),
    ],
)
async def test_a_wall_before_the_front_is_not_the_site(
    collector: WebCollector, *, elsewhere: bool, path: str, page: str, code: str
) -> None:
    with serving(WebServer()) as server, serving(WebServer()) as other:
        walled = other if elsewhere else server
        server.pages["/"] = Reply(status=302, headers={"Location": walled.url(path)})
        walled.pages |= {path: Reply(page), "/help": article("Help"), "/terms": article("Terms")}
        walled.pages["/sitemap.xml"] = sitemap(walled.url("/help"))
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert [(one.target, one.code) for one in library.failures] == [(server.url("/"), code)]
        assert not library.documents
        assert asked(walled).keys() | asked(server).keys() == {"/", path}
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


def index(*urls: str) -> Reply:
    return sitemap(*urls, index=True)


def text_of(path: str) -> str:
    """What no other page says."""
    rng = random.Random(path)
    return " ".join("".join(rng.choices("aeiouklmnrst", k=rng.randint(2, 9))) for _ in range(120))


def story(path: str, *links: str, head: str = "") -> Reply:
    linked = " ".join(f"<a href='{link}'>{link}</a>" for link in links)
    return article(f"Story {path}", text_of(path), f"Read on: {linked}", head=head)


async def test_a_sitemap_that_lists_some_pages_hides_none(collector: WebCollector) -> None:
    """Those that it lists come first, then what links lead to, as deep as was asked."""
    with serving(WebServer()) as server:
        server.pages |= {f"/tales/{n}": story(f"/tales/{n}", f"/tales/{n + 1}") for n in range(60)}
        server.pages |= {"/": front("/tales/0"), "/far/away": story("/far/away")}
        server.pages["/tales/59"] = story("/tales/59", "/far/away")
        listed = ("/tales/30", "/tales/20", "/tales/10")
        server.pages["/sitemap.xml"] = sitemap(*map(server.url, listed))
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        first = ["/", *listed]
        assert list(library.documents)[:4] == [server.url(path) for path in first]
        assert sorted(library.documents) == sorted(map(server.url, server.pages.keys() - {"/sitemap.xml"}))
        assert not library.failures
        assert max(count for path, count in asked(server).items() if path != "/") == 1
        for depth, limit, expected in ((1, 99, 62), (5, 4, 4), (5, 10, 10)):  # from tale to tale is no step down
            few = Library()
            await few.collect(collector, target(server.url("/")), scope="site", depth=depth, limit=limit)
            assert len(few.documents) == expected - (depth == 1), (depth, limit)


async def test_looking_again_costs_no_bodies_of_what_is_listed_and_finds_what_is_new_behind_it(
    collector: WebCollector,
) -> None:
    """An answer that nothing changed leads to what the page led to before: a list that no sitemap has, and its news."""
    with serving(WebServer()) as server:
        listed = [f"/tales/{n}" for n in range(5)]
        server.pages |= {path: story(path) for path in listed} | {"/": front(*listed)}
        server.pages |= {"/tales/3": story("/tales/3", "/lists/all"), "/lists/all": front("/far/one")}
        server.pages |= {"/far/one": story("/far/one"), "/sitemap.xml": sitemap(*map(server.url, listed))}
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        had = {server.url(path) for path in ("/", *listed, "/lists/all", "/far/one")}
        assert library.documents.keys() == had
        server.pages |= {"/lists/all": front("/far/one", "/far/two"), "/far/two": story("/far/two")}
        server.bodies.clear()
        await library.collect(collector, target(server.url("/")), scope="site")
        assert library.documents.keys() == had | {server.url("/far/two")}
        assert not server.bodies.keys() & {*listed, "/sitemap.xml"}
        assert {uri.removeprefix(server.base) for uri in library.unchanged} >= {*listed}
        # Changed by a visit of its own: what was kept of it is of another version.
        server.pages |= {"/tales/4": story("/tales/4", "/far/three"), "/far/three": story("/far/three")}
        await library.collect(collector, target(server.url("/")), purpose="revisit", revisit=[server.url("/tales/4")])
        await library.collect(collector, target(server.url("/")), scope="site")
        assert server.url("/far/three") in library.documents
        # Gone deeper than before: pages are read for what was too far then.
        server.pages |= {"/far/one": story("/far/one", "/very/far/one"), "/very/far/one": story("/very/far/one")}
        shallow = Library()
        for depth, found in ((1, 6), (2, 8), (5, 11)):
            await shallow.collect(collector, target(server.url("/")), scope="site", depth=depth)
            assert len(shallow.documents) == found, depth


async def test_what_a_sitemap_lists_twice_is_one_document(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        own = "<link rel='canonical' href='/a'>"
        server.pages |= {"/": front(), "/a": story("/a", head=own), "/a?x=1": story("/a", head=own)}
        server.pages |= {"/print/a": story("/a", head=own), "/b": story("/b"), "/b?y=2": story("/b")}
        listed = ("/print/a", "/a?x=1", "/a", "/b", "/b?y=2")
        server.pages["/sitemap.xml"] = sitemap(*map(server.url, listed))
        library = Library()
        for _ in range(2):
            await library.collect(collector, target(server.url("/")), scope="site")
            assert sorted(library.documents) == [server.url(path) for path in ("/", "/a", "/b")]
            assert not library.failures
            assert set(asked(server).values()) == {1}
        await library.collect(collector, target(server.url("/")), scope="site", purpose="new")
        assert asked(server) == {"/sitemap.xml": 1}


async def test_what_is_not_to_be_kept_is_not_kept_by_another_name(collector: WebCollector) -> None:
    """noindex counts on a page that a sitemap lists, and on the page that another says to be."""
    with serving(WebServer()) as server:
        secret = "<meta name='robots' content='noindex'>"
        server.pages |= {"/quiet": story("/quiet", "/found", head=secret), "/found": story("/found")}
        server.pages["/copy"] = story("/quiet", head="<link rel='canonical' href='/quiet'>")
        server.pages["/listed"] = story("/listed", head=secret)
        server.pages |= {"/": front("/copy"), "/sitemap.xml": sitemap(server.url("/listed"))}
        library = Library()
        for _ in range(2):
            await library.collect(collector, target(server.url("/")), scope="site")
            assert sorted(library.documents) == [server.url("/"), server.url("/found")]
            assert not library.failures
        assert asked(server)["/quiet"] == 2  # once in each run


def many_sitemaps(server: WebServer, sitemaps: int, each: int) -> None:
    """Pages of their own, and an index of sitemaps that list them, so many in each."""
    names = [f"/maps/{number}.xml" for number in range(sitemaps)]
    for number, name in enumerate(names):
        pages = [f"/tales/{number * each + at}" for at in range(each)]
        server.pages |= {name: sitemap(*map(server.url, pages))} | {path: story(path) for path in pages}
    server.pages |= {"/": front(), "/sitemap.xml": index(*map(server.url, names))}


async def test_no_more_sitemaps_are_read_than_a_run_can_come_to(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        many_sitemaps(server, 60, 50)
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site", limit=10)
        assert len(library.documents) == 10
        seen = asked(server)
        assert [path for path in seen if path.startswith("/maps/")] == ["/maps/0.xml", "/maps/1.xml", "/maps/2.xml"]
        # The next run for what is new goes on from there: the index is remembered, whole.
        await library.collect(collector, target(server.url("/")), scope="site", limit=10, purpose="new")
        assert len(library.documents) == 20
        assert not library.failures


async def test_all_sitemaps_are_read_where_pages_are_used_up_wherever_the_run_is_stopped(
    collector: WebCollector,
) -> None:
    """Of the first 30 sitemaps no page is a document: all redirect to one that is had already."""
    with serving(WebServer()) as server:
        many_sitemaps(server, 33, 10)
        to_one = Reply(status=301, headers={"Location": "/tales/0"})
        server.pages |= {f"/tales/{number}": to_one for number in range(1, 300)}
        for path in ("/tales/0", "/tales/305"):
            server.pages[path] = story(path, *(f"/tales/{number}" for number in range(400, 405)))
        server.pages |= {f"/tales/{number}": story(f"/tales/{number}") for number in range(400, 405)}
        whole = Library()
        await whole.collect(collector, target(server.url("/")), scope="site", limit=20)
        assert len(whole.documents) == 20
        assert sum(path.startswith("/maps/") for path in asked(server)) == 33
        rng = random.Random(3)
        for _ in range(3):
            stopped = Library()
            while stopped.cursor != {"done": True}:
                pages = rng.randint(1, 4)
                await stopped.collect(
                    collector, target(server.url("/")), scope="site", limit=20, pages=pages, resume=True
                )
            assert list(stopped.documents) == list(whole.documents)
            assert stopped.notes.keys() == whole.notes.keys()


async def test_dead_sitemaps_do_not_use_up_the_limit(collector: WebCollector) -> None:
    with serving(WebServer()) as server:
        many_sitemaps(server, 40, 1)
        library = Library()
        await library.collect(collector, target(server.url("/")), scope="site")
        many_sitemaps(server, 40, 2)
        for number in range(35):
            server.pages[f"/maps/{number}.xml"] = Reply("", 404)
        await library.collect(collector, target(server.url("/")), scope="site", limit=5, purpose="new")
        assert len(library.failures) == 35
        assert sum("/tales/7" in uri for uri in library.documents) > 0


async def goes_on(library: Library, url: str, runs: int, purpose: Purpose = "all") -> list[BackendError]:
    """Run the job over and over, each time as if all that was to be waited for had passed. What ended each run."""

    async def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    ends: list[BackendError] = []
    while library.cursor != {"done": True} and len(ends) < runs:
        fetcher = Fetcher(max_bytes=1_000_000, seconds=30, allow=LOOPBACK, resolve=resolve)
        failures = library.failures
        try:
            collector = WebCollector(fetcher, max_bytes=1_000_000)
            await library.collect(collector, target(url), scope="site", resume=True, purpose=purpose)
        except BackendError as error:
            ends.append(error)
        finally:
            library.failures[:0] = failures
            await fetcher.close()
    return ends


UNREADABLE = Reply("", 503, headers={"Retry-After": "60"})


@pytest.mark.parametrize("knows", ["nothing", "a sitemap", "its front"])
async def test_a_site_whose_robots_cannot_be_read_ends_with_that(collector: WebCollector, knows: str) -> None:
    """Its front was typed, and is had once; nothing else of it is asked for (RFC 9309, 2.3.1.4)."""
    library = Library()
    with serving(WebServer()) as server:
        server.pages |= {"/": front("/a", "/b"), "/a": article("A"), "/b": article("B")}
        if knows != "nothing":
            if knows == "a sitemap":
                server.pages["/sitemap.xml"] = sitemap(server.url("/a"))
            await library.collect(collector, target(server.url("/")), scope="site", limit=2)
            library = Library(documents=library.documents, notes=library.notes)
            asked(server)
        server.pages |= {"/robots.txt": UNREADABLE, "/": front("/a", "/b", "/c")}
        before = server.requests["/robots.txt"]
        ends = await goes_on(library, server.url("/"), 5, "all" if knows == "nothing" else "new")
        assert [type(end) for end in ends[:3]] == [PlatformUnavailable, PlatformUnavailable, RobotsUnreachable]
        assert server.requests["/robots.txt"] - before == 3
        assert ends[2].hint
        assert type(ends[3]) is RobotsUnreachable  # also if the worker died before that was told
        assert asked(server) == ({} if knows == "a sitemap" else {"/": 1})
        assert not library.failures
        assert server.url("/") in library.documents


async def test_one_hosts_robots_end_nothing_at_another() -> None:
    def robots(server: WebServer) -> Reply:
        return UNREADABLE if server.headers["/robots.txt"]["Host"].startswith("m.") else Reply("", 404)

    library = Library()
    with serving(WebServer()) as server:
        site, mobile = (f"http://{host}:{server.port}" for host in ("river.test", "m.river.test"))
        server.pages |= {"/robots.txt": robots, "/a": story("/a"), "/b": story("/b")}
        server.pages["/"] = front(*(f"{mobile}/{n}" for n in range(3)), "/a", "/b")
        ends = await goes_on(library, f"{site}/", 10)
        assert {type(end) for end in ends} <= {PlatformUnavailable, Paced}
        assert library.cursor == {"done": True}
        assert sorted(library.documents) == [f"{site}{path}" for path in ("/", "/a", "/b")]
        assert [(one.target, one.code) for one in library.failures] == [
            (f"{mobile}/{n}", "robots_unreachable") for n in range(3)
        ]
