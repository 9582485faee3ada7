"""Making one of what came of a post, or of a thread, by several ways and at several times.

Which came first makes no difference, nor does how often: `join` and `union` are idempotent, commutative and
associative. Of two forms of a field the fuller one stays; of two edits, the later one's words.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import Any, TypeVar

from extrophi_backend.collectors.twitter.models import Author, Post, all_edits, to_json
from extrophi_backend.collectors.twitter.reading import count_links

Value = TypeVar("Value")


def join(one: Post, other: Post) -> Post:
    """The post that both are forms of: what is known of it by either."""
    older, newer = sorted((one, other), key=_recency)
    words = newer if _recency(older) != _recency(newer) else _same_words(one, other)
    ids = one.ids | other.ids
    return replace(
        words,
        id=min(ids, key=int),
        author=_author(one.author, other.author),
        reply_to=_fuller(one.reply_to, other.reply_to),
        reply_to_author=_author(one.reply_to_author, other.reply_to_author),
        conversation=_fuller(one.conversation, other.conversation),
        edits=all_edits(ids),
        note=_fuller(one.note, other.note),
        withheld=tuple(sorted({*one.withheld, *other.withheld})),
        missing=max(one.missing, other.missing) if one.missing and other.missing else "",
    )


def union(posts: Iterable[Post]) -> list[Post]:
    """The posts, each once, by their ids: in the order in which they were sent."""
    groups: dict[str, list[Post]] = {}
    for post in posts:
        group = [post]
        # Two forms of one post may know of different edits of it: a third may join them.
        for old in {id(found): found for one in post.ids if (found := groups.get(one)) is not None}.values():
            group += old
        for one in frozenset[str]().union(*(member.ids for member in group)):
            groups[one] = group
    apart = {id(group): group for group in groups.values()}
    return sorted((reduce(join, group) for group in apart.values()), key=lambda post: int(post.id))


def _recency(post: Post) -> tuple[bool, int]:
    """What there is nothing of has no words that could be newer."""
    return not post.missing, int(post.version)


def _same_words(one: Post, other: Post) -> Post:
    """What both say of one edit."""
    is_whole, text = max(((post.is_whole, post.text) for post in (one, other)), key=_wording)
    quoted = [post.quoted for post in (one, other) if post.quoted is not None]
    return replace(
        one,
        text=text,
        is_whole=is_whole,
        created_at=max(filter(None, (one.created_at, other.created_at)), default=None),
        lang=_fuller(one.lang, other.lang),
        media=_fuller(one.media, other.media),
        poll=_fuller(one.poll, other.poll),
        card=_fuller(one.card, other.card),
        quoted=_quoted(quoted),
    )


def _wording(words: tuple[bool, str]) -> tuple[bool, int, int, str]:
    is_whole, text = words
    return is_whole, -count_links(text), len(text), text


def _quoted(found: list[Post]) -> Post | None:
    match found:
        case []:
            return None
        case [only]:
            return only
        case [one, other, *_] if one.ids & other.ids:
            return join(one, other)
        case _:
            return max(found, key=lambda post: (int(post.id), _canonical(to_json(post))))


def _author(one: Author, other: Author) -> Author:
    return Author(_fuller(one.id, other.id), _fuller(one.handle, other.handle), _fuller(one.name, other.name))


def _fuller(one: Value, other: Value) -> Value:
    """The longer of two; of equally long ones always the same."""
    return max(one, other, key=lambda value: (len(_canonical(value)) if value else 0, _canonical(value)))


def _canonical(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)
