"""X's data archive: the same documents as by any other way, however often and in whatever order it is imported."""

import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import LONG
from backend.tests.collectors.twitter.test_ways import archived
from extrophi_backend.archives import reading as reading_archives
from extrophi_backend.archives.models import TARGET
from extrophi_backend.archives.reading import Archive
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.twitter.by_archive import KIND
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.errors import Refused
from tests.collecting import Library
from tests.platforms.x import Sample, User, XServer, thread, written_by

TYPED = Target("twitter", f"{TARGET}01a221ad-4d83-728c-a3f5-c2a2e0c16a93", "twitter.zip")
ADA, BEN = User("11", "ada", "Ada"), User("12", "ben", "Ben")
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
POSTS = written_by(ADA, 330, other=BEN, first=FIRST)
ACCOUNT = {"accountId": ADA.id, "username": ADA.handle, "accountDisplayName": ADA.name, "email": "ada@secret.example"}


class Given:
    """One archive, opened anew for each run."""

    def __init__(self, posts: Sequence[Sample], likes: Sequence[dict[str, Any]] = (), **more: str) -> None:
        half = len(posts) // 2
        scripts = {
            "account": [{"account": ACCOUNT}],
            "tweets": [archived(one) for one in posts[:half]],
            "tweets-part1": [archived(one) for one in posts[half:]],
            "note-tweet": [{"noteTweet": {"core": {"text": one.text, "urls": []}}} for one in posts if one.is_long],
            "like": [{"like": one} for one in likes],
            "direct-messages": [{"dmConversation": {"text": "a secret"}}],
        }
        members = {name: f"window.YTD.{name}.part0 = {json.dumps(one)}" for name, one in scripts.items()} | more
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, body in members.items():
                zipped.writestr(f"data/{name}.js", body)
        self.body = out.getvalue()

    async def open(self, target: str) -> Archive:
        assert target == TYPED.canonical
        return Archive(io.BytesIO(self.body))


@pytest.fixture
def reading(make: Callable[..., TwitterCollector]) -> Callable[[Given], TwitterCollector]:
    """A collector for somebody without credentials, and with that archive."""

    def reading(archives: Given) -> TwitterCollector:
        made = make()
        made._archives = archives
        return made

    return reading


def texts(library: Library) -> dict[str, str]:
    return {name: one.text for name, one in library.documents.items() if name not in library.gone}


async def test_posts_in_any_order_are_the_threads_that_they_are(
    reading: Callable[[Given], TwitterCollector], server: XServer
) -> None:
    libraries: list[Library] = []
    for order in (list(POSTS), list(reversed(POSTS)), random.Random(3).sample(POSTS, len(POSTS))):
        library = Library()
        await library.collect(reading(Given(order)), TYPED, limit=1000)
        assert not library.failures
        libraries.append(library)
    assert texts(libraries[0]) == texts(libraries[1]) == texts(libraries[2])
    roots = [one for one in POSTS if one.answers is None or one.answers.user == BEN]
    assert sorted(texts(libraries[0])) == sorted(one.id for one in roots)
    said = "\n\n".join(texts(libraries[0]).values())
    for one in POSTS:
        assert one.plain in said
    assert "secret" not in str(libraries[0].documents)  # the address in account.js, and the messages
    assert server.asked == []


class Counting(Archive):
    """Counts how often a member is gone through."""

    def __init__(self, body: bytes, opened: Counter[str]) -> None:
        super().__init__(io.BytesIO(body))
        self._opened = opened

    def entries(self, name: str) -> Iterator[Any]:
        self._opened[name] += 1
        return super().entries(name)


