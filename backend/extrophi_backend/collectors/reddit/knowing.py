"""What the library knows of posts already, so that nothing is asked for twice."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from extrophi_backend.collectors.models import Validators
from extrophi_backend.collectors.reddit.models import Post, Way

READING = 1
"""Raised when reading gets better: posts are then asked for again although they did not change."""
_SMALL_GROWTH = 10
"""A tree that grew by less than one in so many comments is as it was, for as long as SOON."""
_SOON = timedelta(days=1)
OWN_COMMENTS = "own_comments"
"""Of the validators of a data export's document: how many comments of the person's are in it."""
_RANKS: Mapping[str, int] = {"archive": 0, "feed": 1, "post_feed": 2, "oauth": 3}


def validators_of(post: Post, way: Way, now: datetime, *, is_whole: bool = True) -> dict[str, Any]:
    """What is kept with a post's document.

    Args:
        post: As it was found.
        way: How it was had.
        now: When that was.
        is_whole: False where Reddit failed to give comments: then the next look asks for them again.
    """
    found: dict[str, Any] = {
        "way": way,
        "reading": READING,
        "looked": now.isoformat(),
        "comments": post.comments if is_whole else None,
        "edited": post.edited,
    }
    return found | ({"withdrawn": True} if post.is_withdrawn else {})


def is_as_before(held: Validators, post: Post, now: datetime) -> bool:
    """Whether a post's document by the API need not be made anew.

    Args:
        held: Its document's validators.
        post: As a list tells of it now.
        now: The present.
    """
    if held.get("way") != "oauth" or held.get("reading") != READING or held.get("edited") != post.edited:
        return False
    if bool(held.get("withdrawn")) != post.is_withdrawn:
        return False
    before = held.get("comments")
    if not isinstance(before, int) or post.comments is None:
        return False
    grown = post.comments - before
    return grown == 0 or (0 < grown * _SMALL_GROWTH < before and now - _looked(held, now) < _SOON)


def is_whole(held: Validators) -> bool:
    """Whether Reddit gave all that was asked for of a post's comments."""
    return held.get("comments") is not None


def is_better(held: Validators, way: Way) -> bool:
    """Whether a document is there that holds more than this way gives, or what it does not give."""
    if way == "feed" and held.get("way") == "archive":
        return held.get(OWN_COMMENTS) != 0
    return _RANKS.get(str(held.get("way")), -1) > _RANKS[way]


def has_vanished(held: Validators | None, post: Post) -> bool:
    """Whether a post was there, and is now gone for everybody but its comments."""
    return post.is_withdrawn and held is not None and not held.get("withdrawn")


def _looked(held: Validators, now: datetime) -> datetime:
    """When it was last asked for; long ago, where that cannot be told."""
    try:
        looked = datetime.fromisoformat(str(held.get("looked")))
        return looked if looked.tzinfo else now - _SOON
    except ValueError:
        return now - _SOON
