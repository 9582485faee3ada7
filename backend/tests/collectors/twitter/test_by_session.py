"""Collecting by a session of one's own: a real browser on a page whose own script asks for posts."""

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil
import pytest

from backend.tests.collectors.twitter.samples import ADA, BEN, FIRST, SESSION, THEIRS, THREAD, at, post
from backend.tests.collectors.twitter.test_recordings import recorded, tweets
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.errors import PlatformUnavailable, Refused
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import Paced
from tests.collecting import LOOPBACK, Library
from tests.platforms.x import TOKEN, XServer, written_by
from tests.platforms.x_web import XWeb, entry, timeline, timelines

Make = Callable[..., TwitterCollector]
USER = at("x.com/AdaLovelace")
LISTING = ("UserTweetsAndReplies", "adalovelace")


@pytest.fixture
def collector(make: Make) -> TwitterCollector:
    """For somebody with a session."""
    return make(**SESSION)


@pytest.fixture
async def later(accounts: Callable[..., Accounts], browser: Browser, web: XWeb) -> AsyncIterator[TwitterCollector]:
    """The same somebody's, when all that X asked to wait for is over."""
    fetcher = Fetcher(max_bytes=32_000_000, seconds=20, allow=LOOPBACK)
    yield TwitterCollector(fetcher, accounts(**SESSION), browser, api_url=web.url, web_url=web.url, quiet_seconds=0.5)
    await fetcher.close()


@pytest.mark.parametrize(
    ("name", "operation", "subject", "typed"),
    [
        ("graphql_user_tweets", "UserTweetsAndReplies", "xdevelopers", "x.com/XDevelopers"),
        ("graphql_search", "SearchTimeline", "tesla", "x.com/search?q=tesla"),
        (
            "graphql_tweet_details",
            "TweetDetail",
            "1649191520250245121",
            "twitter.com/TwitterDev/status/1649191520250245121",
        ),
    ],
)
async def test_every_post_of_a_recorded_page_is_collected(
    web: XWeb, collector: TwitterCollector, name: str, operation: str, subject: str, typed: str
) -> None:
    answer = recorded(name)
    web.pages[operation, subject] = [answer]
    library = Library()
    await library.collect(collector, at(typed))
    assert not library.failures
    kept = {one["id"]: one for document in library.documents.values() for one in document.validators["posts"]}
    shown = [tweet["legacy"].get("retweeted_status_result", {}).get("result") or tweet for tweet in tweets(answer)]
    assert kept.keys() == {tweet["rest_id"] for tweet in shown}
    for tweet in shown:
        document = next(one for one in library.documents.values() if any(
            kept_post["id"] == tweet["rest_id"] for kept_post in one.validators["posts"]))  # fmt: skip
        handle = tweet["core"]["user_results"]["result"]["core"]["screen_name"]
        own = f"https://x.com/{handle}/status/{tweet['rest_id']}"
        (anchor,) = [one for one in document.anchors if one.url == own and one.author is None]
        assert document.text[anchor.offset :].startswith(kept[tweet["rest_id"]]["text"])
        assert document.author == f"@{handle}"


async def test_the_thread_of_a_recorded_conversation_is_one_document(web: XWeb, collector: TwitterCollector) -> None:
    web.pages["TweetDetail", "1649191520250245121"] = [recorded("graphql_tweet_details")]
    library = Library()
    await library.collect(collector, at("x.com/i/status/1649191520250245121"))
    thread = library.documents["1649191520250245121"]
    assert [one["id"] for one in thread.validators["posts"]] == [
        "1649191520250245121", "1649191521323995138", "1649191522485817345", "1649191523697979392",
    ]  # fmt: skip
    assert len(library.documents) == 34  # and each answer of somebody else's is one of its own
    answer = library.documents["1649255409897861120"]
    assert (answer.text, answer.author) == ("@TwitterDev This is terrible!", "@AlSultan_Meriam")


POSTS = written_by(ADA, 130, other=BEN, first=FIRST)


def whole() -> dict[str, str]:
    """What is to come of them, by root."""
    texts: dict[str, list[str]] = {}
    for one in POSTS:
        goes_on = one.answers is not None and one.answers.user == ADA
        texts.setdefault(one.conversation if goes_on else one.id, []).append(one.plain)
    return {root: "\n\n".join(parts) for root, parts in texts.items()}


async def test_a_page_is_scrolled_to_its_end_and_threads_are_joined_over_answers(
    web: XWeb, collector: TwitterCollector, browser: Browser
) -> None:
    web.pages[LISTING] = timelines(POSTS[::-1])
    library = Library()
    await library.collect(collector, USER)
    assert not library.failures
    assert library.documents.keys() == whole().keys()
    for root, text in whole().items():
        assert library.documents[root].text.startswith(text)
    assert web.requests["UserTweetsAndReplies"] == 8  # seven, and the one that says that there are no more
    await browser.close()
    assert not [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]


