"""Opaque, URL-safe cursors: where a list goes on."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from extrophi_backend.errors import InvalidInput


def write_cursor(*key: str) -> str:
    """A cursor after the row with this sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """The sort key of a cursor, each part made by its kind, which raises ValueError for what it cannot be.

    Raises:
        InvalidInput: somebody made the cursor up.
    """
    try:
        key: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [kind(_text(part)) for kind, part in zip(kinds, key, strict=True)]
    except (ValueError, TypeError, RecursionError, OverflowError):  # binascii.Error is a ValueError
        raise InvalidInput(
            "cursor: this is none that was given out.", field="cursor", hint="Take it from `next_cursor`, unchanged."
        ) from None


def _text(part: Any) -> str:
    if not isinstance(part, str):
        raise TypeError
    return part


def moment(text: str) -> datetime:
    """A kind of part: a time. Raises ValueError, OverflowError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def number(text: str) -> int:
    """A kind of part: what an integer column holds. Raises ValueError."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise ValueError
    return value
