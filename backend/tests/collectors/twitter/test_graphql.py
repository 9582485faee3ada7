"""Parts of X's timelines that the recordings do not have: what is not shown, what is put between, what nobody knows."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import BEN, LINK, POLL, QUOTE, REPOST, SILENT, THEIRS, THREAD, post
from extrophi_backend.collectors.twitter.document import make_document
from extrophi_backend.collectors.twitter.graphql import read_timeline, unavailable_user
from extrophi_backend.collectors.twitter.models import Batch
from extrophi_backend.collectors.twitter.tweets import read_tweet
from tests.platforms.x import Sample
from tests.platforms.x_web import bottom, entry, timeline

TARGET = "https://x.com/ben_w"


def read(*entries: Any, instructions: tuple[Any, ...] = ()) -> Batch:
    batch = read_timeline(timeline(entries, None, *instructions), TARGET)
    assert batch is not None
    return batch


def with_result(result: Any, name: str = "tweet-1649191520250245121") -> dict[str, Any]:
    made = entry(THEIRS)
    made["entryId"] = name
    made["content"]["itemContent"]["tweet_results"] = {"result": result}
    return made


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("This Post was deleted by the Post author. Learn more", "removed"),
        ("This Post is from a suspended account. Learn more", "suspended"),
        ("This Post is from an account that no longer exists. Learn more", "not_found"),
        ("You’re unable to view this Post because this account owner limits who can view their Posts.", "protected"),
        ("This Post violated the X Rules. Learn more", "removed"),
        ("Age-restricted adult content. This content might not be appropriate for people under 18.", "age_restricted"),
        ("This Post from @ben_w has been withheld in Germany in response to a legal demand.", "withheld"),
        ("This Post is unavailable. Learn more", "not_found"),
        ("", "not_found"),
    ],
)
def test_what_stands_in_a_posts_place_is_a_failure_with_its_reason(said: str, code: str) -> None:
    tombstone = {"__typename": "TweetTombstone", "tombstone": {"text": {"text": said, "entities": []}}}
    batch = read(with_result(tombstone), entry(THREAD[0]))
    assert [one.mark for one in batch.listed] == [THREAD[0].id]
    (failure,) = batch.failures
    assert (failure.target, failure.code) == ("https://x.com/i/status/1649191520250245121", code)
    assert batch.missing == {"1649191520250245121": code}
    older = {"entryId": "tweet-5", "content": {"entryType": "TimelineTimelineItem", "itemContent": {
        "itemType": "TimelineTombstone", "tombstoneInfo": {"richText": {"text": said}}}}}  # fmt: skip
    assert [one.code for one in read(older).failures] == [code]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Suspended", "suspended"),
        ("Protected", "protected"),
        ("NsfwLoggedOut", "age_restricted"),
        ("Other", "not_found"),
    ],
)
def test_an_unavailable_post_or_user_says_why(reason: str, code: str) -> None:
    (failure,) = read(with_result({"__typename": "TweetUnavailable", "reason": reason})).failures
    assert failure.code == code
    user = {"data": {"user": {"result": {"__typename": "UserUnavailable", "reason": reason}}}}
    told = unavailable_user(user)
    assert told is not None
    assert told[0] == code


@pytest.mark.parametrize("answer", [{"data": {}}, {"data": {"user": {}}}, {"data": {"user": {"result": None}}}])
def test_a_user_that_is_not_in_the_answer_is_not_found(answer: dict[str, Any]) -> None:
    told = unavailable_user(answer)
    assert told is not None
    assert told[0] == "not_found"


def test_a_post_that_not_everybody_may_answer_is_unwrapped() -> None:
    limited = {"__typename": "TweetWithVisibilityResults", "tweet": THEIRS.graphql(), "limitedActionResults": {}}
    assert read(with_result(limited)).listed[0].piece.post.text == THEIRS.text


def test_what_x_puts_between_is_passed_over_and_what_is_new_is_counted() -> None:
    def item(kind: str, name: str = "x-1") -> dict[str, Any]:
        return {"entryId": name, "content": {"entryType": "TimelineTimelineItem", "itemContent": {"itemType": kind}}}

    promoted = entry(THEIRS, promotedMetadata={"advertiser_results": {}})
    item_of_theirs = {"entryId": "a-tweet-1", "item": entry(THEIRS)["content"]}
    related = {"entryType": "TimelineTimelineModule", "items": [item_of_theirs]}
    module = {"entryId": "tweetdetailrelatedtweets-1", "content": related}
    batch = read(
        entry(THREAD[0]),
        promoted,
        module,
        item("TimelineUser"),
        item("TimelineMessagePrompt"),
        item("TimelineFoo"),
        item("TimelineFoo"),
        with_result({"__typename": "TweetBar"}),
        {"entryId": "?", "content": {"entryType": "TimelineQux"}},
        instructions=({"type": "TimelineShowAlert"}, {"type": "TimelineBaz"}),
    )
    assert [one.mark for one in batch.listed] == [THREAD[0].id]
    assert {(one.target, one.code) for one in batch.failures} == {(TARGET, "unknown_part")}
    assert [one.detail for one in batch.failures] == [
        "1 part of the kind “TimelineBaz” is not known to Extrophi, and was passed over.",
        "2 parts of the kind “TimelineFoo” are not known to Extrophi, and were passed over.",
        "1 part of the kind “TimelineQux” is not known to Extrophi, and was passed over.",
        "1 part of the kind “TweetBar” is not known to Extrophi, and was passed over.",
    ]


def test_posts_that_are_added_to_a_module_or_replaced_are_read() -> None:
    item = {"entryId": f"conversationthread-1-tweet-{THEIRS.id}", "item": entry(THEIRS)["content"]}
    batch = read(
        instructions=(
            {"type": "TimelineAddToModule", "moduleItems": [item]},
            {"type": "TimelineReplaceEntry", "entry": bottom("next")},
            {"type": "TimelinePinEntry", "entry": entry(THREAD[0])},
        )
    )
    assert [(one.mark, one.order) for one in batch.listed] == [(THEIRS.id, THEIRS.id), (THREAD[0].id, "")]
    assert batch.more == "next"


@pytest.mark.parametrize("text", [None, 7, ["x"]])
def test_a_post_without_words_is_counted_and_one_of_media_alone_has_none(text: Any) -> None:
    broken, quoting = THEIRS.graphql(), QUOTE.graphql()
    for one in (broken, quoting["quoted_status_result"]["result"]):
        one["legacy"] = {name: value for name, value in one["legacy"].items() if name != "full_text"}
        one["legacy"] |= {} if text is None else {"full_text": text}
    batch = read(with_result(broken), with_result(quoting), entry(replace(SILENT, media=())))
    assert [one.piece.post.text for one in batch.listed] == ["Look at this:", ""]
    quoted = batch.listed[0].piece.post.quoted
    assert quoted is not None
    assert (quoted.id, quoted.missing) == (THEIRS.id, "not_found")
    assert [one.detail for one in batch.failures] == [
        "2 parts of the kind “post without an id or a text” are not known to Extrophi, and were passed over."
    ]


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"__typename": "UserUnavailable"}, "author UserUnavailable"),
        ({"__typename": "User", "rest_id": BEN.id, "names": {"screen_name": BEN.handle}}, "author User"),
        ({}, "author without a name"),
    ],
)
def test_a_post_whose_author_is_not_told_is_kept_and_counted(user: dict[str, Any], kind: str) -> None:
    tweet = THEIRS.graphql() | {"core": {"user_results": {"result": user}}}
    batch = read(with_result(tweet))
    assert batch.listed[0].piece.post.text == THEIRS.text
    (failure,) = batch.failures
    assert (failure.code, f"“{kind}”" in failure.detail) == ("unknown_part", True)


@pytest.mark.parametrize("where", ["legacy", "tweet"])
@pytest.mark.parametrize("original", [{}, {"result": {}}, {"result": None}])
def test_a_repost_of_which_there_is_no_original_is_not_the_reposters_words(where: str, original: Any) -> None:
    tweet = REPOST.graphql()
    del tweet["legacy"]["retweeted_status_result"]
    (tweet["legacy"] if where == "legacy" else tweet)["retweeted_status_result"] = original
    batch = read(with_result(tweet, f"tweet-{REPOST.id}"), entry(THREAD[0]))
    assert [one.mark for one in batch.listed] == [THREAD[0].id]
    assert [(one.target, one.code) for one in batch.failures] == [(f"https://x.com/i/status/{REPOST.id}", "not_found")]
    assert batch.missing == {REPOST.id: "not_found"}


def cursor(kind: str) -> dict[str, Any]:
    named = {"itemType": "TimelineTimelineCursor", "__typename": "TimelineTimelineCursor"}
    return {**named, "cursorType": kind, "value": "further", "displayTreatment": {"actionText": "Show replies"}}


@pytest.mark.parametrize("kind", ["ShowMore", "ShowMoreThreads"])
def test_the_rest_of_a_thread_behind_a_button_is_told(kind: str) -> None:
    def module(*posts: Sample) -> dict[str, Any]:
        items = [{"entryId": f"conversationthread-1-tweet-{one.id}", "item": entry(one)["content"]} for one in posts]
        button = {"entryId": "conversationthread-1-cursor-showmore-2", "item": {"itemContent": cursor(kind)}}
        content = {"entryType": "TimelineTimelineModule", "items": [*items, button]}
        return {"entryId": "conversationthread-1", "content": content}

    batch = read(entry(THREAD[0]), module(*THREAD[1:3]))
    (failure,) = batch.failures
    assert (failure.target, failure.code) == (TARGET, "more_left")
    assert f"https://x.com/i/status/{THREAD[2].id}" in failure.detail
    assert batch.more is None
    answer = post("@AdaLovelace Indeed.", after=4000, user=BEN, answers=THREAD[0], conversation=THREAD[0].id)
    assert not read(entry(THREAD[0]), module(answer)).failures


def test_where_it_goes_on_may_stand_in_an_item() -> None:
    content = {"entryType": "TimelineTimelineItem", "itemContent": cursor("Bottom")}
    assert read(entry(THREAD[0]), {"entryId": "cursor-bottom-1", "content": content}).more == "further"


def test_a_quoted_post_that_is_gone_stands_there_as_gone() -> None:
    quoting = QUOTE.graphql()
    said = {"text": {"text": "This Post was deleted by the Post author."}}
    quoting["quoted_status_result"] = {"result": {"__typename": "TweetTombstone", "tombstone": said}}
    batch = read(with_result(quoting))
    assert not batch.failures
    post = batch.listed[0].piece.post
    document = make_document(post.id, [post], "session", [], 0)
    assert document.text == "Look at this:\n\n[This post was deleted.]"
    assert document.anchors[1].state == "deleted"
    assert document.anchors[1].url == f"https://x.com/i/status/{THEIRS.id}"
    assert document.blocks[1].begins


def test_what_readers_added_is_theirs() -> None:
    noted = THEIRS.graphql() | {"birdwatch_pivot": {"subtitle": {"text": "Egrets are herons."}}}
    post = read(with_result(noted)).listed[0].piece.post
    document = make_document(post.id, [post], "session", [], 0)
    assert document.text.endswith("\n\n[Readers added context: Egrets are herons.]")
    assert [anchor.author for anchor in document.anchors] == [None, "Community Notes"]


def test_a_polls_votes_are_no_part_of_it() -> None:
    post = read(entry(POLL)).listed[0].piece.post
    assert post.poll == ("The heron", "The egret")
    assert "17" not in make_document(post.id, [post], "session", [], 0).text


def test_cards_of_other_kinds_say_their_title_or_are_counted() -> None:
    def card(name: str, **words: str) -> tuple[Any, Counter[str]]:
        tweet = LINK.graphql()
        values = [{"key": key, "value": {"string_value": said}} for key, said in words.items()]
        tweet["card"] = {"legacy": {"name": name, "binding_values": values}}
        unknown: Counter[str] = Counter()
        return read_tweet(tweet, unknown).piece.post.card, unknown

    player, unknown = card("player", title="A film", card_url="https://t.co/abcdefghij")
    assert (player.title, player.url, unknown) == ("A film", "https://birds.example/herons?a=1&b=2", {})
    parts = {"details_1": {"type": "details", "data": {"title": {"content": "Buy"}, "subtitle": {"content": "Seeds"}}}}
    unified, unknown = card("unified_card", unified_card=json.dumps({"component_objects": parts}))
    assert (unified.title, unified.description, unknown) == ("Buy", "Seeds", {})
    silent, unknown = card("3691233323:audiospace", id="1")
    assert (silent, unknown) == (None, {})
    new, unknown = card("hologram", shape="heron")
    assert (new, unknown) == (None, {"card hologram": 1})


def test_an_article_is_told_by_its_title_and_words() -> None:
    tweet = THEIRS.graphql() | {
        "article": {"article_results": {"result": {"title": "On herons", "preview_text": "They stand."}}}
    }
    post = read(with_result(tweet)).listed[0].piece.post
    assert make_document(post.id, [post], "session", [], 0).text.endswith("[Link: On herons – They stand.]")


def test_an_answer_without_a_timeline_is_none() -> None:
    assert read_timeline({"data": {"viewer": {"user": 1}}}, TARGET) is None
    assert read_timeline({}, TARGET) is None
