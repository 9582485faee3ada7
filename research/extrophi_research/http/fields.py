"""Types of what comes in over HTTP."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is in no text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Any text that PostgreSQL can hold: no NUL, no lone surrogate (JSON can carry both)."""

Question = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S"), AfterValidator(_storable)]
"""What a person asks: not blank, at most 8,000 characters."""
