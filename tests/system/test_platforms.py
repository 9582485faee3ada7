"""X, YouTube and Reddit, each by their local server, in an Extrophi as a person runs it."""

import json
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import ascii_uppercase
from typing import Any

import pytest

from tests.platforms import reddit as reddit_server
from tests.platforms import x as x_server
from tests.platforms import youtube as youtube_server
from tests.platforms.reddit import RedditServer, make_thread
from tests.platforms.x import TOKEN, Sample, User, XServer, snowflake, thread, written_by
from tests.platforms.youtube import MadeTrack, MadeVideo, YouTubeServer, json3, video_id
from tests.system.running import Running, eventually, strike, up

pytestmark = pytest.mark.xdist_group("platforms")  # it has an `up` of its own

IDA = User("20", "ida_holm", "Ida Holm")
FIRST = datetime(2026, 1, 31, 12, tzinfo=UTC)
HERONS = thread(
    IDA,
    FIRST,
    "Herons stand on one leg to keep the other one warm.",
    "In cold water a heron loses most of its warmth through its legs.",
)
LATER = Sample(snowflake(datetime(2026, 2, 1, tzinfo=UTC)), IDA, "The reed warbler is back.")
VIDEO = video_id(1)
SAID = "A heron stands on one leg because a bare leg loses warmth."
POST, COMMENT = "1abcde", "k2fghi"
ANSWER = "Herons stand on one leg since one leg in cold water loses less warmth than two."


@dataclass
class Platforms:
    x: XServer
    youtube: YouTubeServer
    reddit: RedditServer

    @property
    def requests(self) -> int:
        return len(self.x.asked) + sum(self.youtube.requests.values()) + sum(self.reddit.asked.values())


@pytest.fixture(scope="module")
def platforms() -> Iterator[Platforms]:
    x, youtube, reddit = XServer(), YouTubeServer(), RedditServer(page=10)
    x.add([*HERONS, LATER])
    x.lists["77"] = [LATER.id]
    x.searches["warbler"] = [LATER.id]
    cues = json3([(0, "Welcome to the marsh."), (61.5, SAID), (70, "Goodbye.")])
    youtube.videos[VIDEO] = MadeVideo(title="Marsh birds", tracks=[MadeTrack(cues)], seconds=90)
    youtube.add_channel("marsh", [VIDEO, *youtube.add_videos(2, "w")], "@marsh")
    youtube.playlists["PLmarsh0000000000"] = [VIDEO]
    youtube.searches["herons"] = [VIDEO]
    asked = make_thread(POST, subreddit="birds", title="Why on one leg?", selftext="I saw one do it for an hour.")
    asked.add(COMMENT, ANSWER, author="marsh_keeper")
    asked.add("k2fghj", "Thank you.", COMMENT, author="asker")
    for path in ("/r/birds/new", "/r/birds/top", "/user/author_1/submitted", "/r/birds/search"):
        reddit.add(asked, path)
    with x_server.serving(x), youtube_server.serving(youtube), reddit_server.serving(reddit):
        yield Platforms(x, youtube, reddit)


@pytest.fixture(scope="module")
def extrophi(platforms: Platforms) -> Iterator[Running]:
    client_id, client_secret = reddit_server.APP
    with up(
        EXTROPHI_FETCH_ALLOW="127.0.0.0/8",
        EXTROPHI_X_API_URL=platforms.x.url,
        EXTROPHI_X_WEB_URL=platforms.x.url,
        EXTROPHI_YOUTUBE_URL=platforms.youtube.base,
        EXTROPHI_REDDIT_URL=platforms.reddit.url,
        EXTROPHI_REDDIT_OAUTH_URL=platforms.reddit.oauth_url,
        X_BEARER_TOKEN=TOKEN,
        REDDIT_CLIENT_ID=client_id,
        REDDIT_CLIENT_SECRET=client_secret,
    ) as running:
        yield running


TARGETS = {
    # what a person types: the source it is, its documents
    f"twitter.com/{IDA.handle}": (f"https://x.com/{IDA.handle}", 2),
    f"https://mobile.twitter.com/ida_holm/status/{HERONS[0].id}?s=20": (f"https://x.com/i/status/{HERONS[0].id}", 1),
    "https://x.com/i/lists/77": ("https://x.com/i/lists/77", 1),
    "https://x.com/search?q=warbler": ("https://x.com/search?q=warbler&f=live", 1),
    f"youtu.be/{VIDEO}?t=5": (f"https://www.youtube.com/watch?v={VIDEO}", 1),
    "youtube.com/@marsh": ("https://www.youtube.com/channel/UCmarsh_________________", 3),
    "https://m.youtube.com/playlist?list=PLmarsh0000000000": (
        "https://www.youtube.com/playlist?list=PLmarsh0000000000",
        1,
    ),
    "https://www.youtube.com/results?search_query=herons": (
        "https://www.youtube.com/results?search_query=herons",
        1,
    ),
    "r/birds": ("https://www.reddit.com/r/birds/new/", 1),
    "https://old.reddit.com/r/Birds/top/?t=week": ("https://www.reddit.com/r/birds/top/?t=week", 1),
    "u/author_1": ("https://www.reddit.com/user/author_1/submitted/", 1),
    f"https://redd.it/{POST}": (f"https://www.reddit.com/comments/{POST}/", 1),
    "https://www.reddit.com/r/birds/search?q=leg&restrict_sr=1": (
        "https://www.reddit.com/r/birds/search/?q=leg&restrict_sr=1&sort=relevance&t=all",
        1,
    ),
}


