"""A library whose every field was written by somebody who means harm: collected from all platforms, and pushed in."""

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from tests.chat_endpoint import ChatEndpoint
from tests.chat_endpoint import serving as serving_chat
from tests.desk.hostile import ADDRESSES, ELEMENTS, VECTORS
from tests.platforms import reddit as reddit_server
from tests.platforms import x as x_server
from tests.platforms import youtube as youtube_server
from tests.platforms.reddit import RedditServer, make_thread
from tests.platforms.x import TOKEN, Sample, User, XServer, snowflake
from tests.platforms.youtube import MadeComment, MadeTrack, MadeVideo, YouTubeServer, json3, video_id
from tests.system.running import Running, eventually, up
from tests.web_server import Reply, WebServer
from tests.web_server import serving as serving_web

PLATFORMS = ("twitter", "youtube", "reddit", "web", "files")
LOT = 5
"""So many documents, one of each platform, share a word that nothing else has: they are found together."""
_PUSHED = ("hostile-", "https://pages.example/")
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = (
    "amber basin cedar delta ember fjord grove hazel inlet jetty knoll lagoon marsh nettle osier plover quarry reed "
    "sedge tarn upland vale willow yarrow zephyr alder birch clover dune estuary"
).split()


@dataclass(frozen=True)
class HostileLibrary:
    running: Running
    model: ChatEndpoint
    documents: list[dict[str, Any]]
    """All that there is, as the list tells it."""

    @property
    def originals(self) -> list[dict[str, Any]]:
        """What was fetched from somewhere, not pushed in: those have one."""
        return [one for one in self.documents if not one["external_id"].startswith(_PUSHED)]


def vector(number: int) -> str:
    return VECTORS[number % len(VECTORS)]


def address(number: int) -> str:
    return ADDRESSES[number % len(ADDRESSES)]


def lot(number: int) -> str:
    return f"lampreylot{number // LOT:03d}"


def pushed(platform: str) -> list[dict[str, Any]]:
    """Each vector as a title, an author, in the text, and as what a comment, a post or a caption says, and by whom."""
    documents: list[dict[str, Any]] = []
    for number, evil in enumerate(VECTORS):
        words = random.Random(number).sample(_WORDS, 10)
        mine = lot(number) if platform == PLATFORMS[number % len(PLATFORMS)] else f"{platform} lamprey"
        first = f"The {mine} swims past {' '.join(words[:5])} and rests near {' '.join(words[5:])}. {evil}"
        other = vector(number + 1)
        text = f"{first}\n\n{other}\n\n# {vector(number + 2)}\n\n- {vector(number + 3)}"
        second = len(first) + 2
        place: dict[str, Any] = {"url": address(number), "author": evil, "published_at": "2026-01-31T12:00:00Z"}
        if platform == "youtube":
            place = {"seconds": 61}
        elif platform == "reddit":
            place |= {"depth": 0}
        elif platform == "files":
            place = {"page": 3}
        documents.append(
            {
                "platform": platform,
                "external_id": f"hostile-{number}",
                "title": evil,
                "author": other,
                "url": address(number),
                "published_at": (_BEGAN + timedelta(hours=number)).isoformat(),
                "language": "en",
                "format": ("text", "markdown", "html")[number % 3],
                "text": text,
                "anchors": [[0, {}], [second, place]],
                "blocks": [[0, len(first), 0], [second, second + len(other), 0]],
            }
        )
    return documents


def extracted() -> list[dict[str, Any]]:
    """HTML and Markdown whose parts are found by us."""
    return [
        {
            "platform": "web",
            "external_id": f"https://pages.example/{kind}/{number}",
            "format": kind,
            "text": f"<h1>Weirs {number}</h1><p>Lampreys pass weir {number}.</p>{evil}<p>{escape(evil)}</p>"
            if kind == "html"
            else f"# Weirs {number} {evil}\n\n{evil}\n\n[x]({address(number)}) ![x]({address(number)})",
            "title": f"Weirs {number} {evil}",
        }
        for number, evil in enumerate(VECTORS)
        for kind in [("html", "markdown")[number % 2]]
    ]


def _posts() -> XServer:
    server = XServer()
    for number in range(0, len(VECTORS), 3):
        evil = vector(number)
        user = User(str(1000 + number), f"evil{number}", vector(number + 1))
        short = f"https://t.co/hostile{number:03d}"
        server.add(
            [
                Sample(
                    snowflake(_BEGAN + timedelta(minutes=number)),
                    user,
                    f"Post {number}: {evil} {vector(number + 1)} {vector(number + 2)} {short}",
                    links=[(short, address(number))],
                    media=[("photo", address(number), evil)] if number % 2 == 0 else (),
                    poll=[evil, vector(number + 1)] if number % 4 == 1 else (),
                    card=(short, evil, vector(number + 2)) if number % 4 == 3 else None,
                    lang=("en", evil[:10])[number % 2],
                )
            ]
        )
    server.lists["66"] = list(reversed(server.posts))
    return server


def _videos() -> YouTubeServer:
    server = YouTubeServer()
    ids: list[str] = []
    for at in range(0, len(VECTORS), 10):
        some = [vector(number) for number in range(at, at + 10)]
        one = video_id(at, "h")
        ids.append(one)
        server.videos[one] = MadeVideo(
            title=some[0],
            description="\n".join([*some[:4], "0:00 " + some[4], "0:10 " + some[5], "0:20 " + some[6], *ADDRESSES[:5]]),
            author=some[1],
            chapters=[(0, some[4]), (10, some[5]), (20, some[6])],
            tracks=[MadeTrack(json3([(3.0 * second, said) for second, said in enumerate(some)]))],
            comments=[
                MadeComment(f"c{at + number}", said, author=vector(at + number + 1)) for number, said in enumerate(some)
            ],
        )
    server.playlists["PLhostile00000000"] = ids
    return server


