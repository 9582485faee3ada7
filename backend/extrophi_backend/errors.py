"""What the backend raises on purpose.

BackendError
├── InvalidInput           422  a value that no request may carry
│   ├── InvalidTarget      422  not a URL, handle, subreddit, video or folder we know
│   └── AmbiguousTarget    422  it may mean several things, and names them
├── ForbiddenAddress       422  the fetch guard refused it
├── Conflict               409  it is not in a state that allows this
│   ├── SourcePaused       409  it is not collected until it is resumed
│   ├── DraftTrashed       409  nothing is saved over it until it is recovered
│   ├── DraftExists        409  another content has this draft's id
│   └── AnswerExists       409  another answer has this id
├── FeedTokenRefused       403  it opens no feed here
├── NotFound               404  there is no such thing
├── Gone                   410  there was, and it was deleted
├── PositionLost           410  events after it are forgotten
├── DraftChanged           412  there is a revision that the client has not seen
├── TooLarge               413  more bytes than this path takes
├── UnsupportedMedia       415  bytes of a kind that this path does not take
├── PreconditionRequired   428  nothing is overwritten unseen
├── PlatformUnavailable    503  it told us to wait; carries Retry-After
│   └── Paced              503  nobody but our own pace says so (fetch/errors.py)
├── Refused                409  a platform does not give a target, and says why (sources/states.py)
├── RobotsUnreachable      503  a site does not say what programs may fetch of it
├── Unavailable            503  a part of our own is out of reach
│   └── Overtaken          503  another wrote the document that this one was made from
└── LeaseLost              409  another has the job
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


class BackendError(Exception):
    """Carries what RFC 9457 needs: the class its status, code and title, the instance the detail and the next step."""

    status: ClassVar[int] = 500
    code: str = "internal"
    title: ClassVar[str] = "Something went wrong here"

    def __init__(
        self, detail: str, *, hint: str = "", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.field = field
        self.retry_after = retry_after


class InvalidInput(BackendError):
    status, code, title = 422, "invalid_input", "This cannot be read"


class InvalidTarget(InvalidInput):
    status, code, title = 422, "invalid_target", "This is nothing that can be collected"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things that a target may mean: how to name it and nothing else, and what it is."""

    target: str
    platform: str
    title: str


class AmbiguousTarget(InvalidInput):
    status, code, title = 422, "ambiguous_target", "This may mean several things"

    def __init__(self, detail: str, choices: Sequence[Choice]) -> None:
        super().__init__(detail, hint="Give one of the choices as the target.", field="target")
        self.choices = choices


class ForbiddenAddress(BackendError):
    status, code, title = 422, "forbidden_address", "This address may not be fetched"


class Conflict(BackendError):
    status, code, title = 409, "conflict", "This is not possible now"


class SourcePaused(Conflict):
    status, code, title = 409, "source_paused", "This source is paused"


class DraftTrashed(Conflict):
    status, code, title = 409, "draft_trashed", "This draft is in the trash"

    def __init__(self, draft_id: UUID) -> None:
        super().__init__(f"Draft {draft_id} is in the trash.", hint=f"POST /drafts/{draft_id}/recover brings it back.")


class DraftExists(Conflict):
    status, code, title = 409, "draft_exists", "There is such a draft"

    def __init__(self, draft_id: UUID, revision: int) -> None:
        hint = "Read it, and save over it with PUT; or send this one under another id."
        super().__init__(f"Draft {draft_id} is there, and has another content.", hint=hint)
        self.revision = revision


class AnswerExists(Conflict):
    status, code, title = 409, "answer_exists", "There is such an answer"


class FeedTokenRefused(BackendError):
    status, code, title = 403, "feed_token_refused", "This feed needs a token"


class NotFound(BackendError):
    status, code, title = 404, "not_found", "There is no such thing"


class Gone(BackendError):
    status, code, title = 410, "gone", "This was deleted"


class PositionLost(BackendError):
    status, code, title = 410, "position_lost", "Some events are forgotten"


class DraftChanged(BackendError):
    status, code, title = 412, "draft_changed", "The draft was changed in between"

    def __init__(self, draft_id: UUID, revision: int) -> None:
        hint = "Read it, bring both texts together, and save over the revision that was read."
        super().__init__(f"Draft {draft_id} has revision {revision} by now, which was not seen.", hint=hint)
        self.revision = revision


class TooLarge(BackendError):
    status, code, title = 413, "too_large", "This is too large"


class UnsupportedMedia(BackendError):
    status, code, title = 415, "unsupported_media_type", "This path takes no such bytes"


class PreconditionRequired(BackendError):
    status, code, title = 428, "precondition_required", "Say what was read"


class PlatformUnavailable(BackendError):
    status, code, title = 503, "platform_unavailable", "The platform told us to wait"


class RobotsUnreachable(BackendError):
    status, code, title = 503, "robots_unreachable", "The site's robots.txt cannot be read"

    def __init__(self, detail: str) -> None:
        hint = "It is tried again by itself. If it stays so, add pages of it by their own addresses: those are fetched."
        super().__init__(detail, hint=hint)


class Unavailable(BackendError):
    status, code, title = 503, "unavailable", "A part of Extrophi is out of reach"


class Overtaken(Unavailable):
    code, title = "overtaken", "Another was faster"


class Refused(BackendError):
    """`code` is one of sources/states.py, which has the state and the next step that go with it."""

    status, title = 409, "The platform does not give this"

    def __init__(self, code: str, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.code = code


class LeaseLost(BackendError):
    status, code, title = 409, "lease_lost", "Another has taken this over"
