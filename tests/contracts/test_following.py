"""Events and the feed through the front door, as those outside reach them: with keys, and with a feed's token."""

import json
from collections.abc import Iterator

import feedparser
import httpx

from tests.contracts.services import running

KEY = {"Authorization": "Bearer mine"}


def told(lines: Iterator[str]) -> tuple[str, str, dict[str, object]]:
    """The next event's id, name and data."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and fields:
            return fields["id"], fields["event"], json.loads(fields["data"])
        if line and name:
            fields[name] = value
    raise AssertionError("the stream ended")


async def test_who_follows_from_outside_misses_nothing_and_a_feed_reader_needs_its_token(database: str) -> None:
    with (
        running("backend", DATABASE_URL=database, EXTROPHI_SERVICE_KEY="inner") as backend,
        running(
            "orchestrator", BACKEND_URL=backend.url, EXTROPHI_SERVICE_KEY="inner", EXTROPHI_HOST="0.0.0.0",
            EXTROPHI_API_KEYS="mine",
        ) as front,
    ):  # fmt: skip

        def push(name: str) -> None:
            body = {"documents": [{"platform": "files", "external_id": name, "title": name, "text": f"{name} waits."}]}
            front.client.post("/api/documents", json=body, headers=KEY).raise_for_status()

        assert front.client.get("/api/events").status_code == 401
        with front.client.stream("GET", "/api/events", headers=KEY) as stream:
            lines = stream.iter_lines()
            assert told(lines)[1] == "position"
            push("heron")
            last, name, data = told(lines)
            assert (name, data["title"]) == ("document.created", "heron")
        push("pike")
        with front.client.stream("GET", "/api/events", headers=KEY | {"Last-Event-ID": last}) as stream:
            lines = stream.iter_lines()
            assert told(lines)[1] == "position"
            assert told(lines)[2]["title"] == "pike"
        assert front.client.get("/api/events", headers=KEY | {"Last-Event-ID": "x"}).status_code == 422

        assert front.client.get("/api/feed.atom").status_code == 401
        refused = front.client.get("/api/feed.atom?token=wrong")
        assert (refused.status_code, refused.json()["code"]) == (403, "feed_token_refused")
        assert front.client.post("/api/feed-tokens", json={}).status_code == 401
        token = front.client.post("/api/feed-tokens", json={}, headers=KEY).json()["token"]
        reader = httpx.get(f"{front.url}/api/feed.atom?limit=1&token={token}", trust_env=False)
        parsed = feedparser.parse(reader.content)
        assert [entry.title for entry in parsed.entries] == ["pike"]
        (following,) = [link.href for link in parsed.feed.links if link.rel == "next"]
        older = feedparser.parse(httpx.get(f"{front.url}/api/{following}", trust_env=False).content)
        assert [entry.title for entry in older.entries] == ["heron"]
        assert front.client.get(f"/api/documents?token={token}").status_code == 401
        keyed = front.client.get("/api/feed.atom", headers=KEY)
        assert keyed.status_code == 200
        again = front.client.get("/api/feed.atom", headers=KEY | {"If-None-Match": keyed.headers["etag"]})
        assert again.status_code == 304
