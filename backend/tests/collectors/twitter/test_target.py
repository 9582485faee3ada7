"""What people type and paste of X, and the one source that all spellings of it are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.twitter.target import Place, place_of, recognise
from extrophi_backend.errors import InvalidTarget

HOSTS = ("x.com", "twitter.com", "www.x.com", "www.twitter.com", "mobile.twitter.com", "mobile.x.com", "m.twitter.com")
SCHEMES = ("https://", "http://", "", "//", "HTTPS://")
NAMES = st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True)
IDS = st.integers(1, 2**63 - 1).map(str)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("https://x.com/XDevelopers", "https://x.com/xdevelopers"),
        ("twitter.com/XDevelopers/", "https://x.com/xdevelopers"),
        ("x.com/@XDevelopers?lang=en", "https://x.com/xdevelopers"),
        ("https://x.com/XDevelopers/with_replies", "https://x.com/xdevelopers"),
        ("https://x.com/XDevelopers/media", "https://x.com/xdevelopers"),
        ("https://twitter.com/#!/XDevelopers", "https://x.com/xdevelopers"),
        ("https://x.com:443/ja", "https://x.com/ja"),
        ("https://x.com/XDevelopers/status/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("x.com/i/web/status/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("x.com/i/status/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("x.com/I/Status/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("twitter.com/statuses/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("twitter.com/XDevelopers/statuses/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("x.com/XDevelopers/status/1649191520250245121/photo/1", "https://x.com/i/status/1649191520250245121"),
        ("x.com/XDevelopers/status/1649191520250245121?s=20&t=abc", "https://x.com/i/status/1649191520250245121"),
        ("x.com/XDevelopers/article/1649191520250245121", "https://x.com/i/status/1649191520250245121"),
        ("https://twitter.com/#!/jack/status/20", "https://x.com/i/status/20"),
        ("https://x.com/i/lists/84839422", "https://x.com/i/lists/84839422"),
        ("twitter.com/i/lists/84839422/members", "https://x.com/i/lists/84839422"),
        ("https://x.com/search?q=heron%20nest&src=typed_query&f=top", "https://x.com/search?q=heron%20nest&f=live"),
        ("https://twitter.com/search?q=heron++nest", "https://x.com/search?q=heron%20nest&f=live"),
        ("https://x.com/hashtag/heron?src=hashtag_click", "https://x.com/search?q=%23heron&f=live"),
        ("https://x.com/hashtag/Heron", "https://x.com/search?q=%23heron&f=live"),
        ("https://x.com/search?q=%23HERON", "https://x.com/search?q=%23heron&f=live"),
        ("https://x.com/search?q=%23Heron%20OR%20Egret", "https://x.com/search?q=%23Heron%20OR%20Egret&f=live"),
    ],
)
def test_every_spelling_is_one_target(typed: str, canonical: str) -> None:
    found = recognise(f" {typed}\n")
    assert found is not None
    assert (found.platform, found.canonical) == ("twitter", canonical)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("x.com", "Give a user"),
        ("https://x.com/home", "Give a user"),
        ("https://x.com/explore", "Give a user"),
        ("https://x.com/i/bookmarks", "Give a user"),
        ("https://x.com/messages/123", "Give a user"),
        ("https://x.com/settings/account", "Give a user"),
        ("https://x.com/notifications", "Give a user"),
        ("https://x.com/login", "Give a user"),
        ("https://x.com/compose/post", "Give a user"),
        ("https://x.com/search?q=%20", "Give a user"),
        ("https://x.com/jack/status/twenty", "Give a user"),
        ("https://x.com/jack/status/0", "Give a user"),
        ("https://x.com/jack/status/9223372036854775808", "Give a user"),
        ("https://x.com/jack/lists/birds", "by number"),
        ("https://x.com/jack/followers", "x.com/jack"),
        ("https://x.com/i/article/2079162061142335488", "the post"),
    ],
)
def test_what_is_xs_and_cannot_be_collected_says_what_can(typed: str, hint: str) -> None:
    with pytest.raises(InvalidTarget) as raised:
        recognise(typed)
    assert hint in raised.value.hint
    assert raised.value.field == "target"


@pytest.mark.parametrize(
    "typed",
    [
        "@jack", "jack", "https://example.org/jack", "https://x.com.example.org/jack", "https://notx.com/jack",
        "https://developer.x.com/en/docs", "https://x.com/en/tos", "https://x.com/privacy", "https://x.com:8080/jack",
        "ftp://x.com/jack", "https://nitter.net/jack", "https://fxtwitter.com/jack/status/20", "",
    ],
)  # fmt: skip
def test_what_is_not_xs_is_left_to_others(typed: str) -> None:
    assert recognise(typed) is None


@given(st.sampled_from(SCHEMES), st.sampled_from(HOSTS), NAMES, IDS, st.sampled_from(["", "/", "/photo/1", "?s=20"]))
def test_all_spellings_of_a_post_are_one(scheme: str, host: str, name: str, post: str, end: str) -> None:
    found = recognise(f"{scheme}{host}/{name}/status/{post}{end}")
    assert found is not None
    assert found.canonical == f"https://x.com/i/status/{post}"


@given(
    NAMES.map(lambda name: Place("user", f"u{name.lower()}"))
    | IDS.map(lambda post: Place("post", post))
    | IDS.map(lambda name: Place("list", name))
    | st.text(min_size=1, max_size=60)
    .map(lambda words: " ".join(words.encode("utf-8", "replace").decode().split()))
    .filter(lambda words: words and not words.startswith("#"))
    .map(lambda words: Place("search", words))
)
def test_a_canonical_target_names_what_it_was_made_of_and_stays_itself(place: Place) -> None:
    found = recognise(place.address)
    assert found is not None
    assert found.canonical == place.address
    assert place_of(found.canonical) == place


@given(st.sampled_from(HOSTS), st.text(max_size=80))
def test_whatever_follows_the_host_is_a_target_or_refused_by_name(host: str, rest: str) -> None:
    try:
        found = recognise(f"https://{host}/{rest}")
    except InvalidTarget:
        return
    if found is not None:
        again = recognise(found.canonical)
        assert again is not None
        assert again.canonical == found.canonical
