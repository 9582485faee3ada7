"""What X's API v2 answers, read into posts (docs.x.com/x-api, data dictionary).

An answer may be whole, or partly errors: what it names as not to be had is kept under its name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from extrophi_backend.collectors.models import Failure
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
    unescaped,
    unknown_parts,
    worded,
)
from extrophi_backend.collectors.twitter.target import post_address

FIELDS: Mapping[str, str] = {
    "tweet.fields": "article,attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,"
    "in_reply_to_user_id,lang,note_tweet,referenced_tweets,text,withheld",
    "expansions": "attachments.media_keys,attachments.poll_ids,author_id,in_reply_to_user_id,referenced_tweets.id,"
    "referenced_tweets.id.author_id,referenced_tweets.id.attachments.media_keys",
    "media.fields": "alt_text,media_key,preview_image_url,type,url",
    "poll.fields": "id,options,voting_status",
    "user.fields": "id,name,protected,username,withheld",
}
"""What is asked for, spelled out: without it an answer has ids and texts alone."""
_RELATIONS = frozenset({"replied_to", "quoted", "retweeted"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One of an answer's `errors`: what is not to be had, and why (a code of sources/states.py)."""

    code: str
    resource: str
    """tweet, user, list, …"""
    id: str
    parameter: str
    detail: str

    @property
    def is_of_asked(self) -> bool:
        """Whether it is about a post that was asked for, and not about one that another refers to."""
        return self.resource in {"tweet", "post"} and not self.is_of_reference

    @property
    def is_of_reference(self) -> bool:
        return self.parameter.startswith("referenced_tweets")


@dataclass(frozen=True, slots=True)
class User:
    id: str
    handle: str
    is_protected: bool


def read_user(answer: Mapping[str, Any]) -> User | None:
    """The user that was asked for; None where the answer has none (`problems` say why)."""
    found = as_object(answer.get("data"))
    user, handle = id_of(found.get("id")), plain(found.get("username"))
    return User(user, handle, found.get("protected") is True) if user and handle else None


def problems(answer: Mapping[str, Any]) -> list[Problem]:
    """What an answer says not to give."""
    return [
        Problem(
            _code_of(one),
            plain(one.get("resource_type")),
            id_of(one.get("resource_id")) or id_of(one.get("value")),
            plain(one.get("parameter")),
            plain(one.get("detail")) or plain(one.get("message")) or plain(one.get("title")),
        )
        for one in objects(answer.get("errors"))
    ]


def read_posts(answer: Mapping[str, Any], target: str) -> Batch:
    """The posts of a listing, or those that were asked for by their ids.

    Args:
        answer: As parsed.
        target: Its address, for what was not understood.

    Raises:
        Unreadable: it has neither posts, nor says that there are none, nor why.
    """
    if not answer.keys() & {"data", "meta", "errors"}:
        raise Unreadable("The answer has neither posts nor errors.")
    context = _Context(answer)
    data = answer.get("data")
    rows = as_list(data) if isinstance(data, list) else [data] if isinstance(data, dict) else []
    if data is not None and not isinstance(data, list | dict):
        context.unknown["data"] += 1
    listed = [found for row in rows if (found := context.listed(row)) is not None]
    beside = [piece for post in context.posts if (piece := context.piece(post)) is not None]
    asked = [one for one in problems(answer) if one.id and one.is_of_asked]
    failures = [Failure(post_address(one.id), one.code, one.detail) for one in asked]
    return Batch(
        listed,
        beside,
        [*failures, *unknown_parts(target, context.unknown)],
        {one.id: one.code for one in asked},
        plain(at(answer, "meta", "next_token")) or None,
    )


