"""Documents as JSON lines: checked, carried in batches, read back out."""

import json
import re
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from extrophi_cli.errors import CommandError, Refused
from extrophi_cli.wire import JSON
from extrophi_cli.writing import KINDS, Written, parse_written

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

# What POST /api/documents takes; other fields of an export are for the reader.
_OF_SOURCES = ("target", "collection", "limit", "title", "scope", "depth", "schedule", "time_zone")
_ITS_OWN = frozenset({"reason", "seen_at", "next_visit_at", "cited_at", "has_screenshot"})
"""What a library knows of its own looks at a document; another has to look for itself."""
_TEXTS = ("title", "author", "url", "canonical_url", "language", "state")
_MOMENTS = ("published_at", "collected_at", "gone_at")
_LISTS = ("anchors", "blocks")
_FORMATS = ("text", "markdown", "html")
_MARK = "extrophi"
"""The one key that a document never has: the first and the last line of an export have it."""
_AT_FAULT = re.compile(r"documents\.(\d+)(?:\.(.+))?")
_MOST_DOCUMENTS = 1000
_MOST_BYTES = 30_000_000  # the API's limit is 32 MB for the whole request
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """`body` is what POST /api/documents takes; `id` is the one it had where it comes from."""

    body: JSON
    id: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents for one request; `lines` are their line numbers."""

    lines: list[int]
    documents: list["Document"]


@contextmanager
def opened(file: Path | None) -> Generator[IO[bytes]]:
    """The lines of a file, or of standard input (put aside, since they are read twice: checked, then sent)."""
    if file is not None:
        try:
            lines = file.open("rb")
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.", hint="Check the path.", code=4) from error
        with lines:
            yield lines
        return
    with tempfile.TemporaryFile() as lines:
        while block := sys.stdin.buffer.read(1 << 20):
            lines.write(block)
        lines.seek(0)
        yield lines


@dataclass(frozen=True, slots=True)
class Mark:
    """Not a document: where an export begins, or ends after so many documents."""

    documents: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """Not a document: a target that is collected again. `body` is what POST /api/sources takes."""

    body: JSON
    is_paused: bool


def validate(lines: IO[bytes]) -> tuple[int, list[BadLine]]:
    """Check every line; gives how many documents there are and the bad lines (the first hundred), and rewinds."""
    count, number, bad = 0, 0, list[BadLine]()
    began: int | None = None  # how many documents came before the export that is being read
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = parse(line)
            if isinstance(found, Mark):
                began = _follow(found, count, began)
            elif isinstance(found, Document):
                count += 1
        except ValueError as error:
            count += 1
            bad.append(BadLine(number, str(error)))
            if len(bad) == _MOST_PROBLEMS:
                break
    if began is not None and not bad:
        bad.append(BadLine(number, "is the last one, but not the end of the export: the file was cut off here"))
    lines.seek(0)
    return count, bad


def _follow(mark: Mark, count: int, began: int | None) -> int | None:
    """Where the export that `mark` begins begins; None at the end of one. Raises ValueError when it lacks documents."""
    if mark.documents is None:
        if began is not None:
            raise ValueError("begins an export, and the one before it has no end")
        return count
    here = count - (began or 0)
    if began is None or here != mark.documents:
        raise ValueError(f"ends an export of {mark.documents} documents, and {here} stand before it")
    return None


def parse(line: bytes) -> Document | Mark | Source | Written:
    """One line: a document for the API, a source, what a person wrote, or a mark. Raises ValueError in words."""
    if len(line) > _MOST_BYTES:
        raise ValueError(f"is larger than {_MOST_BYTES // 1_000_000} MB")
    try:
        document = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004  one kind of bad line for the caller
    if _MARK in document:
        if document[_MARK] in KINDS:
            return parse_written(document[_MARK], document)
        return _mark(document)
    _check_types(document)
    for name in _MOMENTS:
        _check_moment(name, document.get(name))
    names = ["platform", "external_id", "text", *_TEXTS, "format", *_MOMENTS, *_LISTS]
    kept = {name: document[name] for name in names if document.get(name) is not None}
    _check_characters(kept)
    own_id = document.get("id")
    return Document(kept | {"collections": _collections(document)}, own_id if isinstance(own_id, str) else None)


def _mark(line: JSON) -> Mark | Source:
    if line[_MARK] == "export" and line.get("format") == 1:
        return Mark(None)
    if line[_MARK] == "end" and isinstance(line.get("documents"), int):
        return Mark(line["documents"])
    if line[_MARK] == "source":
        # Before there were sites, every source was a page.
        body = {"scope": "page"} | {name: line[name] for name in _OF_SOURCES if name in line}
        if not isinstance(body.get("target"), str):
            raise ValueError("is a source without a target")
        return Source(body | {"collect": False}, is_paused=line.get("state") == "paused")
    raise ValueError("is from an Extrophi newer than this one")


def _collections(document: JSON) -> list[str]:
    """The collections of an export's line, or the one of a pushed document; default otherwise."""
    several = document.get("collections")
    if several is None:
        return [document.get("collection") or "default"]
    if not isinstance(several, list) or not all(isinstance(name, str) and name.strip() for name in several):
        raise ValueError("collections is not a list of names")
    return list(dict.fromkeys(several)) or ["default"]


