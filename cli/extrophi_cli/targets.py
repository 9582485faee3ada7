"""What a person typed as a target, and carrying files to an Extrophi that is elsewhere."""

import mimetypes
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from extrophi_cli.choosing import choose
from extrophi_cli.errors import FAILED, PARTIAL, REFUSED, CommandError, Refused
from extrophi_cli.output import counted, note
from extrophi_cli.progress import tell_failures
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_FILES_AT_ONCE = 50
_BYTES_AT_ONCE = 24_000_000
_LARGEST = 500_000_000  # a file is held in memory; by default Extrophi takes 64 MB
_FOR_ALL_OF_THEM = frozenset({401, 403, 429})
"""Refusals that are not about the target."""
_OF_THE_TARGET = frozenset({"platform_unavailable", "robots_unreachable"})
"""Codes of failures (5xx) that are about the target: its platform is away, and another's is not."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What Extrophi collects itself, and what has to be carried to it."""

    remote: list[str]
    files: list[Path]


def is_path(target: str) -> bool:
    """Whether a target means a file or folder: one that exists, or that can only be a path."""
    if target.startswith(("/", "./", "../", "~")) or target in {".", ".."} or _is_file_uri(target):
        return True
    return "://" not in target and not target.startswith("@") and Path(target).exists()


def _is_file_uri(target: str) -> bool:
    return target.lower().startswith("file:")


def to_path(target: str) -> Path:
    """The absolute path that a target means. Raises CommandError when there is nothing there."""
    try:
        named = os.fsdecode(unquote_to_bytes(urlsplit(target).path)) if _is_file_uri(target) else target
        path = Path(named).expanduser().absolute()
        path.stat()
    except RuntimeError:
        raise CommandError(f"{target}: there is no such user.", hint="Check the path.", code=REFUSED) from None
    except (OSError, ValueError) as error:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        reason = "" if gone else f" that can be read: {getattr(error, 'strerror', None) or error}"
        raise CommandError(f"There is no file or folder {target}{reason}.", hint="Check the path.", code=4) from None
    return path


def prepare(extrophi: "Extrophi", targets: Sequence[str]) -> Targets:
    """Split targets for this Extrophi. Raises CommandError for an empty one, and a path that is not there."""
    remote: list[str] = []
    files: list[Path] = []
    for target in targets:
        if not target.strip():  # as a path it would be the current folder
            raise CommandError("A target is empty.", hint="Check the variables in the command.", code=2)
        if not is_path(target):
            _check_no_file_is_meant(target)
            remote.append(target)
        elif extrophi.is_local:
            remote.append(str(to_path(target)))
        else:
            files.append(to_path(target))
    return Targets(remote, files)


def _check_no_file_is_meant(target: str) -> None:
    """Raises CommandError for `missing.md`, which would be taken for a site of Moldova."""
    from extrophi_backend.extraction.detecting import SUFFIXES, suffix  # noqa: PLC0415  as heavy as the rest of us

    if "/" not in target and suffix(target) in SUFFIXES:
        hint = f"Check the path; a site of that name is https://{target}"
        raise CommandError(f"There is no file {target} here.", hint=hint, code=REFUSED)


def ask_for_each(targets: Iterable[str], ask: Callable[[str], JSON]) -> tuple[dict[str, JSON], list[JSON]]:
    """What each target came to, by target, and the failures: a refused one does not stand in the others' way.

    One that may mean several things is asked about.

    Raises:
        CommandError: it may, and there is no terminal to ask on.
        Refused: none of several, or the only one, was taken; or it is not the target that was refused.
    """
    done: dict[str, JSON] = {}
    refused: dict[str, Refused] = {}
    for target in targets:
        try:
            meant, answer = _ask_what_is_meant(target, ask)
            done[meant] = answer
        except Refused as refusal:
            is_of_us = refusal.status >= 500 and refusal.problem not in _OF_THE_TARGET
            if refusal.status in _FOR_ALL_OF_THEM or is_of_us:
                raise
            refused[target] = refusal
    if len(refused) == 1 and not done:
        raise next(iter(refused.values()))
    failures = [_failure(target, one.problem, one.message, one.hint) for target, one in refused.items()]
    return done, failures


