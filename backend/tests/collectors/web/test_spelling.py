"""All spellings of one address are one; what is another address stays one."""

from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_network

import pytest

from extrophi_backend.collectors.web.bounds import bounds_of
from extrophi_backend.collectors.web.spelling import identity, plain
from extrophi_backend.collectors.web.traps import Kinds, deepens, kinds_of, sketch
from extrophi_backend.collectors.web.whereto import whereto
from extrophi_backend.errors import ForbiddenAddress, InvalidTarget, PlatformUnavailable
from extrophi_backend.fetch.client import Fetcher
from tests.web_server import Reply, WebServer, article, serving


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("https://x.org/p?pk_campaign=a&id=7&__hstc=b", "https://x.org/p?id=7"),
        ("https://x.org/p?xtor=RSS-1", "https://x.org/p"),
        ("https://x.org/p;jsessionid=0A1B2C3D?id=7", "https://x.org/p?id=7"),
        ("https://x.org/p?PHPSESSID=abc", "https://x.org/p"),
        ("https://x.org/p?sid=0a1b2c3d4e5f60718293a4b5", "https://x.org/p"),
        ("https://x.org/(S(abcdefgh12345678))/p", "https://x.org/p"),
        # What names a page stays, to the letter.
        ("https://x.org/p?sid=12&s=herons&ref=a%2Fb&source=c&keyword=d", "https://x.org/p?sid=12&s=herons&ref=a%2Fb&source=c&keyword=d"),
        ("https://x.org/p?b=2&a=1", "https://x.org/p?b=2&a=1"),
        ("https://x.org/a;v=1/p", "https://x.org/a;v=1/p"),
    ],
)  # fmt: skip
def test_what_says_nothing_about_a_page_is_left_out(spelling: str, expected: str) -> None:
    assert plain(spelling) == expected
    assert plain(expected) == expected


@pytest.mark.parametrize(
    "other",
    [
        "http://x.org/a/b", "https://www.x.org/a/b", "https://x.org/a/b/", "https://x.org/a//b", "https://x.org/a/b#c",
        "https://x.org/a/b/index.html", "https://x.org/a/b?utm_source=x", "https://x.org/a/b/index.php?fbclid=1",
        "https://X.org:443/a/./b",
    ],
)  # fmt: skip
def test_a_site_has_one_page_at_all_spellings_of_an_address(other: str) -> None:
    assert identity(other) == identity("https://x.org/a/b")


def test_the_order_of_a_query_is_no_other_page_and_another_query_is() -> None:
    assert identity("https://x.org/?a=1&b=2") == identity("https://x.org/?b=2&a=1")
    pages = ["https://x.org/a", "https://x.org/A", "https://x.org/a?b=1", "https://x.org/a?b=2", "https://m.x.org/a"]
    assert len({identity(page) for page in pages}) == len(pages)


@pytest.mark.parametrize(
    ("typed", "front", "inside", "outside"),
    [
        ("https://x.org/", "https://www.x.org/en/", ["https://x.org/a", "http://m.x.org/b"], ["https://y.x.org/"]),
        ("https://x.org/blog", "https://x.org/blog/", ["https://x.org/blog/a"], ["https://x.org/", "https://x.org/blogs"]),
        ("https://x.org/docs/a.html", "https://x.org/docs/a.html", ["https://x.org/docs/b.html"], ["https://x.org/b.html"]),
        ("https://x.org/old", "https://x.org/new/", ["https://x.org/new/a"], ["https://x.org/old/a"]),
    ],
)  # fmt: skip
def test_a_site_ends_at_its_host_and_at_the_folder_of_its_front(
    typed: str, front: str, inside: list[str], outside: list[str]
) -> None:
    bounds = bounds_of(typed, front)
    assert [bounds.hold(url) for url in inside] == [True] * len(inside)
    assert [bounds.hold(url) for url in [*outside, "not an address"]] == [False] * (len(outside) + 1)


