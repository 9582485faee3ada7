"""Opaque, URL-safe cursors: where a list goes on."""

import base64
import binascii
import json
from typing import Any

from extrophi_backend.errors import InvalidInput


def write_cursor(*key: str) -> str:
    """A cursor after the row with this sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(cursor: str, parts: int) -> list[str]:
    """The sort key of a cursor. Raises InvalidInput for one that somebody made up."""
    try:
        key: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):  # pyright: ignore[reportUnknownArgumentType]  it is JSON
        raise InvalidInput(
            "cursor: this is none that was given out.", field="cursor", hint="Take it from `next_cursor`, unchanged."
        )
    return [str(part) for part in key]  # pyright: ignore[reportUnknownArgumentType]  as above
