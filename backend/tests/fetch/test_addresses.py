from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.fetch.addresses import canonical, join
from extrophi_backend.fetch.errors import FetchFailed


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("HTTP://Example.ORG:80/a/../b#part", "http://example.org/b"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org?a=1", "https://example.org/?a=1"),
        ("https://example.org./x", "https://example.org/x"),
        (" https://exam\nple.org/x ", "https://example.org/x"),
        ("https://example.org/%7euser/%c3%a4", "https://example.org/~user/%C3%A4"),
        ("https://exämple.org/ä?b=ü", "https://xn--exmple-cua.org/%C3%A4?b=%C3%BC"),
        ("https://x.org/p?utm_source=a&id=7&fbclid=b", "https://x.org/p?id=7"),
        ("https://x.org/p?utm_source=a", "https://x.org/p"),
        ("https://x.org/p?a[]=1&b=%26&c", "https://x.org/p?a[]=1&b=%26&c"),
        ("https://x.org/p?q=%20a+b&utm_source=a&x=1;y=2&ref=a%2Fb", "https://x.org/p?q=%20a+b&x=1;y=2&ref=a%2Fb"),
        ("https://x.org/p?fbclid=1&b;c&&d=", "https://x.org/p?b;c&&d="),
        ("https://x.org/?", "https://x.org/"),
        ("https://x.org/a/./b/%2e%2e/c", "https://x.org/a/c"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("https://☃.net/", "https://xn--n3h.net/"),
        ("https://xn--n3h.net/", "https://xn--n3h.net/"),
        ("http://ｅxample。org/", "http://example.org/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1./", "http://127.0.0.1/"),
    ],
)
def test_all_spellings_of_an_address_have_one_form(spelling: str, expected: str) -> None:
    assert canonical(spelling) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "unsupported_scheme"),
        ("http://", "malformed_url"),
        ("http:///path", "malformed_url"),
        ("https://[bad", "malformed_url"),
        ("https://ex ample.org/", "malformed_url"),
        ("https://x..org/", "malformed_url"),
        ("https://x.org:99999/", "malformed_url"),
        ("https://x.org:x/", "malformed_url"),
        ("https://name:secret@x.org/", "malformed_url"),
        ("https://x.org/\x00", "malformed_url"),
        ("https://\u202eabc.org/", "malformed_url"),
        ("https://1.2.3.444./", "malformed_url"),
        ("https://0..", "malformed_url"),
        (f"https://{'ü' * 80}.org/", "malformed_url"),
        ("https://x.org/" + "a" * 9000, "malformed_url"),
        ("ftp://x.org/", "unsupported_scheme"),
        ("javascript:alert(1)", "unsupported_scheme"),
        ("file:///etc/passwd", "unsupported_scheme"),
    ],
)
def test_what_cannot_be_fetched_is_refused_with_a_reason(address: str, code: str) -> None:
    with pytest.raises(FetchFailed) as refused:
        canonical(address)
    assert refused.value.code == code


_ODD = st.text(alphabet="abAB09.-_~%/:;?#&=@[]'\"!$()*+,|{}^\\` \tüß☃。１25exf", max_size=30)


@given(st.text(max_size=60) | _ODD)
def test_any_text_is_an_address_in_one_form_or_refused(text: str) -> None:
    for candidate in (text, f"https://example.org/{text}", f"https://{text}/", f"https://{text}.org"):
        try:
            found = canonical(candidate)
        except FetchFailed:
            continue
        assert canonical(found) == found
        assert "#" not in found


@given(_ODD)
def test_the_short_way_for_plain_links_gives_what_the_long_one_gives(path: str) -> None:
    for link in (f"https://example.org/{path}", f"http://{path}.org/a"):
        # A space before it is no part of it, and takes it out of the short way.
        assert join("https://x.org/", link) == join("https://x.org/", f" {link}")


def test_fifty_thousand_plain_links_take_no_time() -> None:
    started = perf_counter()
    for number in range(50_000):
        join("https://x.org/sitemap.xml", f"https://www.x.org/2024/a-heron/{number}.html")
    assert perf_counter() - started < 3  # 13 s by the long way


def test_links_are_relative_to_their_page() -> None:
    assert join("https://x.org/a/b", "../c#d") == "https://x.org/c"
    assert join("https://x.org/a", "//y.org/z") == "https://y.org/z"
    assert join("https://x.org/a", "//☃.net/z") == "https://xn--n3h.net/z"
    assert join("https://x.org/a", "https://xn--n3h.net/z") == "https://xn--n3h.net/z"
    assert join("https://x.org/a", "mailto:me@x.org") is None
    assert join("https://x.org/a", "https://[") is None