@pytest.mark.timeout(400)
def test_one_target_of_each_kind_shows_documents_health_and_next_run(extrophi: Running) -> None:
    added = extrophi.cli("add", *TARGETS, timeout=300)
    assert added.returncode == 0, added.stdout + added.stderr
    shown = {line.split("\t")[2]: line.split("\t") for line in extrophi.cli("sources").stdout.splitlines()[1:]}
    for canonical, documents in TARGETS.values():
        _, platform, _, state, count, due, why = shown[canonical]
        assert (platform, state, count, why) in {
            (platform, "collected", str(documents), ""),
            (platform, "unchanged", str(documents), ""),  # another source had brought them
        }, shown[canonical]
        assert due, shown[canonical]
    targets = {source["target"] for source in extrophi.get("/api/sources?limit=100")["items"]}
    assert targets == {canonical for canonical, _ in TARGETS.values()}
    assert extrophi.external_ids("twitter") == sorted([HERONS[0].id, LATER.id])
    assert extrophi.external_ids("reddit") == [f"t3_{POST}"]
    assert VIDEO in extrophi.external_ids("youtube")

    # The same once more, in other words: no source and no document is new.
    again = extrophi.cli("add", "x.com/IDA_HOLM/")
    assert again.returncode == 0, again.stderr
    assert len(extrophi.get("/api/sources?limit=100")["items"]) == len(TARGETS)


