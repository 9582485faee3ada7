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
    "not_yet",
    "removed",
    "gone",
    "failed",
    "paused",
]
STATES: tuple[State, ...] = get_args(State)

OF_CODES: Mapping[str, State] = {
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
    "captions_later": "no_captions",
    "not_yet": "not_yet",
    "more_left": "collected",
    "unknown_part": "collected",
    "removed": "removed",
    "suspended": "removed",
    "banned": "removed",
    "not_found": "gone",
    "credentials_missing": "login_needed",
    "credentials_refused": "login_needed",
    "session_ended": "login_needed",
    "account_locked": "login_needed",
    "plan_too_small": "login_needed",
    "protected": "login_needed",
    "private": "login_needed",
    "private_subreddit": "login_needed",
    "quarantined": "login_needed",
    "members_only": "login_needed",
    "age_restricted": "login_needed",
    "bot_check": "login_needed",
    "consent_page": "login_needed",
    "token_missing": "login_needed",
    "payment_needed": "login_needed",
    "monthly_cap": "rate_limited",
    "withheld": "blocked",
    "not_in_this_country": "blocked",
    "http_404": "gone",
    "http_410": "gone",
    "soft_404": "gone",
}
_HINTS: Mapping[State, str] = {
    "blocked": "The site does not want to be read by programs. Open it yourself, or leave it out.",
    "login_needed": "Give Extrophi your own cookies of that site, or leave it out.",
    "rate_limited": "It is tried again by itself, more slowly.",
    "no_captions": "Its description is kept. TRANSCRIBE_URL names what makes captions of the sound.",
    "not_yet": "It is looked at again by itself.",
    "removed": "What was collected is kept. Nothing more is to be had of it.",
    "gone": "What was collected is kept. Look whether it has moved, and add its new address.",
    "failed": "It is tried again by itself. If it stays so, open the address yourself.",
}
_HINTS_OF_CODES: Mapping[str, str] = {
    "captions_later": "YouTube may still be making them: it is looked at again by itself.",
    "credentials_missing": "`extrophi accounts` says what opens it, and how to get that.",
    "credentials_refused": "Get new ones: `extrophi accounts` says how.",
    "session_ended": "Sign in to x.com in a browser and export its cookies anew: `extrophi accounts` says how.",
    "account_locked": "Open x.com in a browser, do what it asks there, then collect again.",
    "plan_too_small": "A larger plan of X's API has it, or a session of your own: `extrophi accounts` says how.",
    "protected": "Only who follows the account sees it: use a session of an account that does.",
    "private": "Only whom its owner lets in sees it: use the cookies of an account that may, or leave it out.",
    "private_subreddit": "Ask its moderators to let you in and use a refresh token of your own, or remove this source.",
    "quarantined": "Opt in to it on Reddit and use a refresh token of that account: `extrophi accounts` says how.",
    "members_only": "Use cookies of an account that is a member: `extrophi accounts` says how.",
    "age_restricted": "Use cookies of an account of that age: `extrophi accounts` says how.",
    "bot_check": "Use cookies of your own, or wait some hours: `extrophi accounts` says how.",
    "consent_page": "Use cookies of your own, of a browser in which you have answered: `extrophi accounts` says how.",
    "token_missing": "YouTube gives it to browsers alone just now. Use cookies of your own, or try again another day.",
    "payment_needed": "Use cookies of an account that has paid for it, or leave it out.",
    "monthly_cap": "It goes on when the plan's month begins anew, or with a larger plan.",
    "withheld": "It is not shown in the country that you ask from.",
    "not_in_this_country": "It is not shown in the country that you ask from.",
    "unreadable_answer": "It is tried again by itself. If it stays so, update Extrophi: the platform has changed.",
    "archive_gone": "Import it again.",
    "request_refused": "Change what is asked for: the platform does not take it so.",
    "not_transcribed": "Look whether what TRANSCRIBE_URL names is up. It is tried again by itself.",
    "more_left": "What was had is kept; as far as it can be had, the rest is asked for with the next look.",
    "unknown_part": "The rest is kept. Update Extrophi: a newer one may know it.",
}
"""Where the state alone does not tell."""


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
    return OF_CODES.get(code, "failed")


def reason_of(code: str, detail: str, hint: str = "") -> Reason:
    """The reason, with a next step in any case."""
    return Reason(code, detail, hint or _HINTS_OF_CODES.get(code) or _HINTS.get(state_of(code), ""))
