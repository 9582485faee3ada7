"""What a command ends with when it cannot do its work: one line, a hint, an exit code.

Exit codes (docs/cli.md repeats them):
    0  done
    1  failed: all that was to be done failed, or a component broke
    2  wrong use: an option or argument that does not fit
    3  Extrophi is not there: it could not be started or reached
    4  refused: what was asked for is not possible (bad input, not found, no key)
    5  done in part: some documents or targets failed
    130  interrupted by Ctrl-C
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

FAILED = 1
UNREACHABLE = 3
REFUSED = 4
PARTIAL = 5
INTERRUPTED = 130


class CommandError(Exception):
    """A command's end in words: `message` is what happened, `hint` the next step."""

    def __init__(self, message: str, *, hint: str | None = None, code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class Unreachable(CommandError):
    """Extrophi does not answer, or did not start."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, code=UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things that a target may mean."""

    target: str
    title: str


class Refused(CommandError):
    """Extrophi answered with a problem (RFC 9457); `problem` is its code, `field` what was wrong in the input.

    `choices` are what the input may mean, where that is the problem.
    """

    def __init__(
        self,
        message: str,
        *,
        problem: str,
        status: int,
        hint: str | None = None,
        field: str | None = None,
        choices: Sequence[Choice] = (),
    ) -> None:
        super().__init__(message, hint=hint, code=REFUSED if status < 500 else FAILED)
        self.problem = problem
        self.status = status
        self.field = field
        self.choices = choices

    def with_hint(self, hint: str) -> Self:
        """Itself, with this next step where it had none."""
        self.hint = self.hint or hint
        return self


@contextmanager
def ids_listed_by(hint: str) -> Generator[None]:
    """Say where ids are found to who gave one that is none."""
    try:
        yield
    except Refused as refused:
        is_of_id = refused.status == 404 or refused.field == "id"
        raise (refused.with_hint(hint) if is_of_id else refused) from None
