"""X's pages on loopback: a page whose own script asks for GraphQL answers, and for more when it is scrolled down.

As the real ones do, the script sends the cookie `ct0` along as a header, goes on by the cursor in the last answer, and
leads whoever is signed out to the login. Beside them are the two endpoints of embeds.
"""

import json
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.platforms.x import Sample

_PAGE = """<!doctype html><html><head><title>X</title></head><body><div id="posts"></div>
<img src="/avatar.png"><script>
const OPERATION = %(operation)s, SUBJECT = %(subject)s, BESIDE = %(beside)s, POLLS = %(polls)s;
let cursor = "", busy = false, ended = false;
const csrf = () => (document.cookie.match(/(?:^|; )ct0=([^;]*)/) || [])[1] || "";
async function more() {
  if (busy || ended) return;
  busy = true;
  const variables = encodeURIComponent(JSON.stringify({ subject: SUBJECT, count: 20, cursor }));
  const answer = await fetch(`/i/api/graphql/xYz-123/${OPERATION}?variables=${variables}`, {
    headers: { "x-csrf-token": csrf() },
  });
  if (answer.status === 401) { history.pushState({}, "", "/i/flow/login"); ended = true; return; }
  const text = await answer.text();
  let found = null;
  try { found = JSON.parse(text); } catch { /* shown as nothing */ }
  const next = text.match(/"cursorType":\\s*"Bottom"[^{}]*?"value":\\s*"([^"]+)"/);
  ended = !next || next[1] === cursor || answer.status !== 200;
  cursor = next ? next[1] : cursor;
  for (let number = 0; number < 20; number++) {
    const block = document.createElement("article");
    block.style.height = "200px";
    block.textContent = `${cursor} ${number}`;
    document.getElementById("posts").append(block);
  }
  busy = false;
}
async function begin() {
  const about = encodeURIComponent(JSON.stringify({ subject: SUBJECT }));
  const headers = { "x-csrf-token": csrf() };
  await fetch(`/i/api/graphql/aBc-1/Viewer?variables=${about}`, { headers });
  if (OPERATION.startsWith("UserTweets")) {
    await fetch(`/i/api/graphql/aBc-2/UserByScreenName?variables=${about}`, { headers });
  }
  for (const other of BESIDE) await fetch(`/i/api/graphql/aBc-3/${other}?variables=${about}`, { headers });
  if (POLLS) setInterval(() => fetch(`/i/api/graphql/aBc-4/BadgeCount?variables=${about}`, { headers }), 50);
  await more();
  addEventListener("scroll", () => { if (innerHeight + scrollY > document.body.scrollHeight - 800) more(); });
}
begin();
</script></body></html>"""
Answer = tuple[int, bytes, Mapping[str, str]]


