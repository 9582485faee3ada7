"""What the orchestrator raises on purpose.

OrchestratorError
├── InvalidInput      422  a value that no request may carry
├── Unauthorized      401  the service key is missing or wrong
├── TooLarge          413  more bytes than this path takes
└── Unavailable       503  a part that the request cannot do without is out of reach
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


class InvalidInput(OrchestratorError):
    status, code, title = 422, "invalid_input", "This cannot be read"


class Unauthorized(OrchestratorError):
    status, code, title = 401, "unauthorized", "A key is needed"


class TooLarge(OrchestratorError):
    status, code, title = 413, "too_large", "This is too large"


class Unavailable(OrchestratorError):
    status, code, title = 503, "unavailable", "A part of Extrophi is out of reach"
