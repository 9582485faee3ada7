"""Long lists, large trees, and answers of forms that nobody has seen."""

import tracemalloc
from collections.abc import Iterator
from contextlib import aclosing, suppress

import pytest

from extrophi_backend.collectors.models import Run, Target
from extrophi_backend.collectors.reddit.collector import RedditCollector
from extrophi_backend.collectors.reddit.target import recognise
from extrophi_backend.errors import Refused
from tests.collecting import Library
from tests.platforms.reddit import SUBMITTED, TREE, RedditServer, Thread, make_thread, mangled, recorded

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

NEW = "/r/selfhosted/new"


def target(typed: str) -> Target:
    found = recognise(typed)
    assert found is not None
    return found


def in_order(thread: Thread) -> Iterator[tuple[int, str]]:
    """The comments of a generated tree, as a reader comes by them."""
    stack = [(0, one) for one in reversed(thread.replies[thread.post["name"]])]
    while stack:
        depth, name = stack.pop()
        yield depth, name
        stack += [(depth + 1, one) for one in reversed(thread.replies.get(f"t1_{name}", []))]


async def test_a_tree_of_5000_comments_is_one_document(server: RedditServer, collector: RedditCollector) -> None:
    thread = server.add(make_thread("abc", comments=5000))
    library = Library()
    pages = await library.collect(collector, target("redd.it/abc"))
    assert len(pages) == 1
    (document,) = library.documents.values()
    _, *anchors = document.anchors
    expected = [*in_order(thread)]
    assert len(anchors) == len(expected) == 5000
    assert [(one.depth, one.author) for one in anchors] == [(depth, f"writer_{name}") for depth, name in expected]
    for anchor, (_, name) in zip(anchors, expected, strict=True):
        assert document.text.startswith(thread.comments[name]["body"], anchor.offset)
    assert sum(server.asked.values()) < 60
    assert not library.failures
    server.asked.clear()
    await library.collect(collector, target("redd.it/abc"))
    assert library.unchanged == ["t3_abc"]
    assert server.asked == {"/comments/abc": 1}


async def test_a_list_of_10000_posts_takes_no_more_memory_than_a_short_one(
    server: RedditServer, collector: RedditCollector
) -> None:
    for at in range(10_000):
        server.add(make_thread(f"p{at:05d}", selftext="A text of some length. " * 40))
    server.lists[NEW] = [*reversed(server.threads)]

    async def peak(limit: int) -> int:
        """Bytes at most, where each page is forgotten as soon as it is saved."""
        library, number = Library(), 0
        run = Run(target("r/selfhosted"), limit, None, library, library.suspect)
        tracemalloc.start()
        async with aclosing(collector.collect(run)) as pages:
            async for page in pages:
                number += len(page.documents)
                server.log.clear()
        assert number == limit
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    await peak(200)  # what is made once
    short, long = await peak(1000), await peak(10_000)
    assert long < short + 3_000_000  # all of them are 25 MB


@pytest.mark.parametrize("seed", range(30))
async def test_answers_of_forms_that_nobody_knows_end_in_documents_or_named_failures(
    server: RedditServer, collector: RedditCollector, seed: int
) -> None:
    path = "/user/spez/submitted"
    server.answers[path], server.lists[path] = mangled(recorded(SUBMITTED), seed, 200), []
    for at, child in enumerate(recorded(SUBMITTED)["data"]["children"]):
        post_id = child["data"]["id"]
        thread = server.add(make_thread(post_id, **child["data"]))
        tree = [{"data": {"children": [{"kind": "t3", "data": thread.post}]}}, recorded(TREE)[1] if at == 0 else {}]
        server.answers[f"/comments/{post_id}"] = mangled(tree, seed, 5)
    library = Library()
    with suppress(Refused):  # where the list as a whole is none any more
        await library.collect(collector, target("u/spez"))
        assert library.cursor == {"done": True}
    assert {one.code for one in library.failures} <= {"unreadable_answer", "unknown_part", "more_left", "not_found"}
    if library.cursor:
        assert len(library.documents) + len(library.failures) > 50