@dataclass
class XWeb:
    """`pages` by operation and subject (a handle, an id, a query): the answers of a listing, one after the other.

    `users`: what `UserByScreenName` answers, by handle in lower case. `embeds` and `oembeds` by id.
    """

    auth_token: str
    ct0: str
    pages: dict[tuple[str, str], Sequence[Any]] = field(default_factory=dict[tuple[str, str], Sequence[Any]])
    users: dict[str, Any] = field(default_factory=dict[str, Any])
    embeds: dict[str, Any] = field(default_factory=dict[str, Any])
    oembeds: dict[str, Any] = field(default_factory=dict[str, Any])
    locked: bool = False
    limited: int | None = None
    """Epoch seconds until which every listing answers 429."""
    allowed: int | None = None
    """Answers of listings until then; any number, if None."""
    beside: Sequence[str] = ()
    """Operations that a page asks for besides."""
    polls: bool = False
    """Whether a page goes on asking for something else all the time."""
    forced: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What an operation answers, whatever is asked."""
    requests: Counter[str] = field(default_factory=Counter[str])
    """By operation, or path."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Answer:
        self.requests[path] += 1
        html = {"Content-Type": "text/html; charset=utf-8"}
        if path in {"/i/flow/login", "/account/access"}:
            return 200, b"<p>Who are you?</p>", html
        if cookies.get("auth_token") != self.auth_token:
            return 302, b"", {"Location": "/i/flow/login"}
        if self.locked:
            return 302, b"", {"Location": "/account/access"}
        match path.strip("/").split("/"):
            case [handle, "with_replies"]:
                operation, subject = "UserTweetsAndReplies", handle
            case ["i", "status", post]:
                operation, subject = "TweetDetail", post
            case ["i", "lists", name]:
                operation, subject = "ListLatestTweetsTimeline", name
            case ["search"]:
                operation, subject = "SearchTimeline", query["q"]
            case _:
                return 404, b"", html
        told = {"operation": operation, "subject": subject, "beside": [*self.beside], "polls": self.polls}
        named = {name: json.dumps(value) for name, value in told.items()}
        return 200, (_PAGE % named).encode(), html

    def graphql(self, operation: str, query: Mapping[str, str], cookies: Mapping[str, str], csrf: str) -> Answer:
        self.requests[operation] += 1
        if operation in self.forced:
            return self.forced[operation]
        if cookies.get("auth_token") != self.auth_token or not csrf or csrf != cookies.get("ct0"):
            return _json({"errors": [{"code": 32, "message": "Could not authenticate you."}]}, 401)
        variables = json.loads(query["variables"])
        if operation in {"Viewer", "BadgeCount", *self.beside}:
            return _json({"data": {"viewer": {}}})
        if operation == "UserByScreenName":
            return _json(self.users.get(variables["subject"], {"data": {"user": {"result": {"__typename": "User"}}}}))
        if self.allowed is not None:
            self.allowed -= 1
        if self.limited is not None and (self.allowed is None or self.allowed < 0):
            return 429, b"Rate limit exceeded", {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(self.limited)}
        answers = self.pages.get((operation, variables["subject"]), [])
        number = int(variables["cursor"].rpartition("-")[2] or 0)
        if number >= len(answers):
            return _json(timeline([], f"page-{number}"))  # the end: nothing but cursors
        answer = answers[number]
        return (200, answer, {}) if isinstance(answer, bytes) else _json(answer)

    def embed(self, path: str, query: Mapping[str, str]) -> Answer:
        self.requests[path] += 1
        if path == "/tweet-result":
            post, found = query["id"], self.embeds
            assert query["token"]
        else:
            post, found = query["url"].rpartition("/")[2], self.oembeds
        answer = found.get(post, 404)
        return (answer, b"{}", {}) if isinstance(answer, int) else _json(answer)


def _json(body: Any, status: int = 200) -> Answer:
    return status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"}


def entry(post: Sample, **content: Any) -> dict[str, Any]:
    item = {"itemType": "TimelineTweet", "__typename": "TimelineTweet", "tweet_results": {"result": post.graphql()}}
    named = {"entryType": "TimelineTimelineItem", "__typename": "TimelineTimelineItem"}
    return {
        "entryId": f"tweet-{post.id}",
        "sortIndex": post.id,
        "content": {**named, "itemContent": {**item, **content}},
    }


def bottom(cursor: str) -> dict[str, Any]:
    named = {"entryType": "TimelineTimelineCursor", "__typename": "TimelineTimelineCursor"}
    return {"entryId": f"cursor-bottom-{cursor}", "content": {**named, "cursorType": "Bottom", "value": cursor}}


def timeline(entries: Sequence[Any], cursor: str | None, *instructions: Any) -> dict[str, Any]:
    """An answer of a user's timeline; others differ in the names above its instructions alone."""
    added = [*entries, *([bottom(cursor)] if cursor else [])]
    told = [{"type": "TimelineClearCache"}, *instructions, {"type": "TimelineAddEntries", "entries": added}]
    return {"data": {"user": {"result": {"__typename": "User", "timeline": {"timeline": {"instructions": told}}}}}}


def timelines(posts: Sequence[Sample], size: int = 20) -> list[dict[str, Any]]:
    """Answers of so many posts each, newest first."""
    cut = [posts[start : start + size] for start in range(0, len(posts), size)]
    return [timeline([entry(post) for post in part], f"page-{number}") for number, part in enumerate(cut, 1)]


@contextmanager
def serving(web: XWeb) -> Generator[XWeb]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            cookies = {name: one.value for name, one in SimpleCookie(self.headers.get("Cookie", "")).items()}
            if "/graphql/" in parts.path:
                operation = parts.path.rpartition("/")[2]
                status, body, headers = web.graphql(operation, query, cookies, self.headers.get("x-csrf-token", ""))
            elif parts.path in {"/tweet-result", "/oembed"}:
                status, body, headers = web.embed(parts.path, query)
            else:
                status, body, headers = web.page(parts.path, query, cookies)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | dict(headers)).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """`requests` is the log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Browsers leave in the middle, and may."""

    with Server(("127.0.0.1", web.port), Handler) as listening:
        web.port = listening.server_address[1]
        running = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        running.start()
        try:
            yield web
        finally:
            listening.shutdown()
            running.join()
