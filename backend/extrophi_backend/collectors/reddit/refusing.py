"""What Reddit's refusals mean, by status and by its own word for the reason."""

from extrophi_backend.collectors.reddit.models import Declined
from extrophi_backend.collectors.reddit.places import Place
from extrophi_backend.errors import Refused

_REASONS = {
    (403, "private"): ("private_subreddit", "{what} is private."),
    (403, "quarantined"): ("quarantined", "{what} is quarantined: Reddit shows it only to who has agreed to see it."),
    (403, "gated"): ("quarantined", "{what} is gated: Reddit shows it only to who has agreed to see it."),
    (403, "gold_only"): ("payment_needed", "{what} is for those who pay Reddit."),
    (404, "banned"): ("banned", "Reddit has banned {what}."),
}
_STATUSES = {
    401: ("login_needed", "Reddit shows {what} only to who is signed in."),
    404: ("not_found", "Reddit has no {what}."),
    410: ("not_found", "Reddit has no {what} any more."),
    451: ("withheld", "Reddit does not show {what} here, for legal reasons (451)."),
}
_MOVED = frozenset({301, 302, 303, 307, 308})
_NOBODY = "/subreddits/search"
"""Where Reddit sends who asks for a subreddit that there is none of."""
_DOORS = ("/login", "/over18", "/register")


def reason_of(declined: Declined, what: str) -> tuple[str, str]:
    """The code (sources/states.py) and a sentence.

    Args:
        declined: What Reddit answered.
        what: What it was asked for, in words.
    """
    status = declined.status
    code, detail = _REASONS.get((status, declined.reason)) or _STATUSES.get(status) or _otherwise(declined)
    return code, detail.format(what=what)


def refusal(declined: Declined, place: Place) -> Refused:
    """What ends a run: its place is not to be had."""
    return Refused(*reason_of(declined, place.name))


def _otherwise(declined: Declined) -> tuple[str, str]:
    status = declined.status
    if status in _MOVED:
        if _NOBODY in declined.location:
            return "not_found", "Reddit has no {what}."
        if any(door in declined.location for door in _DOORS):
            return "login_needed", "Reddit shows {what} only to who is signed in."
        return "unreadable_answer", f"Reddit leads elsewhere from {{what}} ({status})."
    return f"http_{status}", f"Reddit answered {status} when it was asked for {{what}}."
