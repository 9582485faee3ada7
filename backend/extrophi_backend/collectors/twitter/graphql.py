"""What X's own pages are answered, read into posts: timelines of a user, a list or a search, and a conversation.

Nobody documents it. A timeline is a list of instructions; those that add entries hold posts, alone or in modules, and
what X puts between them. What is known to be no post is passed over; what is not known at all is counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter.models import Batch, Listed, Piece
from extrophi_backend.collectors.twitter.reading import as_list, as_object, at, id_of, objects, plain, unknown_parts
from extrophi_backend.collectors.twitter.reasons import explained, reason_code
from extrophi_backend.collectors.twitter.target import post_address
from extrophi_backend.collectors.twitter.tweets import Unavailable, UnknownPart, read_tweet

_MOST_DEPTH = 12
"""Steps from an answer's root to its instructions: 8 at most, seen so far."""
_WITHOUT_POSTS = frozenset(
    "TimelineClearCache TimelineTerminateTimeline TimelineShowAlert TimelineShowCover TimelineNavigation "
    "TimelineMarkEntriesUnreadGreaterThanSortIndex TimelineClearEntriesUnreadState TimelineMarkEntriesUnread "
    "TimelineRemoveEntry TimelineRemoveEntries".split()
)
_BETWEEN = frozenset(
    "TimelineUser TimelinePrompt TimelineMessagePrompt TimelineLabel TimelineTopic "
    "TimelineTrend TimelineSpelling TimelineTwitterList TimelineCommunity TimelineNews TimelineEventSummary "
    "TimelineHorizontalCarousel TimelineInlineCard TimelineJobDetails TimelineSearchSuggestion".split()
)
"""Items that are no posts: whom to follow, what is talked of, what to answer."""
_RECOMMENDED = ("tweetdetailrelatedtweets-", "who-to-follow-", "promoted-", "promotedTweet-")
"""How entries begin that X adds of its own accord."""
_BUTTONS = frozenset({"ShowMore", "ShowMoreThreads"})
"""Cursors that the page asks by only when somebody presses what it shows for them."""
_TWEET_ID = "tweet-"


def read_timeline(answer: Mapping[str, Any], target: str) -> Batch | None:
    """The posts of an answer, in its order; None where there is no timeline in it.

    Args:
        answer: As parsed.
        target: Its address, for what was not understood.
    """
    found = list(_instructions(answer))
    if not found:
        return None
    timeline = _Timeline(target)
    for instruction in found:
        timeline.instruct(instruction)
    return Batch(
        timeline.listed,
        timeline.beside,
        [*timeline.failures, *unknown_parts(target, timeline.unknown)],
        timeline.missing,
        timeline.more,
    )


