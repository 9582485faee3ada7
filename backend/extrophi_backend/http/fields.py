"""Types of what comes in over HTTP."""

from math import isfinite
from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, StringConstraints


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no character") from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Any text that PostgreSQL can hold: no NUL, no lone surrogate (JSON can carry both)."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S"), AfterValidator(_storable)]
"""Something that people read in a list."""


def _storable_json(value: Any) -> Any:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                _storable(text)
            case float() as number if not isfinite(number):
                raise ValueError("NaN and Infinity are no JSON")
            case dict() as mapping:
                waiting.extend(mapping.keys())  # pyright: ignore[reportUnknownArgumentType]  it is JSON
                waiting.extend(mapping.values())  # pyright: ignore[reportUnknownArgumentType]
            case list() as array:
                waiting.extend(array)  # pyright: ignore[reportUnknownArgumentType]
            case _:
                pass
    return value


JSONObject = Annotated[dict[str, Any], AfterValidator(_storable_json)]
JSONArray = Annotated[list[Any], AfterValidator(_storable_json)]
"""JSON that PostgreSQL's jsonb can hold: no NUL, no lone surrogate, no number that JSON has not."""

Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")]
"""What a list's query takes."""
