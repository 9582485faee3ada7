"""A user of 10,000 posts: all of them, once, in memory that does not grow with them."""

import tracemalloc
from contextlib import aclosing

from backend.tests.collectors.twitter.samples import ADA, BEN, FIRST, at, post
from extrophi_backend.collectors.models import Run
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from tests.collecting import Library
from tests.platforms.x import XServer, thread, written_by

USER = at("x.com/AdaLovelace")


async def test_ten_thousand_posts_are_had_once_and_pages_stay_small(
    server: XServer, collector: TwitterCollector
) -> None:
    posts = written_by(ADA, 10_000, other=BEN, first=FIRST)
    server.add(posts)
    library = Library()
    pages = await library.collect(collector, USER, limit=100_000)
    roots = {one.conversation if one.answers and one.answers.user == ADA else one.id for one in posts}
    assert library.documents.keys() == roots
    kept = [one["id"] for document in library.documents.values() for one in document.validators["posts"]]
    assert sorted(kept, key=int) == [one.id for one in posts]
    assert len(kept) == len(set(kept))
    assert all(len(page.documents) <= 100 for page in pages)
    assert max(len(str(page.cursor)) for page in pages) < 100_000
    assert server.requests(f"{ADA.id}/tweets") == 100  # each page once, and no thread's beginning asked for


async def test_memory_does_not_grow_with_a_listing(server: XServer, collector: TwitterCollector) -> None:
    async def peak(count: int) -> int:
        server.timelines.clear()
        server.add([post(f"Post {number}", after=number) for number in range(count)])
        library = Library()
        pages = 0
        tracemalloc.start()
        # Nothing is kept of the pages: what grows is the collector's.
        async with aclosing(collector.collect(Run(USER, 100_000, None, library, library.suspect))) as run:
            async for _ in run:
                pages += 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert pages == count // 100 + 1
        return most

    await peak(200)  # what is imported and cached meanwhile counts for neither
    small, large = await peak(1_000), await peak(5_000)
    assert large < small * 1.5


async def test_a_thread_over_many_pages_is_one_document(server: XServer, collector: TwitterCollector) -> None:
    posts = thread(ADA, FIRST, *(f"Part {number}" for number in range(750)))
    server.add(posts)
    library = Library()
    await library.collect(collector, USER)
    (document,) = library.documents.values()
    assert document.external_id == posts[0].id
    assert document.text == "\n\n".join(one.text for one in posts)
    assert [anchor.url for anchor in document.anchors] == [one.address for one in posts]
    assert server.requests("/2/tweets") == 0  # its beginning came by itself


async def test_a_thread_longer_than_what_is_carried_loses_nothing(server: XServer, collector: TwitterCollector) -> None:
    posts = thread(ADA, FIRST, *(f"Part {number}" for number in range(1_300)))
    server.add(posts)
    library = Library()
    await library.collect(collector, USER)
    document = library.documents[posts[0].id]
    assert document.text == "\n\n".join(one.text for one in posts)
    assert library.gone == library.documents.keys() - {posts[0].id}  # those that had begun in the middle
