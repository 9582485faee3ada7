"""A post's comments, put together from answers: the first one, and those to what it only hints at.

Pure: what is to be asked next follows from what was answered, so the same answers make the same tree.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from extrophi_backend.collectors.reddit.models import Comment, Post, Unreadable
from extrophi_backend.collectors.reddit.parse import (
    as_object,
    count,
    id_of,
    listed,
    parent_of,
    read_comment,
    read_post,
    things,
)

_AT_ONCE = 100
"""Ids that `/api/morechildren` takes."""
MOST_CHARACTERS = 8_000_000
"""Of all comments together: more is not asked for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for more: certain comments with what answers them, or all below one that is too deep to be listed."""

    children: tuple[str, ...] = ()
    under: str = ""


@dataclass(slots=True)
class _More:
    """Comments that are hinted at. `total` counts those below them as well."""

    children: list[str]
    total: int


class Tree:
    """Grows by `begin`, then by `take` or `refuse` for each `next_ask`.

    Args:
        most_comments: When it has so many, nothing more is asked.
        most_asks: So many questions at most.
    """

    def __init__(self, *, most_comments: int, most_asks: int) -> None:
        self.post: Post
        self.unknown: Counter[str] = Counter()
        """Kinds of things that are none of ours, and how many."""
        self.unreadable = 0
        """Comments that do not say which they are, or what they say."""
        self.refused = 0
        """Comments, at least, that Reddit failed to give."""
        self._most_comments = most_comments
        self._most_asks = most_asks
        self._asks = 0
        self._is_shuffled = False
        """Reddit lists comments in another order each time: then they are in the order of their times."""
        self._size = 0
        self._comments: dict[str, Comment] = {}
        self._places: dict[str, list[str]] = {}
        """What answers each thing, in its order."""
        self._placed: dict[str, str] = {}
        self._more: deque[_More] = deque()
        self._under: deque[str] = deque()
        self._were_under: set[str] = set()

    def __len__(self) -> int:
        return len(self._comments)

    @property
    def left(self) -> int:
        """About how many comments were not had: beyond the limits, or refused."""
        hinted = sum(one.total for one in self._more) + len(self._under) + self.refused
        counted = self.post.comments
        return hinted if counted is None or not hinted else min(hinted, max(1, counted - len(self)))

    @property
    def is_full(self) -> bool:
        """Whether nothing more is asked for, whatever there is."""
        return len(self) >= self._most_comments or self._size >= MOST_CHARACTERS or self._asks >= self._most_asks

    def begin(self, answer: Any) -> None:
        """Take what `/comments/ID` answers: the post, and the first of its comments. Raises Unreadable."""
        post, comments = _halves(answer)
        data = next((data for kind, data in things(listed(post)) if kind == "t3"), {})
        found = read_post(data)
        if found is None:
            raise Unreadable("Reddit's answer holds no post.")
        self.post = found
        self._is_shuffled = data.get("contest_mode") is True
        self._add(listed(comments), self.post.name)

    def next_ask(self) -> Ask | None:
        """What to ask next; None when all is there, or as much as may be."""
        if self.is_full or not (self._more or self._under):
            return None
        self._asks += 1
        return Ask(children=self._taken()) if self._more else Ask(under=self._under.popleft())

    def take(self, ask: Ask, answer: Any) -> None:
        """Take what was answered to `next_ask`. Raises Unreadable."""
        had = len(self)
        if ask.under:
            _, comments = _halves(answer)
            self._add(listed(comments), self.post.name)
            return
        inner = as_object(as_object(as_object(answer).get("json")).get("data")).get("things")
        if not isinstance(inner, list):
            raise Unreadable("Reddit's answer holds no comments.")
        self._add(inner, self.post.name)
        if len(self) == had:
            # Reddit lists comments that it then does not give, removed ones above all: they are not asked for twice.
            asked = set(ask.children)
            for more in self._more:
                more.children = [one for one in more.children if one not in asked]
            self._more = deque(more for more in self._more if more.children)

    def refuse(self, ask: Ask) -> None:
        """Note that there was no answer to `next_ask`."""
        self.refused += max(1, len(ask.children))

    def in_order(self) -> Iterator[Comment]:
        """All comments with their depths: each before those that answer it, siblings as Reddit lists them.

        Those whose parent was not had come last, as if they answered the post.
        """
        given: set[str] = set()
        for root in chain(self._answering(self.post.name), self._orphans(), self._comments):
            stack = [(root, 0)]
            while stack:
                name, depth = stack.pop()
                if name in given:  # several may claim to answer each other, in a circle
                    continue
                given.add(name)
                yield replace(self._comments[name], depth=depth)
                stack += [(one, depth + 1) for one in reversed(self._answering(name))]

    def _answering(self, name: str) -> list[str]:
        """Those of a thing's answers that were had, in their order."""
        places = self._places.get(name, ())
        found = [one for one in places if one in self._comments and self._comments[one].parent == name]
        return sorted(found, key=self._when) if self._is_shuffled else found

    def _when(self, name: str) -> tuple[float, str]:
        written = self._comments[name].words.published_at
        return written.timestamp() if written else 0.0, name

    def _orphans(self) -> Iterator[str]:
        for parent in self._places:
            if parent not in self._comments:
                yield from self._answering(parent)

    def _taken(self) -> tuple[str, ...]:
        """The next ids to ask for, out of as many hints as fit."""
        taken: list[str] = []
        while self._more and len(taken) < _AT_ONCE:
            more = self._more[0]
            number, fits = len(more.children), _AT_ONCE - len(taken)
            taken += more.children[:fits]
            more.children = more.children[fits:]
            if more.children:
                more.total -= more.total * fits // number  # those below the taken ones are told of with them
            else:
                self._more.popleft()
        return tuple(taken)

    def _add(self, found: Sequence[Any], parent: str) -> None:
        """Take comments and hints, nested or in a row. Without recursion: they nest as deep as somebody likes."""
        waiting = deque([(found, parent)])
        while waiting:
            siblings, above = waiting.popleft()
            for kind, data in things(siblings):
                if kind == "t1":
                    comment = read_comment(data, self.post.id, parent_of(data) or above)
                    if comment is None:
                        self.unreadable += 1
                    else:
                        # One without words keeps its place: others answer it.
                        self._keep(comment, is_readable=isinstance(data.get("body"), str))
                        waiting.append((_replies(data), comment.name))
                elif kind == "more":
                    self._hint(data, parent_of(data) or above)
                else:
                    self.unknown[kind] += 1

    def _keep(self, comment: Comment, *, is_readable: bool) -> None:
        if comment.name not in self._comments:
            self.unreadable += not is_readable
            self._comments[comment.name] = comment
            self._place(comment.name, comment.parent)
            self._size += len(comment.words.text)

    def _place(self, name: str, parent: str) -> None:
        """Note where among its siblings a comment is, be it there or only hinted at: it may come much later."""
        if self._placed.get(name) != parent:
            self._placed[name] = parent
            self._places.setdefault(parent, []).append(name)

    def _hint(self, data: Mapping[str, Any], parent: str) -> None:
        """Note a `more`: by its children's ids, or, where the tree is too deep (`_`), only by what they are below."""
        ids = [id_of(one, "t1") for one in data["children"]] if isinstance(data.get("children"), list) else []
        children = [one for one in ids if one and f"t1_{one}" not in self._comments]
        total = count(data.get("count")) or 0
        if children:
            self._more.append(_More(children, max(total, len(children))))
            for one in children:
                self._place(f"t1_{one}", parent)
        elif ids:
            return  # all of them are there by now
        elif parent.startswith("t1_"):
            under = parent.removeprefix("t1_")
            if under not in self._were_under:
                self._were_under.add(under)
                self._under.append(under)
        else:
            self.refused += total


def _halves(answer: Any) -> tuple[Any, Any]:
    """The two lists that a post's address answers with: the post, and its comments."""
    if not isinstance(answer, list) or len(answer) != 2:
        raise Unreadable("Reddit's answer is no post with comments.")
    return answer[0], answer[1]


def _replies(data: Mapping[str, Any]) -> Sequence[Any]:
    """Empty text where there are none, else a Listing."""
    children = as_object(as_object(data.get("replies")).get("data")).get("children")
    return children if isinstance(children, list) else ()
