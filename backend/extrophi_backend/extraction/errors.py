"""Why the text of some bytes could not be had."""

from typing import Literal

FailureCode = Literal[
    "unreadable",  # damaged: the format's own reader gives up
    "encrypted",  # needs a password or a licence
    "no_text",  # readable, but there are no words in it: a scan, an empty file
    "unsupported_type",
    "too_large",  # the bytes, or what they unpack to
    "broken_archive",
    "timeout",
]


class ExtractionFailed(Exception):
    """`code` is for programs, `detail` a sentence for people. It crosses processes by pickle: plain arguments."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code: FailureCode = code
        self.detail = detail
