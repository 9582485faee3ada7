"""What the orchestrator raises on purpose.

OrchestratorError
├── BadRequest          400  its framing or its headers can be read in more than one way
├── Unauthorized        401  a key is missing or wrong
├── ForeignOrigin       403  a page of another origin asks without a key
├── NotFound            404  nothing answers this path
├── SlowClient          408  the body stopped coming
├── TooLarge            413  more bytes than this path takes
├── WrongHost           421  a name that is not ours
├── InvalidInput        422  a value that no request may carry
├── RateLimited         429  too many requests with this key, or from this address
├── UnknownCoding       501  a transfer coding other than chunked
├── UpstreamFailed      502  a component is out of reach, or broke off before it answered
├── UpstreamBusy        503  every connection to a component is taken
├── Unavailable         503  a part that the request cannot do without is out of reach
└── UpstreamSlow        504  a component did not answer in time
"""

from typing import ClassVar


class OrchestratorError(Exception):
    """Carries what RFC 9457 needs: the class its status, code and title, the instance the detail and the next step."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong here"

    def __init__(
        self, detail: str, *, hint: str = "", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.field = field
        self.retry_after = retry_after


class BadRequest(OrchestratorError):
    status, code, title = 400, "bad_request", "The request cannot be read"


class Unauthorized(OrchestratorError):
    status, code, title = 401, "unauthorized", "A key is needed"


class ForeignOrigin(OrchestratorError):
    status, code, title = 403, "foreign_origin", "This page may not ask"


class NotFound(OrchestratorError):
    status, code, title = 404, "not_found", "There is no such thing"


class SlowClient(OrchestratorError):
    status, code, title = 408, "slow_client", "The request did not come to its end"


class TooLarge(OrchestratorError):
    status, code, title = 413, "too_large", "This is too large"


class WrongHost(OrchestratorError):
    status, code, title = 421, "wrong_host", "This is not that host"


class InvalidInput(OrchestratorError):
    status, code, title = 422, "invalid_input", "This cannot be read"


class RateLimited(OrchestratorError):
    status, code, title = 429, "rate_limited", "Too many requests"


class UnknownCoding(OrchestratorError):
    status, code, title = 501, "unknown_coding", "This transfer coding is not known here"


class UpstreamFailed(OrchestratorError):
    status, code, title = 502, "upstream_unreachable", "A component failed"


class UpstreamBusy(OrchestratorError):
    status, code, title = 503, "upstream_busy", "A component has more to do than it can"


class Unavailable(OrchestratorError):
    status, code, title = 503, "unavailable", "A part of Extrophi is out of reach"


class UpstreamSlow(OrchestratorError):
    status, code, title = 504, "upstream_timeout", "A component did not answer in time"
