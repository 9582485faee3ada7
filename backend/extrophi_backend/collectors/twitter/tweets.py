"""One post of X's web: of a timeline's answer or of an embed, whose forms are nearly the same."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extrophi_backend.collectors.twitter.models import Author, Card, Medium, Piece, Post, all_edits, sent_at
from extrophi_backend.collectors.twitter.reading import (
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
from extrophi_backend.collectors.twitter.reasons import reason_code

_MOST_WRAPPED = 4
_POLL = re.compile(r"poll[2-4]choice_")
_CHOICE = re.compile(r"choice([1-4])_label")
_SILENT_CARDS = frozenset({"audiospace", "periscope_broadcast", "broadcast", "live_event", "amplify", "message_me"})
"""Cards that show something to hear or see, and say nothing."""
_POST = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/\w+/(?:web/)?status/(?P<post>\d+)/?(?:\?.*)?")


class Unavailable(Exception):
    """There is no post, but why there is none: `said`, in X's words."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class UnknownPart(Exception):
    """Of a `kind` that nobody knows."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Found:
    """A post that stands in a listing: of a repost, what it reposts, and its own id beside it."""

    mark: str
    piece: Piece


def read_tweet(result: Mapping[str, Any], unknown: Counter[str]) -> Found:
    """The post of a timeline's item.

    Args:
        result: Its `tweet_results.result`.
        unknown: Counts what is not known of it.

    Raises:
        Unavailable: it is not to be had.
        UnknownPart: it is nothing that is known.
    """
    tweet = unwrapped(result)
    legacy = as_object(tweet.get("legacy"))
    mark = id_of(tweet.get("rest_id")) or id_of(legacy.get("id_str"))
    if not mark or not legacy:
        raise UnknownPart("post without an id or a text")
    reposted = [one for holder in (legacy, tweet) if (one := holder.get("retweeted_status_result")) is not None]
    if reposted:
        original = next((found for one in reposted if (found := as_object(at(one, "result")))), None)
        if original is None:
            # Not even its id is told. What the repost says are the original's words, and not the reposter's.
            raise Unavailable("")
        tweet = unwrapped(original)
    return Found(mark, Piece(_post(tweet, unknown, depth=0), dict(tweet)))


def unwrapped(result: Mapping[str, Any]) -> dict[str, Any]:
    """A post without what is wrapped around one that may not be answered by everybody.

    Raises:
        Unavailable, UnknownPart.
    """
    found = as_object(result)
    for _ in range(_MOST_WRAPPED):
        match found.get("__typename"):
            case "TweetWithVisibilityResults":
                found = as_object(found.get("tweet"))
            case "TweetTombstone":
                text = at(found, "tombstone", "text")
                raise Unavailable(plain(at(text, "text")) or plain(text))
            case "TweetUnavailable":
                reason = found.get("reason")
                raise Unavailable(plain(at(reason, "text")) or plain(reason))
            case "TweetPreviewDisplay":
                raise Unavailable("Only subscribers see it: protected.")
            case "Tweet" | None if found:
                return found
            case kind:
                raise UnknownPart(plain(kind) or "post without a type")
    raise UnknownPart("post within posts")


def _post(tweet: Mapping[str, Any], unknown: Counter[str], *, depth: int) -> Post:
    legacy = as_object(tweet.get("legacy"))
    version = id_of(tweet.get("rest_id")) or id_of(legacy.get("id_str"))
    if not version or not isinstance(legacy.get("full_text"), str):
        raise UnknownPart("post without an id or a text")
    edits = edits_of(tweet.get("edit_control"))
    post = min([version, *edits], key=int)
    quoted = _quoted(tweet, legacy, unknown) if depth == 0 else None
    long = as_object(at(tweet, "note_tweet", "note_tweet_results", "result"))
    media = media_of(legacy)
    text, is_whole = words_of(legacy, plain(legacy.get("full_text")), long, version, quoted)
    conversation = id_of(legacy.get("conversation_id_str"))
    return Post(
        id=post,
        version=version,
        author=author_of(as_object(at(tweet, "core", "user_results", "result")), unknown),
        text=text,
        is_whole=is_whole,
        created_at=moment(legacy.get("created_at")) or sent_at(version),
        lang=plain(legacy.get("lang")),
        reply_to=id_of(legacy.get("in_reply_to_status_id_str")),
        reply_to_author=Author(
            id_of(legacy.get("in_reply_to_user_id_str")), plain(legacy.get("in_reply_to_screen_name"))
        ),
        conversation="" if conversation in {post, version} else conversation,
        media=media,
        poll=poll_of(as_object(tweet.get("card"))),
        card=_article(tweet) or card_of(as_object(tweet.get("card")), unknown, leads_to(legacy, long)),
        quoted=quoted,
        edits=all_edits([version, *edits]),
        note=plain(at(tweet, "birdwatch_pivot", "subtitle", "text")),
        withheld=tuple(sorted(filter(None, map(plain, as_list(legacy.get("withheld_in_countries")))))),
    )


def author_of(user: Mapping[str, Any], unknown: Counter[str]) -> Author:
    """Newer answers have names in `core`, older ones, and those of embeds, beside the rest. None is counted."""
    core, legacy = as_object(user.get("core")), as_object(user.get("legacy"))
    places = (core, legacy, user)
    handle = next((name for place in places if (name := plain(place.get("screen_name")))), "")
    name = next((name for place in places if (name := plain(place.get("name")))), "")
    if not handle:
        unknown[f"author {plain(user.get('__typename')) or 'without a name'}"] += 1
    return Author(id_of(user.get("rest_id")) or id_of(user.get("id_str")), handle, name)


def edits_of(control: Any) -> list[str]:
    """Ids of all edits, as far as the answer says: that of an edited post has the first one's beside its own."""
    found = as_object(control)
    ids = as_list(found.get("edit_tweet_ids")) or as_list(at(found, "edit_control_initial", "edit_tweet_ids"))
    initial = found.get("initial_tweet_id")
    return sorted({one for one in map(id_of, [*ids, initial]) if one}, key=int)


