"""In which state a source or a document is, and why: one name each, so that nothing is stuck without saying on what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

State = Literal[
    "new",
    "collected",
    "unchanged",
    "blocked",
    "login_needed",
    "rate_limited",
    "no_captions",
    "removed",
    "gone",
    "failed",
    "paused",
]
STATES: tuple[State, ...] = get_args(State)

_OF_CODES: Mapping[str, State] = {
    "captcha": "blocked",
    "cookie_wall": "blocked",
    "javascript_needed": "blocked",
    "robots_disallowed": "blocked",
    "http_403": "blocked",
    "http_451": "blocked",
    "login_needed": "login_needed",
    "http_401": "login_needed",
    "rate_limited": "rate_limited",
    "http_429": "rate_limited",
    "platform_unavailable": "rate_limited",
    "no_captions": "no_captions",
    "removed": "removed",
    "http_404": "gone",
    "http_410": "gone",
    "soft_404": "gone",
}
_HINTS: Mapping[State, str] = {
    "blocked": "The site does not want to be read by programs. Open it yourself, or leave it out.",
    "login_needed": "Give Extrophi your own cookies of that site, or leave it out.",
    "rate_limited": "It is tried again by itself, more slowly.",
    "gone": "What was collected is kept. Look whether it has moved, and add its new address.",
    "failed": "It is tried again by itself. If it stays so, open the address yourself.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in a state. `code` is for programs, `detail` and `hint` are for people."""

    code: str
    detail: str
    hint: str = ""

    @property
    def json(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, "hint": self.hint}


def state_of(code: str) -> State:
    """The state that a failure with this code leads to."""
    return _OF_CODES.get(code, "failed")


def reason_of(code: str, detail: str, hint: str = "") -> Reason:
    """The reason, with a next step in any case."""
    return Reason(code, detail, hint or _HINTS.get(state_of(code), ""))
