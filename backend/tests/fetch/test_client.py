"""Servers that are slow, endless, broken, busy or hostile; and manners towards all of them."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network

import pytest

from extrophi_backend.fetch.client import Fetcher, Validators
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.pace import Pace, retry_after
from tests.web_server import Reply, WebServer, serving


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(max_bytes=100_000, seconds=30, allow=[ip_network("127.0.0.0/8")])
    yield made
    await made.close()


async def failure(fetcher: Fetcher, url: str, *, typed: bool = True) -> str:
    with pytest.raises(FetchFailed) as failed:
        await fetcher.fetch(url, typed=typed)
    assert failed.value.detail
    return failed.value.code


async def test_redirects_are_followed_and_the_last_address_is_told(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/old"] = Reply(status=301, headers={"Location": "/new?x=1"})
    server.pages["/new?x=1"] = Reply("here")
    answer = await fetcher.fetch(server.url("/old"), typed=True)
    assert (answer.url, answer.body) == (server.url("/new?x=1"), b"here")


async def test_fifty_redirects_are_too_many(server: WebServer, fetcher: Fetcher) -> None:
    for number in range(50):
        server.pages[f"/{number}"] = Reply(status=302, headers={"Location": f"/{number + 1}"})
    assert await failure(fetcher, server.url("/0")) == "too_many_redirects"
    assert sum(server.requests.values()) == 11


async def test_a_redirect_sees_its_own_cookie_again_and_nobody_elses(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/in"] = Reply(status=302, headers={"Location": "/page", "Set-Cookie": "seen=1; Path=/"})
    server.pages["/page"] = Reply("here")
    await fetcher.fetch(server.url("/in"), typed=True)
    assert server.headers["/page"]["Cookie"] == "seen=1"
    await fetcher.fetch(server.url("/page"), typed=True)
    assert "Cookie" not in server.headers["/page"]


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("ftp://x.org/", "unsupported_scheme"),
        ("javascript:alert(1)", "unsupported_scheme"),
        ("http://[", "malformed_url"),
        ("https://a:b@x.org/", "malformed_url"),
        ("https://xn--n3h.invalid/", "name_not_resolved"),  # a name that IDNA 2008 does not know
    ],
)
async def test_a_redirect_to_nowhere_is_a_failure(
    server: WebServer, fetcher: Fetcher, location: str, code: str
) -> None:
    server.pages["/"] = Reply(status=302, headers={"Location": location})
    assert await failure(fetcher, server.url("/")) == code


async def test_a_large_answer_is_left_in_the_middle(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply(b"x" * 100_001)
    assert await failure(fetcher, server.url("/")) == "too_large"


async def test_an_endless_answer_ends_for_us(server: WebServer, fetcher: Fetcher) -> None:
    def raw_endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"<p>and on and on</p>" * 100)

    server.pages["/"] = raw_endless
    assert await failure(fetcher, server.url("/")) == "too_large"


async def test_a_bomb_is_not_unpacked(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply(gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    assert await failure(fetcher, server.url("/")) == "too_large"


async def test_packed_answers_are_unpacked(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply(gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"})
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"packed"
    server.pages["/cut"] = Reply(gzip.compress(b"packed" * 1000)[:-20], headers={"Content-Encoding": "gzip"})
    assert await failure(fetcher, server.url("/cut")) == "broken_answer"
    server.pages["/br"] = Reply(b"\x0b\x02\x80", headers={"Content-Encoding": "br"})
    assert await failure(fetcher, server.url("/br")) == "broken_answer"


async def test_several_members_are_one_body(server: WebServer, fetcher: Fetcher) -> None:
    members = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(8)
    server.pages["/"] = Reply(members, headers={"Content-Encoding": "gzip"})
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"one two"


@pytest.mark.parametrize("encoding", ["none", "utf-8", "identity", "binary"])
async def test_an_encoding_that_no_standard_knows_packs_nothing(
    server: WebServer, fetcher: Fetcher, encoding: str
) -> None:
    server.pages["/"] = Reply(b"plain", headers={"Content-Encoding": encoding})
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"plain"


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
async def test_an_empty_answer_is_empty_however_it_says_it_is_packed(
    server: WebServer, fetcher: Fetcher, encoding: str
) -> None:
    server.pages["/"] = Reply(b"", 403, headers={"Content-Encoding": encoding})
    answer = await fetcher.fetch(server.url("/"), typed=True)
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("body", [b"", b"not packed", b"x" * 200_000])
async def test_what_stands_in_a_redirect_does_not_matter(server: WebServer, fetcher: Fetcher, body: bytes) -> None:
    server.pages["/"] = Reply(body, 301, headers={"Content-Encoding": "gzip", "Location": "/there"})
    server.pages["/there"] = Reply(b"here")
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"here"


async def test_a_server_that_drips_is_given_up(server: WebServer) -> None:
    def raw_drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)

    server.pages["/"] = raw_drip
    fetcher = Fetcher(max_bytes=100_000, seconds=1, allow=[ip_network("127.0.0.0/8")])
    assert await failure(fetcher, server.url("/")) == "timeout"
    await fetcher.close()


async def test_a_database_that_takes_too_long_is_not_the_sites_fault(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply("here")

    async def validators(_: str) -> Validators:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await fetcher.fetch(server.url("/"), typed=True, validators=validators)


@pytest.mark.parametrize(
    "answer",
    [
        b"this is no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"",
    ],
)
async def test_a_broken_answer_is_a_failure_after_a_second_try(
    server: WebServer, fetcher: Fetcher, answer: bytes
) -> None:
    def raw_broken(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    server.pages["/"] = raw_broken
    assert await failure(fetcher, server.url("/")) == "broken_answer"
    assert server.requests["/"] == 3


async def test_nobody_there_and_no_such_name_are_told_apart(fetcher: Fetcher) -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        assert await failure(fetcher, f"http://127.0.0.1:{taken.getsockname()[1]}/") == "connection_failed"

    async def resolve(_: str) -> list[str]:
        raise OSError("no such name")

    lost = Fetcher(max_bytes=1000, seconds=4, resolve=resolve)
    assert await failure(lost, "http://nowhere.example/") == "name_not_resolved"
    await lost.close()


async def test_tls_that_is_no_tls_says_so(server: WebServer, fetcher: Fetcher) -> None:
    assert await failure(fetcher, server.base.replace("http:", "https:")) == "tls_failed"


async def test_a_known_page_is_asked_for_by_its_validators(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/old"] = Reply(status=302, headers={"Location": "/page"})
    server.pages["/page"] = Reply("the page", headers={"Last-Modified": "Mon, 01 Jun 2026 10:00:00 GMT"})
    first = await fetcher.fetch(server.url("/old"), typed=True)
    kept = {first.url: first.validators}

    async def validators(url: str) -> dict[str, object]:
        return kept.get(url, {})

    again = await fetcher.fetch(server.url("/old"), typed=True, validators=validators)
    assert again.not_modified
    assert again.url == first.url
    assert server.bodies["/page"] == 1
    assert server.headers["/page"]["If-Modified-Since"] == "Mon, 01 Jun 2026 10:00:00 GMT"


async def test_robots_are_obeyed_for_what_is_found_but_not_for_what_is_typed(
    server: WebServer, fetcher: Fetcher
) -> None:
    said = "\ufeffUser-agent: extrophi\nDisallow: /private\n"  # an editor's byte order mark is no part of it
    server.pages["/robots.txt"] = Reply(said, media_type="text/plain")
    server.pages["/private/page"] = Reply("p")
    server.pages["/page"] = Reply("p")
    assert await failure(fetcher, server.url("/private/page"), typed=False) == "robots_disallowed"
    assert server.requests["/private/page"] == 0
    assert (await fetcher.fetch(server.url("/page"), typed=False)).status == 200
    assert (await fetcher.fetch(server.url("/private/page"), typed=True)).status == 200
    assert server.requests["/robots.txt"] == 1


@pytest.mark.parametrize(
    "robots",
    [
        Reply("", 404),
        Reply("", 403),
        Reply(b"\xff\xfe\x00garbage", media_type="image/png"),
        Reply("Disallow: /\n" * 100_000),  # no user agent is named: a rule for nobody, and too long
    ],
)
async def test_robots_that_say_nothing_forbid_nothing(server: WebServer, fetcher: Fetcher, robots: Reply) -> None:
    server.pages |= {"/robots.txt": robots, "/": Reply("p")}
    assert (await fetcher.fetch(server.url("/"), typed=False)).status == 200


@pytest.mark.parametrize("packed", [False, True])
async def test_a_long_robots_is_obeyed_as_far_as_it_is_read(
    server: WebServer, fetcher: Fetcher, *, packed: bool
) -> None:
    said = "User-agent: *\nDisallow: /private\n"
    said += "# a comment\n" * ((512 * 1024 - len(said)) // 12 - 2)
    said += "#" * (512 * 1024 - len(said) - len("\nDisallow: /")) + "\nDisallow: /late\n"
    assert said[: 512 * 1024].endswith("\nDisallow: /")  # half a line, that would forbid everything
    said += "Disallow: /later\n" * 100_000
    body, headers = said.encode(), {"Content-Encoding": "gzip"} if packed else {}
    server.pages["/robots.txt"] = Reply(gzip.compress(body) if packed else body, headers=headers)
    server.pages |= {"/private/page": Reply("p"), "/late": Reply("p")}
    assert await failure(fetcher, server.url("/private/page"), typed=False) == "robots_disallowed"
    assert (await fetcher.fetch(server.url("/late"), typed=False)).status == 200
    server.pages["/robots.txt"] = Reply("An error. " * 100_000, 500)
    other = Fetcher(max_bytes=1000, seconds=30, allow=[ip_network("127.0.0.0/8")])
    with pytest.raises(Wait):  # however much it says
        await other.fetch(server.url("/late"), typed=False)
    await other.close()


async def test_an_error_of_robots_that_passes_is_waited_for(server: WebServer, fetcher: Fetcher) -> None:
    def once(server: WebServer) -> Reply:
        lame = server.requests["/robots.txt"] == 1
        return Reply("", 503) if lame else Reply("User-agent: *\nDisallow: /b", media_type="text/plain")

    server.pages |= {"/robots.txt": once, "/a": Reply("p"), "/b": Reply("p")}
    assert (await fetcher.fetch(server.url("/a"), typed=False)).status == 200
    assert await failure(fetcher, server.url("/b"), typed=False) == "robots_disallowed"


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [(Reply("", 500), 60), (Reply("", 429), 60), (Reply("", 503, headers={"Retry-After": "9"}), 9)],
)
async def test_robots_that_cannot_be_read_now_put_the_page_off(
    server: WebServer, fetcher: Fetcher, reply: Reply, seconds: float
) -> None:
    server.pages |= {"/robots.txt": reply, "/": Reply("p")}
    with pytest.raises(Wait) as wait:
        await fetcher.fetch(server.url("/"), typed=False)
    assert wait.value.seconds == seconds
    assert wait.value.failure is not None
    assert wait.value.failure.code == "robots_unreachable"
    asked = server.requests["/robots.txt"]
    with pytest.raises(Wait) as wait:  # not asked again before the time
        await fetcher.fetch(server.url("/other"), typed=False)
    assert wait.value.failure is None
    assert server.requests["/robots.txt"] == asked
    assert not server.requests["/"]


async def test_who_has_no_robots_since_he_is_not_there_is_not_there() -> None:
    async def resolve(name: str) -> list[str]:
        if name == "nowhere.example":
            raise OSError
        return [name]

    fetcher = Fetcher(max_bytes=1000, seconds=30, resolve=resolve)
    assert await failure(fetcher, "http://169.254.169.254/latest", typed=False) == "forbidden_address"
    assert await failure(fetcher, "http://nowhere.example/", typed=False) == "name_not_resolved"
    await fetcher.close()


async def test_a_crawl_delay_is_kept_between_fetches_and_not_within_one(server: WebServer, fetcher: Fetcher) -> None:
    def lame_once(server: WebServer) -> Reply:
        return Reply("", 502) if server.requests["/b"] == 1 else Reply("here")

    server.pages["/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 9\n", media_type="text/plain")
    server.pages |= {"/a": Reply(status=302, headers={"Location": "/b"}), "/b": lame_once}
    assert (await fetcher.fetch(server.url("/a"), typed=False)).body == b"here"
    for typed in (False, True):
        with pytest.raises(Wait) as wait:
            await fetcher.fetch(server.url("/b"), typed=typed)
        assert 6 < wait.value.seconds <= 9
        assert wait.value.failure is None
    assert server.requests["/b"] == 2


async def test_a_crawl_delay_can_be_left_to_the_next_fetch(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 9\n", media_type="text/plain")
    server.pages["/"] = Reply("here")
    for _ in range(2):
        assert (await fetcher.fetch(server.url("/"), typed=False, crawl_delay=False)).body == b"here"


async def test_a_host_is_asked_once_a_second_whatever_its_port() -> None:
    async def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    with serving(WebServer({"/": Reply("one")})) as one, serving(WebServer({"/": Reply("two")})) as two:
        fetcher = Fetcher(max_bytes=1000, seconds=30, allow=[ip_network("127.0.0.0/8")], resolve=resolve)
        started = time.monotonic()
        for port in (one.port, two.port):
            await fetcher.fetch(f"http://name.example:{port}/", typed=True)
        assert time.monotonic() - started >= 1
        await fetcher.fetch(f"http://other.example:{one.port}/", typed=True)
        assert time.monotonic() - started < 1.9
        await fetcher.close()


async def test_nothing_changed_is_no_answer_to_who_knows_nothing(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply(status=304)
    assert await failure(fetcher, server.url("/")) == "broken_answer"


async def test_a_short_wait_is_waited_and_a_long_one_given_back(server: WebServer, fetcher: Fetcher) -> None:
    def busy_once(server: WebServer) -> Reply:
        return Reply("", 429, headers={"Retry-After": "1"}) if server.requests["/"] == 1 else Reply("here")

    server.pages["/"] = busy_once
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"here"
    server.pages["/long"] = Reply("", 503, headers={"Retry-After": "120"})
    with pytest.raises(Wait) as wait:
        await fetcher.fetch(server.url("/long"), typed=True)
    assert wait.value.seconds == 120
    assert wait.value.failure is not None
    assert wait.value.failure.code == "rate_limited"
    # The host said it for all its pages: none is asked for until then.
    with pytest.raises(Wait):
        await fetcher.fetch(server.url("/"), typed=True)
    assert server.requests["/"] == 2


async def test_an_error_that_may_pass_is_tried_again(server: WebServer, fetcher: Fetcher) -> None:
    def lame(server: WebServer) -> Reply:
        return Reply("", 502) if server.requests["/"] < 3 else Reply("here")

    server.pages["/"] = lame
    assert (await fetcher.fetch(server.url("/"), typed=True)).body == b"here"
    server.pages["/gone"] = Reply("", 404)
    assert (await fetcher.fetch(server.url("/gone"), typed=True)).status == 404
    assert server.requests["/gone"] == 1


async def test_we_say_who_we_are(server: WebServer, fetcher: Fetcher) -> None:
    server.pages["/"] = Reply("p")
    await fetcher.fetch(server.url("/"), typed=True)
    assert server.headers["/"]["User-Agent"].startswith("Extrophi/")
    assert "Referer" not in server.headers["/"]


async def test_turns_are_a_second_apart_and_a_sixth_is_given_back() -> None:
    now = 100.0
    pace = Pace(clock=lambda: now)
    waits = [asyncio.create_task(pace.turn("https://x.org", 1.0)) for _ in range(7)]
    await asyncio.sleep(0.1)
    # At 100 s the first may go at once; the clock stands still, so the sixth would wait 5 s and the seventh 6 s.
    assert [wait.done() for wait in waits] == [True, False, False, False, False, False, True]
    with pytest.raises(Wait):
        await waits[6]
    for wait in waits[1:6]:
        wait.cancel()
    await pace.turn("https://y.org", 1.0)  # another host has turns of its own


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 0), (" 7 ", 7), ("99999999999999", 3600), ("-5", None), ("soon", None), (None, None),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("٣", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=1000.0) == seconds
