"""What X gives of a single post to a page that shows it as an embed, read into a post.

Two endpoints, neither of which asks who one is. `tweet-result` is what the embed's own frame is made of: the whole
form, but for the end of long posts. `oembed` is the official one (docs.x.com, oEmbed API): HTML with the text, its
links short, its time a day.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from extrophi_backend.collectors.twitter.models import (
    Author,
    Batch,
    Card,
    Listed,
    Medium,
    Piece,
    Post,
    all_edits,
    sent_at,
)
from extrophi_backend.collectors.twitter.reading import (
    Unreadable,
    as_list,
    as_object,
    at,
    id_of,
    moment,
    objects,
    plain,
    text_of_html,
    unknown_parts,
)
from extrophi_backend.collectors.twitter.reasons import reason_code
from extrophi_backend.collectors.twitter.target import post_address
from extrophi_backend.collectors.twitter.tweets import (
    UnknownPart,
    author_of,
    card_of,
    edits_of,
    leads_to,
    poll_of,
    unwrapped,
    words_of,
)

_PARAGRAPH = re.compile(r"<p\b(?P<attributes>[^>]*)>(?P<text>.*?)</p>", re.DOTALL | re.IGNORECASE)
_LANG = re.compile(r'\blang="(?P<lang>[\w-]{2,8})"')
_PICTURE = re.compile(r"\s*pic\.(?:twitter|x)\.com/\w+\s*\Z")
_CUT = re.compile(r"…(?:\s*https://t\.co/\w+)?\s*\Z")
_STATUS = re.compile(r"/status(?:es)?/(?P<post>\d+)")


def read_embed(answer: Mapping[str, Any]) -> Batch:
    """The post of a `tweet-result`, and beside it the one that it answers.

    Raises:
        Unavailable: why there is none, in X's words.
        Unreadable: it is nothing of the kind.
    """
    unknown: Counter[str] = Counter()
    try:
        tweet = unwrapped(answer)
        post = _post(tweet, unknown, depth=0)
    except UnknownPart as part:
        raise Unreadable(f"The answer is no post: {part.kind[:80]}.") from part
    parent = as_object(tweet.get("parent"))
    beside: list[Piece] = []
    if parent:
        try:
            beside.append(Piece(_post(parent, unknown, depth=1), parent))
        except UnknownPart as part:
            unknown[part.kind] += 1
    return Batch(
        [Listed(post.version, Piece(post, dict(tweet)))],
        beside,
        unknown_parts(post_address(post.version), unknown),
    )


def read_oembed(answer: Mapping[str, Any]) -> Batch:
    """The post of an `oembed` answer. Raises Unreadable: there is none in it."""
    found = _PARAGRAPH.search(plain(answer.get("html")))
    status = _STATUS.search(plain(answer.get("url")))
    post = id_of(status["post"]) if status else ""
    if found is None or not post:
        raise Unreadable("The answer has no post in it.")
    handle = urlsplit(plain(answer.get("author_url"))).path.strip("/")
    lang = _LANG.search(found["attributes"])
    text = _without_pictures(text_of_html(found["text"]))
    read = Post(
        post,
        post,
        author=Author(handle=handle, name=plain(answer.get("author_name"))),
        text=text,
        is_whole=_CUT.search(text) is None,
        created_at=sent_at(post),
        lang=lang["lang"] if lang else "",
    )
    return Batch([Listed(post, Piece(read, dict(answer)))])


def _without_pictures(text: str) -> str:
    """Without the addresses of its own media, where they end it."""
    while found := _PICTURE.search(text):
        text = text[: found.start()].rstrip()
    return text


def _post(tweet: Mapping[str, Any], unknown: Counter[str], *, depth: int) -> Post:
    version = id_of(tweet.get("id_str"))
    if not version or not isinstance(tweet.get("text"), str):
        raise UnknownPart("post without an id or a text")
    edits = edits_of(tweet.get("edit_control"))
    quoted = _quoted(tweet, unknown) if depth == 0 else None
    long = as_object(tweet.get("note_tweet"))
    # Of a long post there is its number here, and in the text its beginning.
    text, is_whole = words_of(tweet, plain(tweet.get("text")), {}, version, quoted)
    return Post(
        id=min([version, *edits], key=int),
        version=version,
        author=author_of(as_object(tweet.get("user")), unknown),
        text=text,
        is_whole=is_whole and not long,
        created_at=moment(tweet.get("created_at")) or sent_at(version),
        lang=plain(tweet.get("lang")),
        reply_to=id_of(tweet.get("in_reply_to_status_id_str")),
        reply_to_author=Author(
            id_of(tweet.get("in_reply_to_user_id_str")), plain(tweet.get("in_reply_to_screen_name"))
        ),
        media=tuple(
            Medium(plain(one.get("type")) or "photo", plain(one.get("media_url_https")), plain(one.get("ext_alt_text")))
            for one in objects(tweet.get("mediaDetails"))
        ),
        poll=poll_of(as_object(tweet.get("card"))),
        card=_card(tweet, unknown),
        quoted=quoted,
        edits=all_edits([version, *edits]),
        withheld=tuple(sorted(filter(None, map(plain, as_list(tweet.get("withheld_in_countries")))))),
    )


def _quoted(tweet: Mapping[str, Any], unknown: Counter[str]) -> Post | None:
    quoted = as_object(tweet.get("quoted_tweet"))
    if quoted:
        try:
            return _post(quoted, unknown, depth=1)
        except UnknownPart as part:
            unknown[part.kind] += 1
            return None
    gone = as_object(tweet.get("quoted_tombstone"))
    post = id_of(tweet.get("quoted_status_id_str"))
    if gone and post:
        said = plain(at(gone, "tombstone", "text", "text"))
        return Post(post, post, missing=reason_code(said), created_at=sent_at(post))
    return None


def _card(tweet: Mapping[str, Any], unknown: Counter[str]) -> Card | None:
    article = as_object(tweet.get("article"))
    if title := plain(article.get("title")):
        return Card("", title, plain(article.get("preview_text")))
    return card_of(as_object(tweet.get("card")), unknown, leads_to(tweet, {}))
