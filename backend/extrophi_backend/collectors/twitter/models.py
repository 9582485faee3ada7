"""A post of X's, in one form whatever way it came in, and as JSON to be kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter.reading import (
    as_list,
    as_object,
    id_of,
    moment,
    objects,
    plain,
)

Way = Literal["api", "session", "embed", "archive"]
"""How a post came in: the official API, the person's own session in a browser, an embed, X's data archive."""

_EPOCH_MS = 1_288_834_974_657
_FIRST_SNOWFLAKE = 29_700_859_247  # 2010-11-04: ids before it were counted, and tell no time


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post, as far as the answer says."""

    id: str = ""
    handle: str = ""
    """As its owner writes it, without `@`."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Medium:
    kind: str
    """photo, video or animated_gif."""
    url: str
    """Of the picture, or of a film's first one."""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What X shows of a page that a post links to, or of the article that it holds."""

    url: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as X shows it.

    Every edit of a post has an id of its own. `id` is that of the first, by which it is known; `version` that of the
    one whose words these are.
    """

    id: str
    version: str
    author: Author = Author()
    text: str = ""
    """Links as they lead, without those to its own media and to the post that it quotes."""
    is_whole: bool = True
    """Not so of a long post's beginning, where the answer had no more of it."""
    created_at: datetime | None = None
    """When these words were sent: of an edited one, when it was edited last."""
    lang: str = ""
    reply_to: str = ""
    reply_to_author: Author = Author()
    conversation: str = ""
    """The post that began it, if that is another."""
    media: tuple[Medium, ...] = ()
    poll: tuple[str, ...] = ()
    card: Card | None = None
    quoted: "Post | None" = None
    edits: tuple[str, ...] = ()
    """Ids of all its edits, the first one's included; none, if it was not edited."""
    note: str = ""
    """What readers have added by Community Notes."""
    withheld: tuple[str, ...] = ()
    """Countries in which it is not shown."""
    missing: str = ""
    """Why there is nothing of it but its id (a code of sources/states.py)."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset({self.id, self.version, *self.edits})

    @property
    def continues_own(self) -> bool:
        """Whether it answers a post of its author's."""
        if not self.reply_to:
            return False
        if self.author.id and self.reply_to_author.id:
            return self.author.id == self.reply_to_author.id
        mine, theirs = self.author.handle.lower(), self.reply_to_author.handle.lower()
        return bool(mine) and mine == theirs


@dataclass(frozen=True, slots=True)
class Piece:
    """A post, and the part of an answer that it was read from."""

    post: Post
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A place in a listing: its own id (a repost has one beside that of what it reposts), and the post there.

    `order` is the id that it stands at, newest first; empty of what stands apart, as a pinned post does.
    """

    mark: str
    piece: Piece
    order: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one answer holds.

    `beside`: posts that came with those listed, which tell what they answer. `failures`: what could not be had, or was
    not understood. `more`: where the listing goes on, for who made it; None where it has come to its end.
    """

    listed: Sequence[Listed] = ()
    beside: Sequence[Piece] = ()
    failures: Sequence[Failure] = ()
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    """Codes of posts that were asked for, and are not to be had, by id."""
    more: Any = None
    is_cut: bool = False
    """The listing ends here, and not because there is no more of it."""
    memos: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """To be found again in a later run, by name."""
    roots: Mapping[str, str] = field(default_factory=dict[str, str])
    """First posts of the threads that those listed are in, as far as who gives them knows: they come by themselves."""
    unasked: Sequence[str] = ()
    """Of posts that were to be asked for: those that were not, since no more may be read for now."""


def all_edits(ids: Iterable[str]) -> tuple[str, ...]:
    """A post's edits, of all ids that it is known by; none, if it has but one."""
    found = sorted(set(ids), key=int)
    return tuple(found) if len(found) > 1 else ()


def sent_at(post: str) -> datetime | None:
    """When a post was sent, to the second, by its id: X's ids hold it (github.com/twitter-archive/snowflake)."""
    number = int(post)
    if number < _FIRST_SNOWFLAKE:
        return None
    return datetime.fromtimestamp(((number >> 22) + _EPOCH_MS) // 1000, UTC)


def to_json(post: Post) -> dict[str, Any]:
    """The post as JSON, without what is empty."""
    found: dict[str, Any] = {
        "id": post.id,
        "version": post.version if post.version != post.id else "",
        "author": _author_json(post.author),
        "text": post.text,
        "cut": not post.is_whole,
        "created_at": post.created_at.isoformat() if post.created_at else "",
        "lang": post.lang,
        "reply_to": post.reply_to,
        "reply_to_author": _author_json(post.reply_to_author),
        "conversation": post.conversation,
        "media": [[one.kind, one.url, one.alt] for one in post.media],
        "poll": list(post.poll),
        "card": [post.card.url, post.card.title, post.card.description] if post.card else None,
        "quoted": to_json(post.quoted) if post.quoted else None,
        "edits": list(post.edits),
        "note": post.note,
        "withheld": list(post.withheld),
        "missing": post.missing,
    }
    return {name: value for name, value in found.items() if value}


def from_json(kept: Any) -> Post | None:
    """What `to_json` gave; None of what is none of it."""
    found = as_object(kept)
    post = id_of(found.get("id"))
    if not post:
        return None
    card = [plain(one) for one in as_list(found.get("card"))]
    media = [[plain(part) for part in as_list(one)] for one in as_list(found.get("media"))]
    return Post(
        id=post,
        version=id_of(found.get("version")) or post,
        author=_author(found.get("author")),
        text=plain(found.get("text")),
        is_whole=not found.get("cut"),
        created_at=moment(found.get("created_at")),
        lang=plain(found.get("lang")),
        reply_to=id_of(found.get("reply_to")),
        reply_to_author=_author(found.get("reply_to_author")),
        conversation=id_of(found.get("conversation")),
        media=tuple(Medium(*one) for one in media if len(one) == 3),
        poll=tuple(plain(one) for one in as_list(found.get("poll"))),
        card=Card(*card) if len(card) == 3 else None,
        quoted=from_json(found.get("quoted")),
        edits=tuple(filter(None, map(id_of, as_list(found.get("edits"))))),
        note=plain(found.get("note")),
        withheld=tuple(plain(one) for one in as_list(found.get("withheld"))),
        missing=plain(found.get("missing")),
    )


def posts_of(validators: Mapping[str, Any]) -> list[Post]:
    """The posts that a document was made of, as they are kept with it."""
    found = (from_json(one) for one in objects(validators.get("posts")))
    return [post for post in found if post is not None]


def _author_json(author: Author) -> list[str]:
    return [author.id, author.handle, author.name] if author != Author() else []


def _author(kept: Any) -> Author:
    parts = [plain(one) for one in as_list(kept)]
    return Author(*parts) if len(parts) == 3 else Author()
