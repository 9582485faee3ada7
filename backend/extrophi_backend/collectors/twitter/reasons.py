"""Why X does not show a post or a user: its sentences and words, as codes of sources/states.py."""

import re
from collections.abc import Sequence

_REASONS: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        ("suspended", r"suspend"),
        ("protected", r"protect|limits who can view|not authorized|blocked"),
        ("withheld", r"withheld|legal demand|local law"),
        ("age_restricted", r"age[- ]restrict|nsfw|under 18|adult content|sensitive|age verif"),
        ("removed", r"deleted|removed|violated|bounced|no longer available from"),
    )
)
"""The first that fits. There is nothing else to tell by: the answers have a sentence, and at best a word."""
_SENTENCES = {
    "suspended": "is of an account that is suspended",
    "protected": "is shown by its owner to followers alone",
    "withheld": "is withheld in this country",
    "age_restricted": "is shown to adults alone",
    "removed": "was deleted",
    "not_found": "is not to be had: X says nothing more of it",
}


def reason_code(said: str) -> str:
    """The code of what X says in a post's or a user's place; `not_found` where it gives no reason."""
    return next((code for code, pattern in _REASONS if pattern.search(said)), "not_found")


def explained(code: str, what: str) -> str:
    """A sentence of ours: `what` names a post or a user, with a capital."""
    return f"{what} {_SENTENCES.get(code, _SENTENCES['not_found'])}."
