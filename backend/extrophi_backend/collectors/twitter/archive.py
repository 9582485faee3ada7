"""Posts of X's data archive: what the elements of its scripts in `data/` say, read into posts.

`account.js` names the account, `tweets.js` has what it wrote, `community-tweet.js` what it wrote in communities,
`note-tweet.js` the whole of long posts, `like.js` the words of posts that it liked, and not who wrote them. Of large
archives each is in several parts. Reposts are there by their beginnings alone, and as the reposting account's: they
are passed over.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from extrophi_backend.collectors.twitter.models import Author, Piece, Post, all_edits, sent_at
from extrophi_backend.collectors.twitter.reading import (
    Unreadable,
    as_list,
    as_object,
    at,
    id_of,
    moment,
    objects,
    plain,
    unescaped,
    worded,
)
from extrophi_backend.collectors.twitter.tweets import edits_of, leads_to, media_of, post_in, words_of

_REPOST = re.compile(r"RT @\w+: ")
_HANDLE_IN = re.compile(r"https?://(?:x|twitter)\.com/(?P<handle>\w+)/status/")
_CUT = re.compile(r"…?\s*\Z")
_BEGINNING = 100
"""Characters by which a long post is found again."""


def read_account(entries: Iterable[Any]) -> Author:
    """Whose archive it is, by its account.js. Raises Unreadable: it does not say."""
    for entry in entries:
        account = as_object(as_object(entry).get("account"))
        author = Author(
            id_of(account.get("accountId")), plain(account.get("username")), plain(account.get("accountDisplayName"))
        )
        if author.id and author.handle:
            return author
    raise Unreadable("The archive names no account.")


def read_long(entries: Iterable[Any]) -> Mapping[str, str]:
    """The whole words of long posts, by their beginnings: note-tweet.js has them under numbers of their own."""
    found: dict[str, str] = {}
    for entry in entries:
        core = as_object(at(entry, "noteTweet", "core"))
        links = {plain(one.get("shortUrl")): plain(one.get("expandedUrl")) for one in objects(core.get("urls"))}
        if text := worded(plain(core.get("text")), links, ()):
            found[text[:_BEGINNING]] = text
    return found


def read_tweets(
    entries: Iterable[Any], author: Author, unknown: Counter[str], long: Mapping[str, str]
) -> Iterator[Piece]:
    """The posts of tweets.js, in its order.

    Args:
        entries: Its elements.
        author: Of all of them.
        unknown: Counts entries that are no posts.
        long: From `read_long`.
    """
    for entry in entries:
        tweet = tweet_in(entry)
        version = id_of(tweet.get("id_str")) or id_of(tweet.get("id"))
        if not version or not isinstance(tweet.get("full_text"), str):
            unknown["post without an id or a text"] += 1
        elif not is_repost(tweet):
            yield Piece(_whole(_post(tweet, version, plain(tweet.get("full_text")), author), long), tweet)


def tweet_in(entry: Any) -> dict[str, Any]:
    """The post of an entry of tweets.js: in the oldest archives it is the entry itself."""
    found = as_object(entry)
    return as_object(found.get("tweet", found))


def is_repost(tweet: Mapping[str, Any]) -> bool:
    """Whether an entry of tweets.js is another's post, passed on."""
    return _REPOST.match(plain(tweet.get("full_text"))) is not None


def read_likes(entries: Iterable[Any], unknown: Counter[str]) -> Iterator[Piece]:
    """The posts of like.js that have words there: others are deleted, or not public.

    Args:
        entries: Its elements.
        unknown: Counts entries that are no posts.
    """
    for entry in entries:
        like = as_object(as_object(entry).get("like"))
        post, text = id_of(like.get("tweetId")), unescaped(plain(like.get("fullText")))
        if not post:
            unknown["liked post without an id"] += 1
        elif text.strip():
            yield Piece(Post(post, post, text=text, created_at=sent_at(post)), like)


def _whole(post: Post, long: Mapping[str, str]) -> Post:
    if post.is_whole:
        return post
    beginning = _CUT.sub("", post.text)
    text = long.get(beginning[:_BEGINNING])
    return replace(post, text=text, is_whole=True) if text and text.startswith(beginning) else post


def _post(tweet: Mapping[str, Any], version: str, text: str, author: Author) -> Post:
    edits = _edits(tweet.get("edit_info"))
    quoted = _quoted(tweet, text)
    words, is_whole = words_of(tweet, text, {}, version, quoted)
    return Post(
        id=min([version, *edits], key=int),
        version=version,
        author=author,
        text=words,
        is_whole=is_whole,
        created_at=moment(tweet.get("created_at")) or sent_at(version),
        lang=plain(tweet.get("lang")),
        reply_to=id_of(tweet.get("in_reply_to_status_id_str")),
        reply_to_author=Author(
            id_of(tweet.get("in_reply_to_user_id_str")), plain(tweet.get("in_reply_to_screen_name"))
        ),
        media=media_of(tweet),
        quoted=quoted,
        edits=all_edits([version, *edits]),
        withheld=tuple(sorted(filter(None, map(plain, as_list(tweet.get("withheld_in_countries")))))),
    )


def _edits(info: Any) -> list[str]:
    """The first form says all ids, a later one that of the first."""
    initial = as_object(at(info, "initial"))
    later = at(info, "edit", "initialTweetId")
    ids = [id_of(one) for one in [*as_list(initial.get("editTweetIds")), later]]
    return edits_of({"edit_tweet_ids": [one for one in ids if one]})


def _quoted(tweet: Mapping[str, Any], text: str) -> Post | None:
    """A post that is linked to at a text's end is shown as quoted. The archive has nothing else of it."""
    links = leads_to(tweet, {})
    address = next((links[link] for link in links if link and text.rstrip().endswith(link)), "")
    post = post_in(address)
    if not post or post == id_of(tweet.get("id_str")):
        return None
    handle = _HANDLE_IN.match(address)
    author = Author(handle=handle["handle"]) if handle and handle["handle"] != "i" else Author()
    return Post(post, post, author=author, missing="not_archived", created_at=sent_at(post))