def _check_types(document: JSON) -> None:
    for name in ("platform", "external_id", "text"):
        if name not in document:
            raise ValueError(f"has no {name}")
        if not isinstance(document[name], str):
            raise ValueError(f"{name} is not a text")  # noqa: TRY004  one kind of bad line for the caller
        if name != "text" and not document[name].strip():
            raise ValueError(f"{name} is empty")
    for name in _TEXTS:
        if not isinstance(document.get(name), str | None):
            raise ValueError(f"{name} is not a text")  # noqa: TRY004  as above
    if document.get("format") not in {None, *_FORMATS}:
        raise ValueError(f"format is not one of {', '.join(_FORMATS)}")
    for name in _LISTS:
        if not isinstance(document.get(name), list | None):
            raise ValueError(f"{name} is not a list")  # noqa: TRY004  as above


def _check_characters(kept: JSON) -> None:
    for name, value in kept.items():
        if not isinstance(value, str):
            continue
        if "\0" in value:
            raise ValueError(f"{name} has a NUL character")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} has half of a surrogate pair")


def _check_moment(name: str, moment: object) -> None:
    if moment is None:
        return
    try:
        if datetime.fromisoformat(moment).tzinfo is not None:  # pyright: ignore[reportArgumentType]  TypeError below
            return
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} is not a time like 2026-01-31T12:00:00Z")


def read_batches(lines: Iterable[bytes]) -> Iterator[Batch]:
    """Valid lines as batches that one request may carry."""
    batch, size = Batch([], []), 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        document = parse(line)
        if not isinstance(document, Document):
            continue
        if batch.lines and (len(batch.lines) == _MOST_DOCUMENTS or size + len(line) > _MOST_BYTES):
            yield batch
            batch, size = Batch([], []), 0
        batch.lines.append(number)
        batch.documents.append(document)
        size += len(line)
    if batch.lines:
        yield batch


def send(extrophi: "Extrophi", batch: Batch) -> list[JSON]:
    """Push a batch; gives the `id` and the `status` (created, updated, unchanged) of each here."""
    try:
        answer = extrophi.post("/api/documents", {"documents": [document.body for document in batch.documents]})
    except Refused as refused:
        raise CommandError(
            _at_fault(batch, refused),
            hint="Mend it and import again; what is stored already changes nothing.",
            code=refused.code,
        ) from refused
    return answer["items"]


def read_sources(lines: Iterable[bytes]) -> Iterator[Source]:
    """The sources among valid lines."""
    for line in lines:
        if line.strip() and isinstance(found := parse(line), Source):
            yield found


def read_written(lines: Iterable[bytes]) -> Iterator[Written]:
    """What a person wrote, among valid lines."""
    for line in lines:
        if line.strip() and isinstance(found := parse(line), Written):
            yield found


def send_source(extrophi: "Extrophi", source: Source) -> None:
    """Keep a source that was exported, without collecting it. Raises Refused when its target means nothing here."""
    kept = extrophi.post("/api/sources", source.body)
    if source.is_paused:
        extrophi.request("PATCH", f"/api/sources/{kept['id']}", json={"state": "paused"})


def _at_fault(batch: Batch, refused: Refused) -> str:
    """What was refused, by its line instead of its place in the request."""
    found = _AT_FAULT.fullmatch(refused.field or "")
    if found is None or int(found[1]) >= len(batch.lines):
        return f"lines {batch.lines[0]} to {batch.lines[-1]}: {refused.message}"
    reason = refused.message.removeprefix(f"{refused.field}: ")
    return f"line {batch.lines[int(found[1])]}: {found[2] or 'the document'}: {reason}"


def read_all(extrophi: "Extrophi", collection: str | None, *, newest_only: bool = False) -> Iterator[JSON]:
    """Every document with its text, the oldest first; before each, its earlier versions.

    One that changes meanwhile comes once more, at its new place: nothing is missed.
    """
    for document in extrophi.pages("/api/documents", collection=collection, include="text", order="oldest"):
        path = f"/api/documents/{document['id']}"
        try:
            has_earlier = not newest_only and document["version"] > 1
            earlier = list(extrophi.pages(f"{path}/versions")) if has_earlier else []
            for version in reversed(earlier):
                if version["version"] < document["version"]:
                    # Only the newest version can have gone.
                    yield extrophi.get(path, version=version["version"]) | {"state": "collected", "gone_at": None}
        except Refused as refused:
            if refused.status in {404, 410}:  # deleted meanwhile
                continue
            raise
        yield document


def as_lines(documents: Iterable[JSON], sources: Iterable[JSON] = (), written: Iterable[Written] = ()) -> Iterator[str]:
    """An export, which `parse` takes line by line.

    A mark, sources, documents, what a person wrote, and a mark that says how many documents there are.
    """
    yield _line({_MARK: "export", "format": 1})
    for source in sources:
        kept = {name: source[name] for name in (*_OF_SOURCES, "state") if name in source}
        yield _line({_MARK: "source", "platform": source["platform"], **kept})
    count = 0
    for document in documents:
        yield _line({name: value for name, value in document.items() if name not in _ITS_OWN})
        count += 1
    for one in written:
        yield _line({_MARK: one.kind, **one.body})
    yield _line({_MARK: "end", "documents": count})


def _line(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
