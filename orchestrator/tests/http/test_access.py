import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from extrophi_orchestrator.http.access import make_access, read_head
from orchestrator.tests.servers import Door, Exchange, Upstream, front_door

ORIGIN = {"Origin": "https://reader.example"}
KEY = {"Authorization": "Bearer mine"}


@asynccontextmanager
async def reached(backend: Upstream, research: Upstream, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    """An orchestrator that is bound to all addresses."""
    settings = {"EXTROPHI_HOST": "0.0.0.0", "EXTROPHI_API_KEYS": "mine, other"} | settings
    async with (
        front_door(backend.url, research.url, **settings) as door,
        httpx.AsyncClient(base_url=door.url, timeout=20) as client,
    ):
        yield client


async def test_on_loopback_no_key_is_needed_and_any_is_ignored(client: httpx.AsyncClient, backend: Upstream) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}, {"Cookie": "a=b"}):
        assert (await client.get("/api/stats", headers=headers)).status_code == 200
    assert [exchange.header("authorization") for exchange in backend.seen] == ["Bearer inner"] * 4


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1", "127.0.0.9:1", "[::1]", "LOCALHOST"])
async def test_on_loopback_this_machines_own_names_are_answered(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/api/stats", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("path", ["/api/stats", "/health", "/", "/v1/models", "/api/session", "/openapi.json"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.nip.io"])
async def test_on_loopback_another_name_is_refused(client: httpx.AsyncClient, host: str, path: str) -> None:
    """Or any page could make its own name lead here, and be of one origin with us (DNS rebinding)."""
    answer = await client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    told = answer.json()
    assert (told["error"] if path.startswith("/v1") else told)["code"] == "wrong_host"


