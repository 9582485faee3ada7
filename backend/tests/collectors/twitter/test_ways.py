"""Whatever way a post came in, it is the same document."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import (
    ADA,
    ALL,
    ANSWER,
    BEN,
    EDITED,
    LINK,
    LONG,
    PICTURE,
    POLL,
    QUOTE,
    SILENT,
    THEIRS,
    THREAD,
)
from extrophi_backend.collectors.twitter.api_v2 import FIELDS, read_posts
from extrophi_backend.collectors.twitter.archive import read_account, read_long, read_tweets
from extrophi_backend.collectors.twitter.document import make_document
from extrophi_backend.collectors.twitter.embed import read_embed, read_oembed
from extrophi_backend.collectors.twitter.graphql import read_timeline
from extrophi_backend.collectors.twitter.merging import join
from extrophi_backend.collectors.twitter.models import Author, Post
from extrophi_backend.collectors.twitter.reading import Unreadable
from tests.platforms.x import Sample, XServer
from tests.platforms.x_web import entry, timeline

SINGLE = [ANSWER, QUOTE, PICTURE, SILENT, POLL, LINK, EDITED, *THREAD, THEIRS]


def by_api(sample: Sample) -> Post:
    server = XServer()
    server.add([sample])
    _, answer, _ = server.answer("/2/tweets", {"ids": sample.id, **FIELDS}, next(iter(server.tokens)))
    (listed,) = read_posts(answer, "").listed
    return listed.piece.post


def by_session(sample: Sample) -> Post:
    batch = read_timeline(timeline([entry(sample)], None), "")
    assert batch is not None
    return batch.listed[0].piece.post


def by_embed(sample: Sample) -> Post:
    return read_embed(sample.embed()).listed[0].piece.post


@pytest.mark.parametrize("sample", SINGLE, ids=lambda sample: sample.text[:12] or "silent")
def test_api_session_and_embed_give_one_document(sample: Sample) -> None:
    api, session, embed = by_api(sample), by_session(sample), by_embed(sample)
    first, *others = (make_document(one.id, [one], "api", [], 0) for one in (api, session, embed))
    for other in others:
        assert (other.external_id, other.url, other.author) == (first.external_id, first.url, first.author)
        assert (other.text, other.title, other.anchors) == (first.text, first.title, first.anchors)
        assert (other.published_at, other.language) == (first.published_at, first.language)
    assert join(join(api, session), embed) == join(embed, join(session, api))
    assert first.external_id == (sample.edits or [sample.id])[0]
    assert first.text.startswith(sample.plain)
    assert first.published_at == sample.created_at


def test_a_long_post_is_whole_by_api_and_session_and_its_beginning_by_embed() -> None:
    api, session, embed = by_api(LONG), by_session(LONG), by_embed(LONG)
    assert api.text == session.text == LONG.text
    assert not embed.is_whole
    assert LONG.text.startswith(embed.text)
    assert join(embed, api).text == LONG.text


def test_a_repost_is_what_it_reposts() -> None:
    server = XServer()
    repost = next(one for one in ALL if one.reposts)
    server.add([repost])
    query: Mapping[str, str] = {"max_results": "5", **FIELDS}
    _, answer, _ = server.answer(f"/2/users/{ADA.id}/tweets", dict(query), next(iter(server.tokens)))
    (listed,) = read_posts(answer, "").listed
    assert (listed.mark, listed.piece.post.id) == (repost.id, THEIRS.id)
    assert listed.piece.post.author.handle == BEN.handle
    assert by_session(repost) == by_session(THEIRS)
    assert by_session(repost).text == THEIRS.text


def test_a_repost_of_what_is_not_given_keeps_what_it_shows_of_it() -> None:
    row = {
        "id": "2000000000000000002",
        "text": "RT @ben_w: What do you think of herons &amp; eg…",
        "referenced_tweets": [{"type": "retweeted", "id": THEIRS.id}],
    }
    (listed,) = read_posts({"data": [row]}, "").listed
    post = listed.piece.post
    assert (post.id, post.author.handle) == (THEIRS.id, "ben_w")
    assert (post.text, post.is_whole) == ("What do you think of herons & eg…", False)
    assert join(post, by_api(THEIRS)).text == THEIRS.text


@pytest.mark.parametrize("row", [{"id": THEIRS.id}, {"id": THEIRS.id, "text": 7}, {"text": "x"}, {}, 7])
def test_a_row_of_the_api_that_is_no_post_is_counted(row: Any) -> None:
    batch = read_posts({"data": [row, {"id": QUOTE.id, "text": "", "author_id": ADA.id}]}, "")
    assert [(one.mark, one.piece.post.text) for one in batch.listed] == [(QUOTE.id, "")]
    assert [one.detail for one in batch.failures] == [
        "1 part of the kind “post without an id or a text” is not known to Extrophi, and was passed over."
    ]


def test_a_quoted_post_of_the_api_without_words_is_counted_and_said_to_be_missing() -> None:
    row = {"id": QUOTE.id, "text": "Look", "referenced_tweets": [{"type": "quoted", "id": THEIRS.id}]}
    batch = read_posts({"data": [row], "includes": {"tweets": [{"id": THEIRS.id}]}}, "")
    quoted = batch.listed[0].piece.post.quoted
    assert quoted is not None
    assert (quoted.id, quoted.missing) == (THEIRS.id, "not_found")
    assert [one.code for one in batch.failures] == ["unknown_part"]


def test_the_link_of_an_old_posts_own_picture_is_no_part_of_its_words_by_any_way() -> None:
    old, plain = replace(PICTURE, text="Four more years."), "http://t.co/bAJE6Vom"

    def aged(made: Any) -> Any:
        return json.loads(json.dumps(made).replace(old.own_link, plain))

    server = XServer()
    server.add([old])
    _, answer, _ = server.answer("/2/tweets", {"ids": old.id, **FIELDS}, next(iter(server.tokens)))
    timelines = read_timeline(aged(timeline([entry(old)], None)), "")
    assert timelines is not None
    posts = [
        read_posts(aged(answer), "").listed[0].piece.post,
        timelines.listed[0].piece.post,
        read_embed(aged(old.embed())).listed[0].piece.post,
        *(piece.post for piece in read_tweets([aged(archived(old))], read_account(ACCOUNT), Counter(), {})),
    ]
    assert [one.text for one in posts] == ["Four more years."] * 4


def test_a_document_shows_what_its_posts_show() -> None:
    def text(sample: Sample) -> str:
        post = by_api(sample)
        return make_document(post.id, [post], "api", [], 0).text

    assert text(PICTURE) == "Two of them\n[Image: A heron in the reeds]"
    assert text(SILENT) == "[Video]"
    assert text(replace(SILENT, media=())) == "[A post without words]"
    assert text(POLL) == "Which is taller?\n- The heron\n- The egret"
    assert text(LINK) == (
        "Read https://birds.example/herons?a=1&b=2 and tell\n[Link: All about herons – They stand in water.]"
    )
    assert text(QUOTE) == "Look at this:\n\nWhat do you think of herons & egrets?"


def test_a_thread_is_in_order_and_each_post_has_its_own_link() -> None:
    posts = [by_api(one) for one in THREAD]
    document = make_document(posts[0].id, posts, "api", [], 0)
    assert document.text == "\n\n".join(one.text for one in THREAD)
    assert document.title == "A thread <about> herons & 🪶:"
    assert document.published_at == THREAD[0].created_at
    for anchor, one in zip(document.anchors, THREAD, strict=True):
        assert document.text[anchor.offset :].startswith(one.text)
        assert (anchor.url, anchor.published_at) == (one.address, one.created_at)
    assert [document.text[block.start : block.end] for block in document.blocks] == [one.text for one in THREAD]
    assert not any(block.begins for block in document.blocks)


def test_after_what_is_quoted_the_author_begins_anew() -> None:
    own = [by_api(QUOTE), by_api(THREAD[1])]
    document = make_document(own[0].id, own, "api", [], 0)
    assert [block.begins for block in document.blocks] == [False, True, True]
    assert [anchor.author for anchor in document.anchors] == [None, "@ben_w", None]


def test_an_official_embed_gives_the_words_and_the_author() -> None:
    answer = {
        "url": f"https://twitter.com/AdaLovelace/status/{THREAD[0].id}",
        "author_name": "Ada Lovelace",
        "author_url": "https://twitter.com/AdaLovelace",
        "html": '<blockquote class="twitter-tweet"><p lang="en" dir="ltr">A thread &lt;about&gt; herons &amp; 🪶:<br>'
        'They <a href="https://twitter.com/hashtag/stand">#stand</a> <a href="https://t.co/abc">pic.twitter.com/abc</a>'
        '</p>&mdash; Ada Lovelace (@AdaLovelace) <a href="https://twitter.com/x">January 1, 2026</a></blockquote>\n',
    }
    (listed,) = read_oembed(answer).listed
    post = listed.piece.post
    assert post.text == "A thread <about> herons & 🪶:\nThey #stand"
    assert (post.id, post.author.handle, post.author.name) == (THREAD[0].id, "AdaLovelace", "Ada Lovelace")
    assert (post.created_at, post.lang) == (THREAD[0].created_at, "en")


def archived(sample: Sample) -> dict[str, Any]:
    """As tweets.js has it: the form of API v1.1, its numbers as texts."""
    graphql = sample.graphql()
    legacy = {name: value for name, value in graphql["legacy"].items() if name != "conversation_id_str"}
    legacy["full_text"] = sample.written(quote=True)
    links = list(legacy["entities"]["urls"])
    if sample.quotes:
        links.append({"url": sample.quote_link, "expanded_url": sample.quotes.address})
    if sample.is_long:
        legacy["full_text"] += "… https://t.co/itselfitse"
        links.append({"url": "https://t.co/itselfitse", "expanded_url": f"https://x.com/i/web/status/{sample.id}"})
    if sample.edits:
        legacy["edit_info"] = {"edit": {"initialTweetId": sample.edits[0], "editControlInitial": {}}}
    return {"tweet": {"id": sample.id, **legacy, "entities": {"urls": links}}}


ACCOUNT = [{"account": {"accountId": ADA.id, "username": ADA.handle, "accountDisplayName": ADA.name}}]
NOTES = [{}, {"noteTweet": {"noteTweetId": "17", "core": {"text": LONG.text, "urls": []}}}]


def test_an_archive_gives_the_same_documents_but_for_what_it_lacks() -> None:
    unknown: Counter[str] = Counter()
    pieces = list(read_tweets([archived(one) for one in ALL], read_account(ACCOUNT), unknown, read_long(NOTES)))
    own = [one for one in ALL if not one.reposts]
    assert not unknown
    assert len(pieces) == len(own)
    for piece, sample in zip(pieces, own, strict=True):
        known = by_api(sample)
        assert (piece.post.id, piece.post.author) == (known.id, known.author)
        assert (piece.post.created_at, piece.post.reply_to) == (known.created_at, known.reply_to)
        assert (piece.post.text, piece.post.is_whole) == (known.text, True)
        assert join(piece.post, known).text == known.text
    quoting = next(piece.post for piece in pieces if piece.post.id == QUOTE.id)
    assert quoting.quoted is not None
    assert (quoting.quoted.id, quoting.quoted.author.handle) == (THEIRS.id, "ben_w")
    joined = join(quoting, by_api(QUOTE)).quoted
    assert joined is not None
    assert (joined.text, joined.missing) == (THEIRS.text, "")


def test_a_long_post_whose_end_is_not_there_is_its_beginning() -> None:
    (piece,) = read_tweets([archived(LONG)], read_account(ACCOUNT), Counter(), {})
    assert not piece.post.is_whole
    assert join(piece.post, by_api(LONG)).text == LONG.text


@pytest.mark.parametrize("entries", [[], [7], [{"account": {"accountId": "7"}}], [{"profile": {}}]])
def test_an_archive_without_an_account_is_nobodys(entries: list[Any]) -> None:
    with pytest.raises(Unreadable):
        read_account(entries)


def test_what_is_no_post_in_an_archive_is_counted() -> None:
    unknown: Counter[str] = Counter()
    entries = [archived(THREAD[0]), {}, {"tweet": {"id_str": "x"}}, 7, {"tweet": {"id_str": "5", "full_text": 5}}]
    assert [piece.post.id for piece in read_tweets(entries, Author("7"), unknown, {})] == [THREAD[0].id]
    assert unknown == {"post without an id or a text": 4}
