"""Recorded answers of the real X: every post in them, field by field against the recording itself."""

import gzip
import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from extrophi_backend.collectors.twitter.api_v2 import read_posts
from extrophi_backend.collectors.twitter.document import make_document
from extrophi_backend.collectors.twitter.graphql import read_timeline, unavailable_user
from extrophi_backend.collectors.twitter.models import Post, from_json, to_json

DATA = Path(__file__).parents[4] / "tests" / "data" / "twitter"
ANSWERS = ("graphql_search", "graphql_tweet_details", "graphql_user_tweets")
CASSETTES = ("api_v2_test_asyncclient_get_list_tweets", "api_v2_test_asyncclient_get_home_timeline")


def recorded(name: str) -> Any:
    return json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))


def cassette(name: str) -> Any:
    told = yaml.safe_load(gzip.decompress((DATA / f"{name}.yaml.gz").read_bytes()))
    return json.loads(told["interactions"][0]["response"]["body"]["string"])


def tweets(value: Any) -> Iterator[dict[str, Any]]:
    """All items of a timeline that are posts, in their order."""
    if isinstance(value, dict):
        if value.get("itemType") == "TimelineTweet":
            yield value["tweet_results"]["result"]
            return
        for one in value.values():
            yield from tweets(one)
    elif isinstance(value, list):
        for one in value:
            yield from tweets(one)


def shown(tweet: dict[str, Any]) -> str:
    """What X shows of a post's words, by the places that the recording gives for them."""
    legacy = tweet["legacy"]
    if long := tweet.get("note_tweet"):
        result = long["note_tweet_results"]["result"]
        text, links, end = result["text"], result["entity_set"].get("urls", []), len(result["text"])
    else:
        text, links, end = legacy["full_text"], legacy["entities"].get("urls", []), legacy["display_text_range"][1]
    written = list(text[:end])
    for link in links:
        start, stop = link["indices"]
        assert "".join(written[start:stop]) == link["url"]
        written[start:stop] = [link["expanded_url"], *[""] * (stop - start - 1)]
    said = "".join(written)
    return said if long else html.unescape(said)


def check(post: Post, tweet: dict[str, Any]) -> None:
    legacy, user = tweet["legacy"], tweet["core"]["user_results"]["result"]
    edits = tweet["edit_control"]
    ids = edits.get("edit_tweet_ids") or edits["edit_control_initial"]["edit_tweet_ids"]
    assert (post.id, post.version) == (ids[0], tweet["rest_id"])
    assert (post.author.id, post.author.handle) == (user["rest_id"], user["core"]["screen_name"])
    assert post.author.name == user["core"]["name"]
    assert post.text == shown(tweet)
    assert post.is_whole
    assert post.created_at == datetime.strptime(legacy["created_at"], "%a %b %d %H:%M:%S %z %Y")
    assert post.lang == legacy["lang"]
    assert post.reply_to == legacy.get("in_reply_to_status_id_str", "")
    assert post.reply_to_author.id == legacy.get("in_reply_to_user_id_str", "")
    assert post.reply_to_author.handle == legacy.get("in_reply_to_screen_name", "")
    assert legacy["conversation_id_str"] in ({post.conversation} if post.conversation else post.ids)
    media = legacy.get("extended_entities", {}).get("media", [])
    assert [(one.kind, one.url, one.alt) for one in post.media] == [
        (one["type"], one["media_url_https"], one.get("ext_alt_text", "")) for one in media
    ]
    words = {one["key"]: one["value"].get("string_value") for one in card_values(tweet)}
    if title := words.get("title"):
        assert post.card is not None
        assert (post.card.title, post.card.description) == (title, words.get("description", ""))
    if quoted := tweet.get("quoted_status_result"):
        assert post.quoted is not None
        check(post.quoted, quoted["result"])


def card_values(tweet: dict[str, Any]) -> list[dict[str, Any]]:
    return tweet.get("card", {}).get("legacy", {}).get("binding_values", [])