@pytest.mark.parametrize("pages", [1, 3, 5])
async def test_a_run_killed_after_any_page_goes_on_and_leaves_the_same(
    web: XWeb, collector: TwitterCollector, pages: int
) -> None:
    web.pages[LISTING] = timelines(POSTS[::-1])
    undisturbed, killed = Library(), Library()
    await undisturbed.collect(collector, USER)
    await killed.collect(collector, USER, pages=pages)
    killed.cursor = json.loads(json.dumps(killed.cursor))
    # What is sent in between is for the next run.
    web.pages[LISTING] = timelines([post("Meanwhile", after=10**6), *POSTS[::-1]])
    await killed.collect(collector, USER, resume=True)
    assert killed.documents == undisturbed.documents
    assert killed.notes == undisturbed.notes
    await killed.collect(collector, USER, purpose="new")
    assert len(killed.documents) == len(undisturbed.documents) + 1


async def test_new_stops_at_what_is_known(web: XWeb, collector: TwitterCollector) -> None:
    web.pages[LISTING] = timelines(POSTS[::-1])
    library = Library()
    await library.collect(collector, USER)
    before = dict(library.documents)
    web.requests.clear()
    await library.collect(collector, USER, purpose="new")
    assert library.documents == before
    assert web.requests["UserTweetsAndReplies"] <= 2


async def test_a_limit_ends_the_scrolling(web: XWeb, collector: TwitterCollector) -> None:
    web.pages[LISTING] = timelines([post(f"Post {number}", after=-number) for number in range(200)])
    library = Library()
    await library.collect(collector, USER, limit=30)
    assert len(library.documents) == 30
    assert web.requests["UserTweetsAndReplies"] <= 3


async def test_what_the_user_answers_is_not_the_users(web: XWeb, collector: TwitterCollector) -> None:
    answer = post("@ben_w A great deal.", after=60, answers=THEIRS, conversation=THEIRS.id)
    items = [
        {"entryId": f"profile-conversation-1-tweet-{one.id}", "item": entry(one)["content"]} for one in (THEIRS, answer)
    ]
    module = {
        "entryId": "profile-conversation-1",
        "content": {"entryType": "TimelineTimelineModule", "items": items},
    }
    web.pages[LISTING] = [timeline([module], "page-1")]
    library = Library()
    await library.collect(collector, USER)
    assert library.documents.keys() == {answer.id}


async def test_a_post_whose_author_is_not_told_is_not_taken_for_anothers(
    web: XWeb, collector: TwitterCollector
) -> None:
    own = post("Mine", after=60)
    shown = entry(own)
    user = {"__typename": "UserUnavailable"}
    shown["content"]["itemContent"]["tweet_results"]["result"]["core"] = {"user_results": {"result": user}}
    web.pages[LISTING] = [timeline([shown], "page-1")]
    library = Library()
    await library.collect(collector, USER)
    assert {name: one.text for name, one in library.documents.items()} == {own.id: "Mine"}
    assert [one.code for one in library.failures] == ["unknown_part"]
    web.pages[LISTING] = [timeline([entry(own)], "page-1")]
    await library.collect(collector, USER)
    assert library.documents[own.id].author == "@AdaLovelace"


async def test_a_threads_beginning_that_the_page_leaves_out_is_had_from_the_posts_own_page(
    web: XWeb, collector: TwitterCollector
) -> None:
    web.pages[LISTING] = timelines([THREAD[3]])
    web.pages["TweetDetail", THREAD[2].id] = [timeline([entry(one) for one in THREAD], None)]
    library = Library()
    await library.collect(collector, USER)
    (document,) = library.documents.values()
    assert (document.external_id, document.text) == (THREAD[0].id, "\n\n".join(one.text for one in THREAD))


async def test_whatever_way_the_posts_came_in_the_documents_are_the_same(
    web: XWeb, server: XServer, make: Make
) -> None:
    server.add(POSTS)
    web.pages[LISTING] = timelines(POSTS[::-1])
    by_api, by_session = Library(), Library()
    await by_api.collect(make(x_bearer_token=TOKEN), USER)
    await by_session.collect(make(**SESSION), USER)

    def content(library: Library) -> dict[str, tuple[Any, ...]]:
        return {
            one.external_id: (one.text, one.title, one.author, one.url, one.published_at, one.language, one.anchors)
            for one in library.documents.values()
        }

    assert content(by_api) == content(by_session)
    await by_api.collect(make(**SESSION), USER)  # the other way on top of it changes nothing
    assert set(by_api.versions.values()) == {1}


