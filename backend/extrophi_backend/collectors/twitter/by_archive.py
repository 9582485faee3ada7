"""Collecting from X's data archive: what the account wrote, and the posts that it liked."""

import asyncio
import json
import re
from array import array
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from extrophi_backend.archives.models import ANEW, Contents, Kind, Part
from extrophi_backend.archives.reading import Archive, BadArchive
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.archive import (
    is_repost,
    read_account,
    read_likes,
    read_long,
    read_tweets,
    tweet_in,
)
from extrophi_backend.collectors.twitter.models import Author, Batch, Listed, Piece, Post
from extrophi_backend.collectors.twitter.reading import Unreadable, as_object, id_of, unknown_parts
from extrophi_backend.collectors.twitter.target import Place
from extrophi_backend.collectors.twitter.ways import Wanted
from extrophi_backend.errors import Refused

_MEMBERS = re.compile(
    r"(?:^|(?:^|/)data/)(?:(?P<account>account)|(?:(?P<tweets>tweets?|community-tweets?)|(?P<notes>note-tweets?)"
    r"|(?P<likes>like))(?:-part\d+)?)\.js$"
)
"""In the oldest archives they are not in a folder."""
_NAMED = frozenset({"accountId", "username", "accountDisplayName"})
Result = TypeVar("Result")
_AT_ONCE = 100
_MOST_ASKED = 10_000


def _look(archive: Archive) -> Contents | None:
    try:
        account = read_account(_entries(archive, "account"))
    except Unreadable:
        return None
    written = [tweet_in(entry) for entry in _entries(archive, "tweets")]
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
        self._roots: Mapping[int, int] | None = None

    def can_go_below(self, _: Place, /) -> bool:
        """As `Way.can_go_below`."""
        return False

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`, in the archive's order. `more` counts the posts that were gone through.

        Where a thread's first post stands elsewhere in the archive, it is known all the same which that is.
        """
        start = wanted.more if isinstance(wanted.more, int) else 0
        if self._roots is None:
            self._roots = await self._unpacking(lambda: roots_of(piece.post for piece in self._pieces(Counter())))
        unknown: Counter[str] = Counter()
        pieces = self._pieces(unknown)
        await self._unpacking(lambda: deque(islice(pieces, start), maxlen=0))
        while found := await self._next(pieces, _AT_ONCE):
            start += len(found)
            listed = [Listed(piece.post.version, piece) for piece in found]
            failures = unknown_parts(wanted.place.address, unknown)
            unknown.clear()
            own = [piece.post for piece in found if piece.post.continues_own]
            roots = {post.id: str(self._roots.get(int(post.id), post.id)) for post in own}
            yield Batch(listed, failures=failures, more=start, roots=roots)
        if unknown:
            yield Batch(failures=unknown_parts(wanted.place.address, unknown), more=start)

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`: in one pass over the archive."""
        asked = frozenset(posts)
        pieces = (piece for piece in self._pieces(Counter()) if piece.post.ids & asked)
        found = await self._next(pieces, len(posts))
        return Batch([Listed(piece.post.version, piece) for piece in found])

    async def _next(self, pieces: Iterator[Piece], count: int) -> list[Piece]:
        return await self._unpacking(lambda: [*islice(pieces, count)])

    async def _unpacking(self, work: Callable[[], Result]) -> Result:
        """What comes of work that unpacks and parses: it leaves the loop to others."""
        try:
            return await asyncio.to_thread(work)
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


def roots_of(posts: Iterable[Post]) -> Mapping[int, int]:
    """By the number of each post that goes on from another of these, that of its thread's first one.

    Numbers and not texts, since there may be millions.
    """
    above: dict[int, int] = {}
    first: dict[int, int] = {}
    """Of edits, the post that they are of."""
    there = array("Q")
    for post in posts:
        number = int(post.id)
        there.append(number)
        first.update((int(one), number) for one in post.ids if one != post.id)
        if post.continues_own and int(post.reply_to) < number:
            above[number] = int(post.reply_to)
    answered = {first.get(one, one) for one in above.values()}
    answered.intersection_update(there)
    roots: dict[int, int] = {}
    for number in sorted(above):  # who is answered comes before
        one = first.get(above[number], above[number])
        if one in answered:
            roots[number] = roots.get(one, one)
    return roots


def _entries(archive: Archive, kind: str) -> Iterator[object]:
    """The elements of all members of a kind: a large archive's posts are in several."""
    matches = [(name, match) for name in sorted(archive.names) if (match := _MEMBERS.search(name))]
    for name, match in matches:
        if match[kind]:
            yield from archive.entries(name)
