"""Reddit's Atom feeds, where there are no credentials of an app."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from extrophi_backend.collectors.models import Run, Target
from extrophi_backend.collectors.reddit.atom import read_atom
from extrophi_backend.collectors.reddit.collector import RedditCollector
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.errors import PlatformUnavailable, Refused
from tests.collecting import Library
from tests.platforms.reddit import APP, RedditServer, Reply, comment_entry, feed, make_thread, post_entry, refusal

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

SITE = "https://www.reddit.com"
NEW = "/r/selfhosted/new"
TOKEN = "f33d-t0ken-of-mine-0123456789"


def target(typed: str) -> Target:
    found = recognise(typed)
    assert found is not None
    return found


SELFHOSTED = target("r/selfhosted")


@pytest.fixture(autouse=True)
def without_credentials(keys: Any) -> None:
    keys.values.clear()


async def test_an_open_feed_gives_its_posts_by_one_request(server: RedditServer, collector: RedditCollector) -> None:
    for at in range(40):
        server.add(make_thread(f"p{at:05d}", comments=3), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert [*library.documents] == [f"t3_p{at:05d}" for at in range(39, 14, -1)]
    assert server.log == [f"/www{NEW}/.rss?limit=25"]
    document, post = library.documents["t3_p00020"], server.threads["p00020"].post
    assert document.text == post["selftext"]
    assert (document.title, document.author) == (post["title"], post["author"])
    assert document.url == SITE + post["permalink"]
    assert document.published_at == datetime.fromtimestamp(post["created_utc"], UTC)
    (anchor,) = document.anchors
    assert (anchor.offset, anchor.author, anchor.url, anchor.score) == (0, post["author"], document.url, None)
    assert document.capture is not None
    assert document.capture.media_type == "application/xml"
    assert b"p00020" in document.capture.body
    assert b"p00021" not in document.capture.body
    assert not library.failures


async def test_a_link_is_the_text_of_a_post_that_has_none(server: RedditServer, collector: RedditCollector) -> None:
    server.add(make_thread("abc", selftext="", is_self=False, url="https://example.org/a?b=1&c=2"), NEW)
    server.add(make_thread("def", selftext="Both.", is_self=False, url="https://example.org/d"), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert library.documents["t3_abc"].text == "https://example.org/a?b=1&c=2"
    assert library.documents["t3_def"].text == "Both.\n\nhttps://example.org/d"


async def test_a_single_post_comes_with_its_latest_comments(server: RedditServer, collector: RedditCollector) -> None:
    thread = server.add(make_thread("abc", comments=30))
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    (document,) = library.documents.values()
    first, *anchors = document.anchors
    comments = [*thread.comments.values()][5:]
    assert first.author == thread.post["author"]
    assert [anchor.author for anchor in anchors] == [one["author"] for one in comments]
    assert [anchor.url for anchor in anchors] == [SITE + one["permalink"] for one in comments]
    assert [anchor.published_at for anchor in anchors] == [
        datetime.fromtimestamp(one["created_utc"], UTC) for one in comments
    ]
    assert document.text == "\n\n".join([thread.post["selftext"], *(one["body"] for one in comments)])
    assert [block.begins for block in document.blocks] == [True, False, *([True] * 25)]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("r/a1+b2/top?t=week", "/r/a1+b2/top/.rss?t=week&limit=25"),
        ("u/ada", "/user/ada/submitted/.rss?sort=new&limit=25"),
        ("r/a1/search?q=b c&sort=new", "/r/a1/search.rss?q=b%20c&restrict_sr=1&sort=new&t=all&limit=25"),
        ("redd.it/abc", "/comments/abc/.rss?limit=25&sort=new"),
        ("reddit.com", "/.rss?limit=25"),
    ],
)
async def test_each_kind_of_place_has_its_feed(
    server: RedditServer, collector: RedditCollector, typed: str, asked: str
) -> None:
    thread = make_thread("abc")
    for path in ("/r/a1+b2/top", "/user/ada/submitted", "/r/a1/search", "/comments/abc", ""):
        server.add(thread, path)
    library = Library()
    await library.collect(collector, target(typed))
    assert server.log == [f"/www{asked}"]
    assert {*library.documents} == {"t3_abc"}


async def test_a_second_run_changes_nothing(server: RedditServer, collector: RedditCollector) -> None:
    for at in range(3):
        server.add(make_thread(f"p{at:05d}"), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    await library.collect(collector, SELFHOSTED)
    assert {*library.versions.values()} == {1}
    server.add(make_thread("fresh"), NEW)
    pages = await library.collect(collector, SELFHOSTED, purpose="new")
    assert [one.external_id for page in pages for one in page.documents] == ["t3_fresh"]
    assert sum(page.known for page in pages) == 3
    server.threads["p00001"].post["selftext"] = "Edited since."
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert library.versions["t3_p00001"] == 2
    assert library.documents["t3_p00001"].text == "Edited since."


async def test_what_the_api_brought_is_not_replaced_by_less_and_replaces_it(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    server.add(make_thread("abc", comments=30), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert len(library.documents["t3_abc"].anchors) == 1
    await library.collect(collector, target("redd.it/abc"))
    assert len(library.documents["t3_abc"].anchors) == 26
    await library.collect(collector, SELFHOSTED)
    assert library.unchanged == ["t3_abc"]
    keys.values |= {"client_id": APP[0], "client_secret": APP[1]}
    await library.collect(collector, SELFHOSTED)
    assert len(library.documents["t3_abc"].anchors) == 31
    whole = library.documents["t3_abc"]
    keys.values.clear()
    for typed in ("r/selfhosted", "redd.it/abc"):
        await library.collect(collector, target(typed))
        assert library.unchanged == ["t3_abc"]
    await library.collect(collector, SELFHOSTED, purpose="revisit", revisit=["t3_abc"])
    assert library.documents["t3_abc"] == whole


def fill(server: RedditServer, first: int, last: int) -> None:
    """So many posts at the top of the list."""
    for at in range(first, last + 1):
        server.add(make_thread(f"p{at:05d}"), NEW)


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_what_feeds_did_not_show_is_had_once_there_is_an_app(
    server: RedditServer, collector: RedditCollector, keys: Any, *, is_remembered: bool
) -> None:
    library = Library()
    for first, last in ((1, 25), (26, 400), (401, 425)):
        fill(server, first, last)
        if last != 400:
            await library.collect(collector, SELFHOSTED, purpose="new")
    if not is_remembered:  # as if what was had was older than such memos
        library.notes.clear()
    fill(server, 426, 520)
    keys.values |= {"client_id": APP[0], "client_secret": APP[1]}
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert {*library.documents} == {f"t3_{one}" for one in server.lists[NEW]}
    assert {one.validators["way"] for one in library.documents.values()} == {"oauth"}
    server.asked.clear()
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}


async def test_posts_that_a_feed_shows_no_more_are_told_of_and_no_first_run_is_a_failure(
    server: RedditServer, collector: RedditCollector
) -> None:
    library = Library()
    told: list[list[str]] = []
    for last in (40, 64, 89, 113, 114):
        fill(server, max((int(one[1:]) for one in server.threads), default=0) + 1, last)
        await library.collect(collector, SELFHOSTED, purpose="new")
        told.append([one.code for one in library.failures])
        assert all("An app of your own" in one.detail for one in library.failures)
    assert told == [[], [], ["more_left"], [], []]


async def test_what_a_short_list_has_dropped_was_not_missed(server: RedditServer, collector: RedditCollector) -> None:
    library = Library()
    for at in (1, 2):
        server.lists[NEW] = []
        fill(server, 100 * at, 100 * at + 9)
        await library.collect(collector, SELFHOSTED, purpose="new")
        assert not library.failures
    assert len(library.documents) == 20


async def test_a_limit_within_a_feed_leaves_a_gap_for_an_app(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    library = Library()
    fill(server, 1, 100)
    keys.values |= {"client_id": APP[0], "client_secret": APP[1]}
    await library.collect(collector, SELFHOSTED)
    keys.values.clear()
    fill(server, 101, 120)
    await library.collect(collector, SELFHOSTED, purpose="new", limit=10)
    fill(server, 121, 210)
    keys.values |= {"client_id": APP[0], "client_secret": APP[1]}
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert {*library.documents} == {f"t3_{one}" for one in server.lists[NEW]}


async def test_what_another_job_brings_meanwhile_is_not_replaced_by_a_feed(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    server.add(make_thread("abc", comments=30), NEW)
    library = Library()
    async with aclosing(collector.collect(Run(SELFHOSTED, 1000, None, library, library.suspect))) as pages:
        page = await anext(pages)
        keys.values |= {"client_id": APP[0], "client_secret": APP[1]}
        await library.collect(collector, SELFHOSTED)
        with pytest.raises(AssertionError, match="t3_abc"):  # as the library refuses it
            library.save(page)
    keys.values.clear()
    library.cursor = None
    await library.collect(collector, SELFHOSTED, resume=True)
    assert library.unchanged == ["t3_abc"]
    assert len(library.documents["t3_abc"].anchors) == 31


async def test_documents_that_are_due_are_looked_at(server: RedditServer, collector: RedditCollector) -> None:
    for at in range(3):
        server.add(make_thread(f"p{at:05d}", comments=2), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    del server.threads["p00001"]
    server.replies["/comments/p00002"] = Reply(403, "<html>no</html>", "text/html")
    due = ["t3_p00000", "t3_p00001", "t3_p00002", "t3_never"]
    await library.collect(collector, SELFHOSTED, purpose="revisit", revisit=due)
    assert library.gone == {"t3_p00001"}
    assert [(one.target, one.code) for one in library.failures] == [
        (f"{SITE}/comments/p00002/", "http_403"),
        (f"{SITE}/comments/never/", "not_found"),
    ]
    assert len(library.documents["t3_p00000"].anchors) == 3


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/user/ada/saved", f"{SITE}/user/Ada/saved"),
        ("/user/ada/saved", f"{SITE}/user/me/saved"),
        ("/user/ada/upvoted", f"{SITE}/user/ada/upvoted"),
        ("/user/ada/m/news/new", f"{SITE}/user/ada/m/news"),
        ("", "reddit.com"),
    ],
)
async def test_ones_own_feeds_are_asked_for_with_their_token(
    server: RedditServer, collector: RedditCollector, keys: Any, path: str, typed: str
) -> None:
    keys.values |= {"feed_token": TOKEN, "feed_user": "ada"}
    server.feed_tokens["ada"] = TOKEN
    server.add(make_thread("abc"), path)
    library = Library()
    await library.collect(collector, target(typed))
    assert {*library.documents} == {"t3_abc"}
    assert f"feed={TOKEN}&user=ada" in server.log[0]
    assert TOKEN not in repr([library.documents, library.failures, library.cursor, library.suspects])


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401, "<html>no</html>", "text/html"), "credentials_refused"),
        (Reply(403, "<html>forbidden</html>", "text/html"), "credentials_refused"),
        (refusal(403), "credentials_refused"),
        (refusal(403, "private"), "private_subreddit"),
        (Reply(403, "<body>You've been blocked by network security.</body>", "text/html"), "http_403"),
        (Reply(403, "<h1>whoa there, pardner!</h1>", "text/html"), "http_403"),
    ],
)
async def test_a_token_that_is_refused_is_told_from_a_page_for_robots(
    server: RedditServer, collector: RedditCollector, keys: Any, reply: Reply, code: str
) -> None:
    keys.values |= {"feed_token": TOKEN, "feed_user": "ada"}
    server.replies["/user/ada/saved"] = reply
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, target(f"{SITE}/user/ada/saved"))
    assert refused.value.code == code
    assert keys.refused == ([("feed_token", "feed_user")] if code == "credentials_refused" else [])


async def test_the_token_goes_to_no_feed_but_ones_own(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    keys.values |= {"feed_token": TOKEN, "feed_user": "ada"}
    for path in (NEW, "/user/grace/m/news/new", "/user/ada/submitted"):
        server.add(make_thread("abc"), path)
    for typed in ("r/selfhosted", f"{SITE}/user/grace/m/news", "u/ada"):
        await Library().collect(collector, target(typed))
    assert not any("feed=" in one for one in server.log)


@pytest.mark.parametrize("values", [{}, {"feed_token": TOKEN, "feed_user": "grace"}])
async def test_what_nobody_else_sees_is_refused_without_credentials(
    server: RedditServer, collector: RedditCollector, keys: Any, values: dict[str, str]
) -> None:
    keys.values |= values
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, target(f"{SITE}/user/ada/saved"))
    assert refused.value.code == "credentials_missing"
    assert not server.asked


async def test_a_token_that_reddit_does_not_take_is_noted(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    keys.values |= {"feed_token": TOKEN, "feed_user": "ada"}
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, target(f"{SITE}/user/ada/saved"))
    assert refused.value.code == "credentials_refused"
    assert keys.refused == [("feed_token", "feed_user")]


async def test_a_saved_comment_stands_for_its_post_until_more_of_it_is_had(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    keys.values |= {"feed_token": TOKEN, "feed_user": "ada"}
    server.feed_tokens["ada"] = TOKEN
    thread = server.add(make_thread("abc", comments=9))
    server.lists["/user/ada/saved"] = ["abc/abcc00004"]
    library = Library()
    await library.collect(collector, target(f"{SITE}/user/ada/saved"))
    (document,) = library.documents.values()
    assert (document.title, document.author, document.text) == (thread.post["title"], None, "Comment 4 on abc.")
    assert document.anchors[0].author == "writer_abcc00004"
    server.lists["/user/ada/saved"].insert(0, "abc/abcc00005")
    await library.collect(collector, target(f"{SITE}/user/ada/saved"), purpose="new")
    assert library.documents["t3_abc"].text == "Comment 4 on abc.\n\nComment 5 on abc."
    server.lists[NEW] = ["abc"]
    await library.collect(collector, SELFHOSTED)
    assert library.documents["t3_abc"].text == thread.post["selftext"]
    await library.collect(collector, target(f"{SITE}/user/ada/saved"))
    assert library.unchanged == ["t3_abc"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(403, "<html>You've been blocked by network security.</html>", "text/html"), "http_403"),
        (refusal(403, "private"), "private_subreddit"),
        (refusal(404, "banned"), "banned"),
        (Reply(404, "<html>page not found</html>", "text/html"), "not_found"),
        (Reply(302, headers={"Location": "/subreddits/search?q=selfhosted"}), "not_found"),
        (Reply(302, headers={"Location": "/over18?dest=x"}), "login_needed"),
        (Reply(200, "<html><body>Please wait for verification</body></html>", "text/html"), "unreadable_answer"),
        (Reply(200, "", "text/plain"), "unreadable_answer"),
        (Reply(451, "", "text/plain"), "withheld"),
    ],
)
async def test_each_refusal_of_a_feed_has_its_own_code(
    server: RedditServer, collector: RedditCollector, reply: Reply, code: str
) -> None:
    server.replies[NEW] = reply
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, SELFHOSTED)
    assert refused.value.code == code
    assert ("app of your own" in refused.value.hint) == (code == "http_403")


async def test_a_429_with_a_page_for_people_is_obeyed(server: RedditServer, collector: RedditCollector) -> None:
    server.replies[NEW] = Reply(429, "<html>Too Many Requests</html>", "text/html", {"Retry-After": "90"})
    server.remaining = 5
    with pytest.raises(PlatformUnavailable) as put_off:
        await Library().collect(collector, SELFHOSTED)
    assert put_off.value.retry_after == 90
    assert server.asked[f"{NEW}/.rss"] == 1


async def test_a_post_that_is_no_more_is_gone(server: RedditServer, collector: RedditCollector) -> None:
    server.add(make_thread("abc"))
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    del server.threads["abc"]
    with pytest.raises(Refused):
        await library.collect(collector, target("redd.it/abc"))
    assert library.gone == {"t3_abc"}


async def test_entries_of_kinds_that_nobody_knows_are_counted(server: RedditServer, collector: RedditCollector) -> None:
    post = make_thread("abc").post
    odd = "<entry><id>t5_2qh33</id><title>a subreddit</title></entry>"
    lost = "<entry><id>t1_x</id></entry><entry><title>nothing</title></entry>"
    server.replies[NEW] = Reply(body=feed(NEW, odd, lost, post_entry(post)), media_type="application/atom+xml")
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert [one.code for one in library.failures] == ["unknown_part", "unreadable_answer"]
    assert "“t5”" in library.failures[0].detail
    assert {*library.documents} == {"t3_abc"}


async def test_a_comment_without_words_is_counted_and_the_others_are_there(
    server: RedditServer, collector: RedditCollector
) -> None:
    thread = make_thread("abc", comments=2)
    first, second = (comment_entry(thread.post, one) for one in thread.comments.values())
    start, end = first.index('<content type="html">'), first.index("</content>")
    mute = first[:start] + first[end + len("</content>") :]
    empty = comment_entry(thread.post, thread.add("ccc", ""))  # says nothing, and says so
    body = feed("/comments/abc", post_entry(thread.post), mute, second, empty)
    server.replies["/comments/abc"] = Reply(body=body, media_type="application/atom+xml")
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    assert library.documents["t3_abc"].text == f"{thread.post['selftext']}\n\nComment 1 on abc."
    (failure,) = library.failures
    assert (failure.target, failure.code) == (f"{SITE}/comments/abc/", "unreadable_answer")
    assert "what they say" in failure.detail


async def test_a_feed_that_killed_its_worker_is_set_aside(server: RedditServer, collector: RedditCollector) -> None:
    library = Library()
    await library.collect(collector, SELFHOSTED, set_aside=frozenset({SELFHOSTED.canonical}))
    assert [one.code for one in library.failures] == ["poisonous"]
    assert not server.asked


def test_lists_tables_and_code_of_a_post_are_text() -> None:
    said = (
        '<table> <tr><td> <a href="/r/x"><img src="a.jpg"/></a> </td><td> <!-- SC_OFF --><div class="md">'
        "<h1>Racks</h1> <ul> <li>One</li> <li>Two</li> </ul> <pre><code>a = 1\nb = 2\n</code></pre>"
        "<p>Ends &amp; <em>odds</em>.</p>"
        '</div><!-- SC_ON --> &#32; submitted by &#32; <a href="/user/ada"> /u/ada </a> <br/> <span>'
        '<a href="/r/x/comments/abc/t/">[link]</a></span> <span><a href="/r/x/comments/abc/t/">[comments]</a></span>'
        "</td></tr></table>"
    )
    escaped = said.replace("&", "&amp;").replace("<", "&lt;")
    entry = (
        f'<entry><author><name>/u/ada</name></author><content type="html">{escaped}</content><id>t3_abc</id>'
        '<link href="https://old.reddit.com/r/x/comments/abc/t/?ref=rss"/><updated>2026-01-02T03:04:05Z</updated>'
        "<title>A &amp;amp; B</title></entry>"
    )
    found = read_atom(feed("/r/x", entry).encode())
    assert found
    (one,) = found.posts
    assert one.post.words.text == "Racks\n\nOne\n\nTwo\n\na = 1\nb = 2\n\nEnds & odds."
    assert one.post.words.address == f"{SITE}/r/x/comments/abc/t/"
    assert one.post.words.published_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert one.post.title == "A &amp; B"


def test_an_entry_without_author_content_or_date_is_an_entry() -> None:
    entry = '<entry><id>t3_abc</id><link href="https://[bad"/><updated>soon</updated></entry>'
    found = read_atom(feed("/r/x", entry).encode())
    assert found
    (one,) = found.posts
    assert (one.post.words.author, one.post.words.text, one.post.words.published_at) == ("[deleted]", "", None)
    assert one.post.words.address == f"{SITE}/comments/abc/"


def test_a_feed_that_is_cut_off_gives_what_came() -> None:
    thread = make_thread("abc", comments=2)
    whole = feed(
        "/r/x", post_entry(thread.post), *(comment_entry(thread.post, one) for one in thread.comments.values())
    )
    found = read_atom(whole[: whole.rindex("<entry>") + 20].encode())
    assert found
    assert [(one.post.id, len(one.comments)) for one in found.posts] == [("abc", 1)]
    for body in (b"", b"\x00\xff", b"<rss/>", b"<html><body>no", b"{}"):
        assert read_atom(body) is None
