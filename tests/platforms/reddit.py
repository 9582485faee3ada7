"""Reddit on loopback: its token, its API and its Atom feeds, over recorded and generated posts.

The forms are those of the recordings in tests/data/reddit, of www.reddit.com/dev/api, and of the feeds as
www.reddit.com gives them.
"""

import base64
import gzip
import html
import json
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATA = Path(__file__).parents[1] / "data" / "reddit"
TREE = "TestCommentForest.test_replace__skip_all"
SUBMITTED = "TestRedditorListings.test_submissions__new"
SEARCH = "TestSubreddit.test_search"
APP = ("an-app-of-mine", "its-secret-of-27-characters")
WINDOW_SECONDS = 300
_DEEPEST = 10
"""Levels of comments in one answer."""
_FLAT = 200
"""Comments that /api/morechildren gives at once."""


def recorded(name: str) -> Any:
    """The JSON that Reddit answered last in a recording."""
    cassette = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return json.loads(cassette["interactions"][-1]["response"]["body"]["string"])


_STRANGE = (None, True, -1, 1e400, 10**30, "", "x\x00\ud800", [], {}, [[]], [{"kind": "t9"}], {"data": None})


def mangled(answer: Any, seed: int, times: int) -> Any:
    """The answer with some of its parts gone, or of another type."""
    random = Random(seed)
    answer = json.loads(json.dumps(answer))
    for _ in range(times):
        at = answer
        for _ in range(random.randrange(1, 12)):
            keys = list(at) if isinstance(at, dict) else range(len(at))
            key = random.choice(keys) if keys else None
            if key is None:
                break
            if not isinstance(at[key], (dict, list)) or not at[key] or random.random() < 0.15:
                if random.random() < 0.4:
                    del at[key]
                else:
                    at[key] = random.choice(_STRANGE)
                break
            at = at[key]
    return answer


@dataclass
class Reply:
    status: int = 200
    body: bytes | str = b""
    media_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(status: int, reason: str = "") -> Reply:
    """As the API says no."""
    said = {"message": {403: "Forbidden", 404: "Not Found"}.get(status, "No"), "error": status}
    return Reply(status, json.dumps(said | ({"reason": reason} if reason else {})))


@dataclass
class Thread:
    """A post, its comments by id, and who answers whom, by fullname."""

    post: dict[str, Any]
    comments: dict[str, dict[str, Any]] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)

    def add(self, comment_id: str, body: str, parent: str = "", **more: Any) -> dict[str, Any]:
        """A comment; on the post, unless `parent` names another."""
        above = f"t1_{parent}" if parent else self.post["name"]
        comment = {
            "id": comment_id,
            "name": f"t1_{comment_id}",
            "link_id": self.post["name"],
            "parent_id": above,
            "author": f"writer_{comment_id}",
            "body": body,
            "created_utc": self.post["created_utc"] + len(self.comments) + 1.0,
            "edited": False,
            "score": len(self.comments),
            "score_hidden": False,
            "permalink": f"{self.post['permalink']}{comment_id}/",
        } | more
        self.comments[comment_id] = comment
        self.replies.setdefault(above, []).append(comment_id)
        self.post["num_comments"] = len(self.comments)
        return comment

    def below(self, name: str) -> int:
        """How many comments answer this, and each other."""
        waiting, number = [name], 0
        while waiting:
            answers = self.replies.get(waiting.pop(), [])
            number += len(answers)
            waiting += [f"t1_{one}" for one in answers]
        return number