@pytest.mark.parametrize("host", ["evil.example@localhost", "localhost#", "a b", "", "localhost:x", "[::1", "x/y"])
async def test_what_names_no_host_is_refused(door: Door, host: str) -> None:
    told = await door.raw(f"GET /api/stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert told.split(b" ")[1] == b"400"


async def test_a_name_may_be_allowed_to_those_who_have_a_key(backend: Upstream, research: Upstream) -> None:
    settings = {"EXTROPHI_HOST": "127.0.0.1", "EXTROPHI_ALLOWED_HOSTS": "desk.example, Nook.example"}
    async with reached(backend, research, **settings) as client:
        for host, status in [("desk.example:80", 200), ("NOOK.example", 200), ("localhost", 200), ("x.example", 421)]:
            assert (await client.get("/api/stats", headers=KEY | {"Host": host})).status_code == status
        for host, status in [("desk.example:80", 401), ("NOOK.example", 401), ("localhost", 200), ("x.example", 421)]:
            assert (await client.get("/api/stats", headers={"Host": host})).status_code == status


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
async def test_who_comes_by_a_proxy_on_this_machine_needs_a_key(client: httpx.AsyncClient, header: str) -> None:
    """It may have rewritten Host, so that everyone seems to ask from here."""
    refused = await client.get("/api/stats", headers={header: "203.0.113.7"})
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert (await client.get("/api/stats", headers=KEY | {header: "203.0.113.7"})).status_code == 200


async def test_the_origin_of_an_allowed_name_is_ours_also_where_a_proxy_rewrites_host(
    backend: Upstream, research: Upstream
) -> None:
    settings = {"EXTROPHI_HOST": "127.0.0.1", "EXTROPHI_ALLOWED_HOSTS": "desk.example"}
    async with reached(backend, research, **settings) as client:
        ours = {"Origin": "https://desk.example"}
        assert (await client.post("/api/jobs", headers=ours, json={})).status_code == 401  # it is not this machine's
        assert (await client.post("/api/session", headers=ours | KEY)).status_code == 204
        client.cookies = httpx.Cookies({"extrophi_session": next(iter(client.cookies.values()))})  # it is for https
        assert (await client.post("/api/jobs", headers=ours, json={})).status_code == 200
        for other in ("https://desk.example:8443", "https://desk.example.evil", "ftp://desk.example"):
            assert (await client.post("/api/jobs", headers={"Origin": other}, json={})).status_code == 403


def test_a_key_is_made_for_those_who_come_by_a_name() -> None:
    assert make_access("127.0.0.1", None, ["desk.example"])[1]
    assert make_access("127.0.0.1", "mine", ["desk.example"])[1] is None
    assert make_access("127.0.0.1", None, ["localhost"])[1] is None


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_those_who_look_after_us_ask_by_any_name_or_none(
    backend: Upstream, research: Upstream, path: str
) -> None:
    settings = {"EXTROPHI_HOST": "0.0.0.0", "EXTROPHI_API_KEYS": "mine", "EXTROPHI_ALLOWED_HOSTS": "desk.example"}
    async with front_door(backend.url, research.url, **settings) as door:
        by_another = f"GET {path} HTTP/1.1\r\nHost: orchestrator:8000\r\nConnection: close\r\n\r\n"
        by_none = f"GET {path} HTTP/1.0\r\n\r\n"
        for request in (by_another, by_none):
            assert (await door.raw(request.encode())).split(b" ")[1] in {b"200", b"503"}
        unnamed = await door.raw(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        assert unnamed.split(b" ")[1] == b"400"  # RFC 9112, section 3.2
        assert (await door.raw(b"GET /api/stats HTTP/1.0\r\n\r\n")).split(b" ")[1] == b"400"


async def test_elsewhere_any_name_is_answered_unless_some_are_named(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        assert (await client.get("/api/stats", headers=KEY | {"Host": "any.example"})).status_code == 200
    async with reached(backend, research, EXTROPHI_ALLOWED_HOSTS="desk.example") as client:
        for host, status in [("desk.example", 200), ("10.0.0.7:8000", 200), ("other.example", 421)]:
            assert (await client.get("/api/stats", headers=KEY | {"Host": host})).status_code == status


async def test_elsewhere_a_key_is_needed(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research, EXTROPHI_SERVICE_KEY="inner") as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}, {"Authorization": "mine"}):
            refused = await client.get("/api/stats", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
            assert refused.headers["www-authenticate"] == "Bearer"
            assert "EXTROPHI_API_KEYS" in refused.json()["hint"]
        assert not backend.seen
        for key in ("Bearer mine", "bearer other"):
            assert (await client.get("/api/stats", headers={"Authorization": key})).status_code == 200
        openai = await client.get("/v1/models")
        assert (openai.status_code, openai.json()["error"]["type"]) == (401, "invalid_request_error")
    assert all(exchange.header("authorization") == "Bearer inner" for exchange in backend.seen)


async def test_elsewhere_health_is_told_without_a_key_and_nothing_else(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        for path in ("/health", "/ready", "/metrics", "/"):
            assert (await client.get(path)).status_code in {200, 503}
        for path in ("/openapi.json", "/api/investigations/x", "/nowhere", "/api/session"):
            assert (await client.get(path)).status_code == 401


async def test_elsewhere_a_key_is_made_and_logged_once_when_none_is_set(
    backend: Upstream, research: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with reached(backend, research, EXTROPHI_API_KEYS="") as client:
            lines = [record.getMessage() for record in caplog.records if "access.key_made" in record.getMessage()]
            assert len(lines) == 1
            made = re.search(r"key=(\S+)", lines[0])
            assert made is not None
            assert len(made[1]) >= 32
            assert (await client.get("/api/stats")).status_code == 401
            answer = await client.get("/api/stats", headers={"Authorization": f"Bearer {made[1]}"})
            assert answer.status_code == 200


def test_no_key_is_made_on_loopback_or_when_one_is_set() -> None:
    assert make_access("127.0.0.1", None)[1] is None
    assert make_access("0.0.0.0", "mine")[1] is None
    assert make_access("0.0.0.0", " , ,")[1]


@pytest.mark.parametrize("origin", ["https://reader.example", "null", "http://localhost:1", "tauri://localhost", "x"])
async def test_a_foreign_origin_needs_a_key_on_loopback_too(
    client: httpx.AsyncClient, backend: Upstream, origin: str
) -> None:
    refused = await client.get("/api/stats", headers={"Origin": origin})
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_origin")
    assert not backend.seen
    answer = await client.get("/api/stats", headers=KEY | {"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


async def test_our_own_origin_needs_none(client: httpx.AsyncClient, door: Door) -> None:
    answer = await client.get("/api/stats", headers={"Origin": door.url})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
async def test_an_image_or_script_of_another_page_is_refused_and_a_link_is_followed(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.get("/api/stats", headers=headers)).status_code == status


async def test_a_preflight_is_answered_without_a_key(client: httpx.AsyncClient, backend: Upstream) -> None:
    asked = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = await client.options("/api/search", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://reader.example"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "last-event-id" in answer.headers["access-control-allow-headers"]
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert not backend.seen


async def test_an_error_can_be_read_by_the_page_that_asked(client: httpx.AsyncClient) -> None:
    for path, headers, status in [("/api/stats", ORIGIN, 403), ("/api/nowhere", ORIGIN | KEY, 404)]:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://reader.example"


async def test_where_no_key_is_set_a_foreign_page_learns_nothing(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research, EXTROPHI_HOST="127.0.0.1", EXTROPHI_API_KEYS="") as client:
        asked = ORIGIN | {"Access-Control-Request-Method": "GET"}
        for answer in (
            await client.get("/api/stats", headers=ORIGIN),
            await client.options("/api/stats", headers=asked),
        ):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
    assert not backend.seen


async def test_a_browser_trades_its_key_for_a_cookie(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        ours = {"Origin": str(client.base_url).rstrip("/")}
        assert (await client.post("/api/session", headers=ours)).status_code == 401
        entered = await client.post("/api/session", headers=ours | KEY)
        assert entered.status_code == 204
        told = entered.headers["set-cookie"].lower()
        assert "httponly" in told
        assert "samesite=strict" in told
        assert "path=/" in told
        assert "secure" not in told  # this page came over plain http
        assert "mine" not in told
        assert (await client.get("/api/stats")).status_code == 200
        assert (await client.post("/api/jobs", headers=ours, json={})).status_code == 200
        assert backend.seen[-1].header("cookie") is None
        left = await client.delete("/api/session", headers=ours)
        assert left.status_code == 204
        assert (await client.get("/api/stats")).status_code == 401


async def test_a_cookie_over_https_is_for_https(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        headers = KEY | {"Origin": "https://desk.example", "Host": "desk.example"}
        assert "secure" in (await client.post("/api/session", headers=headers)).headers["set-cookie"].lower()


async def test_a_cookie_opens_nothing_to_another_page(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        await client.post("/api/session", headers=KEY)
        assert client.cookies
        assert (await client.get("/api/stats", headers=ORIGIN)).status_code == 403
        assert (await client.post("/api/jobs", headers=ORIGIN, json={})).status_code == 403
        assert (await client.post("/api/jobs", json={})).status_code == 403  # a page always names itself
        assert (await client.get("/api/stats", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
        assert not backend.seen
        assert (await client.post("/api/session", headers=ORIGIN | KEY)).status_code == 403
        assert (await client.delete("/api/session", headers=ORIGIN | KEY)).status_code == 403


async def test_a_cookie_that_was_made_up_or_is_old_opens_nothing(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research) as client:
        await client.post("/api/session", headers=KEY)
        (value,) = client.cookies.values()
        expires, _, seal = value.partition(".")
        client.cookies.clear()
        forged = [
            f"{int(expires) + 1}.{seal}",
            f"{expires}.{seal[:-1]}",
            f"{expires}.",
            ".",
            f"{'9' * 5000}.{seal}",
            "é",
        ]
        for cookie in forged:
            headers = [(b"Cookie", b"a=1; extrophi_session=" + cookie.encode())]
            assert (await client.get("/api/stats", headers=headers)).status_code == 401
        assert (await client.get("/api/stats", headers={"Cookie": f"a=1; extrophi_session={value}"})).status_code == 200


def test_a_cookie_ends() -> None:
    now = [1000.0]
    access, _ = make_access("0.0.0.0", "mine")
    access = type(access)(access.keys, on_loopback=False, now=lambda: now[0])
    (key,) = access.keys
    head = read_head(
        [(b"host", b"x"), (b"cookie", f"extrophi_session={access.make_cookie(key)}".encode())], http_version="1.1"
    )
    assert access.identify(head, "/api/stats").key == key
    now[0] += 31 * 24 * 3600
    assert access.identify(head, "/api/stats").key is None


def test_a_cookie_ends_with_its_key() -> None:
    old, _ = make_access("0.0.0.0", "old")
    (key,) = old.keys
    head = read_head([(b"host", b"x"), (b"cookie", f"extrophi_session={old.make_cookie(key)}".encode())], "1.1")
    new, _ = make_access("0.0.0.0", "new")
    assert new.identify(head, "/api/stats").key is None


async def test_who_asks_too_often_is_told_when_to_come_back(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research, EXTROPHI_RATE_LIMIT="5") as client:
        statuses = [(await client.get("/api/stats", headers=KEY)).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        refused = await client.get("/v1/models", headers=KEY)
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
        assert 1 <= int(refused.headers["retry-after"]) <= 12
        other = await client.get("/api/stats", headers={"Authorization": "Bearer other"})
        assert other.status_code == 200  # each key has its own
        assert (await client.get("/health")).status_code == 200


async def test_guesses_at_keys_are_counted_by_address(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research, EXTROPHI_RATE_LIMIT="3") as client:
        guesses = [
            (await client.get("/api/stats", headers={"Authorization": f"Bearer {n}", "X-Forwarded-For": f"1.1.1.{n}"}))
            for n in range(5)
        ]
        assert [answer.status_code for answer in guesses] == [401, 401, 401, 429, 429]
        assert (await client.get("/api/stats", headers=KEY)).status_code == 200


async def test_on_loopback_there_is_no_rate_limit(backend: Upstream, research: Upstream) -> None:
    async with reached(backend, research, EXTROPHI_HOST="127.0.0.1", EXTROPHI_RATE_LIMIT="1") as client:
        answers = await asyncio.gather(*(client.get("/api/stats") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("query", ["token=abc", "limit=5&token=abc"])
async def test_the_feed_is_opened_by_a_token_that_backend_checks(
    backend: Upstream, research: Upstream, query: str
) -> None:
    async with reached(backend, research) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Extrophi-Without-Key": "0"}, ORIGIN):
            assert (await client.get(f"/api/feed.atom?{query}", headers=headers)).status_code == 200
        assert (await client.get(f"/api/feed.atom?{query}", headers=KEY)).status_code == 200
        # What somebody outside says of it is not passed on.
        claims = {"X-Extrophi-Without-Key": "1"}
        assert (await client.get("/api/feed.atom", headers=KEY | claims)).status_code == 200
    told = [exchange.header("x-extrophi-without-key") for exchange in backend.seen]
    assert told == ["1", "1", "1", "1", None, None]
    assert backend.seen[0].target == f"/feed.atom?{query}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/feed.atom"),
        ("GET", "/api/feed.atom?limit=5"),
        ("GET", "/api/feed.atom?%74oken=abc"),
        ("GET", "/api/feed.atom?xtoken=abc"),
        ("GET", "/api/feed.atom/?token=abc"),
        ("GET", "/api/documents?token=abc"),
        ("GET", "/api/feed-tokens?token=abc"),
        ("POST", "/api/feed.atom?token=abc"),
        ("GET", "/api/feed.atom/../documents?token=abc"),
        ("GET", "/api/events?token=abc"),
    ],
)
async def test_a_feeds_token_opens_nothing_else(backend: Upstream, research: Upstream, method: str, path: str) -> None:
    async with reached(backend, research) as client:
        assert (await client.request(method, path)).status_code == 401
    assert not backend.seen


async def test_on_loopback_the_feed_needs_no_token(client: httpx.AsyncClient, backend: Upstream) -> None:
    cases = [("/api/feed.atom", {}), ("/api/feed.atom?token=abc", {}), ("/api/feed.atom?token=abc", ORIGIN)]
    for path, headers in cases:
        assert (await client.get(path, headers=headers)).status_code == 200
    assert [one.header("x-extrophi-without-key") for one in backend.seen] == [None, None, "1"]
    assert (await client.get("/api/feed.atom", headers=ORIGIN)).status_code == 403


async def test_a_token_stands_in_no_log(
    backend: Upstream, research: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_off(exchange: Exchange) -> None:
        exchange.writer.close()

    backend.handler = break_off
    with caplog.at_level(logging.DEBUG):
        async with front_door(backend.url, research.url, EXTROPHI_HOST="0.0.0.0", EXTROPHI_API_KEYS="mine") as door:
            told = await door.raw(
                b"GET /api/feed.atom?token=s3cr3t HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
    assert b" 502 " in told
    assert b"s3cr3t" not in told
    assert "upstream.failed" in caplog.text
    assert "s3cr3t" not in caplog.text