def _ask_what_is_meant(target: str, ask: Callable[[str], JSON]) -> tuple[str, JSON]:
    try:
        return target, ask(target)
    except Refused as refusal:
        if not refusal.choices:
            raise
        meant = choose(target, refusal)
    return meant, ask(meant)


def _failure(target: str, code: str, detail: str, hint: str | None = None) -> JSON:
    return {"target": target, "code": code, "detail": detail} | ({"hint": hint} if hint else {})


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An Extrophi's word on each file that was carried to it."""

    items: list[JSON]
    failures: list[JSON]

    @property
    def codes(self) -> list[int]:
        """What a command ends with for them; none when there were none."""
        if not self.failures:
            return [0] if self.items else []
        return [PARTIAL if self.items else FAILED]


def upload(extrophi: "Extrophi", paths: Iterable[Path], *, collection: str = "default") -> Uploaded:
    """Upload files, and folders recursively, to an Extrophi elsewhere; says what failed, file by file."""
    items: list[JSON] = []
    failures: list[JSON] = []
    for batch in _batches(readable_files(paths), failures):
        parts = [
            ("files", (file.name, body, mimetypes.guess_type(file.name)[0] or "text/plain")) for file, body in batch
        ]
        try:
            answer = extrophi.request("POST", "/api/uploads", files=parts, data={"collection": collection})
        except Refused as refused:
            if refused.status != 413:
                raise
            failures += [_failure(file.name, refused.problem, refused.message) for file, _ in batch]
            continue
        items += answer.get("items", [])
        failures += answer.get("failures", [])
        new = sum(item.get("status") == "created" for item in items)
        note(
            f"uploaded: {counted(len(items), 'document')}, {new} new"
            + (f", {len(failures)} failed" if failures else "")
        )
    tell_failures({"failures": failures})
    return Uploaded(items, failures)


@dataclass(frozen=True, slots=True)
class ReadableFile:
    """A file to upload. `root`: canonical; the file is read below it, through no link."""

    path: Path
    root: Path

    @property
    def name(self) -> str:
        """Its document's external id, from whichever folder it is uploaded: the machine, and the path there."""
        path = str(self.path)
        try:
            path.encode()
        except UnicodeEncodeError:  # no UTF-8: escaped, for a replacement character would make two names one
            path = quote(os.fsencode(path))
        return f"{socket.gethostname()}{path}"


def readable_files(paths: Iterable[Path]) -> Iterator[ReadableFile | JSON]:
    """The files that can be read as documents, folders walked as the collector does; or the failure in a file's stead.

    A file that was named is tried whatever it is called.
    """
    from extrophi_backend.collectors.files.walk import Found, Unreadable, walk  # noqa: PLC0415

    for path in paths:
        real = path.resolve()
        if not real.is_dir():
            yield ReadableFile(real, real.parent)
            continue
        for entry in walk(real, (real,)):
            if isinstance(entry, Found):
                yield ReadableFile(entry.path, real)
            elif isinstance(entry, Unreadable):
                outside = entry.code == "outside_roots"
                detail = "It is a link to a place outside the folder." if outside else entry.detail
                yield _failure(str(entry.path), entry.code, detail)


def _batches(files: Iterable[ReadableFile | JSON], failures: list[JSON]) -> Iterator[list[tuple[ReadableFile, bytes]]]:
    """Files with their bytes, as many as one request takes; those that cannot be read become failures."""
    from extrophi_backend.collectors.files.walk import Refused as Unreadable  # noqa: PLC0415
    from extrophi_backend.collectors.files.walk import read_file  # noqa: PLC0415

    batch: list[tuple[ReadableFile, bytes]] = []
    size = 0
    for file in files:
        if not isinstance(file, ReadableFile):
            failures.append(file)
            continue
        try:
            body, _ = read_file(file.path, file.root, _LARGEST)
        except Unreadable as refusal:
            failures.append(_failure(file.name, refusal.code, refusal.detail))
            continue
        if batch and (len(batch) == _FILES_AT_ONCE or size + len(body) > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append((file, body))
        size += len(body)
    if batch:
        yield batch