def make_thread(post_id: str, *, subreddit: str = "selfhosted", comments: int = 0, **more: Any) -> Thread:
    """A post, with comments that answer it and each other: a third answers the post, a chain goes deep."""
    number = int(post_id, 36)
    post = {
        "id": post_id,
        "name": f"t3_{post_id}",
        "title": f"Title of {post_id}",
        "author": f"author_{number % 7}",
        "subreddit": subreddit,
        "selftext": f"Text of {post_id}.\n\nIt has a *second* paragraph.",
        "is_self": True,
        "created_utc": 1_700_000_000.0 + number,
        "edited": False,
        "num_comments": 0,
        "score": 5,
        "permalink": f"/r/{subreddit}/comments/{post_id}/title_of_{post_id}/",
        "url": f"https://www.reddit.com/r/{subreddit}/comments/{post_id}/title_of_{post_id}/",
        "removed_by_category": None,
    } | more
    thread = Thread(post)
    for at in range(comments):
        parent = "" if at % 3 == 0 else _name(at - 1) if at % 50 < 25 else _name(at // 3)
        thread.add(f"{post_id}{_name(at)}", f"Comment {at} on {post_id}.", f"{post_id}{parent}" if parent else "")
    return thread


def _name(at: int) -> str:
    return f"c{at:05d}"


@dataclass
class RedditServer:
    """`asked` counts by path, `log` has each request with its query. `lists` has the ids that a path lists."""

    threads: dict[str, Thread] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    page: int = 100
    """Entries of a list that one answer has at most: Reddit leaves some out after it has counted them."""
    answers: dict[str, Any] = field(default_factory=dict)
    """JSON by path of the API: recorded, or of a kind not seen before."""
    replies: dict[str, Reply] = field(default_factory=dict)
    """By path of the API or of the site, without `.rss`."""
    apps: dict[str, str] = field(default_factory=lambda: dict([APP]))
    refresh_tokens: set[str] = field(default_factory=set)
    feed_tokens: dict[str, str] = field(default_factory=dict)
    """By user."""
    tokens: list[str] = field(default_factory=list)
    token_answer: Reply | None = None
    remaining: int = 10_000
    """Requests that are left in the window: the one after the last is a 429."""
    shown: int = 500
    """Comments that the first answer has at most."""
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/www"

    @property
    def oauth_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/oauth"

    def add(self, thread: Thread, *paths: str) -> Thread:
        """A post, at the top of these lists."""
        self.threads[thread.post["id"]] = thread
        for path in paths:
            self.lists.setdefault(path, []).insert(0, thread.post["id"])
        return thread

    def add_recorded_tree(self, deeper: int) -> Any:
        """The recorded post with its comments, and so many generated ones below each branch that goes on."""
        answer = recorded(TREE)
        thread = Thread(answer[0]["data"]["children"][0]["data"])
        waiting = [answer[1]]
        while waiting:
            for thing in waiting.pop()["data"]["children"]:
                data = thing["data"]
                if thing["kind"] == "more":
                    parent = data["parent_id"].removeprefix("t1_")
                    for at in range(deeper):
                        thread.add(
                            f"{parent}{at}", f"Deeper {at} than {parent}.", f"{parent}{at - 1}" if at else parent
                        )
                else:
                    thread.comments[data["id"]] = {**data, "replies": ""}
                    thread.replies.setdefault(data["parent_id"], []).append(data["id"])
                    waiting += [data["replies"]] if data["replies"] else []
        self.threads[thread.post["id"]] = thread
        self.answers[f"/comments/{thread.post['id']}"] = answer
        return answer

    def reply(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Reply:
        parts = urlsplit(target)
        _, side, *rest = parts.path.split("/")
        path = "/" + "/".join(rest)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked[path] += 1
        self.log.append(target)
        if path == "/api/v1/access_token":
            return self._token(method, headers, body)
        if self.remaining <= 0:
            left = {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": str(WINDOW_SECONDS)}
            return Reply(429, "<html>Too Many Requests</html>", "text/html", left)
        self.remaining -= 1
        reply = self._of_api(path, query, headers) if side == "oauth" else self._of_site(path, query)
        used = {"x-ratelimit-remaining": f"{self.remaining}.0", "x-ratelimit-used": "1"}
        return Reply(
            reply.status,
            reply.body,
            reply.media_type,
            used | {"x-ratelimit-reset": str(WINDOW_SECONDS)} | dict(reply.headers),
        )

    def _token(self, method: str, headers: Mapping[str, str], body: str) -> Reply:
        if self.token_answer:
            return self.token_answer
        given = base64.b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        app, _, secret = given.partition(":")
        form = {name: values[-1] for name, values in parse_qs(body).items()}
        if method != "POST" or self.apps.get(app) != secret:
            return refusal(401)
        if form["grant_type"] == "refresh_token" and form["refresh_token"] not in self.refresh_tokens:
            return Reply(400, json.dumps({"error": "invalid_grant"}))
        self.tokens.append(f"token-{len(self.tokens)}")
        token = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 3600, "scope": "*"}
        return Reply(body=json.dumps(token))

    def _of_api(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        if headers.get("Authorization", "").removeprefix("bearer ") not in self.tokens:
            return refusal(401)
        if path in self.replies:
            return self.replies[path]
        assert query["raw_json"] == "1"
        answer = self._answer(path, query)
        return refusal(404) if answer is None else Reply(body=json.dumps(answer))

    def _answer(self, path: str, query: Mapping[str, str]) -> Any:
        if path in self.answers and "after" not in query:
            return self.answers[path]
        match path.split("/")[1:]:
            case ["comments", post_id] if post_id in self.threads:
                thread = self.threads[post_id]
                return [_listing([_thing("t3", thread.post)]), _listing(self._nested(thread, thread.post["name"]))]
            case ["comments", post_id, "_", comment_id]:
                return self._branch(self.threads[post_id], comment_id)
            case ["api", "morechildren"]:
                things = self._flat(self.threads[query["link_id"][3:]], query["children"].split(","))
                return {"json": {"errors": [], "data": {"things": things}}}
            case ["api", "info"]:
                ids = [one[3:] for one in query["id"].split(",")]
                return _listing([_thing("t3", self.threads[one].post) for one in ids if one in self.threads])
            case _:
                return self._page(path, query)

    def _page(self, path: str, query: Mapping[str, str]) -> Any:
        if path not in self.lists:
            return None
        ids, after = self.lists[path], query.get("after", "")[3:]
        start = ids.index(after) + 1 if after in ids else 0
        page = ids[start : start + min(self.page, int(query["limit"]))]
        more = bool(page) and start + len(page) < len(ids)
        return _listing([_thing("t3", self.threads[one].post) for one in page], f"t3_{page[-1]}" if more else None)

    def _branch(self, thread: Thread, comment_id: str) -> Any:
        left = [self.shown]
        inner = self._nested(thread, f"t1_{comment_id}", 1, left)
        comment = _thing("t1", thread.comments[comment_id] | {"depth": 0, "replies": _listing(inner) if inner else ""})
        return [_listing([_thing("t3", thread.post)]), _listing([comment])]

    def _nested(self, thread: Thread, parent: str, depth: int = 0, left: list[int] | None = None) -> list[Any]:
        left = left or [self.shown]
        found: list[Any] = []
        names = thread.replies.get(parent, [])
        for at, one in enumerate(names):
            if left[0] <= 0:
                found.append(_more(thread, parent, names[at:]))
                break
            left[0] -= 1
            inner: list[Any] = []
            if depth + 1 < _DEEPEST:
                inner = self._nested(thread, f"t1_{one}", depth + 1, left)
            elif thread.replies.get(f"t1_{one}"):
                inner = [
                    _thing("more", {"count": 0, "id": "_", "name": "t1__", "parent_id": f"t1_{one}", "children": []})
                ]
            replies = _listing(inner) if inner else ""
            found.append(_thing("t1", thread.comments[one] | {"depth": depth, "replies": replies}))
        return found

    def _flat(self, thread: Thread, children: Sequence[str]) -> list[Any]:
        """Each child with what answers it, in a row; the rest as hints."""
        found: list[Any] = []
        for child in children:
            waiting = [child]
            while waiting:
                one = waiting.pop()
                if one not in thread.comments:
                    continue
                comment = thread.comments[one]
                if len(found) >= _FLAT:
                    found.append(_more(thread, comment["parent_id"], [one]))
                    continue
                found.append(_thing("t1", comment | {"replies": ""}))
                waiting += reversed(thread.replies.get(f"t1_{one}", []))
        return found

    def _of_site(self, path: str, query: Mapping[str, str]) -> Reply:
        path = path.removesuffix(".rss").rstrip("/")
        if path in self.replies:
            return self.replies[path]
        if "feed" in query and self.feed_tokens.get(query.get("user", "")) != query["feed"]:
            return Reply(403, "<html>forbidden</html>", "text/html")
        post_id = path.removeprefix("/comments/")
        if path.startswith("/comments/"):
            if post_id not in self.threads:
                return refusal(404)
            thread = self.threads[post_id]
            latest = [*thread.comments.values()][: -int(query["limit"]) - 1 : -1]
            entries = [post_entry(thread.post), *(comment_entry(thread.post, one) for one in latest)]
        elif path in self.lists:
            ids = self.lists[path][: int(query["limit"])]
            entries = [self._entry(one) for one in ids]
        else:
            return Reply(404, "<html>not found</html>", "text/html")
        token = f"?feed={query['feed']}&amp;user={query['user']}" if "feed" in query else ""
        return Reply(body=feed(path, *entries, query=token), media_type="application/atom+xml; charset=UTF-8")

    def _entry(self, name: str) -> str:
        """A post by its id, or a comment by that and its own: `abc/def`."""
        post_id, _, comment_id = name.partition("/")
        thread = self.threads[post_id]
        return comment_entry(thread.post, thread.comments[comment_id]) if comment_id else post_entry(thread.post)


def _listing(children: list[Any], after: str | None = None) -> Any:
    return {"kind": "Listing", "data": {"modhash": None, "dist": len(children), "children": children, "after": after}}


def _thing(kind: str, data: Mapping[str, Any]) -> Any:
    return {"kind": kind, "data": dict(data)}


def _more(thread: Thread, parent: str, children: Sequence[str]) -> Any:
    count = sum(1 + thread.below(f"t1_{one}") for one in children)
    name = f"t1_{children[0]}"
    return _thing(
        "more", {"count": count, "id": children[0], "name": name, "parent_id": parent, "children": [*children]}
    )


def feed(path: str, *entries: str, query: str = "") -> str:
    """An Atom feed, as www.reddit.com writes it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:media="http://search.yahoo.com/mrss/"><updated>2026-01-01T00:00:00+00:00</updated>'
        f'<id>{path}/.rss{query}</id><link rel="self" href="https://www.reddit.com{path}/.rss{query}" '
        f'type="application/atom+xml" /><title>a list</title>{"".join(entries)}</feed>'
    )


def post_entry(post: Mapping[str, Any]) -> str:
    """A post in a feed: with a text of its own, or with a link."""
    permalink = f"https://www.reddit.com{post['permalink']}"
    written = f"<!-- SC_OFF -->{_markdown(post['selftext'])}<!-- SC_ON -->" if post["selftext"] else ""
    link = permalink if post["is_self"] else post["url"]
    content = (
        f'{written} &#32; submitted by &#32; <a href="https://www.reddit.com/user/{post["author"]}"> '
        f'/u/{post["author"]} </a> <br/> <span><a href="{html.escape(link)}">[link]</a></span> &#32; '
        f'<span><a href="{permalink}">[comments]</a></span>'
    )
    if not post["is_self"]:
        picture = f'<a href="{permalink}"> <img src="https://b.thumbs.redditmedia.com/x.jpg" alt="A title" /> </a>'
        content = f"<table> <tr><td> {picture} </td><td>{content}</td></tr></table>"
    return _entry(post, permalink, content, post["title"])


def comment_entry(post: Mapping[str, Any], comment: Mapping[str, Any]) -> str:
    """A comment in a feed."""
    content = f"<!-- SC_OFF -->{_markdown(comment['body'])}<!-- SC_ON -->"
    title = f"/u/{comment['author']} on {post['title']}"
    return _entry(comment, f"https://www.reddit.com{comment['permalink']}", content, title)


def _entry(thing: Mapping[str, Any], link: str, content: str, title: str) -> str:
    moment = datetime.fromtimestamp(thing["created_utc"], UTC).isoformat()
    name = f"<author><name>/u/{thing['author']}</name></author>"
    return (
        f'<entry>{name}<category term="x" label="r/x"/><content type="html">{html.escape(content)}</content>'
        f'<id>{thing["name"]}</id><link href="{link}" /><updated>{moment}</updated>'
        f"<published>{moment}</published><title>{html.escape(title)}</title></entry>"
    )


def _markdown(text: str) -> str:
    """As Reddit shows Markdown without any marks but blank lines."""
    paragraphs = "".join(f"<p>{html.escape(one)}</p>\n\n" for one in text.split("\n\n"))
    return f'<div class="md">{paragraphs}</div>'


@contextmanager
def serving(server: RedditServer) -> Generator[RedditServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            reply = server.reply(self.command, self.path, dict(self.headers.items()), body)
            content = reply.body.encode() if isinstance(reply.body, str) else reply.body
            self.send_response(reply.status)
            own = {"Content-Type": reply.media_type, "Content-Length": str(len(content))}
            for name, value in {**own, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815  their names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """`log` is the log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", server.port), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
