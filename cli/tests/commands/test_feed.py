"""`extrophi feed` against a real front door, on loopback and off it."""

from urllib.parse import parse_qsl, urlsplit

import feedparser
import httpx

from cli.tests.support import Command
from tests.contracts.services import running


def titles(address: str) -> list[str]:
    """What a feed reader, which has no key, finds there."""
    answer = httpx.get(address, trust_env=False).raise_for_status()
    return [entry.title for entry in feedparser.parse(answer.content).entries]


def push(url: str, name: str, collection: str) -> None:
    one = {"platform": "files", "external_id": name, "title": name, "text": f"{name} waits.", "collection": collection}
    body = {"documents": [one]}
    httpx.post(f"{url}/api/documents", json=body, headers={"Authorization": "Bearer mine"}).raise_for_status()


def test_an_address_with_its_token_opens_the_feed_where_a_key_is_needed(database: str, extrophi: Command) -> None:
    with (
        running("backend", DATABASE_URL=database, EXTROPHI_SERVICE_KEY="inner") as backend,
        running(
            "orchestrator", BACKEND_URL=backend.url, EXTROPHI_SERVICE_KEY="inner", EXTROPHI_HOST="0.0.0.0",
            EXTROPHI_API_KEYS="mine",
        ) as front,
    ):  # fmt: skip
        there = ("--url", front.url, "--key", "mine")
        push(front.url, "heron", "birds")
        push(front.url, "pike", "fish")
        bare = extrophi("feed", *there)
        assert (bare.code, bare.out) == (0, f"{front.url}/api/feed.atom\n"), bare.err
        assert "--new-token" in bare.err
        assert httpx.get(bare.out.strip(), trust_env=False).status_code == 401
        everything = extrophi("feed", "--new-token", "all of it", *there)
        assert titles(everything.out.strip()) == ["pike", "heron"], everything.err
        made = extrophi("feed", "--collection", "birds", "--new-token", "my reader", "--json", *there).json()
        assert dict(parse_qsl(urlsplit(made["address"]).query)) == {"collection": "birds", "token": made["token"]}
        assert titles(made["address"]) == ["heron"]
        assert titles(f"{front.url}/api/feed.atom?token={made['token']}") == ["heron"]  # it opens no more than that

        head, reader, other = extrophi("feed", "--tokens", *there).out.splitlines()
        assert head.split("\t") == ["id", "name", "opens", "made", "used"]
        assert reader.split("\t")[:3] == [made["id"], "my reader", "birds"]
        assert other.split("\t")[1:3] == ["all of it", "all"]
        for told in (bare, everything, extrophi("feed", "--tokens", "--json", *there)):
            assert made["token"] not in told.out + told.err

        removed = extrophi("feed", "--remove-token", made["id"], *there)
        assert removed.code == 0, removed.err
        assert httpx.get(made["address"], trust_env=False).status_code == 403
        again = extrophi("feed", "--remove-token", made["id"], *there)
        assert (again.code, again.err.endswith("`extrophi feed --tokens` lists them.\n")) == (4, True)
        unknown = extrophi("feed", "--collection", "fowl", "--new-token", "none", *there)
        assert (unknown.code, "'fowl'" in unknown.err) == (4, True)
        assert len(extrophi("feed", "--tokens", "--json", *there).json()["items"]) == 1


def test_wrong_use_is_told_before_anything_is_asked(extrophi: Command) -> None:
    nowhere = ("--url", "http://127.0.0.1:1")
    for wrong in (
        ["--tokens", "--new-token", "x"],
        ["--tokens", "--platform", "web"],
        ["--remove-token", "x", "--tokens"],
    ):
        assert extrophi("feed", *wrong, *nowhere).code == 2
