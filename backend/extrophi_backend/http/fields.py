"""Types of what comes in over HTTP."""

from math import isfinite
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from extrophi_backend.collectors.models import MAX_ID_BYTES


def stored(text: str) -> str:
    """The text, if PostgreSQL can hold it. Raises ValueError."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character") from None
    return text


Text = Annotated[str, AfterValidator(stored)]
"""Any text that PostgreSQL can hold: no NUL, no lone surrogate (JSON can carry both)."""


def _indexed(text: str) -> str:
    if len(text.encode()) > MAX_ID_BYTES:
        raise ValueError(f"it is longer than {MAX_ID_BYTES} bytes")
    return text


ExternalId = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_ID_BYTES), AfterValidator(_indexed)]
"""A document's name on its platform: at most 2,000 bytes of UTF-8, so that an index can hold it."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S"), AfterValidator(stored)]
"""Something that people read in a list."""


_DEEPEST = 100
"""What writes JSON out again has its own limits, and would fail at them."""


def _storable_json(value: Any) -> Any:
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        match part:
            case str() as text:
                stored(text)
            case float() as number if not isfinite(number):
                raise ValueError("NaN and Infinity are no JSON")
            case dict() as mapping:
                for name, inner in mapping.items():
                    waiting += [(name, depth), (inner, depth + 1)]
            case list() as array:
                waiting += [(inner, depth + 1) for inner in array]
            case _:
                pass
    return value


JSONObject = Annotated[dict[str, Any], AfterValidator(_storable_json)]
JSONArray = Annotated[list[Any], AfterValidator(_storable_json)]
"""JSON that PostgreSQL's jsonb can hold: no NUL, no lone surrogate, no number that JSON has not, no endless depth."""

Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")]
Sought = Annotated[Text | None, Query(max_length=1000, description="Only what contains this, whatever the case.")]
"""What a list's query takes."""


def _position(text: Any) -> Any:
    # What is no number of ours was not given out here: then all is told from the first event on.
    known = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if known else 0


LastEventId = Annotated[int, BeforeValidator(_position), Header(description="Go on after this event.")]
"""The header `Last-Event-ID` of those who come back to a stream."""
