"""Asking Reddit for a post with all of its comments, and making its document."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from extrophi_backend.collectors.models import Capture, Collected, Failure, Validators
from extrophi_backend.collectors.reddit.api import API
from extrophi_backend.collectors.reddit.keeping import Answers
from extrophi_backend.collectors.reddit.knowing import has_vanished, is_as_before, validators_of
from extrophi_backend.collectors.reddit.models import Declined, Entry, Post, Unreadable
from extrophi_backend.collectors.reddit.places import post_address
from extrophi_backend.collectors.reddit.reporting import strange_parts
from extrophi_backend.collectors.reddit.tree import MOST_CHARACTERS, Ask, Tree
from extrophi_backend.collectors.reddit.writing import document
from extrophi_backend.fetch.errors import FetchFailed

_AT_ONCE = 500
"""Comments of the first answer: what Reddit gives at most."""
_ORDER = "old"
"""By votes, the order would change from look to look, and each would make a version."""
_MOST_TROUBLES = 3
"""Questions about one post, in a row, that get no answer: the rest would get none, either."""
_MODHASH = re.compile(r'"modhash": "[^"]*"')
"""Signs what a session does to Reddit, and is no part of what Reddit shows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one post's tree is asked for."""

    comments: int = 20_000
    asks: int = 300


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of looking at a post: neither a document nor `is_unchanged` where it has vanished.

    It `is_lacking` where Reddit failed to give comments that it may give another time.
    """

    document: Collected | None = None
    is_unchanged: bool = False
    failures: Sequence[Failure] = ()
    is_lacking: bool = False


class Gatherer:
    """Looks at posts.

    Args:
        api: Whom to ask.
        limits: Of each post's tree.
        now: The present.
    """

    def __init__(self, api: API, limits: Limits, now: Callable[[], datetime]) -> None:
        self._api = api
        self._limits = limits
        self._now = now

    def is_as_before(self, held: Validators, post: Post) -> bool:
        """Whether a post's document need not be made anew."""
        return is_as_before(held, post, self._now())

    def told(self, entry: Entry, held: Validators | None) -> Looked | None:
        """What a list tells of a post, where nothing more has to be asked; else None.

        Args:
            entry: The list's.
            held: The validators of its document, if there is one.
        """
        if entry.post is None:
            return None
        found = self._decided(entry.post, held)
        if found is not None or entry.post.comments != 0:
            return found
        validators = validators_of(entry.post, "oauth", self._now())
        capture = _capture([_dumped(entry.raw)])
        return Looked(document(entry.post, (), format_="markdown", capture=capture, validators=validators))

    async def asked(self, post_id: str, held: Validators | None, answers: Answers) -> Looked:
        """A post with its comments.

        Args:
            post_id: Which.
            held: The validators of its document, if there is one.
            answers: Those of an earlier attempt, and empty at first. What is answered now is added.

        Raises:
            Declined: Reddit does not give the post.
            Unreadable: it gives what nobody knows.
            Refused: it does not take the credentials.
            FetchFailed: no answer was to be had.
            Wait: Reddit asks to.
        """
        tree = Tree(most_comments=self._limits.comments, most_asks=self._limits.asks)
        if not answers:
            params = {"limit": _AT_ONCE, "sort": _ORDER}
            answer = await self._api.get(f"/comments/{post_id}", params)
            answers.append(await asyncio.to_thread(_dumped, answer))
        # A large tree takes seconds of reading and writing, in which nothing else would go on.
        await asyncio.to_thread(lambda: tree.begin(json.loads(answers[0] or "null")))
        if tree.post.id != post_id:
            raise Unreadable("Reddit's answer is about another post.")
        if (found := self._decided(tree.post, held)) is not None:
            return found
        await self._follow(tree, answers)
        return await asyncio.to_thread(self._gathered, tree, answers)

    def _decided(self, post: Post, held: Validators | None) -> Looked | None:
        """What can be told without the comments."""
        if has_vanished(held, post):
            return Looked()
        return Looked(is_unchanged=True) if held is not None and self.is_as_before(held, post) else None

    async def _follow(self, tree: Tree, answers: Answers) -> None:
        """Ask for what the tree only hints at, until all is there, or as much as may be."""
        troubles = 0
        await asyncio.to_thread(_retake, tree, answers[1:])
        while troubles < _MOST_TROUBLES and (ask := tree.next_ask()):
            try:
                answer = await self._asked(tree.post.id, ask)
                troubles = 0
            except (Declined, Unreadable, FetchFailed):
                answer = None
                troubles += 1
            answers.append(None if answer is None else await asyncio.to_thread(_dumped, answer))
            await asyncio.to_thread(_take, tree, ask, answer)

    async def _asked(self, post_id: str, ask: Ask) -> Any:
        if ask.under:
            return await self._api.get(f"/comments/{post_id}/_/{ask.under}", {"limit": _AT_ONCE, "sort": _ORDER})
        params = {
            "link_id": f"t3_{post_id}",
            "children": ",".join(ask.children),
            "api_type": "json",
            "limit_children": "false",
            "sort": _ORDER,
        }
        return await self._api.get("/api/morechildren", params)

    def _gathered(self, tree: Tree, answers: Answers) -> Looked:
        made = document(
            tree.post,
            tree.in_order(),
            format_="markdown",
            capture=_capture([one for one in answers if one is not None]),
            validators=validators_of(tree.post, "oauth", self._now(), is_whole=not tree.refused),
        )
        address = post_address(tree.post.id)
        failures = [*strange_parts(address, tree.unknown, tree.unreadable)]
        if tree.left:
            failures.append(Failure(address, "more_left", self._left(tree)))
        return Looked(made, failures=failures, is_lacking=tree.refused > 0)

    def _left(self, tree: Tree) -> str:
        """Why comments are missing: failures of Reddit's, our limits, or both."""
        most = (
            f"of one post, {self._limits.comments:,} with {MOST_CHARACTERS:,} characters are collected, by "
            f"{self._limits.asks:,} requests at most."
        )
        if not tree.refused:
            return f"About {tree.left:,} comments were left out: {most}"
        why = f"Reddit failed to give some, and {most}" if tree.is_full else "Reddit failed to give them."
        return f"About {tree.left:,} comments are missing: {why} A later look asks for them again."


def _retake(tree: Tree, answers: Sequence[str | None]) -> None:
    """Take what was answered in an earlier attempt, in which the same was asked."""
    for kept in answers:
        ask = tree.next_ask()
        if ask is None:
            return
        _take(tree, ask, None if kept is None else json.loads(kept))


def _take(tree: Tree, ask: Ask, answer: Any) -> None:
    try:
        if answer is None:
            tree.refuse(ask)
        else:
            tree.take(ask, answer)
    except Unreadable:
        tree.refuse(ask)


def _dumped(answer: Any) -> str:
    return _MODHASH.sub('"modhash": null', json.dumps(answer))


def _capture(answers: Sequence[str]) -> Capture:
    """All answers, as one JSON list."""
    return Capture(f"[{','.join(answers)}]".encode(), "application/json")
