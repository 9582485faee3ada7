"""The feed, read as feed readers read it."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import feedparser
import httpx
import pytest

from extrophi_backend.db import Connection
from extrophi_backend.feed import atom, sql
from extrophi_backend.feed.models import Entry, Wanted

WITHOUT_KEY = {"X-Extrophi-Without-Key": "1"}
ATOM = "{http://www.w3.org/2005/Atom}"


async def push(api: httpx.AsyncClient, *names: str, **more: Any) -> list[str]:
    items: list[str] = []
    for name in names:
        one = {"platform": "web", "external_id": name, "title": name, "text": f"{name} stands in the water."} | more
        answer = await api.post("/documents", json={"documents": [one]})
        answer.raise_for_status()
        items.append(answer.json()["items"][0]["id"])
    return items


async def read(api: httpx.AsyncClient, address: str = "/feed.atom", **headers: str) -> Any:
    answer = await api.get(address, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    parsed: Any = feedparser.parse(answer.content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    return parsed


def titles(parsed: Any) -> list[str]:
    return [entry.title for entry in parsed.entries]


async def make_token(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    made = await api.post("/feed-tokens", json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_feed_tells_what_was_collected_newest_first(api: httpx.AsyncClient) -> None:
    (heron,) = await push(
        api, "Heron & <co>", url="https://pond.example/h?a=1&b=ü", author="Ida Holm", language="en",
        published_at="2026-01-31T12:00:00Z", text="Herons \x01stand. " * 100, collection="birds",
    )  # fmt: skip
    await push(api, "pike", url="javascript:alert(1)", title="")
    parsed = await read(api)
    assert titles(parsed) == ["pike stands in the water.", "Heron & <co>"]
    entry = parsed.entries[1]
    assert entry.id == f"urn:uuid:{heron}"
    assert entry.author == "Ida Holm"
    assert entry.published == "2026-01-31T12:00:00Z"
    assert entry.link == "https://pond.example/h?a=1&b=%C3%BC"
    assert [(one.rel, one.href) for one in entry.links][1] == ("alternate", f"documents/{heron}")
    assert entry.summary.startswith("Herons stand. Herons")
    assert entry.summary.endswith("…")
    assert len(entry.summary) <= 501
    assert {one.term for one in entry.tags} == {"web", "birds"}
    assert [one.href for one in parsed.entries[0].links] == [f"documents/{UUID(parsed.entries[0].id[9:])}"]
    assert parsed.feed.id.startswith("urn:uuid:")
    assert parsed.feed.updated == parsed.entries[0].updated
    assert (await read(api)).feed.id == parsed.feed.id
    assert (await read(api, "/feed.atom?platform=web")).feed.id != parsed.feed.id


async def test_every_element_that_the_standard_asks_for_is_there_once(api: httpx.AsyncClient) -> None:
    await push(api, "heron", "pike")
    root = ET.fromstring((await api.get("/feed.atom")).content)
    for parent in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"{ATOM}{name}")) == 1
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    links = [(one.get("rel"), one.get("type"), one.get("hreflang")) for one in root.findall(f"{ATOM}link")]
    assert links == [("self", "application/atom+xml", None)]


async def test_pages_lead_to_all_there_is(api: httpx.AsyncClient) -> None:
    names = [f"n{n}" for n in range(7)]
    await push(api, *names, collection="birds")
    await push(api, "other")
    found: list[str] = []
    address: str | None = "/feed.atom?collection=birds&limit=3"
    while address:
        parsed = await read(api, address)
        found += titles(parsed)
        following = [one.href for one in parsed.feed.links if one.rel == "next"]
        address = f"/{following[0]}" if following else None
    assert found == names[::-1]


async def test_a_feed_may_be_filtered(api: httpx.AsyncClient, conn: Connection) -> None:
    (heron,) = await push(api, "heron", collection="birds")
    await push(api, "pike", collection="fish", platform="files")
    await conn.execute(
        """INSERT INTO sources (id, platform, target, typed, collection_id)
           SELECT '00000000-0000-7000-8000-00000000000a', 'web', 'pond', 'pond', id
             FROM collections WHERE name = 'birds'"""
    )
    await conn.execute(
        "INSERT INTO source_documents VALUES ('00000000-0000-7000-8000-00000000000a', $1::text::uuid)", heron
    )
    for query, expected in {
        "collection=birds": ["heron"],
        "platform=files": ["pike"],
        "platform=files&platform=web": ["pike", "heron"],
        "source_id=00000000-0000-7000-8000-00000000000a": ["heron"],
        "collection=birds&platform=files": [],
    }.items():
        assert titles(await read(api, f"/feed.atom?{query}")) == expected


async def test_who_has_it_already_is_told_so(api: httpx.AsyncClient, conn: Connection) -> None:
    await push(api, "heron")
    fresh = await api.get("/feed.atom")
    again = await api.get("/feed.atom", headers={"If-None-Match": f'"x", W/{fresh.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", fresh.headers["etag"])
    await push(api, "carp")
    both = await api.get("/feed.atom", headers={"If-None-Match": fresh.headers["etag"]})
    assert both.status_code == 200
    # What is deleted leaves the newest entry as it was: a date would tell nothing of it.
    await conn.execute("DELETE FROM documents WHERE title = 'heron' OR external_id = 'heron'")
    assert "last-modified" not in both.headers
    dated = await api.get("/feed.atom", headers={"If-None-Match": both.headers["etag"]})
    assert dated.status_code == 200
    head = await api.head("/feed.atom")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", dated.headers["etag"])
    await push(api, "pike")
    assert (await api.get("/feed.atom", headers={"If-None-Match": dated.headers["etag"]})).status_code == 200


async def test_an_empty_feed_is_a_feed(api: httpx.AsyncClient) -> None:
    parsed = await read(api)
    assert parsed.entries == []
    assert parsed.feed.updated


async def test_without_a_key_a_token_is_needed(
    api: httpx.AsyncClient, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await push(api, "heron")
    made = await make_token(api, name="my reader")
    token = made["token"]
    with caplog.at_level(logging.DEBUG):
        opened = await read(api, f"/feed.atom?token={token}", **WITHOUT_KEY)
        assert titles(opened) == ["heron"]
        # Whoever follows the feed's own links is still let in.
        assert f"token={token}" in opened.feed.links[0].href
        for address in ("/feed.atom", "/feed.atom?token=", "/feed.atom?token=wrong", f"/feed.atom?token={token[:-1]}"):
            refused = await api.get(address, headers=WITHOUT_KEY)
            assert (refused.status_code, refused.json()["code"]) == (403, "feed_token_refused")
        bad = await api.get(f"/feed.atom?token={token}&limit=0", headers=WITHOUT_KEY)
        assert bad.status_code == 422
        assert token not in refused.text + bad.text
    ours = [one.getMessage() for one in caplog.records if one.name != "httpx"]  # which is the test's own client
    assert token not in "".join(ours)
    assert await conn.fetchval("SELECT hash FROM feed_tokens") != token.encode()
    # A wrong one opens nothing to those who have a key, either.
    assert (await api.get("/feed.atom?token=wrong")).status_code == 403


async def test_a_revoked_token_opens_nothing(api: httpx.AsyncClient) -> None:
    made = [await make_token(api, name=name) for name in ("a", "b", "c")]
    (await api.get(f"/feed.atom?token={made[0]['token']}", headers=WITHOUT_KEY)).raise_for_status()
    first = (await api.get("/feed-tokens?limit=2")).json()
    rest = (await api.get("/feed-tokens", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["c", "b", "a"]
    assert "token" not in first["items"][0]
    assert rest["items"][0]["last_used_at"] is not None
    assert first["items"][0]["last_used_at"] is None
    assert (await api.delete(f"/feed-tokens/{made[0]['id']}")).status_code == 204
    assert (await api.delete(f"/feed-tokens/{made[0]['id']}")).status_code == 404
    assert (await api.get(f"/feed.atom?token={made[0]['token']}", headers=WITHOUT_KEY)).status_code == 403


async def test_a_token_of_some_collections_opens_no_others(api: httpx.AsyncClient) -> None:
    (both,) = await push(api, "heron", collection="birds")
    await push(api, "heron", collection="secret")
    await push(api, "pike", collection="fish")
    token = (await make_token(api, collections=["birds"]))["token"]
    for query in ("", "&collection=birds", "&collection=fish&collection=birds"):
        parsed = await read(api, f"/feed.atom?token={token}{query}", **WITHOUT_KEY)
        assert [entry.id for entry in parsed.entries] == [f"urn:uuid:{both}"]
        assert {one.term for one in parsed.entries[0].tags} == {"web", "birds"}
    assert titles(await read(api, f"/feed.atom?token={token}&collection=fish", **WITHOUT_KEY)) == []
    refused = await api.post("/feed-tokens", json={"collections": ["birds", "nowhere"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "collections")
    assert (await api.post("/feed-tokens", json={"collections": []})).status_code == 422


@pytest.mark.parametrize("cursor", ["x", base64.urlsafe_b64encode(b'["a","b"]').decode(), "WyIxIl0"])
async def test_a_cursor_that_was_not_given_out_is_refused(api: httpx.AsyncClient, cursor: str) -> None:
    assert (await api.get("/feed.atom", params={"cursor": cursor})).status_code == 422


def test_what_xml_cannot_hold_is_left_out() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    hostile = "a\x00\x08\x0b\ufffe\uffff\x1f]]>&<![CDATA[<b>\u2028\U0010ffff"
    entry = Entry(
        UUID(int=1), "web", hostile, f"http://x/{hostile}", hostile, hostile, moment, moment, f"x {hostile}", hostile,
        [hostile],
    )  # fmt: skip
    body = atom.write(
        [entry], identity=UUID(int=2), title=hostile, made_at=moment - timedelta(1), own="x?a&b", following=hostile
    )
    parsed: Any = feedparser.parse(body)
    assert not parsed.bozo
    root = ET.fromstring(body)
    assert root.findtext(f"{ATOM}entry/{ATOM}summary") == "a]]>&<![CDATA[<b>\u2028\U0010ffff"


async def test_many_readers_at_once_use_one_token(api: httpx.AsyncClient) -> None:
    token = (await make_token(api))["token"]
    answers = await asyncio.gather(*(api.get(f"/feed.atom?token={token}", headers=WITHOUT_KEY) for _ in range(10)))
    assert {one.status_code for one in answers} == {200}


async def test_a_page_is_read_by_its_index(conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]) -> None:
    before = (datetime.now(UTC), UUID(int=5))
    assert "documents_newest" in await plan(sql.newest(conn, Wanted(), before=before, limit=10, characters=10))
