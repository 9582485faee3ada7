"""The words that posts and comments are spoken of in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.collectors.models import Platform

DELETED = "[deleted]"
"""What stands in the place of a name, or of a text, that its author took back."""

Way = Literal["oauth", "post_feed", "feed", "archive"]
"""How a document was had: all of it, a post with its latest comments, a post alone, or what one person wrote in it."""
Lost = Literal["deleted", "removed"]


class Unreadable(Exception):
    """An answer of another form than any that is known. `detail` is a sentence for people."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Declined(Exception):
    """Reddit answered, and gave nothing. `reason` is its own word for it, `location` where it sends us instead.

    `oauth_error` is one of OAuth's (RFC 6749, 5.2; RFC 6750, 3.1): then it is about the credentials.
    """

    def __init__(self, status: int, *, reason: str = "", location: str = "", oauth_error: str = "") -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.location = location
        self.oauth_error = oauth_error


class Keys(Protocol):
    """What is asked of the person's accounts (accounts/service.py)."""

    async def credentials(self, platform: Platform) -> Credentials:
        """What a collector may use."""
        ...

    async def note_refused(self, used: Credentials, names: Sequence[str], detail: str, *, host: str = "") -> None:
        """The platform does not take these."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one author, at an address of their own. `lost`: they only stand in the place of what was there."""

    text: str
    author: str | None
    address: str
    published_at: datetime | None
    lost: Lost | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `name` and `parent` are fullnames: `t1_…` is a comment, `t3_…` a post."""

    name: str
    parent: str
    words: Words
    score: int | None = None
    """None while Reddit hides it."""
    depth: int | None = None
    """As far as it is known: 0 answers the post."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post without its comments. `quoted` is another post, by somebody else, that it passes on."""

    id: str
    title: str
    words: Words
    quoted: Words | None = None
    comments: int | None = None
    """As Reddit counts them, lost ones as well; None where it does not say."""
    edited: float | None = None
    """When it was last edited, as a Unix time."""
    is_withdrawn: bool = False
    """Its author is gone from it as well: for everybody else it has vanished."""

    @property
    def name(self) -> str:
        return f"t3_{self.id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list tells of a post, and the JSON of it; only which one it is, where a comment on it is listed."""

    id: str
    post: Post | None = None
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        return f"t3_{self.id}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list. `after` asks for the next one."""

    entries: Sequence[Entry]
    after: str | None = None
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    """Kinds of things in it that are none of ours, and how many."""
    unreadable: int = 0
    """Posts in it that do not say which they are."""
