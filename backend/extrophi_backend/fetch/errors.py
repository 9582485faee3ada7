"""Why something could not be fetched."""

from typing import Literal

from extrophi_backend.errors import PlatformUnavailable

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
    "robots_unreachable",  # the site may disallow it, and would not say
    "rate_limited",
    "browser_missing",  # none is installed
    "render_failed",  # the page crashed its process, or the browser
    "unsupported_type",  # the browser was led to a file
]


class FetchFailed(Exception):
    """`code` is for programs, `detail` a sentence for people."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code: FailureCode = code
        self.detail = detail


class Wait(Exception):
    """A host is to be left alone for longer than a worker's slot should be held.

    `seconds` from now on. `failure` is what it comes to if waiting does not help; None where nobody but our own pace
    asks to wait.
    """

    def __init__(self, host: str, seconds: float, failure: FetchFailed | None = None) -> None:
        super().__init__(host, seconds, failure)
        self.host = host
        self.seconds = seconds
        self.failure = failure


def put_off(wait: Wait) -> PlatformUnavailable:
    """What ends a run for now: its job goes on by itself when the wait is over."""
    if wait.failure is None:
        detail, kind = f"{wait.host} is not asked again for {wait.seconds:.0f} s.", Paced
    else:
        detail, kind = f"{wait.host} asks to be left alone for {wait.seconds:.0f} s.", PlatformUnavailable
    return kind(detail, hint="The job goes on by itself after that.", retry_after=wait.seconds)


class Paced(PlatformUnavailable):
    """Our own pace puts the job off: no sign that its platform will never answer, however often it happens."""

    code, title = "paced", "It is not asked more often than that"
