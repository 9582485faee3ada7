"""Documents as JSON lines: checked, carried in batches, read back out."""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from extrophi_cli.errors import CommandError, Refused
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

# What POST /api/documents takes; other fields of an export are for the reader.
_TEXTS = ("title", "author", "url", "language")
_FORMATS = ("text", "markdown", "html")
_MOST_DOCUMENTS = 1000
_MOST_BYTES = 30_000_000  # the API's limit is 32 MB for the whole request
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents for one request; `lines` are their line numbers."""

    lines: list[int]
    documents: list[JSON]


@contextmanager
def opened(file: Path | None) -> Generator[IO[bytes]]:
    """The lines of a file, or of standard input (put aside, since they are read twice: checked, then sent)."""
    if file is not None:
        try:
            with file.open("rb") as lines:
                yield lines
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.", hint="Check the path.", code=4) from error
        return
    with tempfile.TemporaryFile() as lines:
        while block := sys.stdin.buffer.read(1 << 20):
            lines.write(block)
        lines.seek(0)
        yield lines


def validate(lines: IO[bytes]) -> tuple[int, list[BadLine]]:
    """Check every line; gives their number and the bad ones (the first hundred), and rewinds."""
    count, bad = 0, list[BadLine]()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        count += 1
        try:
            parse(line)
        except ValueError as error:
            bad.append(BadLine(number, str(error)))
            if len(bad) == _MOST_PROBLEMS:
                break
    lines.seek(0)
    return count, bad


def parse(line: bytes) -> JSON:
    """One line as a document for the API, but for its `collections`. Raises ValueError in words for a person."""
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
    _check_types(document)
    _check_moment(document.get("published_at"))
    names = ["platform", "external_id", "text", *_TEXTS, "format", "published_at"]
    kept = {name: document[name] for name in names if document.get(name) is not None}
    _check_characters(kept)
    return kept | {"collections": _collections(document)}


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


def _check_characters(kept: dict[str, str]) -> None:
    for name, value in kept.items():
        if "\0" in value:
            raise ValueError(f"{name} has a NUL character")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} has half of a surrogate pair")


def _check_moment(moment: object) -> None:
    if moment is None:
        return
    try:
        if datetime.fromisoformat(moment).tzinfo is not None:  # pyright: ignore[reportArgumentType]  TypeError below
            return
    except (TypeError, ValueError):
        pass
    raise ValueError("published_at is not a time like 2026-01-31T12:00:00Z")


def read_batches(lines: Iterable[bytes]) -> Iterator[Batch]:
    """Valid lines as batches that one request may carry."""
    batch, size = Batch([], []), 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        document = parse(line)
        collections = document.pop("collections")
        more = len(line) * len(collections)
        if batch.lines and (len(batch.lines) + len(collections) > _MOST_DOCUMENTS or size + more > _MOST_BYTES):
            yield batch
            batch, size = Batch([], []), 0
        # One in several collections is pushed into each; the second time its text is unchanged.
        for collection in collections:
            batch.lines.append(number)
            batch.documents.append({**document, "collection": collection})
        size += more
    if batch.lines:
        yield batch


def send(extrophi: "Extrophi", batch: Batch) -> dict[str, int]:
    """Push a batch; gives how many were created, updated, unchanged."""
    try:
        answer = extrophi.post("/api/documents", {"documents": batch.documents})
    except Refused as refused:
        span = f"lines {batch.lines[0]} to {batch.lines[-1]}"
        raise CommandError(
            f"{span}: {refused.message}",
            hint="Nothing of these lines was stored; those before were.",
            code=refused.code,
        ) from refused
    statuses = dict(zip(batch.lines, (item["status"] for item in answer.get("items", [])), strict=False))
    return dict(Counter(statuses.values()))


def read_all(extrophi: "Extrophi", collection: str | None) -> Iterator[JSON]:
    """Every document with its text, oldest last."""
    for listed in extrophi.pages("/api/documents", collection=collection, include="text"):
        if "text" in listed:
            yield listed
        else:
            try:
                yield extrophi.get(f"/api/documents/{listed['id']}")
            except Refused as refused:
                if refused.status not in {404, 410}:  # deleted meanwhile
                    raise


def as_line(document: JSON) -> str:
    """One document as a line of an export, which `parse` takes."""
    # The text of an HTML document is what was extracted from it; as HTML it would be extracted once more.
    extracted = {"format": "text"} if document.get("format") == "html" else {}
    return json.dumps({**document, **extracted}, ensure_ascii=False, separators=(",", ":")) + "\n"
