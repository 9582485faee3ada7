"""Why something could not be fetched."""

from typing import Literal

FailureCode = Literal[
    "malformed_url",
    "unsupported_scheme",
    "forbidden_address",
    "name_not_resolved",
    "connection_failed",
    "tls_failed",
    "timeout",
    "too_large",
    "too_many_redirects",
    "broken_answer",  # not HTTP, cut off, or an encoding that does not decode
    "robots_disallowed",
]


class FetchFailed(Exception):
    """`code` is for programs, `detail` a sentence for people."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code: FailureCode = code
        self.detail = detail


class Wait(Exception):
    """The host wants to be left alone for longer than a worker's slot should be held.

    `seconds` from now on; `host` told us, by Retry-After, its crawl delay or a 429.
    """

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(host, seconds)
        self.host = host
        self.seconds = seconds
