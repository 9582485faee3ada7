"""Collecting from X's data archive: what the account wrote, and the posts that it liked."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice
from typing import Any

from extrophi_backend.archives.models import ANEW, Contents, Kind, Part
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.archive import is_repost, read_account, read_likes, read_long, read_tweets
from extrophi_backend.collectors.twitter.models import Author, Batch, Listed, Piece
from extrophi_backend.collectors.twitter.reading import Unreadable, as_object, id_of, unknown_parts
from extrophi_backend.collectors.twitter.target import Place
from extrophi_backend.collectors.twitter.ways import Wanted
from extrophi_backend.errors import Refused

_MEMBERS = re.compile(
    r"(?:^|/)data/(?:(?P<account>account)|(?P<tweets>tweets?(?:-part\d+)?)|(?P<notes>note-tweets?)|(?P<likes>like))\.js$"
)
_NAMED = frozenset({"accountId", "username", "accountDisplayName"})
_AT_ONCE = 100
_MOST_ASKED = 10_000


def _look(archive: Archive) -> Contents | None:
    try:
        account = read_account(_entries(archive, "account"))
    except Unreadable:
        return None
    written = [as_object(as_object(entry).get("tweet")) for entry in _entries(archive, "tweets")]
    posts = [one for one in written if not is_repost(one)]
    first = [id_of(one.get("id_str")) for one in posts if one.get("in_reply_to_user_id_str") != account.id]
    likes = [id_of(as_object(as_object(entry).get("like")).get("tweetId")) for entry in _entries(archive, "likes")]
    parts = [
        Part("posts", len(posts), "a document each, and one for each thread", [one for one in first if one]),
        Part("liked posts", len(likes), "a document each", [one for one in likes if one]),
        Part("reposts", len(written) - len(posts), ""),
    ]
    return Contents("twitter", f"X, the archive of @{account.handle}", [part for part in parts if part.count])


def _sent(archive: Archive, name: str) -> Iterator[str] | None:
    """Posts and likes as they are; of the account only its name, and neither mail nor telephone."""
    match = _MEMBERS.search(name)
    if match is None:
        return None
    entries: Iterator[object] = archive.entries(name)
    if match["account"]:
        entries = (
            {"account": {key: value for key, value in _account(one).items() if key in _NAMED}} for one in entries
        )
    return _as_script(entries)


def _account(entry: object) -> dict[str, Any]:
    return as_object(as_object(entry).get("account"))


def _as_script(entries: Iterator[object]) -> Iterator[str]:
    yield "["
    for number, entry in enumerate(entries):
        yield f"{',' if number else ''}\n{json.dumps(entry, separators=(',', ':'))}"
    yield "\n]\n"


KIND = Kind("twitter", _MEMBERS, _look, _sent)


class ByArchive:
    """Of one run. What is not in the archive is asked of nobody."""

    name: models.Way = "archive"
    at_once = _MOST_ASKED

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def can_go_below(self, _: Place, /) -> bool:
        """As `Way.can_go_below`."""
        return False

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`, in the archive's order. `more` counts the posts that were gone through."""
        start = wanted.more if isinstance(wanted.more, int) else 0
        unknown: Counter[str] = Counter()
        pieces = self._pieces(unknown)
        if start:
            await self._next(pieces, start)
        while found := await self._next(pieces, _AT_ONCE):
            start += len(found)
            listed = [Listed(piece.post.version, piece) for piece in found]
            failures = unknown_parts(wanted.place.address, unknown)
            unknown.clear()
            yield Batch(listed, failures=failures, more=start)
        if unknown:
            yield Batch(failures=unknown_parts(wanted.place.address, unknown), more=start)

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`: in one pass over the archive."""
        asked = frozenset(posts)
        pieces = (piece for piece in self._pieces(Counter()) if piece.post.ids & asked)
        found = await self._next(pieces, len(posts))
        return Batch([Listed(piece.post.version, piece) for piece in found])

    async def _next(self, pieces: Iterator[Piece], count: int) -> list[Piece]:
        """The next of them: unpacking and parsing leave the loop to others."""
        try:
            return await asyncio.to_thread(lambda: [*islice(pieces, count)])
        except BadArchive as error:
            raise Refused(error.code, error.detail, hint=ANEW) from error

    def _pieces(self, unknown: Counter[str]) -> Iterator[Piece]:
        account = self.account()
        long = read_long(_entries(self._archive, "notes"))
        yield from read_tweets(_entries(self._archive, "tweets"), account, unknown, long)
        yield from read_likes(_entries(self._archive, "likes"), unknown)

    def account(self) -> Author:
        """Whose archive it is. Raises Unreadable: it does not say."""
        return read_account(_entries(self._archive, "account"))


def _entries(archive: Archive, kind: str) -> Iterator[object]:
    """The elements of all members of a kind: a large archive's posts are in several."""
    matches = [(name, match) for name in sorted(archive.names) if (match := _MEMBERS.search(name))]
    for name, match in matches:
        if match[kind]:
            yield from archive.entries(name)
