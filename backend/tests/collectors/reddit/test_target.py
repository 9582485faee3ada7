"""What people type and paste, and the one address that it stands for."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.reddit.places import place_of
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.errors import InvalidTarget

SITE = "https://www.reddit.com"
SELFHOSTED = f"{SITE}/r/selfhosted/new/"
SPEZ = f"{SITE}/user/spez/submitted/"
POST = f"{SITE}/comments/3hahrw/"


def canonical(typed: str) -> str | None:
    found = recognise(typed)
    return found.canonical if found else None


@pytest.mark.parametrize(
    "typed",
    [
        "r/selfhosted",
        "/r/selfhosted",
        " R/SelfHosted/ ",
        "r/selfhosted/new",
        "r/selfhosted.rss",
        "reddit.com/r/selfhosted",
        "http://reddit.com/r/selfhosted/",
        "https://www.reddit.com/r/SelfHosted",
        "https://old.reddit.com/r/selfhosted/new/",
        "https://new.reddit.com/r/selfhosted/?rdt=41234",
        "np.reddit.com/r/selfhosted",
        "https://m.reddit.com/r/selfhosted",
        "https://i.reddit.com/r/selfhosted",
        "https://amp.reddit.com/r/selfhosted",
        "https://de.reddit.com/r/selfhosted",
        "https://WWW.REDDIT.COM./r/selfhosted#top",
        "https://www.reddit.com:443/r/selfhosted/new.json?limit=5",
        "https://www.reddit.com/r/selfhosted/new/.rss?limit=25",
        "https://www.reddit.com/r/selfhosted/?sort=new",
    ],
)
def test_every_spelling_of_a_subreddit_is_one_target(typed: str) -> None:
    assert recognise(typed) == Target("reddit", SELFHOSTED, typed)


@pytest.mark.parametrize(
    "typed",
    ["u/spez", "/u/spez", "user/spez", "U/Spez", "reddit.com/u/spez", f"{SITE}/user/spez/", f"{SITE}/u/spez/submitted"],
)
def test_every_spelling_of_a_user_is_one_target(typed: str) -> None:
    assert canonical(typed) == SPEZ


@pytest.mark.parametrize(
    "typed",
    [
        "redd.it/3hahrw",
        "https://redd.it/3HAHRW/",
        f"{SITE}/comments/3hahrw",
        f"{SITE}/r/funny/comments/3hahrw/ba_dum_tsss/",
        f"{SITE}/r/funny/comments/3hahrw/ba_dum_tsss/cu5pebp/?context=3",
        f"{SITE}/r/funny/comments/3hahrw/ba_dum_tsss/.rss?sort=new",
        f"{SITE}/user/ada/comments/3hahrw/ba_dum_tsss/",
        f"{SITE}/gallery/3hahrw",
        "r/funny/comments/3hahrw",
    ],
)
def test_every_address_of_a_post_or_of_its_comments_is_the_post(typed: str) -> None:
    assert canonical(typed) == POST


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("r/selfhosted/hot", f"{SITE}/r/selfhosted/hot/"),
        ("r/selfhosted/top?t=week", f"{SITE}/r/selfhosted/top/?t=week"),
        ("r/selfhosted/top", f"{SITE}/r/selfhosted/top/?t=day"),
        (f"{SITE}/r/selfhosted/?sort=TOP&t=Week", f"{SITE}/r/selfhosted/top/?t=week"),
        (f"{SITE}/r/selfhosted/rising?t=week", f"{SITE}/r/selfhosted/rising/"),
        ("r/b2+A1+b2", f"{SITE}/r/a1+b2/new/"),
        (f"{SITE}/r/a1%2Bb2/", f"{SITE}/r/a1+b2/new/"),
        ("r/reddit.com", f"{SITE}/r/reddit.com/new/"),
        ("r/u_spez", f"{SITE}/r/u_spez/new/"),
        (f"{SITE}/user/spez/submitted/?sort=top&t=year", f"{SPEZ}?sort=top&t=year"),
        (f"{SITE}/user/Ada/m/News/top/?t=all", f"{SITE}/user/ada/m/news/top/?t=all"),
        (
            f"{SITE}/r/selfhosted/search?q=a%20b&restrict_sr=on&sort=new&t=year",
            f"{SITE}/r/selfhosted/search/?q=a%20b&restrict_sr=1&sort=new&t=year",
        ),
        (
            f"{SITE}/r/selfhosted/search/?q=a+b",
            f"{SITE}/r/selfhosted/search/?q=a%20b&restrict_sr=1&sort=relevance&t=all",
        ),
        (f"{SITE}/r/selfhosted/search?q=a&restrict_sr=off", f"{SITE}/search/?q=a&sort=relevance&t=all"),
        (f"{SITE}/search?q=ü&type=link", f"{SITE}/search/?q=%C3%BC&sort=relevance&t=all"),
        (
            'r/selfhosted/?f=flair_name:"Help me"',
            f"{SITE}/r/selfhosted/search/?q=flair_name%3A%22Help%20me%22&restrict_sr=1&sort=new&t=all",
        ),
        (
            f"{SITE}/r/selfhosted/top/?f=flair_name%3A%22Help+me%22&t=week",
            f"{SITE}/r/selfhosted/search/?q=flair_name%3A%22Help%20me%22&restrict_sr=1&sort=top&t=week",
        ),
        ("reddit.com", f"{SITE}/"),
        (f"{SITE}/best/", f"{SITE}/"),
        (f"{SITE}/top/?t=hour", f"{SITE}/top/?t=hour"),
        (f"{SITE}/user/me/saved", f"{SITE}/user/me/saved/"),
    ],
)
def test_lists_keep_what_makes_them_another_list(typed: str, address: str) -> None:
    assert canonical(typed) == address
    assert canonical(address) == address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (".rss?feed=5ecret&user=Ada", f"{SITE}/"),
        ("saved.rss?feed=5ecret&user=Ada", f"{SITE}/user/ada/saved/"),
        ("user/Ada/upvoted.rss?feed=5ecret&user=Ada", f"{SITE}/user/ada/upvoted/"),
        ("user/Ada/m/news/.rss?user=Ada&feed=5ecret", f"{SITE}/user/ada/m/news/new/"),
        ("saved.json?feed=5ecret", f"{SITE}/user/me/saved/"),
    ],
)
def test_a_private_feeds_token_is_no_part_of_its_target(typed: str, address: str) -> None:
    found = recognise(f"{SITE}/{typed}")
    assert found == Target("reddit", address, address)


@pytest.mark.parametrize(
    "typed",
    [
        f"{SITE}/r/selfhosted/s/AbCdEf123",
        f"{SITE}/u/spez/s/AbCdEf123",
        f"{SITE}/3hahrw",
        "https://pics.reddit.com/",
        "https://i.redd.it/96xt622i5qs01.png",
        "https://v.redd.it/ut1vpsx7yw2e1",
        "https://redd.it/",
        "https://www.reddit.com:8443/r/selfhosted",
        "https://reddit.com.example.org/r/selfhosted",
        "https://example.org/r/selfhosted",
        "ftp://www.reddit.com/r/selfhosted",
        "/u/ada/notes",
        "user/notes.md",
        "/user/ada/docs/a.txt",
        "selfhosted",
        "@spez",
        "",
        "https://[www.reddit.com/r/a",
    ],
)
def test_what_is_not_reddits_or_only_leads_there_is_left_to_others(typed: str) -> None:
    assert recognise(typed) is None


@pytest.mark.parametrize(
    "typed",
    [
        "r/",
        "r/x",
        "r/a b",
        "r/foo new",
        f"{SITE}/r/foo%20new/",
        "r/foo/?f=has:video",
        'r/foo/rising?f=flair_name:"x"',
        "r/no-such",
        "r/selfhosted/wiki",
        "r/selfhosted/wiki/index",
        "u/x",
        "u/[deleted]",
        f"{SITE}/user/spez/comments/",
        f"{SITE}/user/spez/submitted/?sort=sideways",
        f"{SITE}/user/spez/m/news/sideways",
        f"{SITE}/settings",
        f"{SITE}/message/inbox/.rss?feed=5ecret&user=ada",
        f"{SITE}/r/selfhosted/search?q=%20",
        f"{SITE}/search?q=a&type=user",
        f"{SITE}/comments/no-post!",
        "r/" + "+".join(f"sub{number}" for number in range(101)),
    ],
)
def test_what_is_reddits_and_no_list_of_posts_is_refused_with_a_hint(typed: str) -> None:
    with pytest.raises(InvalidTarget) as refused:
        recognise(typed)
    assert "r/name" in refused.value.hint
    assert refused.value.field == "target"
    assert "5ecret" not in refused.value.detail + refused.value.hint


def test_a_canonical_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidTarget):
        place_of(f"{SITE}/r/selfhosted/s/AbCdEf123")


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]{2,19}", fullmatch=True)
ids = st.from_regex(r"[a-z0-9]{5,7}", fullmatch=True)
hosts = st.sampled_from(["", "www.", "old.", "new.", "np.", "m.", "i.", "amp.", "fr."])
schemes = st.sampled_from(["", "http://", "https://", "HTTPS://"])
ends = st.sampled_from(["", "/", ".rss", "/.rss", ".json", "/?utm_source=share", "/#lightbox"])
paths = st.one_of(
    st.builds("r/{}{}".format, names, st.sampled_from(["", "/new", "/hot", "/rising", "/top", "/controversial"])),
    st.builds("{}/{}".format, st.sampled_from(["u", "user", "U", "User"]), names),
    st.builds("r/{}/comments/{}/a_title".format, names, ids),
    st.builds("comments/{}".format, ids),
    st.builds("user/{}/m/{}".format, names, names),
    st.builds("r/{}+{}/top".format, names, names),
)


@given(schemes, hosts, paths, ends)
def test_scheme_host_case_and_ending_make_no_other_target(scheme: str, host: str, path: str, end: str) -> None:
    found = canonical(f"{scheme}{host}reddit.com/{path}{end}")
    assert found is not None
    assert found == canonical(f"https://www.reddit.com/{path.lower()}/")
    assert found == canonical(found)
    assert place_of(found).address == found


@given(st.text(min_size=1).filter(str.strip))
def test_any_words_can_be_searched_for(words: str) -> None:
    found = canonical(f"{SITE}/search?{urlencode({'q': words})}")
    assert found is not None
    assert place_of(found).asks["q"] == words.strip()
    assert canonical(found) == found


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_target_nothing_or_a_refusal(typed: str) -> None:
    for text in (typed, f"r/{typed}", f"u/{typed}", f"{SITE}/{typed}", f"redd.it/{typed}"):
        try:
            found = recognise(text)
        except InvalidTarget:
            continue
        if found is not None:
            assert canonical(found.canonical) == found.canonical
