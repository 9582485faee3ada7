"""What stands before the camera of docs/screenshots.py: platforms on loopback that speak of reading, and an Extrophi.

All people and sites are invented; the texts are those of examples/reading, and a few that answer them.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests import reading_site
from tests.chat_endpoint import ChatEndpoint
from tests.chat_endpoint import serving as serving_chat
from tests.desk.reading import QUESTION
from tests.platforms import reddit as reddit_server
from tests.platforms import x as x_server
from tests.platforms import youtube as youtube_server
from tests.platforms.reddit import RedditServer, make_thread
from tests.platforms.x import TOKEN, Sample, User, XServer, snowflake, thread
from tests.platforms.youtube import MadeTrack, MadeVideo, YouTubeServer, json3, video_id
from tests.system.running import REPO, Running, up
from tests.web_server import Reply, WebServer, serving

READING = REPO / "examples" / "reading"
SITE_PORT = 8402
HOST, KEY = "desk.localhost", "a-key-of-the-pictures"
POST = "1abcde"
VIDEO = video_id(1)
ANSWER = (
    "Long articles are read less on phones mainly because phones come out in short gaps, at the bus stop or in a queue [1]. ",
    "An article of twenty minutes does not fit into four, and each gap begins with a search for the place [2]. ",
    "A phone also interrupts the person who reads on it",
)


def slow(_: WebServer) -> Reply:
    time.sleep(30)
    return Reply("Gone to lunch.", 503, "text/plain")


def x() -> XServer:
    ruth = User("20", "ruth_reads", "Ruth Adeyemi")
    server = XServer()
    server.add(
        [
            *thread(
                ruth,
                datetime(2026, 9, 14, 8, tzinfo=UTC),
                "I finished four long articles on my phone this week, all of them in bed, none of them at a bus stop.",
                "The screen was the same size every time. What differed was whether the next five minutes were mine.",
                "So: a long article on a phone needs a reserved half hour more than it needs a larger screen.",
            ),
            Sample(
                snowflake(datetime(2026, 10, 2, 18, tzinfo=UTC)),
                ruth,
                "Whoever puts a progress bar on an article of forty minutes: please cut it into parts first.",
            ),
        ]
    )
    return server


def reddit() -> RedditServer:
    server = RedditServer(page=10)
    asked = make_thread(
        POST,
        subreddit="books",
        title="How do you finish long articles on your phone?",
        author="paper_lantern",
        selftext="I save everything and read nothing. Long articles on my phone die in the list.\n\nWhat works for you?",
        created_utc=1_789_000_000.0,
        score=212,
    )
    asked.add("k1", "Flight mode. A phone that cannot ring is a book with a battery.", author="marsh_keeper", score=148)
    asked.add(
        "k2", "Same here. It took me a week to stop glancing at the top of the screen.", "k1", author="jb", score=41
    )
    asked.add("k3", "And tell the two people who may need you to call.", "k2", author="marsh_keeper", score=12)
    asked.add(
        "k4",
        "I write one line about why I save it. No line, no saving. My list went from 400 articles to 31.",
        author="tomas_l",
        score=97,
    )
    asked.add("k5", "[deleted]", "k4", author="[deleted]", score=1)
    asked.add("k6", "Listening. Long articles fit the washing up.", author="amara", score=63)
    server.add(asked, "/r/books/new")
    return server


def youtube() -> YouTubeServer:
    said = [
        (0, "Good evening, and thank you for coming to the back room of a bookshop."),
        (6, "I want to talk about why long articles are left unfinished on phones."),
        (14, "We kept a notebook for six weeks, and the word that appears most is not bored."),
        (22, "It is lost: I lost my place."),
        (31, "A page holds still, and the sentence you read stays where it was while you think about it."),
        (40, "In a scrolling text every sentence has been everywhere."),
        (63, "So what helps a reader find the place again?"),
        (70, "A page that opens where she left it, headings she can recognise, and a sign of how far she has come."),
        (84, "A bookmark of cardboard does all three."),
    ]
    server = YouTubeServer()
    server.videos[VIDEO] = MadeVideo(
        title="Losing one's place: a talk on reading by scrolling",
        description="Given to the Lantern Street reading group.",
        author="Lantern Street",
        published="2026-05-08T19:00:00+00:00",
        seconds=96,
        tracks=[MadeTrack(json3(said))],
        chapters=[(0, "Welcome"), (22, "Lost"), (63, "What helps")],
    )
    server.add_channel("lantern", [VIDEO], "@lanternstreet")
    return server


@contextmanager
def stage() -> Generator[tuple[Running, str]]:
    """An Extrophi with nothing in it, and the address of the site."""
    ours, posts, threads, videos = WebServer(port=SITE_PORT, host="localhost"), x(), reddit(), youtube()
    app, secret = reddit_server.APP
    with (
        serving(ours),
        x_server.serving(posts),
        reddit_server.serving(threads),
        youtube_server.serving(videos),
        up(
            EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128",
            EXTROPHI_ALLOWED_HOSTS=HOST,
            EXTROPHI_API_KEYS=KEY,
            EXTROPHI_X_API_URL=posts.url,
            EXTROPHI_X_WEB_URL=posts.url,
            EXTROPHI_YOUTUBE_URL=videos.base,
            EXTROPHI_REDDIT_URL=threads.url,
            EXTROPHI_REDDIT_OAUTH_URL=threads.oauth_url,
            X_BEARER_TOKEN=TOKEN,
            REDDIT_CLIENT_ID=app,
            REDDIT_CLIENT_SECRET=secret,
        ) as running,
    ):
        reading_site.fill(ours)
        ours.pages |= {"/members": Reply("For members only.", 403, "text/plain"), "/archive": slow}
        yield running, ours.base


def fill(running: Running, address: str) -> None:
    """Collect from all of it."""
    targets = {
        f"{address}/sitemap.xml": "Lantern Street",
        "r/books": "",
        "youtube.com/@lanternstreet": "",
        "x.com/ruth_reads": "",
        f"{address}/members": "",
    }
    for target, title in targets.items():
        source = running.post("/api/sources", {"target": target} | ({"title": title} if title else {}))
        running.ended(source["last_job"]["id"])


@contextmanager
def chatting() -> Generator[tuple[Running, ChatEndpoint]]:
    """An Extrophi that answers by a chat model, which stops in the middle until it is let go on."""
    with (
        serving_chat() as model,
        up(CHAT_URL=model.url, CHAT_MODEL="qwen3:8b", EXTROPHI_FILES_ROOTS=str(REPO)) as running,
    ):
        model.reply, model.waits_after = ANSWER, len(ANSWER) - 1
        job = running.post("/api/jobs", {"target": str(READING)})
        running.ended(job["id"])
        yield running, model


def files() -> Iterator[Path]:
    yield from sorted(READING.glob("0[6-9]*"))


__all__ = ["HOST", "KEY", "QUESTION", "chatting", "files", "fill", "stage"]