@pytest.mark.parametrize("name", ANSWERS)
def test_every_post_of_a_recorded_timeline_is_read_as_it_stands(name: str) -> None:
    answer = recorded(name)
    batch = read_timeline(answer, "https://x.com/target")
    assert batch is not None
    assert not batch.failures  # nothing in it is unknown
    expected = list(tweets(answer))
    assert [one.mark for one in batch.listed] == [tweet["rest_id"] for tweet in expected]
    for one, tweet in zip(batch.listed, expected, strict=True):
        original = tweet["legacy"].get("retweeted_status_result")
        check(one.piece.post, original["result"] if original else tweet)
        assert from_json(json.loads(json.dumps(to_json(one.piece.post)))) == one.piece.post


@pytest.mark.parametrize("name", ANSWERS)
def test_every_post_of_a_recorded_timeline_is_a_document_with_its_words_author_time_and_link(name: str) -> None:
    batch = read_timeline(recorded(name), "https://x.com/target")
    assert batch is not None
    for one in batch.listed:
        post = one.piece.post
        document = make_document(post.id, [post], "session", [one.piece], None)
        first, *others = document.anchors
        assert document.text.startswith(post.text)
        assert (document.author, document.published_at) == (f"@{post.author.handle}", post.created_at)
        assert document.url == f"https://x.com/{post.author.handle}/status/{post.version}"
        assert (first.offset, first.url, first.author) == (0, document.url, None)
        if post.quoted is not None:
            (quoted,) = others
            assert document.text[quoted.offset :].startswith(post.quoted.text)
            assert quoted.url == f"https://x.com/{post.quoted.author.handle}/status/{post.quoted.version}"
            assert (quoted.author, quoted.published_at) == (f"@{post.quoted.author.handle}", post.quoted.created_at)
            assert [block.start for block in document.blocks if block.begins] == [quoted.offset]


def test_the_thread_of_a_recorded_conversation_is_four_posts_and_a_cursor() -> None:
    batch = read_timeline(recorded("graphql_tweet_details"), "https://x.com/target")
    assert batch is not None
    own = [one.piece.post for one in batch.listed if one.piece.post.author.handle == "XDevelopers"]
    assert [post.continues_own for post in own] == [False, True, True, True]
    assert [post.reply_to for post in own[1:]] == [post.id for post in own[:-1]]
    assert batch.more


def test_a_pinned_post_and_one_of_a_module_say_where_they_stand() -> None:
    batch = read_timeline(recorded("graphql_user_tweets"), "https://x.com/target")
    assert batch is not None
    by_mark = {one.mark: one.order for one in batch.listed}
    assert by_mark["2019881223666233717"] == ""
    assert by_mark["2082640274845811115"] == by_mark["2082640276389249363"] == "2082640276389249363"
    orders = [one.order for one in batch.listed if one.order]
    assert orders == sorted(orders, reverse=True)


def test_a_user_that_is_there_is_no_reason_to_stop() -> None:
    assert unavailable_user(recorded("graphql_user_by_login")) is None
    assert read_timeline(recorded("graphql_user_by_login"), "") is None


@pytest.mark.parametrize("name", CASSETTES)
def test_every_post_of_a_recorded_answer_of_the_api_is_read_with_what_it_has(name: str) -> None:
    answer = cassette(name)
    batch = read_posts(answer, "https://x.com/i/lists/84839422")
    assert len(batch.listed) == answer["meta"]["result_count"] == len(answer["data"])
    assert batch.more == answer["meta"]["next_token"]
    assert not batch.failures
    for one, row in zip(batch.listed, answer["data"], strict=True):
        post = one.piece.post
        assert (one.mark, post.version, post.id) == (row["id"], row["id"], row["edit_history_tweet_ids"][0])
        assert post.text == html.unescape(row["text"])
        sent = ((int(row["id"]) >> 22) + 1_288_834_974_657) // 1000
        assert post.created_at == datetime.fromtimestamp(sent, UTC)
        document = make_document(post.id, [post], "api", [one.piece], None)
        assert document.text == post.text
        assert document.url == f"https://x.com/i/status/{row['id']}"
        assert not re.search(r"\s", document.title.replace(" ", ""))


def test_an_edited_post_is_known_by_its_first_form() -> None:
    batch = read_posts(cassette("api_v2_test_asyncclient_get_home_timeline"), "")
    edited = next(one.piece.post for one in batch.listed if one.mark == "1577162244978139137")
    assert edited.id == "1577158996984987648"
    assert edited.edits == ("1577158996984987648", "1577159100026490881", "1577162244978139137")
