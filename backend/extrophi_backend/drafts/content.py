"""What a draft is made of: what may be saved, and all that is read from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from extrophi_backend.drafts.images import mentioned
from extrophi_backend.drafts.models import Bibliography, Content
from extrophi_backend.drafts.pieces import Piece, cut
from extrophi_backend.drafts.titles import Head, count_words, read_head
from extrophi_backend.errors import InvalidInput, TooLarge

_TEXT_BYTES = 8_000_000
_BIBLIOGRAPHY_BYTES = 2_000_000
_SETTINGS_BYTES = 16_000
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Prepared:
    """A content as it is stored."""

    head: Head
    words: int
    characters: int
    digest: bytes
    text: Sequence[Piece]
    bibliography: Sequence[Piece]
    settings: str
    images: Sequence[str]


def prepare(content: Content) -> Prepared:
    """Whatever can be told of it without the database; of a large one it takes a second.

    Raises:
        TooLarge, InvalidInput: it cannot be saved.
    """
    text = content.text
    if len(text.encode()) > _TEXT_BYTES:
        raise TooLarge("text: it is larger than 8 MB.", field="text", hint="Make two drafts of it.")
    _check(content.bibliography)
    lines = write_lines(content.bibliography)
    if len(lines.encode()) > _BIBLIOGRAPHY_BYTES:
        hint = "Leave out what the draft does not cite, or the items' abstracts."
        raise TooLarge("bibliography: it is larger than 2 MB.", field="bibliography", hint=hint)
    settings = _json(content.settings)
    if len(settings.encode()) > _SETTINGS_BYTES:
        raise TooLarge("settings: they are larger than 16 KB.", field="settings", hint="Only settings go there.")
    return Prepared(
        head=read_head(text),
        words=count_words(text),
        characters=len(text),
        digest=_digest(content),
        text=cut(text),
        bibliography=cut(lines),
        settings=settings,
        images=mentioned(text),
    )


def write_lines(items: Bibliography) -> str:
    """JSON lines: an item that did not change stays in the piece it was in."""
    return "".join(f"{_json(item)}\n" for item in items)


def read_lines(text: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in text.split("\n") if line]


def _check(items: Bibliography) -> None:
    seen: set[str] = set()
    for number, item in enumerate(items):
        field = f"bibliography.{number}.id"
        name = item.get("id")
        if not isinstance(name, str) or not name:
            raise InvalidInput(
                f"{field}: each item has an id, a string.", field=field, hint="The draft cites it by that."
            )
        if name in seen:
            raise InvalidInput(
                f"{field}: another item has the id {name[:100]!r}.", field=field, hint="Rename one of both."
            )
        seen.add(name)


def _digest(content: Content) -> bytes:
    """The same for the same content, in whatever order the keys of its objects come."""
    opaque = json.dumps([content.bibliography, content.settings], sort_keys=True)
    return sha256(opaque.encode() + b"\0" + content.text.encode()).digest()
