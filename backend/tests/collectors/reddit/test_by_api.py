"""Reddit's API, collected from as a job does it."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from extrophi_backend.collectors.models import Collected, Target
from extrophi_backend.collectors.reddit.collector import RedditCollector
from extrophi_backend.collectors.reddit.gathering import Limits
from extrophi_backend.collectors.reddit.pending import Pending
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.errors import Refused
from extrophi_backend.index.chunking import chunk_spans
from tests.collecting import Library
from tests.platforms.reddit import SEARCH, SUBMITTED, RedditServer, Reply, make_thread, recorded, refusal

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

SITE = "https://www.reddit.com"
NEW = "/r/selfhosted/new"


def target(typed: str) -> Target:
    found = recognise(typed)
    assert found is not None
    return found


SELFHOSTED = target("r/selfhosted")


def fill(server: RedditServer, posts: int, comments: int = 0) -> None:
    """So many posts, the newest first."""
    for at in range(posts):
        server.add(make_thread(f"p{at:05d}", comments=comments), NEW)


def contents(library: Library) -> dict[str, Collected]:
    return dict(sorted(library.documents.items()))


def walk(listing: Any, depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The comments of a recorded answer, as a reader comes by them."""
    for child in listing["data"]["children"]:
        if child["kind"] == "t1":
            yield depth, child["data"]
            if child["data"]["replies"]:
                yield from walk(child["data"]["replies"], depth + 1)


async def test_a_recorded_tree_is_one_document_with_every_comment_in_its_place(
    server: RedditServer, collector: RedditCollector
) -> None:
    answer = server.add_recorded_tree(deeper=0)
    library = Library()
    await library.collect(collector, target("https://redd.it/3hahrw"))
    (document,) = library.documents.values()
    post = answer[0]["data"]["children"][0]["data"]
    assert document.external_id == "t3_3hahrw"
    assert document.url == f"{SITE}/r/funny/comments/3hahrw/ba_dum_tsss/"
    assert (document.title, document.author) == (post["title"], post["author"])
    assert document.published_at == datetime.fromtimestamp(post["created_utc"], UTC)
    assert document.format == "markdown"
    first, *anchors = document.anchors
    assert (first.offset, first.author, first.url, first.depth) == (0, post["author"], document.url, None)
    comments = [*walk(answer[1])]
    assert len(anchors) == len(comments) == 527
    ends = [*(anchor.offset - 2 for anchor in anchors[1:]), len(document.text)]
    for anchor, end, (depth, data) in zip(anchors, ends, comments, strict=True):
        assert document.text[anchor.offset : end] == data["body"]
        assert anchor.url == SITE + data["permalink"]
        assert anchor.author == data["author"]
        assert anchor.published_at == datetime.fromtimestamp(data["created_utc"], UTC)
        assert (anchor.depth, anchor.score) == (depth, data["score"])
        assert anchor.state == {"[deleted]": "deleted", "[removed]": "removed"}.get(data["body"])
    assert document.text == "\n\n".join([post["url"], *(data["body"] for _, data in comments)])
    assert any(anchor.state for anchor in anchors)
    assert document.capture is not None
    assert document.capture.media_type == "application/json"
    # Six branches go on deeper than the answer, and are asked for.
    assert sum(number for path, number in server.asked.items() if "/_/" in path) == 6
    assert not library.failures


async def test_no_chunk_has_words_of_two_authors(server: RedditServer, collector: RedditCollector) -> None:
    server.add_recorded_tree(deeper=0)
    library = Library()
    await library.collect(collector, target("redd.it/3hahrw"))
    (document,) = library.documents.values()
    starts = {anchor.offset for anchor in document.anchors}
    assert {block.start for block in document.blocks if block.begins} >= {
        anchor.offset for anchor in document.anchors if not document.text[anchor.offset].isspace()
    }
    for before, after in pairwise(document.blocks):
        assert before.end <= after.start
    for chunk in chunk_spans(document.text, document.blocks):
        assert not starts & {*range(chunk.start + 1, chunk.end)}


