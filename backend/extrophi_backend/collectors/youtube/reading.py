"""Reading YouTube's JSON, of which any part may be missing or of another type than last week."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

Json = Mapping[str, Any]
_NOTHING: Json = {}
_PLAYER = re.compile(r"ytInitialPlayerResponse\s*=\s*(?=\{)")
_DATA = re.compile(r"ytInitialData[\"'\]\s]*=\s*(?=\{)")


def mapping(value: Any, *path: str) -> Json:
    """The object at the end of a path of keys; an empty one, if there is none."""
    for key in path:
        value = cast("Json", value).get(key) if isinstance(value, dict) else None
    return cast("Json", value) if isinstance(value, dict) else _NOTHING


def items(value: Any, *path: str) -> Iterator[Json]:
    """The objects of the list at the end of a path of keys."""
    *before, last = path
    found: Any = mapping(value, *before).get(last)
    if isinstance(found, list):
        yield from (cast("Json", one) for one in cast("list[Any]", found) if isinstance(one, dict))


def text(value: Any) -> str:
    """A string, or what `simpleText`, `runs` or `content` hold of one; empty, if there is none."""
    if isinstance(value, str):
        return value
    found = mapping(value)
    for key in ("simpleText", "content"):
        if isinstance(found.get(key), str):
            return found[key]
    return "".join(text(run.get("text")) for run in items(found, "runs"))


def number(value: Any) -> float | None:
    """A number that may be written as a string; None, if it is none or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if -1e15 < found < 1e15 else None


def moment(value: Any) -> datetime | None:
    """A time in seconds since 1970, or as ISO 8601 has it with an offset."""
    seconds = number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def day(value: Any) -> datetime | None:
    """Midnight of a day that is written as 20260131."""
    try:
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def parsed(body: bytes) -> Json:
    """An answer of the API; empty, if it is no object of JSON."""
    try:
        return mapping(json.loads(body))
    except (ValueError, RecursionError):
        return _NOTHING


def player_of(page: bytes) -> Json:
    """What a watch page holds for its player; empty, if there is nothing."""
    return _embedded(page, _PLAYER)


def data_of(page: bytes) -> Json:
    """What a page is drawn from; empty, if there is nothing."""
    return _embedded(page, _DATA)


def _embedded(page: bytes, name: re.Pattern[str]) -> Json:
    whole = page.decode("utf-8", "replace")
    for found in name.finditer(whole):
        try:
            value, _ = json.JSONDecoder().raw_decode(whole, found.end())
        except (ValueError, RecursionError):
            continue
        return mapping(value)
    return _NOTHING
