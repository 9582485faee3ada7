"""Reading JSON that may be anything: what is not of the expected kind is left out, and breaks nothing."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from extrophi_backend.collectors.models import Failure

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_MOST_ID = 2**63
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINK = re.compile(r"https?://t\.co/[A-Za-z0-9]+")
_SHORT = ("https://t.co/", "http://t.co/")
_MOST_KIND = 80


class Unreadable(Exception):
    """An answer that is no JSON, or of another form than any that is known."""


def parsed(body: bytes | str) -> dict[str, Any]:
    """An answer's object. Raises Unreadable: it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The answer is no JSON.") from error
    if not isinstance(found, dict):
        raise Unreadable("The answer is no JSON object.")
    return found


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[dict[str, Any]]:
    """Those items of a list that are objects."""
    return [one for one in as_list(value) if isinstance(one, dict)]


def at(value: Any, *path: str) -> Any:
    """What is at a path of names; None where it ends before."""
    for name in path:
        value = as_object(value).get(name)
    return value


def plain(value: Any) -> str:
    """A text, to the character but for what no database holds (NUL, lone surrogates); empty if it is none."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else ""


def id_of(value: Any) -> str:
    """An id of X's: a number below 2^63, as text; empty if it is none. JSON's own numbers may be cut: not taken."""
    return value if isinstance(value, str) and _ID.fullmatch(value) and int(value) < _MOST_ID else ""


def moment(value: Any) -> datetime | None:
    """A time as X writes it: `2023-04-20T23:21:13.000Z`, or `Thu Apr 20 23:21:13 +0000 2023`."""
    if not isinstance(value, str):
        return None
    try:
        if value[:1].isdigit():
            found = datetime.fromisoformat(value)
        else:
            found = datetime.strptime(value, "%a %b %d %H:%M:%S %z %Y")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unescaped(text: str) -> str:
    """With the three characters that X escapes as they were written: `&amp;` is the last, as it was the first."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def worded(text: str, leads_to: Mapping[str, str], hidden: Iterable[str]) -> str:
    """A post's words with its short links as they lead.

    Args:
        text: Unescaped.
        leads_to: Addresses by short link.
        hidden: Short links that X does not show where they end the text: to media, and to the post that is quoted.
    """
    gone = set(hidden)
    # Those of old posts have no `s`.
    while (start := max(map(text.rfind, _SHORT))) >= 0 and text[start:].rstrip() in gone:
        text = text[:start].rstrip()
    return _LINK.sub(lambda found: leads_to.get(found[0]) or found[0], text)


def count_links(text: str) -> int:
    """Short links that nobody has told where they lead."""
    return len(_LINK.findall(text))


def text_of_html(fragment: str) -> str:
    """The text of a bit of HTML that holds links and line breaks, and nothing else."""
    broken = re.sub(r"<br\s*/?>", "\n", fragment, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^>]*>", "", broken))


def unknown_parts(target: str, kinds: Counter[str]) -> Sequence[Failure]:
    """One failure for each kind of part that was passed over."""
    return [
        Failure(
            target,
            "unknown_part",
            f"1 part of the kind “{_shown(kind)}” is not known to Extrophi, and was passed over."
            if count == 1
            else f"{count} parts of the kind “{_shown(kind)}” are not known to Extrophi, and were passed over.",
        )
        for kind, count in sorted(kinds.items())
    ]


def _shown(kind: str) -> str:
    return plain(kind)[:_MOST_KIND]