async def test_branches_that_go_on_deeper_are_followed(server: RedditServer, collector: RedditCollector) -> None:
    server.add_recorded_tree(deeper=25)
    library = Library()
    await library.collect(collector, target("redd.it/3hahrw"))
    (document,) = library.documents.values()
    assert len(document.anchors) == 1 + 527 + 6 * 25
    assert max(anchor.depth or 0 for anchor in document.anchors) == 9 + 25
    (deepest,) = [anchor for anchor in document.anchors if anchor.url == f"{document.url}cu61zil24/"]
    assert document.text[deepest.offset :].startswith("Deeper 24 than cu61zil.")


@pytest.mark.parametrize(("name", "path"), [(SUBMITTED, "u/spez"), (SEARCH, "r/all/search?q=praw+oauth+search")])
async def test_a_recorded_list_is_collected_post_by_post(
    server: RedditServer, collector: RedditCollector, name: str, path: str
) -> None:
    answer = recorded(name)
    posts = [child["data"] for child in answer["data"]["children"]]
    asked = "/user/spez/submitted" if name == SUBMITTED else "/r/all/search"
    server.answers[asked], server.lists[asked] = answer, []
    for data in posts:
        server.add(make_thread(data["id"], **data))
    library = Library()
    await library.collect(collector, target(path))
    assert [*library.documents] == [data["name"] for data in posts]
    assert not library.failures
    for data in posts:
        document = library.documents[data["name"]]
        own = data["selftext"] or ("" if data["is_self"] else data["url"])
        assert document.text == (own or data["title"])
        assert document.url == SITE + data["permalink"]
        assert (document.title, document.author) == (data["title"], data["author"])
        assert document.published_at == datetime.fromtimestamp(data["created_utc"], UTC)
        assert document.capture is not None


async def test_a_list_is_gone_through_page_by_page(server: RedditServer, collector: RedditCollector) -> None:
    fill(server, 250)
    library = Library()
    pages = await library.collect(collector, SELFHOSTED)
    assert [*library.documents] == [f"t3_p{at:05d}" for at in reversed(range(250))]
    assert library.cursor == {"done": True}
    assert server.asked[NEW] == 3
    assert server.asked["/api/v1/access_token"] == 1
    assert sum(server.asked.values()) == 4  # a post without comments is asked for by no request of its own
    assert all(len(page.documents) <= 100 for page in pages)


@pytest.mark.parametrize("page", range(1, 8))
async def test_a_run_that_is_killed_after_any_page_goes_on_as_if_nothing_had_happened(
    server: RedditServer, collector: RedditCollector, page: int
) -> None:
    fill(server, 330)
    for at in range(0, 330, 9):
        server.add(make_thread(f"p{at:05d}", comments=40))
    server.add(make_thread("big", comments=700), NEW)
    undisturbed, killed = Library(), Library()
    await undisturbed.collect(collector, SELFHOSTED)
    pages = await killed.collect(collector, SELFHOSTED, pages=page)
    while killed.cursor != {"done": True}:
        pages += await killed.collect(collector, SELFHOSTED, resume=True, pages=page)
    assert contents(killed) == contents(undisturbed)
    assert killed.versions == undisturbed.versions
    assert {*killed.versions.values()} == {1}
    assert sum(len(one.documents) for one in pages) == 331


async def test_a_limit_is_kept_over_a_resumption(server: RedditServer, collector: RedditCollector) -> None:
    fill(server, 200)
    library = Library()
    await library.collect(collector, SELFHOSTED, limit=120, pages=1)
    await library.collect(collector, SELFHOSTED, limit=120, resume=True)
    assert len(library.documents) == 120


async def test_a_list_that_moved_on_while_the_job_waited_loses_nothing(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 150)
    library = Library()
    await library.collect(collector, SELFHOSTED, pages=1)
    before = [*server.lists[NEW]]
    server.lists[NEW] = before[40:]  # what was handled last is no more on its page
    await library.collect(collector, SELFHOSTED, resume=True)
    assert [*library.documents] == [f"t3_{one}" for one in before]
    assert {*library.versions.values()} == {1}


