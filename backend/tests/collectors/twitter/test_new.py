"""What a run for what is new knows: nothing is taken for had that was left out, and nothing is looked for twice."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from backend.tests.collectors.twitter.samples import ADA, BEN, FIRST, SESSION, THEIRS, THREAD, at, post
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.collectors.twitter.gathering import gather
from extrophi_backend.collectors.twitter.models import Batch, Listed, Piece, Post
from extrophi_backend.errors import PlatformUnavailable, Refused
from tests.collecting import Library
from tests.platforms.x import Sample, XServer, thread, written_by
from tests.platforms.x_web import XWeb, timelines

Make = Callable[..., TwitterCollector]
USER = at("x.com/AdaLovelace")
LIST = at("x.com/i/lists/84839422")
TIMELINE = f"/2/users/{ADA.id}/tweets"
MEMO = "newest/a source"
POSTS = [post(f"Post {number}", after=number) for number in range(300)]
"""Oldest first."""


def ids(samples: list[Sample]) -> set[str]:
    return {one.id for one in samples}


async def new(library: Library, collector: TwitterCollector, target: Target = USER, *, limit: int = 1000) -> None:
    await library.collect(collector, target, purpose="new", limit=limit)


async def test_limited_runs_bring_all_in_the_end_each_at_two_requests(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS)
    library = Library()
    await new(library, collector, limit=100)
    assert library.documents.keys() == ids(POSTS[200:])
    server.asked.clear()
    await new(library, collector, limit=100)
    assert library.documents.keys() == ids(POSTS[100:])
    assert [(path, query.get("since_id"), query.get("until_id")) for path, query in server.asked] == [
        (TIMELINE, POSTS[-1].id, None),
        (TIMELINE, None, POSTS[200].id),
    ]
    server.asked.clear()
    await new(library, collector, limit=100)
    assert library.documents.keys() == ids(POSTS)
    assert library.notes[MEMO] == {"id": POSTS[-1].id}
    assert server.requests("/tweets") == 2
    server.asked.clear()
    await new(library, collector, limit=100)
    assert server.requests("/tweets") == 1
    assert not library.unchanged


async def test_what_came_meanwhile_is_brought_first_and_then_what_was_left(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS[:250])
    library = Library()
    await new(library, collector, limit=100)
    server.add(POSTS[250:])
    await new(library, collector, limit=30)  # it does not even reach what was had
    assert library.documents.keys() == ids(POSTS[150:250]) | ids(POSTS[270:])
    assert library.notes[MEMO] == {"open": {"newest": POSTS[-1].id, "reached": POSTS[270].id}}
    while "id" not in library.notes[MEMO]:
        before = len(library.documents)
        await new(library, collector, limit=30)
        assert len(library.documents) > before
    assert library.documents.keys() == ids(POSTS)
    assert set(library.versions.values()) == {1}


async def test_the_gap_above_what_was_had_whole_is_filled_and_no_more(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS[:250])
    library = Library()
    await new(library, collector)
    assert library.notes[MEMO] == {"id": POSTS[249].id}
    server.add(POSTS[250:])
    await new(library, collector, limit=20)
    kept = {"id": POSTS[249].id, "open": {"newest": POSTS[-1].id, "reached": POSTS[280].id}}
    assert library.notes[MEMO] == kept
    server.asked.clear()
    await new(library, collector)
    assert library.documents.keys() == ids(POSTS)
    assert library.notes[MEMO] == {"id": POSTS[-1].id}
    below = server.asked[-1][1]
    assert (below["since_id"], below["until_id"]) == (POSTS[249].id, POSTS[280].id)


@pytest.mark.parametrize("pages", [1, 2])
async def test_a_job_that_is_lost_with_its_cursor_leaves_its_listing_open(
    server: XServer, collector: TwitterCollector, pages: int
) -> None:
    server.add(POSTS)
    library = Library()
    await library.collect(collector, USER, purpose="new", pages=pages)
    assert library.notes[MEMO]["open"]["reached"] == POSTS[300 - 100 * pages].id
    server.asked.clear()
    await new(library, collector)
    assert library.documents.keys() == ids(POSTS)
    assert server.requests("/tweets") == 1 + 3 - pages


async def test_what_the_months_cap_cut_off_is_brought_in_the_next_one(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS)
    server.cap, server.used = 10_000, 9_847
    library = Library()
    with pytest.raises(Refused) as raised:
        await new(library, collector)
    assert raised.value.code == "monthly_cap"
    had = len(library.documents)
    assert had == server.used - 9_847
    server.used = 0
    await new(library, collector)
    assert library.documents.keys() == ids(POSTS)
    assert server.used == 300 - had


async def test_a_listing_that_x_puts_off_stays_open(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS)
    server.limits[TIMELINE], server.resets_at = 1, int(time.time()) + 600
    library = Library()
    with pytest.raises(PlatformUnavailable):
        await new(library, collector)
    assert library.notes[MEMO] == {"open": {"newest": POSTS[-1].id, "reached": POSTS[200].id}}


async def test_a_job_of_no_source_tells_a_source_nothing(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS[:50])
    library = Library()
    await library.collect(collector, USER, limit=5, source="")
    await library.collect(collector, USER, limit=50, source="")
    assert not [name for name in library.notes if name.startswith("newest/")]
    await new(library, collector, limit=100)
    assert set(library.unchanged) == ids(POSTS[:50])  # they are the source's now
    assert library.notes[MEMO] == {"id": POSTS[49].id}


async def test_a_source_that_is_added_again_looks_at_all_of_it(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS[:50])
    library = Library()
    await new(library, collector)
    await library.collect(collector, USER, purpose="new", source="another", limit=20)
    assert set(library.unchanged) == ids(POSTS[30:50])
    await library.collect(collector, USER, purpose="new", source="another", limit=100)
    assert set(library.unchanged) == ids(POSTS[:30])


async def test_what_a_page_had_no_room_for_is_brought_by_the_next_runs(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS[:5])  # the least that X gives at once
    library = Library()
    for count in (2, 4, 5):
        await new(library, collector, limit=2)
        assert library.documents.keys() == ids(POSTS[5 - count : 5])
    assert library.notes[MEMO] == {"id": POSTS[4].id}


async def test_a_run_for_all_that_is_cut_leaves_the_rest_to_what_is_new(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS)
    library = Library()
    await library.collect(collector, USER, limit=120)
    below = str(int(POSTS[179].id) + 1)  # the page had more than there was room for
    assert library.notes[MEMO] == {"open": {"newest": POSTS[-1].id, "reached": below}}
    await new(library, collector)
    assert library.documents.keys() == ids(POSTS)


async def test_a_later_page_of_errors_alone_is_no_end(server: XServer, collector: TwitterCollector) -> None:
    server.add(POSTS)
    server.broken["p100"] = {"errors": [{"title": "Internal", "detail": "over capacity", "type": "about:blank"}]}
    library = Library()
    with pytest.raises(Refused) as raised:
        await new(library, collector)
    assert raised.value.code == "unreadable_answer"
    assert "over capacity" in raised.value.detail
    server.broken.clear()
    await new(library, collector)
    assert library.documents.keys() == ids(POSTS)


MIXED = written_by(ADA, 400, other=BEN, first=FIRST)


@pytest.mark.parametrize("limit", [7, 40])
async def test_threads_are_whole_however_often_a_listing_is_cut(
    server: XServer, collector: TwitterCollector, limit: int
) -> None:
    server.add(MIXED)
    whole, cut = Library(), Library()
    await whole.collect(collector, USER)
    for _ in range(100):
        await new(cut, collector, limit=limit)
        if "open" not in cut.notes[MEMO]:
            break
    assert cut.notes[MEMO] == whole.notes[MEMO]
    assert {one.external_id: one.text for one in cut.documents.values()} == {
        one.external_id: one.text for one in whole.documents.values()
    }


@pytest.mark.parametrize("pages", range(1, 7))
async def test_a_run_in_two_parts_goes_on_after_any_page(
    server: XServer, collector: TwitterCollector, pages: int
) -> None:
    server.add(MIXED[:300])
    library = Library()
    await new(library, collector, limit=60)
    server.add(MIXED[300:])
    await library.collect(collector, USER, purpose="new", pages=pages)
    library.cursor = json.loads(json.dumps(library.cursor))
    await library.collect(collector, USER, purpose="new", resume=True)
    whole = Library()
    await whole.collect(collector, USER)
    assert {one.external_id: one.text for one in library.documents.values()} == {
        one.external_id: one.text for one in whole.documents.values()
    }
    assert library.notes[MEMO] == whole.notes[MEMO]


async def test_a_list_is_gone_through_from_its_top_until_all_of_it_is_there(
    server: XServer, collector: TwitterCollector
) -> None:
    server.add(POSTS, timeline=False)
    server.lists["84839422"] = [one.id for one in reversed(POSTS)]
    library = Library()
    for count in (100, 200, 300):
        await new(library, collector, LIST, limit=100)
        assert library.documents.keys() == ids(POSTS[300 - count :])
    server.asked.clear()
    await new(library, collector, LIST, limit=100)
    assert server.requests("/tweets") == 1


async def test_a_search_leaves_what_is_older_than_it_reaches(server: XServer, collector: TwitterCollector) -> None:
    posts = written_by(ADA, 60, other=BEN, first=datetime.now(UTC) - timedelta(days=9))
    server.add(posts, timeline=False)
    server.searches["heron"] = [one.id for one in reversed(posts)]
    library = Library()
    await new(library, collector, at("x.com/search?q=heron"), limit=5)
    server.asked.clear()
    await new(library, collector, at("x.com/search?q=heron"), limit=5)
    assert not [query for _, query in server.asked if "until_id" in query]


async def test_a_session_brings_what_was_left_too(web: XWeb, make: Make) -> None:
    collector, pages = make(**SESSION), ("UserTweetsAndReplies", "adalovelace")
    web.pages[pages] = timelines(POSTS[60:0:-1])
    library = Library()
    await new(library, collector)
    web.pages[pages] = timelines(POSTS[75:0:-1])
    for count in (5, 10, 15):
        await new(library, collector, limit=5)
        assert library.documents.keys() == ids(POSTS[1:61]) | ids(POSTS[76 - count : 76])
    assert library.notes[MEMO] == {"id": POSTS[75].id}


async def gathered(library: Library, *posts: Post) -> None:
    batch = Batch([Listed(one.id, Piece(one, {})) for one in posts])
    found = await gather(library, batch, [], "archive", room=10)
    for document in found.documents:
        library.documents[document.external_id] = document
        library.versions[document.external_id] = 1
    library.notes |= found.memos


@pytest.mark.parametrize("number", [1, 2])
async def test_a_post_that_came_without_its_place_is_joined_to_its_thread(
    server: XServer, collector: TwitterCollector, number: int
) -> None:
    server.add(THREAD)
    library = Library()
    await gathered(library, Post(THREAD[number].id, THREAD[number].id, text=THREAD[number].text))
    assert library.documents.keys() == {THREAD[number].id}
    await library.collect(collector, USER)
    assert library.gone == {THREAD[number].id}
    assert library.documents[THREAD[0].id].text == "\n\n".join(one.text for one in THREAD)
    await library.collect(collector, USER)
    assert library.gone == {THREAD[number].id}
    assert set(library.unchanged) == {THREAD[0].id}


async def test_parts_that_move_one_after_the_other_all_arrive(server: XServer, collector: TwitterCollector) -> None:
    posts = thread(ADA, FIRST + timedelta(hours=2), *(f"Part {number}" for number in range(6)))
    library = Library()
    for number in (2, 4, 5):
        await gathered(library, Post(posts[number].id, posts[number].id, text=posts[number].text))
    server.add([THEIRS], timeline=False)
    server.add(posts)
    await library.collect(collector, USER)
    assert library.gone == {posts[number].id for number in (2, 4, 5)}
    assert library.documents[posts[0].id].text == "\n\n".join(one.text for one in posts)