def media_of(holder: Mapping[str, Any]) -> tuple[Medium, ...]:
    entries = objects(at(holder, "extended_entities", "media")) or objects(at(holder, "entities", "media"))
    return tuple(
        Medium(plain(one.get("type")) or "photo", plain(one.get("media_url_https")), plain(one.get("ext_alt_text")))
        for one in entries
    )


def leads_to(holder: Mapping[str, Any], long: Mapping[str, Any]) -> dict[str, str]:
    """Where the short links of a post lead."""
    links = objects(at(holder, "entities", "urls")) + objects(at(long, "entity_set", "urls"))
    return {plain(one.get("url")): plain(one.get("expanded_url")) for one in links}


def words_of(
    holder: Mapping[str, Any], text: str, long: Mapping[str, Any], post: str, quoted: Post | None
) -> tuple[str, bool]:
    """A post's words, and whether they are all of it.

    Args:
        holder: What has its entities.
        text: As it stands there, with `&`, `<` and `>` escaped.
        long: A long post's own, whose text is not escaped; empty of others.
        post: Its id.
        quoted: What it quotes.
    """
    links = leads_to(holder, long)
    hidden = {plain(one.get("url")) for one in objects(at(holder, "entities", "media"))}
    hidden |= {plain(one.get("url")) for one in objects(at(holder, "extended_entities", "media"))}
    hidden |= {link for link, address in links.items() if quoted and post_in(address) in quoted.ids}
    hidden |= {plain(at(holder, "quoted_status_permalink", "url"))}
    to_itself = {link for link, address in links.items() if post_in(address) == post}
    words = plain(long.get("text"))
    return worded(words or unescaped(text), links, hidden | to_itself), bool(words) or not to_itself


def post_in(address: str) -> str:
    """The post that an address leads to; empty if to none."""
    found = _POST.fullmatch(address)
    return id_of(found["post"]) if found else ""


def _quoted(tweet: Mapping[str, Any], legacy: Mapping[str, Any], unknown: Counter[str]) -> Post | None:
    post = id_of(legacy.get("quoted_status_id_str"))
    result = at(tweet, "quoted_status_result", "result")
    if not isinstance(result, dict):
        if not post:
            return None
        is_named = post_in(plain(at(legacy, "quoted_status_permalink", "expanded"))) == post
        return Post(post, post, missing="not_found", created_at=sent_at(post)) if is_named else None
    try:
        return _post(unwrapped(result), unknown, depth=1)
    except Unavailable as gone:
        return Post(post, post, missing=reason_code(gone.said), created_at=sent_at(post)) if post else None
    except UnknownPart as part:
        unknown[part.kind] += 1
        return Post(post, post, missing="not_found", created_at=sent_at(post)) if post else None


def _article(tweet: Mapping[str, Any]) -> Card | None:
    article = as_object(at(tweet, "article", "article_results", "result")) or as_object(tweet.get("article"))
    title = plain(article.get("title"))
    words = plain(article.get("plain_text")) or plain(article.get("preview_text"))
    return Card("", title, words) if title or words else None


def bindings(card: Mapping[str, Any]) -> dict[str, str]:
    """A card's words by their names: a timeline lists them, an embed has them as an object."""
    legacy = as_object(card.get("legacy")) or card
    held = legacy.get("binding_values")
    pairs = (
        list(held.items())
        if isinstance(held, dict)
        else [(plain(one.get("key")), one.get("value")) for one in objects(held)]
    )
    return {name: said for name, value in pairs if (said := plain(at(value, "string_value")))}


def _name_of(card: Mapping[str, Any]) -> str:
    return plain((as_object(card.get("legacy")) or card).get("name")).rpartition(":")[2]


def poll_of(card: Mapping[str, Any]) -> tuple[str, ...]:
    """A poll's choices. Its votes change by the minute, and are left out."""
    if not _POLL.match(_name_of(card)):
        return ()
    found = {int(choice[1]): said for name, said in bindings(card).items() if (choice := _CHOICE.fullmatch(name))}
    return tuple(said for _, said in sorted(found.items()))


def card_of(card: Mapping[str, Any], unknown: Counter[str], links: Mapping[str, str]) -> Card | None:
    """What a post shows of a page that it links to."""
    name, said = _name_of(card), bindings(card)
    if name == "unified_card":
        return _unified(said.get("unified_card", ""))
    title = said.get("title") or said.get("broadcast_title", "")
    if title:
        address = said.get("card_url", "")
        return Card(links.get(address) or address, title, said.get("description", ""))
    # One of which there is nothing but its address is one that X does not show.
    if name and name not in _SILENT_CARDS and not _POLL.match(name):
        unknown[f"card {name}"] += 1
    return None


def _unified(text: str) -> Card | None:
    """A card that is JSON in a text: its first part with a title."""
    try:
        parts = as_object(at(json.loads(text), "component_objects"))
    except (ValueError, RecursionError):
        return None
    for part in parts.values():
        data = as_object(at(part, "data"))
        if title := plain(at(data, "title", "content")):
            return Card("", title, plain(at(data, "subtitle", "content")))
    return None