async def test_a_second_run_changes_nothing_and_asks_for_lists_alone(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 130, comments=3)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    before = contents(library)
    server.asked.clear()
    await library.collect(collector, SELFHOSTED)
    assert contents(library) == before
    assert library.unchanged == [f"t3_p{at:05d}" for at in reversed(range(130))]
    assert server.asked == {NEW: 2}


async def test_looking_for_what_is_new_costs_one_request_where_nothing_is(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 230, comments=1)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    server.asked.clear()
    pages = await library.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}
    assert sum(page.known for page in pages) == 100
    assert not library.unchanged


async def test_what_is_new_or_has_new_comments_is_collected(server: RedditServer, collector: RedditCollector) -> None:
    fill(server, 150, comments=5)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    server.add(make_thread("fresh", comments=2), NEW)
    server.threads["p00149"].add("another", "One more.")
    server.asked.clear()
    pages = await library.collect(collector, SELFHOSTED, purpose="new")
    assert [one.external_id for page in pages for one in page.documents] == ["t3_fresh", "t3_p00149"]
    assert server.asked == {NEW: 1, "/comments/fresh": 1, "/comments/p00149": 1}
    assert library.versions["t3_p00149"] == 2
    assert library.documents["t3_p00149"].text.endswith("One more.")


async def test_a_gap_that_a_broken_off_run_left_is_closed_by_the_next(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 20)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    for at in range(250):
        server.add(make_thread(f"q{at:05d}"), NEW)
    await library.collect(collector, SELFHOSTED, purpose="new", limit=150)  # never gone on with
    for at in range(120):
        server.add(make_thread(f"r{at:05d}"), NEW)
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert {*library.documents} == {f"t3_{one}" for one in server.lists[NEW]}
    server.asked.clear()
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}


@pytest.mark.parametrize("first", ["all", "new"])
@pytest.mark.parametrize("limit", [50, 97, 100, 194])
async def test_runs_with_a_limit_come_to_the_end_of_a_list_at_last(
    server: RedditServer, collector: RedditCollector, first: Any, limit: int
) -> None:
    server.page = 97
    fill(server, 300)
    library = Library()
    await library.collect(collector, SELFHOSTED, limit=limit, purpose=first)
    for had in (2 * limit, 3 * limit):
        await library.collect(collector, SELFHOSTED, limit=limit, purpose="new")
        assert len(library.documents) == min(had, 300)
    for at in range(120):
        server.add(make_thread(f"q{at:05d}"), NEW)
    for _ in range(6):
        await library.collect(collector, SELFHOSTED, limit=limit, purpose="new")
    assert {*library.documents} == {f"t3_{one}" for one in server.lists[NEW]}
    await library.collect(collector, SELFHOSTED, purpose="new")
    server.asked.clear()
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}


async def test_a_limit_within_a_page_that_ends_in_what_is_known_leaves_a_gap(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 20)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    for at in range(90):
        server.add(make_thread(f"q{at:05d}"), NEW)
    await library.collect(collector, SELFHOSTED, purpose="new", limit=40)
    for at in range(150):
        server.add(make_thread(f"r{at:05d}"), NEW)
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert {*library.documents} == {f"t3_{one}" for one in server.lists[NEW]}


async def test_two_jobs_share_a_token(server: RedditServer, collector: RedditCollector) -> None:
    fill(server, 30, comments=1)
    server.add(make_thread("abc", comments=1), "/user/ada/submitted")
    await Library().collect(collector, target("u/ada"))
    one, other = Library(), Library()
    await asyncio.gather(one.collect(collector, SELFHOSTED), other.collect(collector, target("u/ada")))
    assert (len(one.documents), len(other.documents)) == (30, 1)
    assert server.asked["/api/v1/access_token"] == 1


async def test_what_failed_lately_is_passed_over_by_a_run_for_what_is_new(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 2, comments=1)
    server.replies["/comments/p00001"] = refusal(403)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert [(one.target, one.code) for one in library.failures] == [(f"{SITE}/comments/p00001/", "http_403")]
    server.asked.clear()
    await library.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}
    del server.replies["/comments/p00001"]
    await library.collect(collector, SELFHOSTED)
    assert {*library.documents} == {"t3_p00000", "t3_p00001"}
    assert not library.misses


