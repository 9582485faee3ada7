"""What a person wrote, as lines of an export: drafts with their images, kept answers, highlights with their notes."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from extrophi_cli.errors import Refused
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

Kind = Literal["draft", "image", "answer", "highlight"]
KINDS: tuple[str, ...] = get_args(Kind)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "draft": ("id", "text", "bibliography", "settings"),
    "image": ("draft_id", "name", "base64"),
    "answer": ("id", "question", "answer", "citations", "model", "abstained", "searched"),
    "highlight": ("id", "document_id", "version", "start", "end", "quote", "note", "colour"),
}
_IDS = ("id", "draft_id", "document_id")
_TEXTS = ("text", "name", "question", "quote")
_NUMBERS = ("version", "start", "end")
_IMAGE = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{16}\.(?:png|jpg|gif|webp|avif)")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Written:
    """One of them; `body` has the fields of its kind."""

    kind: Kind
    body: JSON


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One that was not taken in, and why, for a person."""

    name: str
    reason: str


def export_written(extrophi: "Extrophi") -> Iterator[Written]:
    """All of it, the oldest first, so that an import leaves each list in the order it had. Not what is in the trash."""
    for head in reversed(list(extrophi.pages("/api/drafts"))):
        path = f"/api/drafts/{head['id']}"
        draft = _still_there(extrophi, path)
        if draft is None:
            continue
        yield _as_written("draft", draft)
        for name in sorted(set(_IMAGE.findall(draft["text"]))):
            body = _image(extrophi, f"{path}/images/{name}")
            if body is not None:
                yield Written(
                    "image", {"draft_id": head["id"], "name": name, "base64": base64.b64encode(body).decode()}
                )
    for answer in reversed(list(extrophi.pages("/api/answers"))):
        yield _as_written("answer", answer)
    for highlight in reversed(list(extrophi.pages("/api/highlights"))):
        yield _as_written("highlight", highlight)


def parse_written(kind: Kind, line: JSON) -> Written:
    """Raises ValueError in words for a person."""
    lacking = [name for name in _FIELDS[kind] if name not in line]
    if lacking:
        raise ValueError(f"is a {kind} without {lacking[0]}")
    for name in _FIELDS[kind]:
        value = line[name]
        if name in _IDS and not (isinstance(value, str) and _ID.fullmatch(value)):
            raise ValueError(f"is a {kind} whose {name} is none")
        if name in _TEXTS and not isinstance(value, str):
            raise ValueError(f"is a {kind} whose {name} is not a text")
        if name in _NUMBERS and not (isinstance(value, int) and value >= 0):
            raise ValueError(f"is a {kind} whose {name} is not a number")
    if kind == "image":
        try:
            base64.b64decode(line["base64"], validate=True)
        except (TypeError, ValueError) as error:  # binascii.Error is a ValueError
            raise ValueError("is an image whose base64 is none") from error
    return _as_written(kind, line)


def mentioned_ids(written: Iterable[Written]) -> set[str]:
    """All in it that may be a document's id: documents have other ids in another library."""
    return {name for one in written if one.kind != "image" for name in _ids(one.body)}


def send_written(extrophi: "Extrophi", written: Iterable[Written], new_ids: Mapping[str, str]) -> Iterator[LeftOut]:
    """Take it in, under the ids it had; gives what could not be. What is there already stays as it is there.

    `new_ids` gives a document's id here for its id in the export.
    """
    for one in written:
        try:
            match one.kind:
                case "draft":
                    extrophi.post("/api/drafts", _moved(one.body, new_ids))
                case "image":
                    content = base64.b64decode(one.body["base64"])
                    extrophi.request("POST", f"/api/drafts/{one.body['draft_id']}/images", content=content)
                case "answer":
                    extrophi.post("/api/answers", _moved(one.body, new_ids))
                case "highlight":
                    _send_highlight(extrophi, _moved(one.body, new_ids))
        except Refused as refused:
            yield LeftOut(_name(one), refused.message)


def _send_highlight(extrophi: "Extrophi", highlight: JSON) -> None:
    version = _version_that_reads(extrophi, highlight)
    if version is None:
        raise Refused("no version of its document reads so here", problem="not_found", status=404)
    taken = {name: highlight[name] for name in highlight if name != "quote"}
    extrophi.post("/api/highlights", taken | {"version": version})


def _version_that_reads(extrophi: "Extrophi", highlight: JSON) -> int | None:
    """The version with the quote in its place: the one of the same number, or the newest one that has it."""
    path = f"/api/documents/{highlight['document_id']}"
    seen: int = highlight["version"]
    newest: int = extrophi.get(path)["version"]
    for version in dict.fromkeys([min(seen, newest), *range(newest, 0, -1)]):
        text: str = extrophi.get(path, version=version)["text"]
        if text[highlight["start"] : highlight["end"]] == highlight["quote"]:
            return version
    return None


def _as_written(kind: Kind, found: JSON) -> Written:
    return Written(kind, {name: found[name] for name in _FIELDS[kind]})


def _still_there(extrophi: "Extrophi", path: str) -> JSON | None:
    try:
        return extrophi.get(path)
    except Refused as refused:
        if refused.status == 404:  # removed meanwhile
            return None
        raise


def _image(extrophi: "Extrophi", path: str) -> bytes | None:
    try:
        return extrophi.read(path)
    except Refused as refused:
        if refused.status == 404:  # the text only looks as if it had one
            return None
        raise


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if _ID.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _ids(part)
    elif isinstance(value, list):
        for part in value:
            yield from _ids(part)


def _moved(value: Any, new_ids: Mapping[str, str]) -> Any:
    """The same, with documents' ids as they are here."""
    if isinstance(value, str):
        return new_ids.get(value, value)
    if isinstance(value, dict):
        return {name: _moved(part, new_ids) for name, part in value.items()}
    if isinstance(value, list):
        return [_moved(part, new_ids) for part in value]
    return value


def _name(one: Written) -> str:
    match one.kind:
        case "draft":
            first = next((line for line in one.body["text"].splitlines() if line.strip()), "")
            return f"draft {first[:60]!r}"
        case "image":
            return f"image {one.body['name']} of draft {one.body['draft_id']}"
        case "answer":
            return f"answer to {one.body['question'][:60]!r}"
        case "highlight":
            return f"highlight {one.body['quote'][:60]!r}"
