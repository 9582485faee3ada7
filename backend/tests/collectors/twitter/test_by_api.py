"""Collecting by the API: whole timelines, what is new, lists and searches; killed anywhere, and within all limits."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import (
    ADA,
    ALL,
    ANSWER,
    BEN,
    EDITED,
    FIRST,
    LINK,
    PICTURE,
    POLL,
    QUOTE,
    SILENT,
    THEIRS,
    THREAD,
    at,
    post,
)
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.errors import PlatformUnavailable, Refused
from extrophi_backend.fetch.errors import Paced
from tests.collecting import Library
from tests.platforms.x import TOKEN, Sample, XServer, not_found, snowflake, thread, written_by

Make = Callable[..., TwitterCollector]
USER = at("x.com/AdaLovelace")


def asked(server: XServer, ending: str = "") -> list[str]:
    return [path for path, _ in server.asked if path.endswith(ending)]


async def test_a_users_posts_are_documents_threads_one_each_reposts_their_authors(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(ALL)
    library = Library()
    await library.collect(collector, USER)
    assert not library.failures
    expected = {one.id for one in ALL if not one.reposts and not one.answers and not one.edits}
    expected |= {ANSWER.id, EDITED.edits[0], THEIRS.id}
    assert library.documents.keys() == expected
    repost = library.documents[THEIRS.id]
    assert (repost.author, repost.text, repost.url) == ("@ben_w", THEIRS.text, THEIRS.address)
    assert library.documents[THREAD[0].id].text == "\n\n".join(one.text for one in THREAD)
    answer = library.documents[ANSWER.id]
    assert answer.text == ANSWER.text  # and nothing of what it answers
    assert answer.validators["posts"][0]["reply_to"] == THEIRS.id
    assert library.cursor == {"done": True}
    for one in (PICTURE, SILENT, POLL, LINK, QUOTE):
        document = library.documents[one.id]
        assert (document.author, document.published_at, document.url) == ("@AdaLovelace", one.created_at, one.address)


async def test_a_capture_holds_what_the_document_was_made_of_and_no_token(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(THREAD)
    library = Library()
    await library.collect(collector, USER)
    (document,) = library.documents.values()
    assert document.capture is not None
    kept = json.loads(document.capture.body)
    assert kept["way"] == "api"
    assert [one["tweet"] for one in kept["posts"]] == [one.v2() for one in THREAD]
    assert next(iter(server.tokens)).encode() not in document.capture.body


async def test_a_second_run_changes_nothing_and_counts_what_it_saw(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(ALL)
    library = Library()
    await library.collect(collector, USER)
    before, versions = dict(library.documents), dict(library.versions)
    await library.collect(collector, USER)
    assert (library.documents, library.versions) == (before, versions)
    assert set(library.unchanged) == set(before)


async def test_new_with_nothing_new_costs_one_request(server: XServer, collector: TwitterCollector) -> None:
    server.add(ALL)
    library = Library()
    await library.collect(collector, USER)
    server.asked.clear()
    await library.collect(collector, USER, purpose="new")
    assert asked(server) == [f"/2/users/{ADA.id}/tweets"]
    assert server.asked[0][1]["since_id"] == ALL[-1].id


async def test_new_brings_what_came_since_and_joins_it_to_the_thread_that_it_goes_on_from(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(THREAD)
    library = Library()
    await library.collect(collector, USER)
    later = post("And they fly.", after=86_400, answers=THREAD[-1], conversation=THREAD[0].id)
    server.add([later])
    await library.collect(collector, USER, purpose="new")
    (document,) = library.documents.values()
    assert document.text == "\n\n".join(one.text for one in [*THREAD, later])
    assert library.versions == {THREAD[0].id: 2}
    assert document.based_on == 1


async def test_an_edit_is_a_new_version_of_its_document(server: XServer, collector: TwitterCollector) -> None:
    first = post("Mendde", after=480)
    server.add([Sample(EDITED.edits[0], ADA, "Mendde")])
    library = Library()
    await library.collect(collector, USER)
    assert first.id == EDITED.edits[0]
    server.timelines[ADA.id].clear()
    server.add([EDITED])
    await library.collect(collector, USER, purpose="new")
    (document,) = library.documents.values()
    assert (document.external_id, document.text, document.url) == (EDITED.edits[0], "Mended", EDITED.address)
    assert library.versions == {EDITED.edits[0]: 2}


@pytest.mark.parametrize("typed", ["x.com/i/lists/84839422", "x.com/search?q=heron"])
async def test_a_list_and_a_search_bring_what_is_new_and_stop_at_what_is_known(
    server: XServer, collector: TwitterCollector, typed: str
) -> None:
    posts = written_by(ADA, 250, other=BEN, first=datetime.now(UTC) - timedelta(hours=6))
    server.add(posts[:240], timeline=False)
    ids = [one.id for one in reversed(posts[:240])]
    server.lists["84839422"] = server.searches["heron"] = ids
    library = Library()
    await library.collect(collector, at(typed))
    roots = {(one.conversation or one.id) if one.answers and one.answers.user == ADA else one.id for one in posts[:240]}
    assert library.documents.keys() == roots
    server.add(posts[240:], timeline=False)
    ids[:0] = [one.id for one in reversed(posts[240:])]
    server.asked.clear()
    await library.collect(collector, at(typed), purpose="new")
    assert len(server.asked) == 1
    texts = "\n".join(one.text for one in library.documents.values())
    assert all(one.plain in texts for one in posts)


async def test_a_post_is_had_with_its_whole_thread(server: XServer, collector: TwitterCollector) -> None:
    posts = thread(ADA, datetime.now(UTC) - timedelta(days=1), *(f"Part {number}" for number in range(30)))
    aside = Sample(snowflake(datetime.now(UTC)), ADA, "@ben_w Thanks", answers=THEIRS, conversation=posts[0].id)
    server.add([*posts, aside], timeline=False)
    library = Library()
    await library.collect(collector, at(f"x.com/ada/status/{posts[17].id}"))
    (document,) = library.documents.values()
    assert document.external_id == posts[0].id
    assert document.text == "\n\n".join(one.text for one in posts)
    assert asked(server) == ["/2/usage/tweets", "/2/tweets", "/2/tweets/search/recent"]


async def test_new_of_a_post_is_what_goes_on_from_it(server: XServer, collector: TwitterCollector) -> None:
    posts = thread(ADA, datetime.now(UTC) - timedelta(days=1), "Part one", "Part two", "Part three")
    server.add(posts[:2], timeline=False)
    library = Library()
    target = at(posts[0].address)
    await library.collect(collector, target)
    server.add(posts[2:], timeline=False)
    await library.collect(collector, target, purpose="new")
    assert library.documents[posts[0].id].text == "Part one\n\nPart two\n\nPart three"
    server.asked.clear()
    await library.collect(collector, target, purpose="new")
    assert library.unchanged == [posts[0].id]
    assert len(server.asked) == 2


async def test_an_old_post_is_had_with_what_stands_above_it(server: XServer, collector: TwitterCollector) -> None:
    server.add(THREAD, timeline=False)
    library = Library()
    await library.collect(collector, at(f"x.com/ada/status/{THREAD[3].id}"))
    (document,) = library.documents.values()
    assert (document.external_id, document.text) == (THREAD[0].id, "\n\n".join(one.text for one in THREAD))
    assert not server.requests("search/recent")  # it reaches back seven days


async def test_where_a_threads_beginning_is_not_to_be_had_it_begins_with_what_is(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(THREAD)
    server.problems[THREAD[0].id] = {"resource_type": "tweet", "title": "Not Found Error", "detail": "gone"}
    server.timelines[ADA.id].remove(THREAD[0].id)
    library = Library()
    await library.collect(collector, USER)
    (document,) = library.documents.values()
    assert (document.external_id, document.text) == (THREAD[1].id, "\n\n".join(one.text for one in THREAD[1:]))
    # Then it is there after all: all of it is one document, and the one that began in the middle is over.
    del server.problems[THREAD[0].id]
    server.timelines[ADA.id].append(THREAD[0].id)
    await library.collect(collector, USER)
    assert library.gone == {THREAD[1].id}
    assert library.documents[THREAD[0].id].text == "\n\n".join(one.text for one in THREAD)
    library.documents.pop(THREAD[1].id)
    await library.collect(collector, USER)
    assert library.documents.keys() == {THREAD[0].id}


async def test_a_quoted_post_that_is_gone_is_said_to_be(server: XServer, collector: TwitterCollector) -> None:
    server.add([QUOTE])
    server.problems[THEIRS.id] = {
        "resource_type": "tweet",
        "title": "Authorization Error",
        "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
        "detail": "Sorry, you are not authorized to see the Tweet.",
    }
    library = Library()
    await library.collect(collector, USER)
    (document,) = library.documents.values()
    assert document.text == "Look at this:\n\n[This post is of an account that is protected.]"
    assert not library.failures


POSTS = written_by(ADA, 700, other=BEN, first=FIRST)


@pytest.mark.parametrize("pages", range(1, 10))
async def test_a_run_killed_after_any_page_goes_on_and_leaves_the_same(
    server: XServer, collector: TwitterCollector, pages: int
) -> None:
    server.add(POSTS)
    whole, killed = Library(), Library()
    await whole.collect(collector, USER)
    await killed.collect(collector, USER, pages=pages)
    server.asked.clear()
    while killed.cursor != {"done": True}:
        killed.cursor = json.loads(json.dumps(killed.cursor))  # as it comes back from the database
        await killed.collect(collector, USER, pages=1, resume=True)
    assert killed.documents == whole.documents
    assert killed.notes == whole.notes
    assert len(asked(server, "/tweets")) <= 8


async def test_a_limit_is_kept_over_a_resumption(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS)
    library = Library()
    await library.collect(collector, USER, limit=40, pages=1)
    await library.collect(collector, USER, limit=40, resume=True)
    assert len(library.documents) == 40
    assert len(asked(server, f"{ADA.id}/tweets")) <= 7


async def test_a_small_limit_asks_for_no_more_than_it_needs(server: XServer, collector: TwitterCollector) -> None:
    server.add([post(f"Post {number}", after=number) for number in range(50)])
    library = Library()
    await library.collect(collector, USER, limit=7)
    assert len(library.documents) == 7
    (most,) = [query["max_results"] for path, query in server.asked if path == f"/2/users/{ADA.id}/tweets"]
    assert most == "7"


async def test_rate_limits_are_kept_to_the_second_and_the_run_goes_on(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS)
    server.limits[f"{ADA.id}/tweets"] = 3  # the third answer says that there is no more
    server.resets_at = int(time.time()) + 600
    library = Library()
    with pytest.raises(Paced) as raised:
        await library.collect(collector, USER)
    assert raised.value.retry_after is not None
    assert 590 < raised.value.retry_after <= 600
    assert len(asked(server, f"{ADA.id}/tweets")) == 3  # X never had to say so twice
    assert library.cursor is not None
    assert library.cursor["more"] == "p300"
    assert len(library.documents) > 50


async def test_a_429_is_a_wait_until_its_time(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS)
    server.limits["/2/users/by/username/adalovelace"] = 0
    server.resets_at = int(time.time()) + 300
    library = Library()
    with pytest.raises(PlatformUnavailable) as raised:
        await library.collect(collector, USER)
    assert not isinstance(raised.value, Paced)
    assert raised.value.retry_after is not None
    assert 290 < raised.value.retry_after <= 300
    assert len(asked(server, "adalovelace")) == 1


async def test_after_a_short_wait_it_goes_on_by_itself(server: XServer, collector: TwitterCollector) -> None:
    server.add(THREAD)
    server.limits[f"{ADA.id}/tweets"] = 0
    server.resets_at = int(time.time()) + 3
    library = Library()
    await library.collect(collector, USER)
    assert library.documents.keys() == {THREAD[0].id}
    assert time.time() >= server.resets_at


async def test_the_months_cap_is_never_passed_and_said_with_its_numbers(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add([post(f"Post {number}", after=number) for number in range(300)])
    server.cap, server.used = 10_000, 9_847
    library = Library()
    with pytest.raises(Refused) as raised:
        await library.collect(collector, USER)
    assert raised.value.code == "monthly_cap"
    assert f"{server.used:,} of 10,000" in raised.value.detail
    assert f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}" in raised.value.detail
    assert 10_000 - 3 * 5 < server.used <= 10_000  # five are the least that X gives
    assert len(library.documents) == server.used - 9_847
    server.used = 0  # a new month
    await library.collect(collector, USER, resume=True)
    assert len(library.documents) == 300


async def test_what_comes_along_does_not_pass_the_cap_either(server: XServer, collector: TwitterCollector) -> None:
    quoted = [post(f"Quoted {number}", after=number, user=BEN) for number in range(100)]
    server.add([post(f"Look {number}", after=1000 + number, quotes=one) for number, one in enumerate(quoted)])
    server.cap, server.used = 10_000, 9_900
    library = Library()
    with pytest.raises(Refused) as raised:
        await library.collect(collector, USER)
    assert raised.value.code == "monthly_cap"
    assert 10_000 - 3 * 5 < server.used <= 10_000
    assert len(library.documents) == (server.used - 9_900) / 2


async def test_jobs_at_once_do_not_pass_the_cap_together(server: XServer, collector: TwitterCollector) -> None:
    server.add([post(f"Post {number}", after=number) for number in range(300)])
    server.lists["84839422"] = server.timelines[ADA.id]
    server.cap, server.used = 10_000, 9_700

    async def run(typed: str) -> None:
        with pytest.raises(Refused):
            await Library().collect(collector, at(typed))

    await asyncio.gather(run("x.com/AdaLovelace"), run("x.com/i/lists/84839422"))
    assert 9_950 < server.used <= 10_000


async def test_near_the_cap_a_revisit_looks_at_as_many_as_it_may(server: XServer, make: Make) -> None:
    server.add([post(f"Post {number}", after=number) for number in range(30)])
    library = Library()
    await library.collect(make(x_bearer_token=TOKEN), USER)
    collector = make(x_bearer_token=TOKEN)
    server.cap, server.used = 10_000, 9_980
    due = sorted(library.documents)
    with pytest.raises(Refused) as raised:
        await library.collect(collector, USER, purpose="revisit", revisit=due)
    assert raised.value.code == "monthly_cap"
    assert library.unchanged == due[: server.used - 9_980]
    assert 9_997 < server.used <= 10_000
    server.used = 0
    await library.collect(collector, USER, purpose="revisit", revisit=due, resume=True)
    assert library.unchanged == due[len(due) - server.used :]


async def test_beginnings_of_threads_wait_for_the_next_month(server: XServer, collector: TwitterCollector) -> None:
    threads = [thread(ADA, FIRST + timedelta(minutes=number), "First", "Second", "Third") for number in range(20)]
    server.add([third for *_, third in threads])
    server.add([first for first, *_ in threads], timeline=False)
    server.cap, server.used = 10_000, 9_939  # 40 for the listing, and not enough for all the others
    library = Library()
    with pytest.raises(Refused):
        await library.collect(collector, USER, limit=20)
    assert server.used <= 10_000
    server.used = 0
    await library.collect(collector, USER, limit=20, resume=True)
    assert library.documents.keys() == {first.id for first, *_ in threads}
    assert not library.gone


async def test_that_the_months_posts_are_used_up_is_asked_once(server: XServer, collector: TwitterCollector) -> None:
    kind = {"type": "https://api.twitter.com/2/problems/usage-capped", "title": "UsageCapExceeded"}
    server.add([post("One")])
    server.answers[f"/2/users/{ADA.id}/tweets"] = (429, kind, {})
    with pytest.raises(Refused) as raised:
        await Library().collect(collector, USER)
    assert raised.value.code == "monthly_cap"
    assert server.requests(f"{ADA.id}/tweets") == 1


@pytest.mark.parametrize(
    "answer", [(403, {"title": "Forbidden"}, {}), (200, b"<html>", {}), (200, b"", {"Content-Encoding": "gzip"})]
)
async def test_usage_that_is_told_to_nobody_stops_nobody(
    server: XServer, collector: TwitterCollector, answer: tuple[int, Any, dict[str, str]]
) -> None:
    server.add(THREAD)
    server.answers["/2/usage/tweets"] = answer
    library = Library()
    await library.collect(collector, USER)
    assert library.documents


async def test_a_revisit_looks_at_the_documents_that_are_due_and_at_nothing_else(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(ALL)
    library = Library()
    await library.collect(collector, USER)
    library.gone.clear()
    server.asked.clear()
    server.problems[PICTURE.id] = not_found("tweet", PICTURE.id, "ids")
    server.problems[THREAD[3].id] = not_found("tweet", THREAD[3].id, "ids")
    server.posts[LINK.id] = Sample(LINK.id, ADA, "Read it", card=LINK.card)
    await library.collect(collector, USER, purpose="revisit", revisit=[PICTURE.id, THREAD[0].id, POLL.id])
    assert library.gone == {PICTURE.id}
    assert set(library.unchanged) == {THREAD[0].id, POLL.id}
    assert [(one.target, one.code) for one in library.failures] == [
        (f"https://x.com/i/status/{THREAD[3].id}", "not_found")
    ]
    assert asked(server) == ["/2/tweets"]
    assert library.documents[THREAD[0].id].text.endswith(THREAD[3].text)  # what was had is kept


async def test_a_target_that_ended_its_worker_five_times_is_not_touched(
    server: XServer, collector: TwitterCollector
) -> None:
    library = Library()
    await library.collect(collector, USER, set_aside=frozenset({USER.canonical}))
    assert [one.code for one in library.failures] == ["poisonous"]
    assert not server.asked


async def test_unknown_parts_are_counted_on_their_page(server: XServer, collector: TwitterCollector) -> None:
    server.add(THREAD[:1])
    row = {**THREAD[0].v2(), "referenced_tweets": [{"type": "echoed", "id": THEIRS.id}]}
    body = {"data": [row, {"text": "nameless"}], "meta": {"result_count": 2}}
    server.answers[f"/2/users/{ADA.id}/tweets"] = (200, body, {})
    library = Library()
    await library.collect(collector, USER)
    assert library.documents.keys() == {THREAD[0].id}
    assert {(one.target, one.code) for one in library.failures} == {(USER.canonical, "unknown_part")}
    assert "reference echoed" in library.failures[1].detail