@dataclass
class Due(Library):
    """A library in which what failed is due at once, but for what is `put_off`."""

    put_off: set[str] = field(default_factory=set[str])

    async def not_due(self, targets: Sequence[str]) -> Collection[str]:
        return self.put_off & {*targets}


@pytest.fixture
def due() -> Due:
    return Due()


@pytest.mark.parametrize(
    ("reply", "path"),
    [(refusal(500), "/comments/old"), (Reply(body="no JSON"), "/comments/old"), (refusal(500), "/api/morechildren")],
)
async def test_what_reddit_failed_to_give_is_asked_for_again_when_newer_posts_hide_it(
    server: RedditServer, collector: RedditCollector, due: Due, reply: Reply, path: str
) -> None:
    server.shown = 50
    server.add(make_thread("old", comments=90), NEW)
    server.replies[path] = reply
    await due.collect(collector, SELFHOSTED)
    (failure,) = due.failures
    due.put_off.add(failure.target)
    del server.replies[path]
    await due.collect(collector, SELFHOSTED, purpose="new")
    fill(server, 250)
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked["/api/info"] == 0
    assert len(getattr(due.documents.get("t3_old"), "anchors", ())) < 91
    due.put_off.clear()
    server.asked.clear()
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert len(due.documents["t3_old"].anchors) == 91
    assert server.asked["/api/info"] == 1
    assert failure.target not in due.misses
    server.asked.clear()
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}


async def test_what_is_refused_for_good_is_not_asked_for_again(
    server: RedditServer, collector: RedditCollector, due: Due
) -> None:
    for at, post_id in enumerate(("gone", "mine", "late")):
        server.add(make_thread(post_id, comments=1), NEW)
        server.replies[f"/comments/{post_id}"] = refusal(500 if at < 2 else 403, "private")
    await due.collect(collector, SELFHOSTED)
    server.lists[NEW].clear()
    del server.threads["gone"]
    server.replies["/comments/mine"] = refusal(403, "private")
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert [(one.target.split("/")[4], one.code) for one in due.failures] == [
        ("mine", "private_subreddit"),
        ("gone", "not_found"),
    ]
    server.asked.clear()
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {NEW: 1}


async def test_posts_that_wait_are_asked_for_once_in_a_run(
    server: RedditServer, collector: RedditCollector, due: Due
) -> None:
    fill(server, 4, comments=1)
    server.replies |= {f"/comments/p0000{at}": Reply(body="no JSON") for at in range(4)}
    await due.collect(collector, SELFHOSTED)
    del server.replies["/comments/p00000"]
    server.asked.clear()
    await due.collect(collector, SELFHOSTED, purpose="new")
    assert server.asked == {"/api/info": 1, NEW: 1} | {f"/comments/p0000{at}": 1 for at in range(4)}
    assert {*due.documents} == {"t3_p00000"}


def test_the_latest_thousand_posts_wait() -> None:
    pending = Pending({"ids": ["odd", 5, None]})
    for at in range(1_500):
        assert pending.put(f"p{at:05d}", is_pending=True)
    assert not pending.put("p01499", is_pending=True)
    assert [*Pending(pending.memo)] == [f"p{at:05d}" for at in range(500, 1_500)]
    assert pending.put("p00700", is_pending=False)
    assert not pending.put("p00700", is_pending=False)
    assert [*Pending("odd")] == [*Pending(None)] == [*Pending({"ids": 5})] == []