class _Context:
    """An answer's `includes`, by their ids, and what of it is not known."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        included = as_object(answer.get("includes"))
        self.unknown: Counter[str] = Counter()
        self.posts = {post: one for one in objects(included.get("tweets")) if (post := self._id_of(one))}
        self._users = {user: one for one in objects(included.get("users")) if (user := id_of(one.get("id")))}
        self._media = {plain(one.get("media_key")): one for one in objects(included.get("media"))}
        self._polls = {plain(one.get("id")): one for one in objects(included.get("polls"))}
        self._missing = {one.id: one.code for one in problems(answer) if one.is_of_reference and one.id}

    def listed(self, row: Any) -> Listed | None:
        """What stands at a place of a listing: of a repost, what it reposts."""
        mark = self._id_of(row)
        if not mark:
            return None
        original = self._referenced(row).get("retweeted")
        if original is None:
            piece = self._piece(row)
        elif original in self.posts:
            piece = self.piece(original)
        else:
            # It is not given: too old, withheld or protected. What the repost itself shows of it is its beginning.
            piece = Piece(self._cut_repost(row, original), {"tweet": row})
        return Listed(mark, piece, mark) if piece else None

    def _id_of(self, row: Any) -> str:
        """A post's id; empty of what is none, which is counted."""
        found = as_object(row)
        post = id_of(found.get("id")) if isinstance(found.get("text"), str) else ""
        if not post:
            self.unknown["post without an id or a text"] += 1
        return post

    def piece(self, post: str) -> Piece | None:
        """One of those that came along."""
        row = self.posts[post]
        return None if "retweeted" in self._referenced(row) else self._piece(row)

    def _piece(self, row: Mapping[str, Any]) -> Piece | None:
        post = self._post(row, depth=0)
        if post is None:
            return None
        quoted = self._referenced(row).get("quoted", "")
        users = {id_of(row.get("author_id")), id_of(self.posts.get(quoted, {}).get("author_id"))}
        raw = {
            "tweet": row,
            "quoted": self.posts.get(quoted),
            "users": [self._users[one] for one in sorted(users) if one in self._users],
            "media": self._attached(row, "media_keys", self._media),
            "polls": self._attached(row, "poll_ids", self._polls),
        }
        return Piece(post, {name: value for name, value in raw.items() if value})

    def _post(self, row: Mapping[str, Any], *, depth: int) -> Post | None:
        version = id_of(row.get("id"))
        if not version:
            return None
        edits = [edit for one in as_list(row.get("edit_history_tweet_ids")) if (edit := id_of(one))]
        post = min([version, *edits], key=int)
        referenced = self._referenced(row)
        quoted = referenced.get("quoted", "")
        above = referenced.get("replied_to", "")
        text, is_whole = self._text(row, quoted)
        user = as_object(self._users.get(id_of(row.get("author_id"))))
        author = Author(id_of(row.get("author_id")), plain(user.get("username")), plain(user.get("name")))
        conversation = id_of(row.get("conversation_id"))
        return Post(
            id=post,
            version=version,
            author=author,
            text=text,
            is_whole=is_whole,
            created_at=moment(row.get("created_at")) or sent_at(version),
            lang=plain(row.get("lang")),
            reply_to=above,
            reply_to_author=self._answered(row, above),
            conversation="" if conversation in {post, version} else conversation,
            media=tuple(self._medium(one) for one in self._attached(row, "media_keys", self._media)),
            poll=tuple(
                plain(option.get("label"))
                for poll in self._attached(row, "poll_ids", self._polls)
                for option in objects(poll.get("options"))
            ),
            card=_card(row),
            quoted=self._quoted(quoted) if quoted and depth == 0 else None,
            edits=all_edits([version, *edits]),
            withheld=tuple(sorted(filter(None, map(plain, as_list(at(row, "withheld", "country_codes")))))),
        )

    def _quoted(self, quoted: str) -> Post | None:
        if quoted in self.posts:
            return self._post(self.posts[quoted], depth=1)
        return Post(quoted, quoted, missing=self._missing.get(quoted, "not_found"), created_at=sent_at(quoted))

    def _answered(self, row: Mapping[str, Any], above: str) -> Author:
        """Whom a post answers: its field says the id, what came along perhaps the handle."""
        if not above:
            return Author()
        answered = id_of(row.get("in_reply_to_user_id")) or id_of(as_object(self.posts.get(above)).get("author_id"))
        user = as_object(self._users.get(answered))
        return Author(answered, plain(user.get("username")), plain(user.get("name")))

    def _text(self, row: Mapping[str, Any], quoted: str) -> tuple[str, bool]:
        """A post's words, and whether they are all of it."""
        long = plain(at(row, "note_tweet", "text"))
        own = id_of(row.get("id"))
        leads_to, hidden = _links(row)
        to_itself = {link for link, address in leads_to.items() if _leads_to_post(address, own)}
        hidden |= {link for link, address in leads_to.items() if quoted and _leads_to_post(address, quoted)}
        text = unescaped(long or plain(row.get("text")))
        # A long post that ends in a link to itself is its beginning alone.
        return worded(text, leads_to, hidden | to_itself), bool(long) or not to_itself

    def _cut_repost(self, row: Mapping[str, Any], original: str) -> Post:
        said = unescaped(plain(row.get("text")))
        begin, _, text = said.partition(": ")
        handle = begin.removeprefix("RT @") if begin.startswith("RT @") else ""
        return Post(
            original,
            original,
            author=Author(handle=handle),
            text=worded(text if handle else said, *_links(row)),
            is_whole=not said.endswith("…"),
            created_at=sent_at(original),
            lang=plain(row.get("lang")),
        )

    def _referenced(self, row: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in objects(row.get("referenced_tweets")):
            relation, post = plain(one.get("type")), id_of(one.get("id"))
            if relation in _RELATIONS and post:
                found[relation] = post
            elif relation not in _RELATIONS:
                self.unknown[f"reference {relation}"] += 1
        return found

    @staticmethod
    def _attached(row: Mapping[str, Any], name: str, there: Mapping[str, Any]) -> list[dict[str, Any]]:
        keys = [plain(one) for one in as_list(at(row, "attachments", name))]
        return [there[key] for key in keys if key in there]

    @staticmethod
    def _medium(row: Mapping[str, Any]) -> Medium:
        url = plain(row.get("url")) or plain(row.get("preview_image_url"))
        return Medium(plain(row.get("type")) or "photo", url, plain(row.get("alt_text")))


def _card(row: Mapping[str, Any]) -> Card | None:
    """What X shows of the last page that a post links to; of an article, its own title and words."""
    article = as_object(row.get("article"))
    if title := plain(article.get("title")):
        return Card("", title, plain(article.get("plain_text")) or plain(article.get("preview_text")))
    links = objects(at(row, "note_tweet", "entities", "urls")) or objects(at(row, "entities", "urls"))
    for link in reversed(links):
        if title := plain(link.get("title")):
            address = plain(link.get("unwound_url")) or plain(link.get("expanded_url"))
            return Card(address, title, plain(link.get("description")))
    return None


def _links(row: Mapping[str, Any]) -> tuple[dict[str, str], set[str]]:
    """Where a post's short links lead, and those of its own media."""
    links = objects(at(row, "entities", "urls")) + objects(at(row, "note_tweet", "entities", "urls"))
    leads_to = {plain(one.get("url")): plain(one.get("expanded_url")) for one in links}
    return leads_to, {plain(one.get("url")) for one in links if one.get("media_key")}


def _leads_to_post(address: str, post: str) -> bool:
    return re.search(rf"/status/{post}(?![0-9/])", address) is not None


def _code_of(problem: Mapping[str, Any]) -> str:
    """A problem's code (docs.x.com/x-api/fundamentals/response-codes-and-errors).

    A suspended user's is the type of one that is not found, and only its sentence tells.
    """
    kind = plain(problem.get("type")).rpartition("/")[2]
    title, detail = plain(problem.get("title")).lower(), plain(problem.get("detail")).lower()
    if "suspended" in detail:
        return "suspended"
    if "withheld" in f"{title} {detail}":
        return "withheld"
    if kind == "not-authorized-for-resource" or title == "authorization error":
        return "protected"
    return "removed" if kind in {"disallowed-resource", "resource-unavailable"} else "not_found"
