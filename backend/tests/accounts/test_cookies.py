import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.accounts.cookies import Cookie, NoCookies, dump, expires_at, header, load, read_cookies
from extrophi_backend.accounts.reading import Malformed, read_value

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = int((NOW + timedelta(days=30)).timestamp())
NETSCAPE = f"""# Netscape HTTP Cookie File
# https://curl.se/docs/http-cookies.html

.news.example\tTRUE\t/\tTRUE\t{LATER}\tsession\tone=1
#HttpOnly_www.news.example\tFALSE\t/read\tFALSE\t0\tlogin\ttwo
"""


def test_a_netscape_file_is_read() -> None:
    assert read_cookies(NETSCAPE) == [
        Cookie("session", "one=1", "news.example", host_only=False, secure=True, expires=LATER),
        Cookie("login", "two", "www.news.example", host_only=True, path="/read", http_only=True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        NETSCAPE.replace("\n", "\r\n"),
        "\ufeff" + NETSCAPE,
        NETSCAPE.replace("\t", "  "),
        json.dumps(  # EditThisCookie, Cookie-Editor
            [
                {
                    "domain": ".news.example", "expirationDate": LATER + 0.25, "hostOnly": False, "httpOnly": False,
                    "name": "session", "path": "/", "sameSite": "lax", "secure": True, "session": False,
                    "storeId": "0", "value": "one=1", "id": 1,
                },
                {
                    "domain": "www.news.example", "hostOnly": True, "httpOnly": True, "name": "login",
                    "path": "/read", "sameSite": None, "secure": False, "session": True, "value": "two",
                },
            ]
        ),
        json.dumps(  # Playwright's storage state
            {
                "cookies": [
                    {
                        "name": "session", "value": "one=1", "domain": ".news.example", "path": "/",
                        "expires": LATER, "httpOnly": False, "secure": True, "sameSite": "Lax",
                    },
                    {
                        "name": "login", "value": "two", "domain": "www.news.example", "path": "/read",
                        "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax",
                    },
                ],
                "origins": [],
            }
        ),
    ],
)  # fmt: skip
def test_every_export_gives_the_same(text: str) -> None:
    assert read_cookies(text) == read_cookies(NETSCAPE)


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "# Netscape HTTP Cookie File\n", "hunter2", "<html>hunter2</html>", "[", "[5]", "[]",
        '{"cookies": 5}',
        '[{"name": "hunter2"}]', "a.example\tTRUE\t/\tTRUE\tsoon\thunter2\thunter2", "[" * 100_000,
        "bad domain\tTRUE\t/\tTRUE\t0\thunter2\thunter2", f"a.example\tTRUE\t/\tTRUE\t0\tn\thunter2{'x' * 5000}",
        '[{"name": "n", "value": "hunter2\\r\\nSet-Cookie: x", "domain": "a.example"}]',
        '[{"name": "n", "value": "hunter2", "domain": "a.example", "expires": 1e999}]',
        '[{"name": "n", "value": "hunter2", "domain": "a.example", "expires": [1]}]',
        "\n".join(f"a.example\tTRUE\t/\tTRUE\t0\tn{n}\thunter2" for n in range(4000)),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NoCookies) as caught:
        read_cookies(text)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(Malformed) as wrapped:
        read_value("web", "cookies", text)
    assert "hunter2" not in str(wrapped.value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_or_refused(text: str) -> None:
    for one in (text, f"a.example\tTRUE\t/\tTRUE\t0\tn\t{text}", json.dumps([{"domain": "a.example", "value": text}])):
        try:
            found = read_cookies(one)
        except NoCookies:
            continue
        httpx.Request("GET", "https://a.example", headers={"Cookie": header(found)})
        assert load(dump(found)) == tuple(found)


# RFC 6265, 5.1.3, 5.1.4 and 5.4: a cookie's domain, whether it is for that host alone, its path, whether it is secure.
@pytest.mark.parametrize(
    ("cookie", "url", "sent"),
    [
        (("a.example", True, "/", False), "http://a.example/", True),
        (("a.example", True, "/", False), "http://www.a.example/", False),
        (("a.example", False, "/", False), "http://www.a.example/", True),
        (("a.example", False, "/", False), "http://a.example:8080/x", True),
        (("a.example", False, "/", False), "http://A.EXAMPLE/", True),
        (("a.example", False, "/", False), "http://nota.example/", False),
        (("a.example", False, "/", False), "http://a.example.evil.example/", False),
        (("a.example", False, "/", False), "http://evil.example/?a.example", False),
        (("www.a.example", False, "/", False), "http://a.example/", False),
        (("0.0.1", False, "/", False), "http://127.0.0.1/", False),
        (("127.0.0.1", True, "/", False), "http://127.0.0.1/", True),
        (("a.example", True, "/", True), "http://a.example/", False),
        (("a.example", True, "/", True), "https://a.example/", True),
        (("a.example", True, "/read", False), "http://a.example/read", True),
        (("a.example", True, "/read", False), "http://a.example/read/more?x", True),
        (("a.example", True, "/read", False), "http://a.example/reading", False),
        (("a.example", True, "/read/", False), "http://a.example/read/x", True),
        (("a.example", True, "/read/", False), "http://a.example/read", False),
        (("a.example", True, "/read", False), "http://a.example/?/read", False),
        (("a.example", True, "/", False), "http://a.example", True),
    ],
)
def test_a_cookie_goes_where_a_browser_would_send_it(
    cookie: tuple[str, bool, str, bool], url: str, *, sent: bool
) -> None:
    domain, host_only, path, secure = cookie
    one = Cookie("n", "v", domain, host_only=host_only, path=path, secure=secure)
    assert one.belongs_to(httpx.URL(url), NOW) is sent


def test_an_expired_cookie_goes_nowhere() -> None:
    at = int(NOW.timestamp())
    assert not Cookie("n", "v", "a.example", host_only=True, expires=at).belongs_to(httpx.URL("http://a.example"), NOW)
    assert Cookie("n", "v", "a.example", host_only=True, expires=at + 1).belongs_to(httpx.URL("http://a.example"), NOW)


def test_a_top_level_domain_has_no_cookies_for_all_below_it() -> None:
    (one,) = read_cookies(".example\tTRUE\t/\tFALSE\t0\tn\tv")
    assert one.host_only


def cookie(name: str, days: float | None, *, http_only: bool = False) -> Cookie:
    expires = int((NOW + timedelta(days=days)).timestamp()) if days is not None else None
    return Cookie(name, "v", "a.example", host_only=True, http_only=http_only, expires=expires)


@pytest.mark.parametrize(
    ("cookies", "days"),
    [
        ([], None),
        ([cookie("a", None)], None),
        ([cookie("_ga", 1), cookie("b", 90)], 90),
        ([cookie("_ga", 400), cookie("login", 14, http_only=True), cookie("b", 90, http_only=True)], 14),
        ([cookie("__cf_bm", 0.02, http_only=True), cookie("login", 14, http_only=True)], 14),
        ([cookie("__cf_bm", 0.02, http_only=True), cookie("login", 14)], 14),
        ([cookie("visit", 0.02, http_only=True), cookie("login", 14, http_only=True)], 14),
        ([cookie("visit", 0.02, http_only=True), cookie("login", None, http_only=True)], None),
        ([cookie("visit", 0.25, http_only=True)], 0.25),
        ([cookie("_ga", 400), cookie("login", None, http_only=True)], None),
    ],
)
def test_a_login_ends_with_what_it_hangs_on(cookies: list[Cookie], days: float | None) -> None:
    assert expires_at(cookies, NOW) == (NOW + timedelta(days=days) if days is not None else None)


def test_a_cookie_shows_no_value() -> None:
    assert "hunter2" not in repr(Cookie("n", "hunter2", "a.example", host_only=True))
