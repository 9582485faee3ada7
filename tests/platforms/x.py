"""X's API v2 on loopback, and posts to be served by it, by X's pages (x_web.py) or as embeds.

What each answers is as docs.x.com has it: fields that are asked for, expansions, pages, errors beside data, rate
headers, the month's usage. A post is written down once (`Sample`), and given in the form of any way in.
"""

import json
import re
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = f"{'A' * 21}MLheAAAAAAA0%2BuSeid%2BULvsea4JtiGRiSDSJSI%3D{'EUifiRBkKG5E2Xz' * 4}"
"""Shaped as real ones are."""
_EPOCH_MS = 1_288_834_974_657
_SHORT = re.compile(r"https://t\.co/\w+")


def snowflake(at: datetime, number: int = 0) -> str:
    return str((int(at.timestamp() * 1000) - _EPOCH_MS << 22) | number)


@dataclass(frozen=True)
class User:
    id: str
    handle: str
    name: str
    protected: bool = False


@dataclass(frozen=True)
class Sample:
    """A post. `text` has its short links as they stand; `links` says where they lead. `media`: kind, address, alt."""

    id: str
    user: User
    text: str
    links: Sequence[tuple[str, str]] = ()
    media: Sequence[tuple[str, str, str]] = ()
    poll: Sequence[str] = ()
    card: tuple[str, str, str] | None = None
    """Its short link, title and description."""
    answers: "Sample | None" = None
    conversation: str = ""
    quotes: "Sample | None" = None
    reposts: "Sample | None" = None
    edits: Sequence[str] = ()
    lang: str = "en"
    is_long: bool = False

    @property
    def plain(self) -> str:
        """As X shows it."""
        return _SHORT.sub(lambda found: dict(self.links).get(found[0], found[0]), self.text)

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(((int(self.id) >> 22) + _EPOCH_MS) // 1000, UTC)

    @property
    def address(self) -> str:
        return f"https://x.com/{self.user.handle}/status/{self.id}"

    @property
    def own_link(self) -> str:
        return f"https://t.co/m{self.id[-9:]}"

    @property
    def quote_link(self) -> str:
        return f"https://t.co/q{self.id[-9:]}"

    def written(self, *, quote: bool) -> str:
        """Escaped, with the short links at its end that X does not show. Of a long one, its beginning."""
        if self.reposts is not None:
            return f"RT @{self.reposts.user.handle}: {self.reposts.text}"[:139] + "…"
        text = self.text[:200] if self.is_long else self.text
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text += f" {self.own_link}" if self.media else ""
        return f"{text} {self.quote_link}" if quote and self.quotes is not None else text

    def v2(self) -> dict[str, Any]:
        """With all fields that there are; the server leaves out what is not asked for."""
        urls = [self._v2_link(short, address) for short, address in self.links]
        if self.media:
            picture = {"url": self.own_link, "expanded_url": f"{self.address}/photo/1", "media_key": f"3_{self.id}0"}
            urls.append(picture)
        urls += [{"url": self.quote_link, "expanded_url": self.quotes.address}] if self.quotes else []
        references = [("replied_to", self.answers), ("quoted", self.quotes), ("retweeted", self.reposts)]
        found: dict[str, Any] = {
            "id": self.id,
            "text": self.written(quote=True),
            "author_id": self.user.id,
            "created_at": self.created_at.isoformat().replace("+00:00", ".000Z"),
            "conversation_id": self.conversation or self.id,
            "lang": self.lang,
            "edit_history_tweet_ids": list(self.edits) or [self.id],
            "entities": {"urls": urls} if urls else None,
            "referenced_tweets": [{"type": kind, "id": one.id} for kind, one in references if one],
            "in_reply_to_user_id": self.answers.user.id if self.answers else None,
            "attachments": {
                name: keys
                for name, keys in {
                    "media_keys": [f"3_{self.id}{number}" for number, _ in enumerate(self.media)],
                    "poll_ids": [f"9{self.id[:17]}"] if self.poll else [],
                }.items()
                if keys
            },
            "note_tweet": {"text": self.text, "entities": {"urls": urls}} if self.is_long else None,
        }
        return {name: value for name, value in found.items() if value or name == "text"}

    def _v2_link(self, short: str, address: str) -> dict[str, Any]:
        title = {"title": self.card[1], "description": self.card[2]} if self.card and self.card[0] == short else {}
        return {"url": short, "expanded_url": address, "display_url": address[8:30], **title}

    def graphql(self) -> dict[str, Any]:
        """As `tweet_results.result` has it."""
        legacy: dict[str, Any] = {
            "id_str": self.id,
            "full_text": self.written(quote=False),
            "created_at": self.created_at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "conversation_id_str": self.conversation or self.id,
            "lang": self.lang,
            "user_id_str": self.user.id,
            "entities": {"urls": [{"url": short, "expanded_url": address} for short, address in self.links]},
        }
        if self.media:
            media = [
                {
                    "type": kind,
                    "media_url_https": address,
                    "url": self.own_link,
                    **({"ext_alt_text": alt} if alt else {}),
                }
                for kind, address, alt in self.media
            ]
            legacy["extended_entities"] = {"media": media}
        if self.answers:
            legacy |= {
                "in_reply_to_status_id_str": self.answers.id,
                "in_reply_to_user_id_str": self.answers.user.id,
                "in_reply_to_screen_name": self.answers.user.handle,
            }
        if self.quotes:
            legacy |= {"is_quote_status": True, "quoted_status_id_str": self.quotes.id}
        if self.reposts:
            legacy["retweeted_status_result"] = {"result": self.reposts.graphql()}
        found: dict[str, Any] = {
            "__typename": "Tweet",
            "rest_id": self.id,
            "core": {"user_results": {"result": self._graphql_user()}},
            "edit_control": {"edit_tweet_ids": list(self.edits) or [self.id]},
            "legacy": legacy,
        }
        if self.quotes:
            found["quoted_status_result"] = {"result": self.quotes.graphql()}
        if self.is_long:
            urls = legacy["entities"]["urls"]
            found["note_tweet"] = {"note_tweet_results": {"result": {"text": self.text, "entity_set": {"urls": urls}}}}
        if self.poll:
            found["card"] = self._card(
                f"poll{len(self.poll)}choice_text_only",
                {f"choice{number}_label": label for number, label in enumerate(self.poll, 1)}
                | {f"choice{number}_count": "17" for number, _ in enumerate(self.poll, 1)},
            )
        elif self.card:
            named = {"title": self.card[1], "description": self.card[2], "card_url": self.card[0]}
            found["card"] = self._card("summary", named)
        return found

    def _graphql_user(self) -> dict[str, Any]:
        core = {"screen_name": self.user.handle, "name": self.user.name}
        return {"__typename": "User", "rest_id": self.user.id, "core": core}

    @staticmethod
    def _card(name: str, words: dict[str, str]) -> dict[str, Any]:
        values = [{"key": key, "value": {"string_value": said, "type": "STRING"}} for key, said in words.items()]
        return {"rest_id": "card://1", "legacy": {"name": name, "binding_values": values}}

    def embed(self) -> dict[str, Any]:
        """As `tweet-result` has it."""
        found: dict[str, Any] = {
            "__typename": "Tweet",
            "id_str": self.id,
            "text": self.written(quote=True),
            "created_at": self.created_at.isoformat().replace("+00:00", ".000Z"),
            "lang": self.lang,
            "user": {"id_str": self.user.id, "screen_name": self.user.handle, "name": self.user.name},
            "edit_control": {"edit_tweet_ids": list(self.edits) or [self.id]},
            "entities": {
                "urls": [{"url": short, "expanded_url": address} for short, address in self.links]
                + ([{"url": self.quote_link, "expanded_url": self.quotes.address}] if self.quotes else []),
                "media": [{"url": self.own_link}] if self.media else [],
            },
            "mediaDetails": [
                {"type": kind, "media_url_https": address, **({"ext_alt_text": alt} if alt else {})}
                for kind, address, alt in self.media
            ],
        }
        if self.answers:
            found |= {
                "in_reply_to_status_id_str": self.answers.id,
                "in_reply_to_user_id_str": self.answers.user.id,
                "in_reply_to_screen_name": self.answers.user.handle,
                "parent": {key: value for key, value in self.answers.embed().items() if key != "parent"},
            }
        if self.quotes:
            found["quoted_tweet"] = self.quotes.embed()
        if self.is_long:
            found["note_tweet"] = {"id": "Tm90ZTox"}
        if self.poll:
            words = {f"choice{number}_label": {"string_value": label} for number, label in enumerate(self.poll, 1)}
            found["card"] = {"name": f"poll{len(self.poll)}choice_text_only", "binding_values": words}
        elif self.card:
            named = {"title": self.card[1], "description": self.card[2], "card_url": self.card[0]}
            words = {key: {"string_value": said, "type": "STRING"} for key, said in named.items()}
            found["card"] = {"name": "summary", "binding_values": words}
        return found


def thread(user: User, first: datetime, *texts: str, answers: Sample | None = None) -> list[Sample]:
    """Posts of which each answers the one before, a second apart."""
    made: list[Sample] = []
    for number, text in enumerate(texts):
        at = datetime.fromtimestamp(first.timestamp() + number, UTC)
        above = made[-1] if made else answers
        conversation = (above.conversation or above.id) if above else ""
        made.append(Sample(snowflake(at), user, text, answers=above, conversation=conversation))
    return made


@dataclass
class XServer:
    """`timelines` by user id, `lists` by id, `searches` by query: all newest first. `problems`: of posts, by id."""

    users: dict[str, User] = field(default_factory=dict[str, User])
    posts: dict[str, Sample] = field(default_factory=dict[str, Sample])
    timelines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    lists: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    searches: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    problems: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    users_missing: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    cap: int | None = None
    used: int = 0
    cap_reset_day: int = 10
    limits: dict[str, int] = field(default_factory=dict[str, int])
    """Requests that an endpoint still takes, by its path's end; then 429 until `resets_at`."""
    resets_at: int = 0
    answers: dict[str, tuple[int, Any, dict[str, str]]] = field(
        default_factory=dict[str, tuple[int, Any, dict[str, str]]]
    )
    """What is answered to a path whatever is asked, by how it begins."""
    broken: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What is answered instead of a listing's later page, by its token."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self, ending: str) -> int:
        return sum(path.endswith(ending) for path, _ in self.asked)

    def add(self, posts: Iterable[Sample], *, timeline: bool = True) -> None:
        """Know them, and what they refer to; list them, as newer than all that is listed."""
        for post in posts:
            for one in (post, post.answers, post.quotes, post.reposts):
                if one is not None:
                    self.posts.setdefault(one.id, one)
                    self.users.setdefault(one.user.handle.lower(), one.user)
            if timeline:
                self.timelines.setdefault(post.user.id, []).insert(0, post.id)

    def answer(self, path: str, query: dict[str, str], token: str) -> tuple[int, Any, dict[str, str]]:
        self.asked.append((path, query))
        forced = next((reply for begin, reply in self.answers.items() if path.startswith(begin)), None)
        if forced is not None:
            return forced
        if token not in self.tokens:
            problem = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
            return 401, problem, {}
        headers: dict[str, str] = {}
        for ending, left in self.limits.items():
            if path.endswith(ending):
                headers = {"x-rate-limit-limit": "900", "x-rate-limit-reset": str(self.resets_at)}
                if left <= 0 and time.time() < self.resets_at:
                    problem = {"title": "Too Many Requests", "type": "about:blank", "status": 429, "detail": "…"}
                    return 429, problem, headers | {"x-rate-limit-remaining": "0"}
                self.limits[ending] = left - 1
                headers["x-rate-limit-remaining"] = str(max(0, left - 1))
        return 200, self._body(path, query), headers

    def _body(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        match path.strip("/").split("/"):
            case ["2", "usage", "tweets"]:
                return {"data": self._usage()}
            case ["2", "users", "by", "username", handle]:
                return self._user(handle.lower())
            case ["2", "users", user, "tweets"]:
                return self._timeline(user, query)
            case ["2", "lists", name, "tweets"] if name in self.lists:
                return self._listing(self.lists[name], query, "pagination_token")
            case ["2", "lists", name, "tweets"]:
                return {"errors": [not_found("list", name, "id")]}
            case ["2", "tweets", "search", "recent"]:
                return self._listing(self._found(query["query"]), query, "next_token")
            case ["2", "tweets"]:
                return self._by_ids(query)
            case _:
                raise AssertionError(path)

    def _usage(self) -> dict[str, Any]:
        if self.cap is None:
            return {"project_id": "1"}
        counts = {"project_cap": str(self.cap), "project_usage": str(self.used)}
        return {"project_id": "1", "cap_reset_day": self.cap_reset_day, **counts}

    def _user(self, handle: str) -> dict[str, Any]:
        user = self.users.get(handle)
        if user is None:
            return {"errors": [self.users_missing.get(handle) or not_found("user", handle, "username")]}
        return {"data": {"id": user.id, "name": user.name, "username": user.handle, "protected": user.protected}}

    def _timeline(self, user: str, query: dict[str, str]) -> dict[str, Any]:
        if any(one.id == user and one.protected for one in self.users.values()):
            detail = f"Sorry, you are not authorized to see the user with id: [{user}]."
            return {"errors": [problem_of("not-authorized-for-resource", "Authorization Error", detail, "user")]}
        return self._listing(self.timelines.get(user, []), query, "pagination_token")

    def _found(self, query: str) -> list[str]:
        conversation = re.fullmatch(r"conversation_id:(\d+) from:(\w+)", query)
        if conversation is None:
            return self.searches.get(query, [])
        found = [
            post.id
            for post in self.posts.values()
            if post.user.handle == conversation[2] and post.conversation == conversation[1]
        ]
        return sorted(found, key=int, reverse=True)

    def _by_ids(self, query: dict[str, str]) -> dict[str, Any]:
        ids = query["ids"].split(",")
        assert len(ids) <= 100
        there = [self.posts[one] for one in ids if one in self.posts and one not in self.problems]
        errors = [
            self.problems.get(one) or not_found("tweet", one, "ids") for one in ids if one not in {p.id for p in there}
        ]
        body = self._with_includes(there, query)
        return ({"data": body.pop("data")} if there else {}) | body | ({"errors": errors} if errors else {})

    def _listing(self, ids: Sequence[str], query: dict[str, str], name: str) -> dict[str, Any]:
        if query.get(name) in self.broken:
            return self.broken[query[name]]
        most = int(query["max_results"])
        assert 1 <= most <= 100
        newer, older = int(query.get("since_id", 0)), int(query.get("until_id", 2**63))
        left = [one for one in ids if newer < int(one) < older]
        start = int(query.get(name, "p0")[1:])
        shown = left[start : start + most]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if shown:
            meta |= {"newest_id": max(shown, key=int), "oldest_id": min(shown, key=int)}
        if len(left) > start + most:
            meta["next_token"] = f"p{start + most}"
        body = self._with_includes([self.posts[one] for one in shown], query)
        return ({"data": body.pop("data")} if shown else {}) | body | {"meta": meta}

    def _with_includes(self, posts: Sequence[Sample], query: dict[str, str]) -> dict[str, Any]:
        asked = set(query.get("tweet.fields", "").split(",")) | {"id", "text", "edit_history_tweet_ids"}
        wanted = set(query.get("expansions", "").split(","))

        def shown(post: Sample) -> dict[str, Any]:
            return {name: value for name, value in post.v2().items() if name in asked}

        referenced = {
            one.id: one
            for post in posts
            for one in (post.answers, post.quotes, post.reposts)
            if one and "referenced_tweets.id" in wanted
        }
        errors = [
            {**self.problems[one], "parameter": "referenced_tweets.id", "resource_id": one}
            for one in referenced
            if one in self.problems
        ]
        given = {one: post for one, post in referenced.items() if one not in self.problems}
        users = {post.user.id: post.user for post in [*posts, *given.values()]}
        media = {
            f"3_{post.id}{number}": {
                "media_key": f"3_{post.id}{number}",
                "type": kind,
                **({"url": address} if kind == "photo" else {"preview_image_url": address}),
                **({"alt_text": alt} if alt else {}),
            }
            for post in [*posts, *given.values()]
            for number, (kind, address, alt) in enumerate(post.media)
        }
        polls = [
            {
                "id": f"9{post.id[:17]}",
                "options": [{"position": at, "label": label, "votes": 3} for at, label in enumerate(post.poll, 1)],
            }
            for post in posts
            if post.poll
        ]
        included = {
            "tweets": [shown(post) for post in given.values()],
            "users": [{"id": one.id, "username": one.handle, "name": one.name} for one in users.values()],
            "media": list(media.values()) if "attachments.media_keys" in wanted else [],
            "polls": polls if "attachments.poll_ids" in wanted else [],
        }
        self.used += len({post.id for post in [*posts, *given.values()]})
        body: dict[str, Any] = {"data": [shown(post) for post in posts]}
        if kept := {name: value for name, value in included.items() if value}:
            body["includes"] = kept
        return body | ({"errors": errors} if errors else {})


def problem_of(
    kind: str, title: str, detail: str, resource: str, value: str = "", parameter: str = ""
) -> dict[str, str]:
    return {
        "type": f"https://api.twitter.com/2/problems/{kind}",
        "title": title,
        "detail": detail,
        "resource_type": resource,
        "resource_id": value,
        "value": value,
        "parameter": parameter,
    }


def not_found(resource: str, value: str, parameter: str) -> dict[str, str]:
    detail = f"Could not find {resource} with {parameter}: [{value}]."
    return problem_of("resource-not-found", "Not Found Error", detail, resource, value, parameter)


def written_by(user: User, count: int, *, other: User, first: datetime) -> list[Sample]:
    """So many posts of a user, oldest first: threads of up to 30, answers to somebody else, quotes, media, long ones.

    No two runs of it differ.
    """
    before = datetime.fromtimestamp(first.timestamp() - 60, UTC)
    theirs = Sample(snowflake(before), other, "What do you think of herons?")
    made: list[Sample] = []

    def add(text: str, **more: Any) -> None:
        at = datetime.fromtimestamp(first.timestamp() + 60 * len(made), UTC)
        made.append(Sample(snowflake(at), user, text, **more))

    while len(made) < count:
        number = len(made)
        kind = ("alone", "thread", "answer", "quote", "media", "long", "link")[number * 7919 % 7]
        match kind:
            case "thread":
                add(f"Thread {number}, first part: a heron & its <nest>.")
                root = made[-1]
                for part in range(2, 2 + min(3 + number % 28, count - len(made))):
                    add(f"Thread {number}, part {part}.", answers=made[-1], conversation=root.id)
            case "answer":
                add(f"@{other.handle} Answer {number}.", answers=theirs, conversation=theirs.id)
            case "quote":
                add(f"Look at this, {number}:", quotes=theirs)
            case "media":
                add(f"Picture {number}", media=[("photo", f"https://pbs.twimg.com/media/{number}.jpg", "A heron")])
            case "long":
                add(f"Long {number}. " + "It goes on and on. " * 40, is_long=True)
            case "link":
                add(
                    f"Read https://t.co/l{number:09}",
                    links=[(f"https://t.co/l{number:09}", f"https://a.example/{number}")],
                )
            case _:
                add(f"Post {number}: 🪶 plain words.")
    return made[:count]


@contextmanager
def serving(server: XServer) -> Generator[XServer]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            with lock:
                status, body, headers = server.answer(parts.path, query, token)
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            own = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(content))}
            for name, value in (own | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """`asked` is the log."""

    with ThreadingHTTPServer(("127.0.0.1", server.port), Handler) as listening:
        server.port = listening.server_address[1]
        running = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        running.start()
        try:
            yield server
        finally:
            listening.shutdown()
            running.join()
