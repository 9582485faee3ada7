"""What research raises on purpose.

ResearchError
├── InvalidInput      422  a value that no request may carry
├── TooLarge          413  more bytes than this path takes
└── NoMemory          503  the local model does not fit
"""

from typing import ClassVar


class ResearchError(Exception):
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


class InvalidInput(ResearchError):
    status, code, title = 422, "invalid_input", "This cannot be read"


class TooLarge(ResearchError):
    status, code, title = 413, "too_large", "This is too large"


class NoMemory(ResearchError):
    status, code, title = 503, "no_memory", "The local model does not fit"
