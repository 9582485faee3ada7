"""Reddit's JSON, field by field: what it was recorded to be, and what nobody has seen yet."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extrophi_backend.collectors.models import Capture
from extrophi_backend.collectors.reddit.models import Listing, Unreadable
from extrophi_backend.collectors.reddit.parse import read_comment, read_listing, read_post
from extrophi_backend.collectors.reddit.tree import Tree
from extrophi_backend.collectors.reddit.writing import document
from tests.platforms.reddit import SEARCH, SUBMITTED, TREE, make_thread, mangled, recorded

SITE = "https://www.reddit.com"
NOTHING = Capture(b"", "application/json")


def post(**more: Any) -> dict[str, Any]:
    return make_thread("abc123").post | more


@pytest.mark.parametrize("name", [SUBMITTED, SEARCH])
def test_every_post_of_a_recorded_list_is_there_to_the_character(name: str) -> None:
    answer = recorded(name)
    listing = read_listing(answer)
    children = [child["data"] for child in answer["data"]["children"]]
    assert [entry.id for entry in listing.entries] == [data["id"] for data in children]
    assert listing.after == answer["data"]["after"]
    assert not listing.unknown
    assert not listing.unreadable
    for entry, data in zip(listing.entries, children, strict=True):
        assert entry.post
        assert entry.name == entry.post.name == data["name"]
        assert entry.post.title == data["title"]
        assert entry.post.words.author == data["author"]
        assert entry.post.words.address == SITE + data["permalink"]
        assert entry.post.words.published_at == datetime.fromtimestamp(data["created_utc"], UTC)
        link = "" if data["is_self"] else data["url"]
        assert entry.post.words.text == (data["selftext"] or link)
        assert entry.post.comments == data["num_comments"]
        assert entry.post.edited == (data["edited"] or None)
        assert entry.post.quoted is None
        assert not entry.post.is_withdrawn
        assert entry.raw == data


def test_a_link_stands_below_the_text_that_comes_with_it() -> None:
    found = read_post(post(is_self=False, url_overridden_by_dest="https://example.org/a", selftext="Look."))
    assert found
    assert found.words.text == "Look.\n\nhttps://example.org/a"


def test_a_link_within_reddit_is_whole() -> None:
    found = read_post(post(is_self=False, selftext="", url="/r/pics/comments/zzz/a/"))
    assert found
    assert found.words.text == f"{SITE}/r/pics/comments/zzz/a/"


def test_the_choices_of_a_poll_are_lines() -> None:
    options = [{"id": "1", "text": "Tea"}, {"id": "2"}, {"id": "3", "text": "Coffee", "vote_count": 3}, "?"]
    found = read_post(post(selftext="Which?", poll_data={"options": options, "total_vote_count": 3}))
    assert found
    assert found.words.text == "Which?\n\nTea\nCoffee"


def test_the_captions_of_a_gallery_are_lines_below_its_address() -> None:
    items = [{"media_id": "a", "caption": "The rack"}, {"media_id": "b", "outbound_url": "https://example.org"}, {}]
    found = read_post(
        post(is_self=False, url=f"{SITE}/gallery/abc123", selftext="", is_gallery=True, gallery_data={"items": items})
    )
    assert found
    assert found.words.text == f"{SITE}/gallery/abc123\n\nThe rack\nhttps://example.org"


def test_a_crosspost_keeps_whose_words_it_passes_on() -> None:
    parent = post(
        id="zzz", name="t3_zzz", author="ada", permalink="/r/math/comments/zzz/engine/", selftext="An engine."
    )
    found = read_post(
        post(
            is_self=False,
            selftext="",
            url="/r/math/comments/zzz/engine/",
            crosspost_parent="t3_zzz",
            crosspost_parent_list=[parent],
        )
    )
    assert found
    assert found.words.text == f"{SITE}/r/math/comments/zzz/engine/"
    assert found.quoted
    assert (found.quoted.text, found.quoted.author) == ("An engine.", "ada")
    assert found.quoted.address == f"{SITE}/r/math/comments/zzz/engine/"
    made = document(found, (), format_="markdown", capture=NOTHING, validators={})
    assert [(anchor.author, made.text[anchor.offset :][:10]) for anchor in made.anchors] == [
        (found.words.author, "https://ww"),
        ("ada", "An engine."),
    ]
    assert made.author == found.words.author


@pytest.mark.parametrize(
    ("fields", "lost", "withdrawn"),
    [
        ({"selftext": "[deleted]", "author": "[deleted]", "removed_by_category": "deleted"}, "deleted", True),
        ({"selftext": "[removed]", "author": "ada", "removed_by_category": "moderator"}, "removed", False),
        ({"selftext": "[removed]", "author": "[deleted]", "removed_by_category": "moderator"}, "removed", True),
        ({"selftext": "[ Removed by Reddit ]", "removed_by_category": "content_takedown"}, "removed", False),
        (
            {"selftext": "[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]"},
            "removed",
            False,
        ),
        ({"selftext": "[ Removed by reddit in response to a copyright notice. ]"}, "removed", False),
        ({"selftext": "[ Removed by Reddit ] was all that [it](/x) said."}, None, False),
        ({"author": None}, None, False),
        ({"over_18": True, "spoiler": True, "locked": True, "link_flair_text": "Help"}, None, False),
    ],
)
def test_what_became_of_a_post_is_told(fields: dict[str, Any], lost: str | None, *, withdrawn: bool) -> None:
    found = read_post(post(**fields))
    assert found
    assert (found.words.lost, found.is_withdrawn) == (lost, withdrawn)
    assert found.words.author == (fields.get("author", found.words.author) or "[deleted]")
    made = document(found, (), format_="markdown", capture=NOTHING, validators={})
    assert made.anchors[0].state == lost


def test_a_comment_on_a_list_stands_for_its_post() -> None:
    thread = make_thread("abc", comments=2)
    saved = [{"kind": "t1", "data": one} for one in thread.comments.values()]
    listing = read_listing({"kind": "Listing", "data": {"children": saved, "after": None}})
    assert [(entry.id, entry.post) for entry in listing.entries] == [("abc", None)]


def test_what_is_unknown_in_a_list_is_counted() -> None:
    children = [{"kind": "t5", "data": {}}, {"kind": "t5", "data": {}}, "odd", {"kind": "t3", "data": {"title": "x"}}]
    listing = read_listing({"kind": "Listing", "data": {"children": children, "after": "t3_a b"}})
    assert listing == Listing((), None, {"t5": 2, "?": 1}, 1)


def test_text_that_no_database_holds_is_replaced_and_nothing_else_is_touched() -> None:
    text = "a\x00b\ud800c \r\n\t  d\u00a0"
    comment = read_comment({"id": "x", "body": text}, "abc", "t3_abc")
    assert comment
    assert comment.words.text == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c \r\n\t  d\u00a0"


def test_a_hidden_score_is_none() -> None:
    shown = read_comment({"id": "x", "score": -3}, "abc", "t3_abc")
    hidden = read_comment({"id": "x", "score": 1, "score_hidden": True}, "abc", "t3_abc")
    assert shown
    assert hidden
    assert (shown.score, hidden.score) == (-3, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e18, -1e18, True, "yesterday", None, []])
def test_a_moment_that_is_none_is_left_out(value: Any) -> None:
    found = read_post(post(created_utc=value, num_comments=value))
    assert found
    assert found.words.published_at is None or value is True
    assert found.comments is None


@pytest.mark.parametrize(
    "permalink", [None, 5, "javascript:alert(1)", "//evil.example/r/x", "/r/x/comments/a b", "/settings", "/r/x\n/y"]
)
def test_an_address_that_is_none_of_reddits_is_made_from_the_id(permalink: Any) -> None:
    found = read_post(post(permalink=permalink))
    comment = read_comment({"id": "x", "permalink": permalink}, "abc123", "t3_abc123")
    assert found
    assert comment
    assert found.words.address == f"{SITE}/comments/abc123/"
    assert comment.words.address == f"{SITE}/comments/abc123/_/x/"


@settings(deadline=None, max_examples=50)
@given(st.integers(), st.integers(1, 40))
def test_a_mangled_list_is_read_or_refused(seed: int, times: int) -> None:
    for name in (SUBMITTED, SEARCH):
        try:
            listing = read_listing(mangled(RECORDED[name], seed, times))
        except Unreadable:
            continue
        for entry in listing.entries:
            assert entry.post
            check(document(entry.post, (), format_="markdown", capture=NOTHING, validators={}))


@settings(deadline=None, max_examples=50)
@given(st.integers(), st.integers(1, 60))
def test_a_mangled_tree_is_read_or_refused(seed: int, times: int) -> None:
    tree = Tree(most_comments=10_000, most_asks=20)
    answer = mangled(RECORDED[TREE], seed, times)
    try:
        tree.begin(answer)
    except Unreadable:
        return
    while ask := tree.next_ask():
        try:
            tree.take(ask, answer)
        except Unreadable:
            tree.refuse(ask)
    comments = [*tree.in_order()]
    assert len({one.name for one in comments}) == len(comments) == len(tree)
    check(document(tree.post, comments, format_="markdown", capture=NOTHING, validators={}))


def check(made: Any) -> None:
    """What every document has to be."""
    made.text.encode()
    made.title.encode()
    assert "\x00" not in made.text + made.title + made.author
    end = 0
    for block in made.blocks:
        assert end <= block.start < block.end <= len(made.text)
        end = block.end
    offsets = [anchor.offset for anchor in made.anchors]
    assert offsets == sorted(set(offsets))
    begins = [block.start for block in made.blocks if block.begins]
    assert len(begins) == len(offsets)


RECORDED = {name: recorded(name) for name in (SUBMITTED, SEARCH, TREE)}
