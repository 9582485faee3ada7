"""What crosses between a client and the orchestrator; light to import, for every command does."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extrophi_cli.errors import Choice, Refused

JSON = dict[str, Any]
_API_WORDS = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) |/openapi\.json")
"""Hints for who writes HTTP by hand; a command gives its own, or none."""


@dataclass(frozen=True, slots=True)
class Event:
    """One Server-Sent Event; `data` is its JSON: an object, or a list (`citations`)."""

    name: str
    data: Any
    id: str | None = None


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Parse an event stream (WHATWG HTML, section 9.2.6). Comments and events without JSON are skipped."""
    name, data, last_id = "message", list[str](), None
    for line in lines:
        if not line:
            if data:
                try:
                    value = json.loads("\n".join(data))
                except ValueError:
                    value = None
                if isinstance(value, dict | list):
                    yield Event(name=name, data=value, id=last_id)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value


def refusal(problem: Mapping[str, Any], *, status: int) -> Refused:
    """A problem (RFC 9457) as what a command ends with."""
    message = str(problem.get("detail") or problem.get("title") or f"Extrophi answered {status}")
    code = str(problem.get("code") or "")
    hint = None if _API_WORDS.search(str(problem.get("hint"))) else problem.get("hint")
    if status == 401 and not hint:
        hint = "Give its key by --key or EXTROPHI_KEY."
    field = problem.get("field")
    return Refused(
        message,
        problem=code,
        status=status,
        hint=str(hint) if hint else None,
        field=str(field) if field else None,
        choices=_choices(problem.get("choices")),
    )


def _choices(told: Any) -> list[Choice]:
    if not isinstance(told, list):
        return []
    objects = [one for one in told if isinstance(one, dict) and one.get("target")]
    return [Choice(str(one["target"]), str(one.get("title") or one["target"])) for one in objects]