async def test_a_tree_that_grew_little_is_looked_at_again_a_day_later(
    server: RedditServer, collector: RedditCollector, clock: Any
) -> None:
    thread = server.add(make_thread("abc", comments=50), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    for at in range(4):
        thread.add(f"more{at}", f"More {at}.")
    await library.collect(collector, SELFHOSTED)
    assert (library.unchanged, server.asked["/comments/abc"]) == (["t3_abc"], 1)
    thread.add("more4", "More 4.")
    await library.collect(collector, SELFHOSTED)
    assert (library.unchanged, server.asked["/comments/abc"]) == ([], 2)
    thread.add("more5", "More 5.")
    clock.pass_by(timedelta(hours=25))
    await library.collect(collector, SELFHOSTED)
    assert server.asked["/comments/abc"] == 3
    assert library.documents["t3_abc"].text.endswith("More 5.")


async def test_an_edit_is_a_new_version(server: RedditServer, collector: RedditCollector) -> None:
    thread = server.add(make_thread("abc", comments=3), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    thread.post |= {"selftext": "Better said.", "edited": 1_800_000_000.0}
    await library.collect(collector, SELFHOSTED)
    assert library.versions == {"t3_abc": 2}
    assert library.documents["t3_abc"].text.startswith("Better said.\n\nComment 0 on abc.")


async def test_scores_are_kept_and_make_no_version(
    server: RedditServer, collector: RedditCollector, clock: Any
) -> None:
    thread = server.add(make_thread("abc", comments=9), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    for comment in thread.comments.values():
        comment["score"] += 100
    thread.comments["abcc00002"]["score_hidden"] = True
    thread.post["edited"] = 1.0
    await library.collect(collector, SELFHOSTED)
    assert library.versions == {"t3_abc": 1}
    scores = {anchor.author: anchor.score for anchor in library.documents["t3_abc"].anchors}
    assert (scores["writer_abcc00001"], scores["writer_abcc00002"]) == (101, None)


async def test_deleted_and_removed_comments_are_kept_as_such(server: RedditServer, collector: RedditCollector) -> None:
    thread = server.add(make_thread("abc"), NEW)
    thread.add("one", "[deleted]", author="[deleted]")
    thread.add("two", "[removed]", parent="one", author="[deleted]")
    thread.add("three", "I am still here.", parent="two", author="[deleted]")
    thread.add("four", "   ")
    library = Library()
    await library.collect(collector, SELFHOSTED)
    _, *anchors = library.documents["t3_abc"].anchors
    assert [(one.state, one.author, one.depth) for one in anchors] == [
        ("deleted", "[deleted]", 0),
        ("removed", "[deleted]", 1),
        (None, "[deleted]", 2),
    ]


async def test_headings_in_comments_are_no_headings_of_the_document(
    server: RedditServer, collector: RedditCollector
) -> None:
    thread = server.add(make_thread("abc", selftext="# Question\n\nHow?"), NEW)
    thread.add("one", "# SHOUTING\n\nLike this.")
    library = Library()
    await library.collect(collector, SELFHOSTED)
    document = library.documents["t3_abc"]
    assert [(document.text[b.start : b.end], b.level, b.begins) for b in document.blocks] == [
        ("# Question", 1, True),
        ("How?", 0, False),
        ("# SHOUTING", 0, True),
        ("Like this.", 0, False),
    ]


async def test_a_post_of_a_title_alone_says_its_title(server: RedditServer, collector: RedditCollector) -> None:
    server.add(make_thread("abc", selftext="", title="Why is the sky blue?"), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    document = library.documents["t3_abc"]
    assert document.text == document.title == "Why is the sky blue?"


async def test_a_post_that_is_no_more_is_gone_and_its_document_kept(
    server: RedditServer, collector: RedditCollector
) -> None:
    server.add(make_thread("abc", comments=2))
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    del server.threads["abc"]
    with pytest.raises(Refused) as refused:
        await library.collect(collector, target("redd.it/abc"))
    assert refused.value.code == "not_found"
    assert library.gone == {"t3_abc"}
    assert library.documents["t3_abc"].text.startswith("Text of abc.")
    with pytest.raises(Refused, match="Reddit has no post nosuch"):
        await library.collect(collector, target("redd.it/nosuch"))
    assert library.gone == {"t3_abc"}


async def test_a_post_of_a_list_that_vanishes_meanwhile_is_gone(
    server: RedditServer, collector: RedditCollector
) -> None:
    thread = server.add(make_thread("abc", comments=2), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    thread.post["num_comments"] = 1
    server.replies["/comments/abc"] = refusal(404)
    await library.collect(collector, SELFHOSTED)
    assert library.gone == {"t3_abc"}
    assert not library.failures


async def test_an_answer_about_another_post_is_none(server: RedditServer, collector: RedditCollector) -> None:
    other = make_thread("def").post
    server.answers["/comments/abc"] = [
        {"data": {"children": [{"kind": "t3", "data": other}]}},
        {"data": {"children": []}},
    ]
    with pytest.raises(Refused) as refused:
        await Library().collect(collector, target("redd.it/abc"))
    assert refused.value.code == "unreadable_answer"


async def test_a_post_that_its_author_took_back_is_gone_where_it_was_known(
    server: RedditServer, collector: RedditCollector
) -> None:
    taken_back = {"author": "[deleted]", "selftext": "[deleted]", "removed_by_category": "deleted"}
    known, unknown = server.add(make_thread("abc", comments=3), NEW), make_thread("def", comments=3, **taken_back)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    known.post |= taken_back
    server.add(unknown, NEW)
    for _ in range(2):
        await library.collect(collector, SELFHOSTED)
        assert library.gone == {"t3_abc"}
        assert library.versions == {"t3_abc": 1, "t3_def": 1}
    assert library.documents["t3_def"].author == "[deleted]"
    assert library.documents["t3_def"].anchors[0].state == "deleted"
    assert library.unchanged == ["t3_def"]


async def test_a_post_that_a_moderator_removed_is_a_new_version(
    server: RedditServer, collector: RedditCollector
) -> None:
    thread = server.add(make_thread("abc", comments=3), NEW)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    thread.post |= {"selftext": "[removed]", "removed_by_category": "moderator", "edited": 5.0}
    await library.collect(collector, SELFHOSTED)
    assert library.versions == {"t3_abc": 2}
    assert library.documents["t3_abc"].anchors[0].state == "removed"
    assert not library.gone


async def test_what_lies_beyond_the_limits_is_counted(server: RedditServer, make: Any) -> None:
    server.shown = 50
    server.add(make_thread("abc", comments=1000))
    library = Library()
    await library.collect(make(Limits(comments=20_000, asks=2)), target("redd.it/abc"))
    had = len(library.documents["t3_abc"].anchors) - 1
    assert 50 < had < 1000
    (failure,) = library.failures
    assert (failure.target, failure.code) == (f"{SITE}/comments/abc/", "more_left")
    assert f"About {1000 - had} comments were left out" in failure.detail
    await library.collect(make(Limits(comments=50)), target("redd.it/abc"))
    assert server.asked["/comments/abc"] == 2
    assert library.unchanged == ["t3_abc"]  # it is as it was: asking again would find no more


async def test_comments_that_reddit_failed_to_give_are_asked_for_again(
    server: RedditServer, collector: RedditCollector
) -> None:
    server.shown = 50
    server.add(make_thread("abc", comments=90))
    server.replies["/api/morechildren"] = refusal(403)
    library = Library()
    await library.collect(collector, target("redd.it/abc"))
    assert [one.code for one in library.failures] == ["more_left"]
    assert "Reddit failed to give them" in library.failures[0].detail
    del server.replies["/api/morechildren"]
    await library.collect(collector, target("redd.it/abc"))
    assert not library.failures
    assert len(library.documents["t3_abc"].anchors) == 91


async def test_documents_that_are_due_are_looked_at_and_nothing_else(
    server: RedditServer, collector: RedditCollector
) -> None:
    fill(server, 4, comments=2)
    library = Library()
    await library.collect(collector, SELFHOSTED)
    server.threads["p00001"].post |= {"selftext": "Changed.", "edited": 3.0}
    del server.threads["p00002"]
    server.asked.clear()
    due = ["t3_p00000", "t3_p00001", "t3_p00002", "t3_never", "t1_odd"]
    await library.collect(collector, SELFHOSTED, purpose="revisit", revisit=due)
    assert server.asked == {"/api/info": 1, "/comments/p00001": 1}
    assert library.unchanged == ["t3_p00000"]
    assert library.gone == {"t3_p00002"}
    assert library.versions["t3_p00001"] == 2


async def test_saved_posts_and_comments_are_their_users_alone(
    server: RedditServer, collector: RedditCollector, keys: Any
) -> None:
    server.refresh_tokens.add("a-refresh-token-of-mine")
    thread = make_thread("abc", comments=4)
    server.add(thread)
    things = [{"kind": "t1", "data": thread.comments["abcc00002"]}, {"kind": "t3", "data": make_thread("def").post}]
    server.answers["/user/Ada/saved"] = {"kind": "Listing", "data": {"children": things, "after": None}}
    server.answers["/api/v1/me"] = {"name": "Ada"}
    library = Library()
    with pytest.raises(Refused) as refused:
        await library.collect(collector, target(f"{SITE}/user/me/saved"))
    assert refused.value.code == "credentials_missing"
    keys.values["refresh_token"] = "a-refresh-token-of-mine"
    await library.collect(collector, target(f"{SITE}/user/me/saved"))
    assert {*library.documents} == {"t3_abc", "t3_def"}
    assert len(library.documents["t3_abc"].anchors) == 5


async def test_the_front_page_and_several_subreddits_are_lists_like_others(
    server: RedditServer, collector: RedditCollector
) -> None:
    server.add(make_thread("abc"), "/best", "/r/a1+b2/new", "/user/ada/m/news/top")
    for typed in ("reddit.com", "r/b2+a1", f"{SITE}/user/ada/m/news/top?t=week"):
        library = Library()
        await library.collect(collector, target(typed))
        assert {*library.documents} == {"t3_abc"}
    assert any("t=week" in one for one in server.log)


async def test_one_bad_post_is_one_failure(server: RedditServer, collector: RedditCollector) -> None:
    fill(server, 6, comments=1)
    server.replies |= {
        "/comments/p00000": refusal(403, "private"),
        "/comments/p00001": refusal(404),
        "/comments/p00002": Reply(body="<html>Our CDN was unable to reach our servers</html>", media_type="text/html"),
        "/comments/p00003": Reply(body="[[[]]]"),
        "/comments/p00004": Reply(451, "<html>no</html>"),
    }
    library = Library()
    aside = f"{SITE}/comments/p00005/"
    await library.collect(collector, SELFHOSTED, set_aside=frozenset({aside}))
    assert [(one.target.split("/")[4], one.code) for one in library.failures] == [
        ("p00005", "poisonous"),
        ("p00004", "withheld"),
        ("p00003", "unreadable_answer"),
        ("p00002", "unreadable_answer"),
        ("p00001", "not_found"),
        ("p00000", "private_subreddit"),
    ]
    assert aside not in library.suspects
    assert library.suspects == [f"{SITE}/comments/p0000{at}/" for at in (4, 3, 2, 1, 0)]
    assert library.cursor == {"done": True}


async def test_parts_of_kinds_that_nobody_knows_are_counted_and_shown(
    server: RedditServer, collector: RedditCollector
) -> None:
    thread = make_thread("abc", comments=1)
    odd = [{"kind": "t9", "data": {}}, {"kind": "t9", "data": {}}]
    listing = {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": thread.post}, *odd], "after": None}}
    comments = {"kind": "Listing", "data": {"children": [{"kind": "live", "data": {}}]}}
    server.answers |= {
        NEW: listing,
        "/comments/abc": [{"data": {"children": [{"kind": "t3", "data": thread.post}]}}, comments],
    }
    library = Library()
    await library.collect(collector, SELFHOSTED)
    assert [(one.target, one.code) for one in library.failures] == [
        (f"{SITE}{NEW}/", "unknown_part"),
        (f"{SITE}/comments/abc/", "unknown_part"),
    ]
    assert library.failures[0].detail.startswith("2 parts of the kind “t9” are not known")
    assert {*library.documents} == {"t3_abc"}