def _threads() -> RedditServer:
    server = RedditServer()
    for at in range(0, len(VECTORS), 5):
        some = [vector(number) for number in range(at, at + 5)]
        post = make_thread(
            f"h{at:04d}",
            subreddit="hostile",
            title=some[0],
            selftext="\n\n".join([*some, f"[x]({address(at)})"]),
            author=some[1],
            link_flair_text=some[2],
            author_flair_text=some[3],
            url=address(at),
        )
        for number, said in enumerate(some):
            post.add(f"h{at:04d}c{number}", said, author=vector(at + number + 1), author_flair_text=said)
        server.add(post, "/r/hostile/new")
    return server


def _pages() -> WebServer:
    """Each vector in a page's markup as it is, and in its fields as a page that means well would have it."""
    server = WebServer()
    told = "".join(
        f"<p>Lampreys pass the weir at night, when the water is high, in paragraph {n}.</p>" for n in range(5)
    )
    for number, evil in enumerate(VECTORS):
        safe = escape(evil)
        ld = json.dumps({"@type": "Article", "headline": evil, "author": {"name": evil}}).replace("</", "<\\/")
        server.pages[f"/{number}"] = Reply(
            f"<!doctype html><html lang=en><head><title>{number} {safe}</title><meta name=author content='{safe}'>"
            f"<meta property=og:title content='{safe}'><link rel=canonical href='{escape(address(number))}'>"
            f"<script type=application/ld+json>{ld}</script></head><body><main><article><h1>{number} {safe}</h1>"
            f"{told}<p>{safe}</p><blockquote>{safe}</blockquote><p><a href='{escape(address(number))}'>{safe}</a></p>"
            f"</article></main>{evil}</body></html>"
        )
    inner = "".join(f"<p>{escape(one)}</p>" for one in VECTORS)
    server.pages["/made/parts"] = Reply(f"<article><h1>Made here</h1>{told}{inner}</article>")
    server.pages["/made"] = Reply(
        "<!doctype html><html><head><title>Made here</title></head><body><div id=root></div>"
        "<script>fetch('/made/parts').then((answer) => answer.text()).then((text) => {"
        " document.getElementById('root').innerHTML = text; });</script></body></html>"
    )
    return server


def _files(folder: Path) -> None:
    for number, evil in enumerate(ELEMENTS):
        name = "".join(one for one in evil if one.isprintable() and one != "/")[:60]
        linked = f"[x]({address(number)}) ![x]({address(number)}) <{address(number)}>"
        ending, text = (
            ("md", f"# {evil}\n\n{evil}\n\n{linked}\n"),
            ("html", f"<title>{escape(evil)}</title><h1>Weir {number}</h1><p>Lampreys pass it.</p>{evil}"),
            ("txt", f"{evil}\n\n{address(number)}\n"),
        )[number % 3]
        (folder / f"{number} {name}.{ending}").write_text(text, encoding="utf-8")
    (folder / "picture.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg' onload='window.ran=1'><script>window.ran=1</script></svg>",
        encoding="utf-8",
    )


@contextmanager
def hostile_library(folder: Path) -> Iterator[HostileLibrary]:
    """All of it in an Extrophi of its own, which answers by a chat model that says what it is told to."""
    client_id, client_secret = reddit_server.APP
    posts, videos, threads, pages = _posts(), _videos(), _threads(), _pages()
    _files(folder)
    with ExitStack() as stack:
        model = stack.enter_context(serving_chat())
        stack.enter_context(x_server.serving(posts))
        stack.enter_context(youtube_server.serving(videos))
        stack.enter_context(reddit_server.serving(threads))
        stack.enter_context(serving_web(pages))
        running = stack.enter_context(
            up(
                CHAT_URL=model.url,
                CHAT_MODEL="small-chat",
                EXTROPHI_FETCH_ALLOW="127.0.0.0/8",
                EXTROPHI_FILES_ROOTS=str(folder),
                EXTROPHI_X_API_URL=posts.url,
                EXTROPHI_X_WEB_URL=posts.url,
                EXTROPHI_YOUTUBE_URL=videos.base,
                EXTROPHI_REDDIT_URL=threads.url,
                EXTROPHI_REDDIT_OAUTH_URL=threads.oauth_url,
                X_BEARER_TOKEN=TOKEN,
                REDDIT_CLIENT_ID=client_id,
                REDDIT_CLIENT_SECRET=client_secret,
            )
        )
        for platform in PLATFORMS:
            running.post("/api/documents", {"documents": pushed(platform)})
        running.post("/api/documents", {"documents": extracted()})
        targets = [
            "https://x.com/i/lists/66",
            "https://www.youtube.com/playlist?list=PLhostile00000000#comments",
            "r/hostile",
            str(folder),
            *(pages.url(path) for path in pages.pages if path != "/made/parts"),
        ]
        jobs = [running.post("/api/jobs", {"target": target, "limit": 1000}) for target in targets]
        for job in jobs:
            ended = running.ended(job["id"], seconds=400)
            assert ended["status"] in {"succeeded", "partial"}, ended
        eventually(lambda: running.post("/api/search", {"query": lot(len(VECTORS) - 1)})["items"] or None)
        yield HostileLibrary(running, model, list(_all(running)))


def _all(running: Running) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        listed = running.client.get(
            "/api/documents", params={"limit": 100} | ({"cursor": cursor} if cursor else {})
        ).json()
        yield from listed["items"]
        cursor = listed["next_cursor"]
        if cursor is None:
            return