def unavailable_user(answer: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why the user of an answer is not to be had: a code, and a sentence. None where it says nothing of the kind."""
    data = as_object(answer.get("data"))
    if "user" not in data and not ("data" in answer and not data and not answer.get("errors")):
        return None
    result = as_object(at(data, "user", "result"))
    if not result:
        return "not_found", "X knows no user of that name."
    if result.get("__typename") != "UserUnavailable":
        return None
    said = plain(result.get("unavailable_reason")) or plain(result.get("reason")) or plain(result.get("message"))
    code = reason_code(said or plain(at(result, "unavailable_message", "text")))
    return code, explained(code, "The user")


def _instructions(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those of every timeline in an answer, wherever it is."""
    waiting: list[tuple[Any, int]] = [(answer.get("data"), 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MOST_DEPTH:
            continue
        found = as_object(value)
        if isinstance(found.get("instructions"), list):
            yield from objects(found["instructions"])
            continue
        waiting += [(one, depth + 1) for one in reversed(list(found.values())) if isinstance(one, dict)]


class _Timeline:
    """What an answer's instructions come to."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.listed: list[Listed] = []
        self.beside: list[Piece] = []
        self.failures: list[Failure] = []
        self.missing: dict[str, str] = {}
        self.unknown: Counter[str] = Counter()
        self.more: str | None = None

    def instruct(self, instruction: Mapping[str, Any]) -> None:
        kind = plain(instruction.get("type")) or plain(instruction.get("__typename"))
        match kind:
            case "TimelineAddEntries":
                for entry in as_list(instruction.get("entries")):
                    self._entry(as_object(entry))
            case "TimelinePinEntry":
                self._entry(as_object(instruction.get("entry")), is_pinned=True)
            case "TimelineReplaceEntry":
                self._entry(as_object(instruction.get("entry")))
            case "TimelineAddToModule":
                self._module(instruction.get("moduleItems"))
            case _ if kind not in _WITHOUT_POSTS:
                self.unknown[kind or "instruction without a type"] += 1
            case _:
                return

    def _entry(self, entry: Mapping[str, Any], *, is_pinned: bool = False) -> None:
        name, content = plain(entry.get("entryId")), as_object(entry.get("content"))
        kind = plain(content.get("entryType")) or plain(content.get("__typename"))
        if name.startswith(_RECOMMENDED):
            return
        match kind:
            case "TimelineTimelineItem":
                self._content(name, as_object(content.get("itemContent")), is_pinned=is_pinned)
            case "TimelineTimelineModule":
                self._module(content.get("items"))
            case "TimelineTimelineCursor":
                self._cursor(content)
            case _:
                self.unknown[kind or "entry without a type"] += 1

    def _module(self, items: Any) -> None:
        """Posts that belong together: they stand where the newest of them does."""
        start = len(self.listed)
        for item in as_list(items):
            self._item(as_object(item))
        if any(plain(at(one, "item", "itemContent", "cursorType")) in _BUTTONS for one in as_list(items)):
            self._more_left(self.listed[start:])
        order = max((one.mark for one in self.listed[start:]), key=int, default="")
        self.listed[start:] = [replace(one, order=order) for one in self.listed[start:]]

    def _more_left(self, posts: Sequence[Listed]) -> None:
        """What goes on from the thread that the page is about; of the answers to it nobody expects all."""
        if posts and posts[0].piece.post.continues_own:
            last = post_address(posts[-1].mark)
            detail = f"X's page keeps the rest of the thread behind a button: collect {last} for what follows that."
            self.failures.append(Failure(self._target, "more_left", detail))

    def _cursor(self, content: Mapping[str, Any]) -> None:
        if content.get("cursorType") == "Bottom":
            self.more = plain(content.get("value")) or None

    def _item(self, item: Mapping[str, Any]) -> None:
        name = plain(item.get("entryId"))
        if not name.startswith(_RECOMMENDED):
            self._content(name, as_object(at(item, "item", "itemContent")))

    def _content(self, name: str, content: Mapping[str, Any], *, is_pinned: bool = False) -> None:
        kind = plain(content.get("itemType")) or plain(content.get("__typename"))
        if kind == "TimelineTombstone":
            said = at(content, "tombstoneInfo", "richText", "text") or at(content, "tombstoneInfo", "text")
            self._missing(name, plain(said))
        elif kind == "TimelineTweet":
            # Advertisements are nobody's answer to what was asked.
            if "promotedMetadata" not in content:
                self._tweet(name, as_object(at(content, "tweet_results", "result")), is_pinned=is_pinned)
        elif kind == "TimelineTimelineCursor":
            self._cursor(content)
        elif kind not in _BETWEEN:
            self.unknown[kind or "item without a type"] += 1

    def _tweet(self, name: str, result: Mapping[str, Any], *, is_pinned: bool) -> None:
        if not result:
            self._missing(name, "")
            return
        try:
            found = read_tweet(result, self.unknown)
        except Unavailable as gone:
            self._missing(name, gone.said)
        except UnknownPart as part:
            self.unknown[part.kind] += 1
        else:
            self.listed.append(Listed(found.mark, found.piece, "" if is_pinned else found.mark))

    def _missing(self, name: str, said: str) -> None:
        """A post in whose place stands why it is not shown. Which one, only the entry's name tells."""
        post, code = id_of(name.rpartition(_TWEET_ID)[2]), reason_code(said)
        target = post_address(post) if post else name
        if post:
            self.missing[post] = code
        self.failures.append(Failure(target, code, explained(code, "The post")))
