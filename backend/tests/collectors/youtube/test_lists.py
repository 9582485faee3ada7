"""Channels, playlists and searches of a local YouTube: which of their videos are looked at, and what that costs."""

import asyncio
import threading
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from extrophi_backend.collectors.models import Collected, Purpose, Run
from extrophi_backend.collectors.youtube.collector import YouTubeCollector, make_collector
from extrophi_backend.collectors.youtube.progress import memo_name
from extrophi_backend.errors import InvalidTarget, PlatformUnavailable, Refused
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import LOOPBACK, Library
from tests.platforms.youtube import (
    MadeTrack,
    MadeVideo,
    Reply,
    Wallet,
    YouTubeServer,
    channel_id,
    json3,
    refused,
    target,
    video_id,
)

MADE = channel_id("made")
CHANNEL = f"https://www.youtube.com/channel/{MADE}"
LIST = "https://www.youtube.com/playlist?list=PLlist"
NOW = datetime.now(UTC)


def known(ids: list[str], **validators: object) -> Library:
    """A library that holds these videos."""
    kept = {"captions": "manual", "comments": False} | validators
    return Library(
        {one: Collected("youtube", one, one, validators=kept) for one in ids}, versions=dict.fromkeys(ids, 1)
    )


async def test_a_channel_is_all_that_it_has_uploaded_newest_first(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(7)
    server.add_channel("made", ids, "@made")
    library = Library()
    await library.collect(collector, target("youtube.com/@Made/videos"))
    assert list(library.documents) == ids
    assert library.documents[ids[3]].text == f"What it is about.\n\nWords of {ids[3]}. More."
    assert server.requests == {"page": 1, "list": 1, "watch": 7, "captions": 7}


async def test_a_list_is_gone_through_page_by_page_as_far_as_the_limit(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.playlists["PLlist"] = [*server.add_videos(3), *(video_id(number, "n") for number in range(447))]
    library = Library()
    await library.collect(collector, target(LIST), limit=3)
    assert len(library.documents) == 3
    assert (server.requests["list"], server.requests["browse"]) == (1, 0)
    await library.collect(collector, target(LIST), limit=200)
    assert server.requests["browse"] == 2
    assert [one.code for one in library.failures] == ["not_found"] * 220


@pytest.mark.parametrize("failing", [10, 25, 29])
async def test_failures_do_not_use_up_the_limit(
    server: YouTubeServer, collector: YouTubeCollector, failing: int
) -> None:
    ids = server.add_videos(50)
    private = server.add_videos(failing, "p", playability=refused("LOGIN_REQUIRED", "Private video"))
    server.playlists["PLlist"] = [*private, *ids]
    library = Library()
    await library.collect(collector, target(LIST), limit=10)
    assert list(library.documents) == ids[:10]
    assert len(library.failures) == failing
    assert server.requests["watch"] == failing + 10


async def test_failures_have_a_limit_of_their_own(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.playlists["PLlist"] = [*(video_id(number, "n") for number in range(400)), *server.add_videos(5)]
    library = Library()
    await library.collect(collector, target(LIST), limit=3)
    assert server.requests["watch"] == len(library.failures) == 23


@pytest.mark.parametrize("purpose", ["all", "new"])
@pytest.mark.parametrize("pages", [26, 27, 28, 32, 36])
async def test_a_job_that_is_killed_while_it_lists_on_goes_on(
    server: YouTubeServer, collector: YouTubeCollector, purpose: Purpose, pages: int
) -> None:
    private = server.add_videos(25, "p", playability=refused("LOGIN_REQUIRED", "Private video"))
    ids = [*server.add_videos(5), *private, *server.add_videos(30, "w")]
    server.add_channel("made", ids)
    undisturbed = Library()
    await undisturbed.collect(collector, target(CHANNEL), limit=10, purpose=purpose)
    assert list(undisturbed.documents) == [*ids[:5], *ids[30:35]]
    library = Library()
    await library.collect(collector, target(CHANNEL), limit=10, purpose=purpose, pages=pages)
    failures = len(library.failures)
    await library.collect(collector, target(CHANNEL), limit=10, purpose=purpose, resume=True)
    assert library.documents == undisturbed.documents
    assert failures + len(library.failures) == 25


async def test_a_video_that_is_listed_twice_is_looked_at_once(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(3)
    server.playlists["PLlist"] = [*ids, ids[0], ids[2]]
    library = Library()
    await library.collect(collector, target(LIST))
    assert server.requests["watch"] == 3


@pytest.mark.parametrize("lockups", [False, True])
async def test_parts_that_nobody_knows_are_counted_and_named(
    server: YouTubeServer,
    collector: YouTubeCollector,
    lockups: bool,  # noqa: FBT001  pytest's own
) -> None:
    server.lockups = lockups
    server.extra_parts = [{"hologramRenderer": {"a": 1}}, {"hologramRenderer": {}}, {"messageRenderer": {"text": {}}}]
    ids = server.playlists["PLlist"] = server.add_videos(3)
    library = Library()
    await library.collect(collector, target(LIST))
    assert list(library.documents) == ids
    assert [(one.target, one.code, one.detail) for one in library.failures] == [
        (LIST, "unknown_part", "2 parts of the kind “hologramRenderer” are not known to Extrophi, and passed over.")
    ]


async def test_a_list_of_nothing_but_unknown_parts_is_no_silence(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.extra_parts = [{"hologramRenderer": {}}]
    server.playlists["PLlist"] = []
    library = Library()
    await library.collect(collector, target(LIST))
    assert [one.code for one in library.failures] == ["unknown_part"]


async def test_an_empty_channel_is_no_error(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.add_channel("made", [])
    library = Library()
    await library.collect(collector, target(CHANNEL))
    assert (library.documents, library.failures, library.cursor) == ({}, [], {"done": True})


async def test_a_search_is_its_videos(server: YouTubeServer, collector: YouTubeCollector) -> None:
    ids = server.searches["self hosted"] = server.add_videos(50)
    library = Library()
    await library.collect(collector, target("youtube.com/results?search_query=self+hosted"), limit=15)
    assert list(library.documents) == ids[:15]
    assert server.requests["search"] == 2
    assert "page" not in server.requests
    assert not library.failures


@pytest.mark.parametrize("address", ["youtube.com/@made", LIST, "youtube.com/results?search_query=a"])
@pytest.mark.parametrize("pages", range(1, 12))
async def test_a_job_that_is_killed_anywhere_goes_on_as_if_nothing_had_been(
    server: YouTubeServer, collector: YouTubeCollector, address: str, pages: int
) -> None:
    ids = server.add_videos(8)
    server.videos[ids[2]].playability = refused("LOGIN_REQUIRED", "Private video")
    server.videos[ids[5]].tracks = []
    server.add_channel("made", ids, "@made")
    server.playlists["PLlist"] = server.searches["a"] = ids
    undisturbed = Library()
    await undisturbed.collect(collector, target(address))
    library = Library()
    failures = []
    await library.collect(collector, target(address), pages=pages)
    failures += library.failures
    server.playlists["PLlist"] = server.searches["a"] = [*server.add_videos(2, "x"), *ids]  # it goes on meanwhile
    await library.collect(collector, target(address), resume=True)
    failures += library.failures
    assert library.cursor == {"done": True}
    assert {one: library.documents[one] for one in undisturbed.documents} == undisturbed.documents
    assert library.documents.keys() - undisturbed.documents.keys() <= (
        {video_id(0, "x"), video_id(1, "x")} if pages == 1 else set()
    )
    assert [(one.target, one.code) for one in failures] == [(one.target, one.code) for one in undisturbed.failures]


async def test_killed_after_every_page_each_video_is_asked_for_once(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(6)
    server.add_channel("made", ids, "@made")
    library = Library()
    await library.collect(collector, target("youtube.com/@made"), pages=1)
    while library.cursor != {"done": True}:
        await library.collect(collector, target("youtube.com/@made"), pages=1, resume=True)
    assert list(library.documents) == ids
    assert (server.requests["watch"], server.requests["captions"]) == (6, 6)
    assert (server.requests["page"], server.requests["list"]) == (1, 1)


async def test_a_limit_is_kept_over_a_resumption(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.playlists["PLlist"] = server.add_videos(9)
    library = Library()
    await library.collect(collector, target(LIST), limit=5, pages=4)
    await library.collect(collector, target(LIST), limit=5, resume=True)
    assert len(library.documents) == 5


async def test_too_many_requests_in_a_list_are_waited_for_and_it_goes_on(
    server: YouTubeServer, collector: YouTubeCollector, fetcher: Fetcher
) -> None:
    ids = server.playlists["PLlist"] = server.add_videos(5)
    answer, looked = server.answer, []

    def busy(path: str, query: dict[str, str], body: bytes) -> Reply:
        looked.extend([path] if path == "/watch" else [])
        return Reply("", 429, headers={"Retry-After": "60"}) if len(looked) == 3 else answer(path, query, body)

    server.answer = busy  # pyright: ignore[reportAttributeAccessIssue]
    library = Library()
    with pytest.raises(PlatformUnavailable) as waiting:
        await library.collect(collector, target(LIST))
    assert waiting.value.retry_after == 60
    assert list(library.documents) == ids[:2]
    server.answer = answer
    # In an hour, by another worker.
    later = Fetcher(max_bytes=2**20, seconds=10, allow=LOOPBACK)
    await library.collect(make_collector(later, Wallet(), youtube_url=server.base), target(LIST), resume=True)
    await later.close()
    assert list(library.documents) == ids
    assert not library.failures
    assert server.requests["list"] == 1


async def test_nothing_new_costs_one_request(server: YouTubeServer, collector: YouTubeCollector) -> None:
    ids = server.add_videos(20)
    server.add_channel("made", ids)
    library = known(ids)
    pages = await library.collect(collector, target(CHANNEL), purpose="new")
    assert server.requests == {"feed": 1}
    assert sum(page.known for page in pages) == 15
    assert not any(page.documents for page in pages)


async def test_what_the_feed_shows_as_new_is_looked_at(server: YouTubeServer, collector: YouTubeCollector) -> None:
    ids = server.add_videos(20)
    server.add_channel("made", ids)
    library = known(ids[3:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert server.requests == {"feed": 1, "watch": 3, "captions": 3}
    assert all(one in library.documents for one in ids)


async def test_more_new_ones_than_the_feed_shows_are_found(server: YouTubeServer, collector: YouTubeCollector) -> None:
    ids = server.add_videos(130)
    server.add_channel("made", ids + [video_id(number, "o") for number in range(300)])
    library = known([video_id(number, "o") for number in range(300)])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert all(one in library.documents for one in ids)
    assert (server.requests["feed"], server.requests["list"], server.requests["browse"]) == (1, 1, 1)
    assert server.requests["watch"] == 130


@pytest.mark.parametrize("pages", [1, 2, 5, 20])
@pytest.mark.parametrize("count", [6, 18])
async def test_a_killed_run_for_what_is_new_misses_nothing(
    server: YouTubeServer, collector: YouTubeCollector, pages: int, count: int
) -> None:
    ids = server.add_videos(count)
    old = [video_id(number, "o") for number in range(30)]
    server.add_channel("made", [*ids, *old])
    library = known(old)
    await library.collect(collector, target(CHANNEL), purpose="new", pages=pages)
    await library.collect(collector, target(CHANNEL), purpose="new", resume=True)
    assert all(one in library.documents for one in ids)
    assert server.requests["watch"] == count


@pytest.mark.parametrize("reply", [Reply("", 404), Reply("<html>Oops</html>"), Reply("", 500)])
async def test_without_a_feed_the_uploads_are_gone_through(
    server: YouTubeServer, collector: YouTubeCollector, reply: Reply
) -> None:
    """YouTube's feeds are away at times, of channels that are not."""
    ids = server.add_videos(5)
    server.add_channel("made", ids)
    server.channels[MADE].feed = reply
    library = known(ids[2:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert ids[0] in library.documents
    assert server.requests["list"] == 1
    assert server.requests["watch"] == 2


async def test_a_playlist_is_gone_through_for_what_is_new_wherever_that_was_put(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(2)
    server.playlists["PLlist"] = [video_id(number, "o") for number in range(120)] + ids
    library = known(server.playlists["PLlist"][:120])
    pages = await library.collect(collector, target(LIST), purpose="new")
    assert all(one in library.documents for one in ids)
    assert server.requests == {"list": 1, "browse": 1, "watch": 2, "captions": 2}
    assert sum(page.known for page in pages) == 120


@pytest.mark.parametrize(
    ("end", "count"),
    [("bot checks", 300), ("canceled", 40), ("the limit", 40), ("no answer", 120), ("an answer of nothing", 120)],
)
async def test_what_a_run_listed_and_did_not_look_at_is_had_by_later_ones(
    server: YouTubeServer, collector: YouTubeCollector, end: str, count: int
) -> None:
    """The feed shows known videos then, and so does the first page of the uploads: neither is their end."""
    ids = server.add_videos(count)
    server.add_channel("made", ids)
    library = Library()
    if end == "bot checks":
        for one in ids[5:8]:
            server.videos[one].playability = refused("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot")
        with pytest.raises(Refused):
            await library.collect(collector, target(CHANNEL))
        assert len(library.documents) == 5
        for one in ids[5:8]:
            server.videos[one].playability = {"status": "OK"}
    elif end == "canceled":
        await library.collect(collector, target(CHANNEL), pages=9)
    elif end == "the limit":
        await library.collect(collector, target(CHANNEL), limit=5)
    else:
        is_loop = end == "no answer"
        loop = Reply("", 302, headers={"Location": "/youtubei/v1/browse"})
        nothing = Reply('{"responseContext": {}}', media_type="application/json")
        server.replies["/youtubei/v1/browse"] = loop if is_loop else nothing
        await library.collect(collector, target(CHANNEL))
        assert [one.code for one in library.failures] == ["too_many_redirects" if is_loop else "unreadable_answer"]
        assert library.documents
        del server.replies["/youtubei/v1/browse"]
    library.misses.clear()
    await library.collect(collector, target(CHANNEL), purpose="new", limit=10)
    assert library.documents.keys() != {*ids}
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents.keys() == {*ids}
    server.requests.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert server.requests == {"feed": 1}


async def test_what_waits_for_captions_is_looked_at_again_when_it_is_due(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(3)
    server.add_channel("made", ids)
    young = f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    server.videos[ids[1]] = MadeVideo(published=young)
    library = Library()
    await library.collect(collector, target(CHANNEL))
    assert [one.code for one in library.failures] == ["captions_later"]
    server.videos[ids[1]].tracks = [MadeTrack(json3([(0, "At last.")]))]
    # Newer ones push it out of the feed.
    server.channels[MADE].uploads[:0] = more = server.add_videos(20, "x")
    server.requests.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert not library.documents[ids[1]].text.endswith("At last.")
    assert all(one in library.documents for one in more)
    server.channels[MADE].uploads = ids
    library.misses.clear()  # it is due
    server.requests.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents[ids[1]].text.endswith("At last.")
    assert server.requests == {"feed": 1, "watch": 1, "captions": 1}
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert server.requests == {"feed": 2, "watch": 1, "captions": 1}


async def test_what_was_not_there_yet_is_found_though_it_is_out_of_sight(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(40)
    server.add_channel("made", ids)
    late = server.videos[ids[0]]
    server.videos[ids[0]] = MadeVideo(playability={"status": "OK"}, details={"isLive": True})
    library = known(ids[1:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert [one.code for one in library.failures] == ["not_yet"]
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert server.requests["watch"] == 1
    server.videos[ids[0]] = late
    server.channels[MADE].uploads = ids[1:]
    library.misses.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents[ids[0]].text.endswith("More.")
    assert library.notes[f"pending a source {CHANNEL}"] == []


BROKEN = Reply("This is no gzip.", headers={"Content-Encoding": "gzip"})


async def test_what_was_not_there_yet_stays_wanted_though_the_next_look_fails(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(40)
    server.add_channel("made", ids)
    late = server.videos[ids[0]]
    server.videos[ids[0]] = MadeVideo(playability={"status": "OK"}, details={"isLive": True})
    library = known(ids[1:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    server.videos[ids[0]] = late
    server.channels[MADE].uploads = ids[1:]
    library.misses.clear()
    server.replies["/watch"] = BROKEN
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert [one.code for one in library.failures] == ["broken_answer"]
    del server.replies["/watch"]
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert ids[0] not in library.documents  # it is not due
    library.misses.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents[ids[0]].text.endswith("More.")


async def test_what_fails_for_good_is_wanted_no_more(server: YouTubeServer, collector: YouTubeCollector) -> None:
    ids = server.add_videos(3)
    server.add_channel("made", ids)
    server.videos[ids[0]] = MadeVideo(playability={"status": "OK"}, details={"isLive": True})
    library = known(ids[1:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.notes[f"pending a source {CHANNEL}"] == [ids[0]]
    server.videos[ids[0]].playability = refused("LOGIN_REQUIRED", "Private video")
    server.videos[ids[0]].details = {}
    library.misses.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.notes[f"pending a source {CHANNEL}"] == []


async def test_what_could_not_be_read_is_looked_at_again_though_the_rest_of_it_is_known(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(40)
    server.add_channel("made", ids)
    whole = server.videos[ids[0]].tracks
    server.videos[ids[0]].tracks = [MadeTrack(b"<html>Oops</html>")]
    library = known(ids[1:])
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents[ids[0]].text == "What it is about."
    server.videos[ids[0]].tracks = whole
    server.channels[MADE].uploads = ids[1:]
    library.misses.clear()
    await library.collect(collector, target(CHANNEL), purpose="new")
    assert library.documents[ids[0]].text.endswith("More.")


def test_two_sources_of_one_list_keep_what_they_lack_apart() -> None:
    names = {memo_name(what, CHANNEL, source) for what in ("gap", "pending") for source in ("", "one", "other")}
    assert len(names) == 6


async def test_a_revisit_looks_at_what_is_due_and_at_nothing_else(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    ids = server.add_videos(5)
    server.add_channel("made", ids)
    library = known(ids)
    await library.collect(collector, target(CHANNEL), purpose="revisit", revisit=ids[1:4], pages=1)
    await library.collect(collector, target(CHANNEL), purpose="revisit", revisit=ids[1:4], resume=True)
    assert [one for one in ids if library.documents[one].text != one] == ids[1:4]
    assert server.requests == {"watch": 3, "captions": 3}


async def test_a_long_list_is_held_a_page_at_a_time(server: YouTubeServer, collector: YouTubeCollector) -> None:
    """Each part of it is saved before the next is asked for: 1,200 videos take no more memory than 100."""
    server.playlists["PLlist"] = [video_id(number, "o") for number in range(1200)]
    library = Library()
    run = Run(target(LIST), 2000, None, library, library.suspect)
    async with aclosing(collector.collect(run)) as pages:
        for number in range(12):
            page = await anext(pages)
            library.save(page)
            assert len(page.met) == 100
            assert server.requests["list"] + server.requests["browse"] == number + 1
    assert [one.key.decode() for one in library.frontier.values()] == server.playlists["PLlist"]


async def test_all_names_of_a_channel_are_one_source(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.add_channel("made", [], "@made", "c/made", "user/maker", "makers")
    for typed in (
        "youtube.com/@Made",
        "https://m.youtube.com/@made/shorts",
        "youtube.com/c/Made",
        "youtube.com/user/Maker",
        "youtube.com/Makers/videos",
    ):
        found = await collector.resolve(target(typed))
        assert (found.canonical, found.typed) == (CHANNEL, typed)
    assert (await collector.resolve(target("youtube.com/@made#comments"))).canonical == f"{CHANNEL}#comments"
    assert server.requests == {"page": 6}
    for typed in (CHANNEL, LIST, "youtu.be/dQw4w9WgXcQ"):
        assert await collector.resolve(target(typed)) == target(typed)
    assert server.requests == {"page": 6}


async def test_a_channel_that_cannot_be_identified_says_why(server: YouTubeServer, collector: YouTubeCollector) -> None:
    with pytest.raises(InvalidTarget, match="no channel @nobody"):
        await collector.resolve(target("youtube.com/@nobody"))
    with pytest.raises(InvalidTarget, match="no channel nobody"):
        await collector.resolve(target("youtube.com/nobody"))
    server.replies["/@made/featured"] = Reply("", 302, headers={"Location": "https://consent.youtube.com/m"})
    with pytest.raises(Refused):
        await collector.resolve(target("youtube.com/@made"))
    server.replies["/@made/featured"] = Reply("", 429, headers={"Retry-After": "50"})
    with pytest.raises(PlatformUnavailable) as busy:
        await collector.resolve(target("youtube.com/@made"))
    assert busy.value.retry_after == 50


async def test_a_job_that_is_canceled_ends_yt_dlp_soon(server: YouTubeServer, collector: YouTubeCollector) -> None:
    """Its thread waits for an answer of the loop's: it gets none, and asks for nothing more."""
    server.playlists["PLlist"] = server.add_videos(3)
    asked, go_on = asyncio.Event(), threading.Event()
    loop, answer = asyncio.get_running_loop(), server.answer

    def slow(path: str, query: dict[str, str], body: bytes) -> Reply:
        loop.call_soon_threadsafe(asked.set)
        go_on.wait(5)
        return answer(path, query, body)

    server.answer = slow  # pyright: ignore[reportAttributeAccessIssue]
    job = asyncio.create_task(Library().collect(collector, target(LIST)))
    await asked.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    async with asyncio.timeout(5):
        while any(thread.name.startswith("yt-dlp") for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
    go_on.set()
    assert sum(server.requests.values()) == 1


async def test_the_loop_goes_on_while_a_long_video_is_read(server: YouTubeServer, collector: YouTubeCollector) -> None:
    cues = [(number * 2.16, f"Sentence number {number}.") for number in range(20_000)]
    server.videos[video_id(1)] = MadeVideo(seconds=43_200, tracks=[MadeTrack(json3(cues))])
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    await Library().collect(collector, target(f"youtu.be/{video_id(1)}"))
    turning.cancel()
    assert turns > 100