async def refusal(collector: TwitterCollector, target: Target = USER) -> Refused:
    with pytest.raises(Refused) as raised:
        await Library().collect(collector, target)
    assert SESSION["x_auth_token"] not in raised.value.detail
    return raised.value


async def test_a_session_that_x_has_ended_is_refused_and_noted(
    web: XWeb, collector: TwitterCollector, accounts: Callable[..., Accounts]
) -> None:
    web.auth_token = "another"
    assert (await refusal(collector)).code == "session_ended"
    held = (await accounts(**SESSION).held("twitter"))["twitter"]
    assert {one.name: one.test.state for one in held if one.test} == {"auth_token": "refused", "ct0": "refused"}


@pytest.mark.parametrize(
    ("status", "errors", "code"),
    [
        (401, [{"code": 32, "message": "Could not authenticate you."}], "session_ended"),
        (403, [{"code": 353, "message": "This request requires a matching csrf cookie and header."}], "session_ended"),
        (
            403,
            [{"code": 326, "message": "…, this account is temporarily locked."}],
            "account_locked",
        ),
        (403, [{"code": 64, "message": "Your account is suspended"}], "account_locked"),
        (200, [{"code": 63, "message": "User has been suspended."}], "suspended"),
        (200, [{"code": 179, "message": "Sorry, you are not authorized to see this status."}], "protected"),
        (200, [{"code": 144, "message": "_Missing: No status found with that ID."}], "not_found"),
    ],
)
async def test_errors_in_an_answer_are_refusals_of_their_own(
    web: XWeb, collector: TwitterCollector, status: int, errors: list[Any], code: str
) -> None:
    web.forced["UserTweetsAndReplies"] = (status, json.dumps({"errors": errors}).encode(), {})
    assert (await refusal(collector)).code == code


async def test_a_locked_account_is_told_to_be(web: XWeb, collector: TwitterCollector) -> None:
    web.locked = True
    assert (await refusal(collector)).code == "account_locked"


@pytest.mark.parametrize(
    ("reason", "code"), [("Suspended", "suspended"), ("Protected", "protected"), (None, "not_found")]
)
async def test_a_user_that_is_not_shown_is_refused_with_the_reason(
    web: XWeb, collector: TwitterCollector, reason: str | None, code: str
) -> None:
    gone = {"user": {"result": {"__typename": "UserUnavailable", "reason": reason}}} if reason else {}
    web.users["adalovelace"] = {"data": gone}
    assert (await refusal(collector)).code == code


async def test_a_post_that_is_not_shown_is_refused_with_the_reason(web: XWeb, collector: TwitterCollector) -> None:
    gone = entry(THEIRS)
    said = {"text": {"text": "This Post was deleted by the Post author."}}
    gone["content"]["itemContent"]["tweet_results"]["result"] = {"__typename": "TweetTombstone", "tombstone": said}
    web.pages["TweetDetail", THEIRS.id] = [timeline([gone], None)]
    assert (await refusal(collector, at(THEIRS.address))).code == "removed"


async def test_a_429_puts_the_run_off_until_its_time_and_it_goes_on(
    web: XWeb, collector: TwitterCollector, later: TwitterCollector
) -> None:
    web.pages[LISTING] = timelines(POSTS[::-1])
    library = Library()
    await library.collect(collector, USER, pages=2)
    web.limited = int(time.time()) + 700
    with pytest.raises(PlatformUnavailable) as raised:
        await library.collect(collector, USER, resume=True)
    assert raised.value.retry_after is not None
    assert 690 < raised.value.retry_after <= 700
    web.limited = None
    await library.collect(later, USER, resume=True)
    assert library.documents.keys() == whole().keys()


async def test_a_429_holds_other_jobs_of_the_session_as_well(web: XWeb, collector: TwitterCollector) -> None:
    web.pages[LISTING] = timelines(POSTS[::-1])
    web.limited = int(time.time()) + 700
    with pytest.raises(PlatformUnavailable):
        await Library().collect(collector, USER)
    web.requests.clear()
    with pytest.raises(Paced) as raised:
        await Library().collect(collector, at("x.com/search?q=heron"))
    assert raised.value.retry_after is not None
    assert 690 < raised.value.retry_after <= 700
    assert not web.requests