def test_addresses_of_one_kind_are_told_by_their_shape() -> None:
    def kind(path: str) -> str:
        return kinds_of(f"https://x.org{path}")[0]

    assert kind("/calendar/2024/3") == kind("/calendar/1999/12") != kind("/calendar/2024")
    assert kind("/shop?size=m&colour=red") == kind("/shop?colour=blue&size=s") != kind("/shop?colour=red")
    assert kind("/s/0a1b2c3d4e5f/way") == kind("/s/99aabbccdd00/way")
    assert kind("/about") != kind("/imprint")


def test_a_path_that_goes_round_in_circles_is_told() -> None:
    assert deepens("https://x.org/a/b/a/b/a/b")
    assert deepens("https://x.org/more/more/more")
    assert not deepens("https://x.org/2024/01/01/a-story")


def test_a_kind_that_says_nothing_new_ends_and_one_that_does_goes_on() -> None:
    kinds = Kinds()
    for number in range(200):
        assert kinds.enters(f"https://x.org/post/{number}")
        words = sketch(" ".join(f"{chr(97 + number % 26)}{chr(97 + number // 26)}{chr(97 + at)}" for at in range(20)))
        kinds.take(f"https://x.org/post/{number}", words, is_said=False, links=[])
    entered = 0
    while kinds.enters(f"https://x.org/empty/{entered}"):
        kinds.take(f"https://x.org/empty/{entered}", sketch("Nothing is on this day."), is_said=False, links=[])
        entered += 1
    assert entered == 20
    assert kinds.enters("https://x.org/post/200")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async def resolve(host: str) -> Sequence[str]:
        if host == "gone.example":
            raise OSError
        return ["10.0.0.1" if host == "t.co" else "127.0.0.1"]

    fetcher = Fetcher(max_bytes=1_000_000, seconds=10, allow=(ip_network("127.0.0.0/8"),), resolve=resolve)
    yield fetcher
    await fetcher.close()


async def test_a_short_link_is_the_page_that_it_leads_to_which_is_not_asked(
    server: WebServer, fetcher: Fetcher
) -> None:
    server.pages |= {
        "/a": Reply(status=301, headers={"Location": f"http://is.gd:{server.port}/b"}),
        "/b": Reply("<meta http-equiv='refresh' content='0; url=https://gone.example/story?utm_source=x'>"),
    }
    found = await whereto(fetcher, f"http://bit.ly:{server.port}/a")
    assert found == "https://gone.example/story"


async def test_a_short_link_that_leads_nowhere_is_refused_in_words(server: WebServer, fetcher: Fetcher) -> None:
    server.pages |= {
        "/circle": Reply(status=301, headers={"Location": "/circle"}),
        "/app": Reply(status=301, headers={"Location": "intent://open"}),
        "/broken": Reply("", 500),
    }
    for path in ("/nothing", "/circle", "/app"):
        with pytest.raises(InvalidTarget) as refused:
            await whereto(fetcher, f"http://bit.ly:{server.port}{path}")
        assert refused.value.field == "target"
        assert refused.value.hint
    with pytest.raises(ForbiddenAddress):
        await whereto(fetcher, "https://t.co/x")
    with pytest.raises(PlatformUnavailable):
        await whereto(fetcher, f"http://is.gd:{server.port}/broken")


async def test_a_page_for_telephones_is_the_page_that_it_says_it_is(server: WebServer, fetcher: Fetcher) -> None:
    base = f"http://m.site.example:{server.port}"
    desk = f"http://www.site.example:{server.port}/story"
    server.pages |= {
        "/said": article("A story", head=f"<link rel='canonical' href='{desk}'>"),
        "/led": Reply(status=302, headers={"Location": desk}),
        "/story": article("A story"),
        "/foreign": article("A story", head="<link rel='canonical' href='https://other.example/story'>"),
        "/silent": article("A story"),
    }
    assert await whereto(fetcher, f"{base}/said") == desk
    assert await whereto(fetcher, f"{base}/led") == desk
    for path in ("/foreign", "/silent", "/missing"):
        assert await whereto(fetcher, f"{base}{path}") == f"{base}{path}"
    asked = sum(server.requests.values())
    assert await whereto(fetcher, desk) == desk  # nothing about it asks for a question
    assert sum(server.requests.values()) == asked
