"""Answers with parts missing, or of another type: read as far as they go, or refused by name. Never a crash."""

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.tests.collectors.twitter.samples import ALL
from backend.tests.collectors.twitter.test_recordings import ANSWERS, cassette, recorded
from backend.tests.collectors.twitter.test_ways import NOTES, archived
from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter.api_v2 import FIELDS, problems, read_posts, read_user
from extrophi_backend.collectors.twitter.archive import read_long, read_tweets
from extrophi_backend.collectors.twitter.document import make_document
from extrophi_backend.collectors.twitter.embed import read_embed, read_oembed
from extrophi_backend.collectors.twitter.graphql import read_timeline, unavailable_user
from extrophi_backend.collectors.twitter.merging import union
from extrophi_backend.collectors.twitter.models import Author, Batch, from_json, to_json
from extrophi_backend.collectors.twitter.reading import Unreadable, parsed
from extrophi_backend.collectors.twitter.threads import threads_of
from extrophi_backend.collectors.twitter.tweets import Unavailable
from tests.platforms.x import XServer

ANYTHING = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "\0", "\ud800", "9" * 20, "https://t.co/a", [], [None], {}, {"a": 1}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in items:
        found += places(one, (*path, name))
    return found


def broken(draw: st.DrawFn, text: str, paths: list[tuple[Any, ...]]) -> Any:
    """The same with some of its parts taken out, or replaced by anything."""
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 6))):
        path = draw(st.sampled_from(paths))
        holder = value
        try:
            for name in path[:-1]:
                holder = holder[name]
            if draw(st.booleans()):
                del holder[path[-1]]
            else:
                holder[path[-1]] = draw(ANYTHING)
        except (KeyError, IndexError, TypeError):
            continue  # what holds it is gone already
    return value


def check(batch: Batch) -> None:
    """What was read can be made a document, kept, and read again."""
    assert all(isinstance(one, Failure) and one.code for one in batch.failures)
    pieces = [*(one.piece for one in batch.listed), *batch.beside]
    posts = union(piece.post for piece in pieces)
    found = threads_of(posts, {})
    assert found.roots.keys() | found.loose.keys() == {post.id for post in posts}
    for post in posts:
        document = make_document(post.id, [post], "api", [piece for piece in pieces if piece.post.id == post.id], 0)
        document.text.encode()
        json.dumps(document.validators).encode()
        assert all(document.text[block.start : block.end].strip() for block in document.blocks)
        assert [anchor.offset for anchor in document.anchors] == sorted({one.offset for one in document.anchors})
        assert from_json(to_json(post)) == post


def api_answer() -> dict[str, Any]:
    server = XServer()
    server.add(ALL)
    (user,) = server.timelines
    _, answer, _ = server.answer(f"/2/users/{user}/tweets", {"max_results": "100", **FIELDS}, next(iter(server.tokens)))
    problem = {"resource_type": "tweet", "resource_id": "5", "parameter": "ids", "title": "Not Found Error"}
    return {**answer, "errors": [problem]}


TIMELINES = {name: json.dumps(recorded(name)) for name in ANSWERS}
PATHS = {name: places(json.loads(text)) for name, text in TIMELINES.items()}
API = [json.dumps(api_answer()), json.dumps(cassette("api_v2_test_asyncclient_get_list_tweets"))]
API_PATHS = [places(json.loads(text)) for text in API]
EMBEDS = [json.dumps(one.embed()) for one in ALL if not one.reposts]
EMBED_PATHS = [places(json.loads(text)) for text in EMBEDS]


@given(st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("name", ANSWERS)
def test_timelines(name: str, data: st.DataObject) -> None:
    answer = data.draw(st.composite(broken)(TIMELINES[name], PATHS[name]))
    if isinstance(answer, dict):
        unavailable_user(answer)
        batch = read_timeline(answer, "https://x.com/target")
        if batch is not None:
            check(batch)


@given(st.data())
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("number", range(len(API)))
def test_answers_of_the_api(number: int, data: st.DataObject) -> None:
    answer = data.draw(st.composite(broken)(API[number], API_PATHS[number]))
    if isinstance(answer, dict):
        read_user(answer)
        problems(answer)
        try:
            check(read_posts(answer, "https://x.com/target"))
        except Unreadable:
            assert not answer.keys() & {"data", "meta", "errors"}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_embeds(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(EMBEDS) - 1))
    answer = data.draw(st.composite(broken)(EMBEDS[number], EMBED_PATHS[number]))
    with suppress(Unreadable, Unavailable):
        check(read_embed(answer))
    with pytest.raises(Unreadable):
        read_oembed(answer)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_archives(data: st.DataObject) -> None:
    text = json.dumps([*(archived(one) for one in ALL), *NOTES])
    entries = data.draw(st.composite(broken)(text, places(json.loads(text))))
    if isinstance(entries, list):
        for piece in read_tweets(entries, Author("7", "ada"), Counter(), read_long(entries)):
            check(Batch(beside=[piece]))


NAMES = st.sampled_from("data errors includes meta instructions user result __typename tweet entries".split())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(NAMES, one)
    )
)
def test_any_json_at_all(value: Any) -> None:
    if not isinstance(value, dict):
        with pytest.raises(Unreadable):
            parsed(json.dumps(value))
        return
    unavailable_user(value)
    read_timeline(value, "")
    with suppress(Unreadable):
        read_posts(value, "")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[1]", b'"x"', b"[" * 100_000])
def test_what_is_no_json_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parsed(body)
