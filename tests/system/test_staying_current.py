"""Sources are added, and what changes at them appears by itself, in an Extrophi as a person runs it."""

import json
from collections.abc import Iterator

import pytest

from tests.system.running import Running, events, eventually, up
from tests.web_server import Reply, WebServer, article, serving

pytestmark = pytest.mark.xdist_group("current")  # it has an `up` of its own, and mostly waits


@pytest.fixture(scope="module")
def extrophi() -> Iterator[Running]:
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8") as running:
        yield running


def feed(server: WebServer, *names: str) -> Reply:
    items = "".join(f"<item><title>{name}</title><link>{server.url(f'/news/{name}')}</link></item>" for name in names)
    return Reply(
        f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>", media_type="application/rss+xml"
    )


def scripted(text: str) -> Reply:
    """A page that says nothing until its script has run."""
    made = article("Made by a script", *[f"{text} Sentence {number} of it says a little more." for number in range(8)])
    return Reply(
        "<!doctype html><html><head><title>Made by a script</title></head><body><div id=root></div>"
        f"<script>document.getElementById('root').innerHTML = {json.dumps(str(made.body))};</script></body></html>"
    )


@pytest.mark.timeout(500)
def test_a_site_a_feed_and_a_page_that_needs_a_browser_stay_current(extrophi: Running) -> None:
    with serving(WebServer()) as server:
        links = "".join(f"<li><a href=/birds/{name}>All about the {name}</a></li>" for name in ("heron", "rail"))
        server.pages["/"] = Reply(f"<html><head><title>Birds</title></head><body><ul>{links}</ul></body></html>")
        for name in ("heron", "rail", "bittern"):
            server.pages[f"/birds/{name}"] = article(f"The {name}")
        for name in ("first", "second"):
            server.pages[f"/news/{name}"] = article(f"News: the {name}")
        server.pages["/feed.xml"] = feed(server, "first")
        server.pages["/app"] = scripted("The kingfisher dives.")

        targets = [server.url("/"), server.url("/feed.xml"), server.url("/app")]
        added = extrophi.cli("add", *targets, "--schedule", "1m")
        assert added.returncode == 0, added.stdout + added.stderr
        shown = {line.split("\t")[2]: line.split("\t") for line in extrophi.cli("sources").stdout.splitlines()[1:]}
        for target, documents in zip(targets, ("3", "1", "1"), strict=True):  # the front page, too
            _, platform, _, state, count, due, why = shown[target]
            assert (platform, state, count, why) == ("web", "collected", documents, "")
            assert due == "now" or due.endswith((" s", " min"))
        (made,) = [one for one in extrophi.get("/api/documents?limit=100")["items"] if one["external_id"] == targets[2]]
        assert made["has_screenshot"]
        picture = extrophi.client.get(f"/api/documents/{made['id']}/screenshot")
        assert (picture.headers["content-type"], picture.content[8:12]) == ("image/webp", b"WEBP")

        # All three change, and nobody asks for anything but to be told.
        with extrophi.client.stream("GET", "/api/events", timeout=200) as stream:
            more = links + "<li><a href=/birds/bittern>All about the bittern</a></li>"
            server.pages["/"] = Reply(f"<html><head><title>Birds</title></head><body><ul>{more}</ul></body></html>")
            server.pages["/feed.xml"] = feed(server, "second", "first")
            server.pages["/app"] = scripted("The kingfisher has caught a stickleback.")
            awaited = {
                ("document.created", server.url("/birds/bittern")),
                ("document.created", server.url("/news/second")),
                ("document.updated", targets[2]),
            }
            for name, data in events(stream.iter_lines()):
                awaited.discard((name, data.get("url")))
                if not awaited:
                    break
        assert not awaited

        def is_found() -> bool | None:  # by its word: by meaning, until then, another page may be
            found = extrophi.post("/api/search", {"query": "stickleback"})["items"]
            return (bool(found) and found[0]["citation"]["url"] == targets[2]) or None

        assert eventually(is_found)
        changed = extrophi.cli("diff", made["id"])
        assert "stickleback" in changed.stdout, changed.stderr

        # What is gone says so, and keeps what there was.
        server.pages["/app"] = Reply("Gone.", 410)
        gone = extrophi.cli("sources", "--state", "gone", "--json")
        assert json.loads(gone.stdout)["items"] == []

        def is_gone() -> dict | None:
            (found,) = [one for one in extrophi.get("/api/sources?limit=100")["items"] if one["target"] == targets[2]]
            return found if found["state"] == "gone" else None

        source = eventually(is_gone, seconds=150)
        assert source["next_run_at"] is None
        assert source["documents"] == 1
        assert "stickleback" in extrophi.get(f"/api/documents/{made['id']}")["text"]