async def test_threads_all_over_an_archive_are_whole_after_two_passes(
    make: Callable[..., TwitterCollector], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [
        thread(ADA, FIRST + timedelta(hours=hour), *(f"{hour}, {part}" for part in range(8))) for hour in range(200)
    ]
    posts = [one for posts in threads for one in posts]
    given, opened = Given(random.Random(1).sample(posts, len(posts))), Counter[str]()
    monkeypatch.setattr(reading_archives, "MAX_UNPACKED", 400_000)  # as much as one pass unpacks of a member
    assert 200_000 < max(one.file_size for one in zipfile.ZipFile(io.BytesIO(given.body)).infolist()) < 400_000

    class Counted:
        async def open(self, target: str) -> Archive:
            assert target == TYPED.canonical
            return Counting(given.body, opened)

    collector = make()
    collector._archives = Counted()
    library = Library()
    pages = await library.collect(collector, TYPED, limit=300)  # a document in parts counts once
    assert texts(library) == {first.id: "\n\n".join(one.text for one in (first, *rest)) for first, *rest in threads}
    assert not library.gone
    assert opened["data/tweets.js"] == opened["data/tweets-part1.js"] == 2
    assert not any("carried" in (page.cursor or {}) for page in pages)


async def test_a_thread_without_its_beginning_begins_with_what_is_there(
    reading: Callable[[Given], TwitterCollector],
) -> None:
    posts = thread(ADA, FIRST, *(f"Part {number}" for number in range(6)))
    library = Library()
    await library.collect(reading(Given([posts[5], posts[3], posts[4]])), TYPED)
    assert texts(library) == {posts[3].id: "Part 3\n\nPart 4\n\nPart 5"}
    await library.collect(reading(Given([posts[2], posts[5], posts[1], posts[0]])), TYPED)
    assert texts(library) == {posts[0].id: "\n\n".join(one.text for one in posts)}
    assert library.gone == {posts[3].id}


async def test_the_same_archive_changes_nothing_and_a_newer_one_adds(
    reading: Callable[[Given], TwitterCollector],
) -> None:
    library = Library()
    await library.collect(reading(Given(POSTS[:200])), TYPED, limit=1000)
    versions = dict(library.versions)
    await library.collect(reading(Given(POSTS[:200])), TYPED, limit=1000)
    assert library.versions == versions
    await library.collect(reading(Given(POSTS)), TYPED, limit=1000)
    alone = Library()
    await alone.collect(reading(Given(POSTS)), TYPED, limit=1000)
    assert texts(library) == texts(alone)


async def test_an_archive_adds_nothing_to_what_the_api_has_given(
    reading: Callable[[Given], TwitterCollector], collector: TwitterCollector, server: XServer
) -> None:
    server.add(POSTS)
    library = Library()
    user = Target("twitter", "https://x.com/ada", "@ada")
    await library.collect(collector, user, limit=1000)
    before = texts(library)
    await library.collect(reading(Given(POSTS)), TYPED, limit=1000)
    assert texts(library) == before
    other_way_round = Library()
    await other_way_round.collect(reading(Given(POSTS)), TYPED, limit=1000)
    await other_way_round.collect(collector, user, limit=1000)
    assert texts(other_way_round) == before


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_a_run_that_was_killed_goes_on(reading: Callable[[Given], TwitterCollector], after: int) -> None:
    shuffled = random.Random(after).sample(POSTS, len(POSTS))
    whole, library = Library(), Library()
    await whole.collect(reading(Given(shuffled)), TYPED, limit=1000)
    await library.collect(reading(Given(shuffled)), TYPED, limit=1000, pages=after)
    await library.collect(reading(Given(shuffled)), TYPED, limit=1000, resume=True)
    assert texts(library) == texts(whole)


async def test_liked_posts_are_theirs_who_wrote_them_as_far_as_it_tells(
    reading: Callable[[Given], TwitterCollector],
) -> None:
    liked = "1578466218075312129"
    likes = [
        {"tweetId": liked, "fullText": "Herons &amp; egrets", "expandedUrl": f"https://x.com/i/web/status/{liked}"},
        {"tweetId": "1578466218075312130", "expandedUrl": "https://x.com/i/web/status/1578466218075312130"},
        {"tweetId": None},
    ]
    library = Library()
    await library.collect(reading(Given([], likes)), TYPED)
    (one,) = library.documents.values()
    assert (one.external_id, one.text, one.author) == (liked, "Herons & egrets", None)
    assert one.url == f"https://x.com/i/status/{liked}"
    assert one.published_at == datetime(2022, 10, 7, 19, 24, 7, tzinfo=UTC)
    assert [failure.code for failure in library.failures] == ["unknown_part"]


def test_what_is_in_it_is_told() -> None:
    likes = [{"tweetId": "1578466218075312129", "fullText": "x"}]
    repost = Sample("1578466218075312999", ADA, "RT", reposts=POSTS[0])
    found = KIND.look(Archive(io.BytesIO(Given([*POSTS, repost], likes).body)))
    assert found is not None
    assert (found.platform, found.title) == ("twitter", "X, the archive of @ada")
    assert [(part.name, part.count, bool(part.becomes)) for part in found.parts] == [
        ("posts", len(POSTS), True),
        ("liked posts", 1, True),
        ("reposts", 1, False),
    ]
    assert [
        name for name in ("data/tweets.js", "data/direct-messages.js", "x/data/like.js") if KIND.members.search(name)
    ] == [
        "data/tweets.js",
        "x/data/like.js",
    ]


def rebuilt(members: dict[str, Any]) -> Given:
    """An archive of those members, and of nothing else."""
    given, out = Given([]), io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, entries in members.items():
            zipped.writestr(name, f"window.YTD.x.part0 = {json.dumps(entries)}")
    given.body = out.getvalue()
    return given


async def test_every_part_of_a_large_archive_is_read_and_sent(reading: Callable[[Given], TwitterCollector]) -> None:
    members = {
        "data/account.js": [{"account": ACCOUNT}],
        **{
            f"data/{name}.js": [archived(one)]
            for name, one in zip(
                ("tweets", "tweets-part1", "community-tweet", "community-tweet-part1"), POSTS[:4], strict=True
            )
        },
        "data/note-tweet.js": [],
        "data/note-tweet-part1.js": [{"noteTweet": {"core": {"text": LONG.text, "urls": []}}}],
        "data/tweets-part2.js": [archived(replace(LONG, user=ADA))],
        "data/like.js": [{"like": {"tweetId": "1578466218075312129", "fullText": "Herons"}}],
        "data/like-part1.js": [{"like": {"tweetId": "1578466218075312130", "fullText": "Egrets"}}],
    }
    archives, library = rebuilt(members), Library()
    archive = Archive(io.BytesIO(archives.body))
    assert all(KIND.sent(archive, name) is not None for name in members)
    assert KIND.sent(archive, "data/deleted-tweets.js") is None
    await library.collect(reading(archives), TYPED)
    assert not library.failures
    said = "\n".join(texts(library).values())
    for words in (*(one.plain for one in POSTS[:4]), LONG.text, "Herons", "Egrets"):
        assert words in said
    found = KIND.look(archive)
    assert found is not None
    assert [(part.name, part.count) for part in found.parts] == [("posts", 5), ("liked posts", 2)]


async def test_the_oldest_archives_have_no_folder_and_nothing_around_a_post(
    reading: Callable[[Given], TwitterCollector],
) -> None:
    tweets = [archived(one)["tweet"] for one in POSTS[:5]]
    members = {"account.js": [{"account": ACCOUNT}], "tweet.js": tweets}
    archives, library, newer = rebuilt(members), Library(), Library()
    found = KIND.look(Archive(io.BytesIO(archives.body)))
    assert found is not None
    assert [(part.name, part.count) for part in found.parts] == [("posts", 5)]
    await library.collect(reading(archives), TYPED)
    await newer.collect(reading(Given(POSTS[:5])), TYPED)
    assert not library.failures
    assert texts(library) == texts(newer)
    assert not any(KIND.members.search(name) for name in ("src/account.js", "src/tweet.js", "metadata/like.js"))


async def test_one_that_is_broken_ends_the_job_with_its_reason(reading: Callable[[Given], TwitterCollector]) -> None:
    broken: list[tuple[dict[str, Any], str]] = [
        ({"tweets": "window.YTD.tweets.part0 = [{]"}, "unreadable"),
        ({"account": "[]"}, "unreadable_answer"),
    ]
    for more, code in broken:
        with pytest.raises(Refused) as refusal:
            await Library().collect(reading(Given(POSTS[:3], **more)), TYPED)
        assert refusal.value.code == code