@pytest.mark.timeout(300)
def test_an_investigation_over_all_platforms_cites_each_at_its_own_place(extrophi: Running) -> None:
    asked = extrophi.cli(
        "investigate",
        "Why do herons stand on one leg in cold water?",
        f"x.com/{IDA.handle}",
        f"https://youtu.be/{VIDEO}",
        "r/birds",
        "--json",
        timeout=280,
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answer = json.loads(asked.stdout)
    links = {one["platform"]: one for one in answer["citations"]}
    assert set(links) == {"twitter", "youtube", "reddit"}, answer
    assert links["twitter"]["deep_link"] in {post.address for post in HERONS}
    assert links["youtube"]["deep_link"] == f"https://www.youtube.com/watch?v={VIDEO}&t=61"
    assert links["reddit"]["deep_link"].endswith(f"/{COMMENT}/")
    assert links["reddit"]["author"] == "marsh_keeper"
    for one in answer["citations"]:
        text = extrophi.get(f"/api/documents/{one['document_id']}?version={one['version']}")["text"]
        assert text[one["quote_start"] : one["quote_end"]] == one["quote"]


@pytest.mark.timeout(200)
def test_what_cannot_be_had_says_why_and_what_to_do(extrophi: Running, platforms: Platforms) -> None:
    private, silent = video_id(8), video_id(9)
    player = youtube_server.refused("LOGIN_REQUIRED", "This is a private video.")
    platforms.youtube.videos[private] = MadeVideo(playability=player)
    platforms.youtube.videos[silent] = MadeVideo(title="Nobody speaks")
    platforms.reddit.replies["/r/secret/new"] = reddit_server.refusal(403, "private")
    added = extrophi.cli("add", f"youtu.be/{private}", f"youtu.be/{silent}", "r/secret")
    assert added.returncode == 5
    for words in (
        "It is private.",
        "Only whom its owner lets in",
        "r/secret is private.",
        "Ask its moderators",
        "no captions",
    ):
        assert words in " ".join(added.stderr.split()), added.stderr
    listed = {one["target"]: one for one in extrophi.get("/api/sources?limit=100")["items"]}
    for target, state, code in (
        (f"https://www.youtube.com/watch?v={private}", "login_needed", "private"),
        (f"https://www.youtube.com/watch?v={silent}", "no_captions", "no_captions"),
        ("https://www.reddit.com/r/secret/new/", "login_needed", "private_subreddit"),
    ):
        one = listed[target]
        assert (one["state"], one["reason"]["code"]) == (state, code)
        assert one["reason"]["hint"]
        if one["last_job"]["status"] == "failed":
            assert one["last_job"]["error"]["hint"] == one["reason"]["hint"]
    assert silent in extrophi.external_ids("youtube")  # its description is kept


def test_a_handle_may_be_several_things(extrophi: Running) -> None:
    asked = extrophi.cli("add", "@ida_holm")
    assert asked.returncode != 0
    assert "https://x.com/ida_holm" in asked.stdout + asked.stderr
    assert "https://www.youtube.com/@ida_holm" in asked.stdout + asked.stderr


OTHER = User("21", "other", "Another")
POSTS, THREADS, VIDEOS = 1200, 30, 8
Found = tuple[str, str, int, tuple[tuple[Any, ...], ...]]


def a_round(extrophi: Running, platforms: Platforms, number: int, rng: random.Random | None) -> dict[str, list[Found]]:
    """Collect an account, a subreddit and a channel that are like those of any other round; with `rng`, the worker is
    killed at some request. Gives the documents' titles, texts, versions and anchors, in order."""
    writer = User(str(1000 + number), f"writer{number}", "A writer")
    platforms.x.add(written_by(writer, POSTS, other=OTHER, first=FIRST - timedelta(days=10 + 5 * number)))
    for at in range(THREADS):
        post = make_thread(
            f"{number:02d}p{at:03d}",
            subreddit=f"sub{number}",
            title=f"Post {at}",
            selftext=f"Text {at}",
            author=f"author{at % 5}",
        )
        for comment in range(at % 7):
            post.add(f"{number:02d}c{at:03d}{comment}", f"Comment {comment} on {at}.", author=f"user{comment}")
        platforms.reddit.add(post, f"/r/sub{number}/new")
    channel = f"channel{number}"
    videos = [video_id(at, ascii_uppercase[number]) for at in range(VIDEOS)]
    for at, video in enumerate(videos):
        tracks = [MadeTrack(json3([(0, f"Words of video {at}."), (60, "More of them.")]))]
        platforms.youtube.videos[video] = MadeVideo(title=f"Video {at}", tracks=tracks)
    channel_id = platforms.youtube.add_channel(channel, videos)
    targets = [f"x.com/{writer.handle}", f"r/sub{number}", f"https://www.youtube.com/channel/{channel_id}"]
    began = platforms.requests
    jobs = [extrophi.post("/api/jobs", {"target": target, "limit": 2000}) for target in targets]
    if rng is not None:
        wanted = began + rng.randint(1, THREADS + 30)
        eventually(lambda: True if platforms.requests > wanted else None, seconds=60)
        strike(extrophi, "worker")
    found: dict[str, list[Found]] = {}
    for job in jobs:
        ended = extrophi.ended(job["id"], seconds=200)
        assert ended["status"] == "succeeded", str(ended)
    for platform, mine in (("twitter", f"/{writer.handle}/"), ("reddit", f"/sub{number}/"), ("youtube", "")):
        listed = [one for one in _documents(extrophi, platform) if mine in one["url"]]
        listed = [one for one in listed if platform != "youtube" or one["external_id"] in videos]
        listed.sort(key=lambda one: (one["published_at"], one["external_id"]))
        found[platform] = [(one["title"], one["text"], one["version"], _places(one, number)) for one in listed]
    return found


def _places(document: dict[str, Any], number: int) -> tuple[tuple[Any, ...], ...]:
    """Where the anchors lead, as in any round: what is named after the round is named alike."""
    places: list[tuple[Any, ...]] = []
    for offset, place in document["anchors"]:
        url, author = place.get("url", ""), place.get("author", "")
        if document["platform"] == "reddit":
            url = re.sub(rf"{number:02d}([pc]\d+)", r"\1", url.replace(f"/sub{number}/", "/sub/"))
        else:
            url = re.sub(r"\d{5,}|[\w-]{11}(?=&|$)", "ID", url.replace(f"/writer{number}/", "/writer/"))
        author = author.replace(f"writer{number}", "writer")
        places.append((offset, url, author, *(place.get(name) for name in ("depth", "score", "seconds"))))
    return tuple(places)


def _documents(extrophi: Running, platform: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        asked = {"platform": platform, "limit": 100, "include": "text"} | more
        page = extrophi.client.get("/api/documents", params=asked).raise_for_status().json()
        yield from page["items"]
        cursor = page["next_cursor"]


@pytest.mark.timeout(400)
def test_a_worker_killed_among_the_platforms_loses_and_doubles_nothing(extrophi: Running, platforms: Platforms) -> None:
    undisturbed = a_round(extrophi, platforms, 0, None)
    assert {platform: len(found) for platform, found in undisturbed.items() if platform != "twitter"} == {
        "reddit": THREADS,
        "youtube": VIDEOS,
    }
    (*_, places) = undisturbed["reddit"][6]
    assert [place[1:3] for place in places][:2] == [
        ("https://www.reddit.com/r/sub/comments/p006/title_of_p006/", "author1"),
        ("https://www.reddit.com/r/sub/comments/p006/title_of_p006/c0060/", "user0"),
    ]
    assert "Thread 4, first part" in str(undisturbed["twitter"])
    assert a_round(extrophi, platforms, 1, random.Random(1)) == undisturbed


@pytest.mark.soak
def test_twenty_kills_among_the_platforms_lose_and_double_nothing(extrophi: Running, platforms: Platforms) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    rng = random.Random(seed)
    undisturbed = a_round(extrophi, platforms, 2, None)
    for number in range(3, 23):
        assert a_round(extrophi, platforms, number, rng) == undisturbed
        print(f"round {number - 2}: identical", flush=True)