async def test_a_page_that_comes_no_further_back_than_before_ends_and_says_so(
    web: XWeb, collector: TwitterCollector, later: TwitterCollector
) -> None:
    gone = entry(post("Gone", after=10**6))
    gone["content"]["itemContent"]["tweet_results"] = {}
    first, *rest = timelines(POSTS[::-1])
    instructions = first["data"]["user"]["result"]["timeline"]["timeline"]["instructions"]
    instructions[-1]["entries"].insert(0, gone)
    web.pages[LISTING] = [first, *rest]
    web.limited, web.allowed = int(time.time()) + 700, 3
    library = Library()
    with pytest.raises(PlatformUnavailable):
        await library.collect(collector, USER)
    assert [one.code for one in library.failures] == ["not_found"]
    had = dict(library.documents)
    web.allowed = 3
    await library.collect(later, USER, resume=True)
    assert [(one.target, one.code) for one in library.failures] == [(USER.canonical, "more_left")]
    assert library.documents.keys() >= had.keys()
    assert library.cursor == {"done": True}
    assert "open" in library.notes["newest/a source"]


async def test_a_page_that_asks_for_something_else_all_the_time_has_an_end(
    web: XWeb, collector: TwitterCollector
) -> None:
    web.polls = True
    web.pages[LISTING] = [timeline([entry(one) for one in POSTS[:5]], "page-1"), b"{}"]
    library = Library()
    await library.collect(collector, USER)
    assert len(library.documents) > 0
    assert web.requests["BadgeCount"] > 10


@pytest.mark.parametrize(
    "answer",
    [
        (403, b'{"errors": [{"code": 37, "message": "Authorization: no such feature"}]}', {}),
        (401, b'{"errors": [{"code": 32, "message": "Could not authenticate you."}]}', {}),
        (429, b"Rate limit exceeded", {}),
        (200, b'{"data": {}}', {}),
        (200, b"<html>", {}),
        (200, json.dumps(timeline([entry(post("Promotion", user=BEN))], None)).encode(), {}),
    ],
)
async def test_what_else_the_page_is_answered_says_nothing_of_the_place(
    web: XWeb, collector: TwitterCollector, answer: Any
) -> None:
    web.beside = ["PaymentsEligibility"]
    web.forced["PaymentsEligibility"] = answer
    web.pages[LISTING] = timelines(POSTS[::-1])
    library = Library()
    await library.collect(collector, USER)
    assert library.documents.keys() == whole().keys()
    assert not library.failures


async def test_where_several_operations_are_signed_out_the_session_has_ended(
    web: XWeb, collector: TwitterCollector
) -> None:
    web.beside = ["PaymentsEligibility", "Communities"]
    web.forced = dict.fromkeys(web.beside, (401, b"{}", {}))
    web.forced["UserTweetsAndReplies"] = (500, b"", {})
    assert (await refusal(collector)).code == "session_ended"


@pytest.mark.parametrize("limit", [1, 100])
async def test_the_post_that_is_asked_for_comes_first_and_what_it_answers_stands_beside(
    web: XWeb, collector: TwitterCollector, limit: int
) -> None:
    answer = post("@ben_w A great deal.", after=60, answers=THEIRS, conversation=THEIRS.id)
    more = post("And egrets.", after=61, answers=answer, conversation=THEIRS.id)
    web.pages["TweetDetail", answer.id] = [timeline([entry(one) for one in (THEIRS, answer, more)], None)]
    library = Library()
    await library.collect(collector, at(answer.address), limit=limit)
    (document,) = library.documents.values()
    assert (document.external_id, document.text) == (answer.id, f"{answer.text}\n\n{more.text}")


async def test_a_page_that_asks_for_nothing_is_told_to(web: XWeb, make: Make) -> None:
    web.forced["UserTweetsAndReplies"] = (200, b"<html>", {})
    library = Library()
    await library.collect(make(**SESSION), USER)
    assert {(one.target, one.code) for one in library.failures} == {(USER.canonical, "unreadable_answer")}


async def test_where_the_token_is_refused_the_session_goes_on(web: XWeb, server: XServer, make: Make) -> None:
    server.tokens = set()
    web.pages[LISTING] = timelines(POSTS[::-1])
    library = Library()
    await library.collect(make(x_bearer_token=TOKEN, **SESSION), USER)
    assert library.documents.keys() == whole().keys()


async def test_a_revisit_opens_each_document_that_is_due(web: XWeb, collector: TwitterCollector) -> None:
    web.pages[LISTING] = timelines([post("Two", after=9), post("One", after=3)])
    library = Library()
    await library.collect(collector, USER)
    one, two = sorted(library.documents)
    web.pages["TweetDetail", one] = [timeline([entry(post("One", after=3))], None)]
    web.forced = {}
    gone = entry(post("Two", after=9))
    said = {"text": {"text": "This Post was deleted by the Post author."}}
    gone["content"]["itemContent"]["tweet_results"]["result"] = {"__typename": "TweetTombstone", "tombstone": said}
    web.pages["TweetDetail", two] = [timeline([gone], None)]
    await library.collect(collector, USER, purpose="revisit", revisit=[one, two])
    assert library.unchanged == [one]
    assert library.gone == {two}
