"""Targets as a person types them, made ready for an Extrophi here or elsewhere."""

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_cli.errors import FAILED, PARTIAL, CommandError
from extrophi_cli.output import note
from extrophi_cli.progress import tell_failures
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

# What the files collector reads; anything else in a folder is left where it is.
_READABLE = {".md", ".markdown", ".txt", ".text", ".rst", ".html", ".htm", ".xhtml", ".pdf", ".docx", ".epub"}
_FILES_AT_ONCE = 50
_BYTES_AT_ONCE = 24_000_000  # a request of the orchestrator may have 32 MB


@dataclass(frozen=True, slots=True)
class Targets:
    """What Extrophi collects itself, and what has to be carried to it."""

    remote: list[str]
    files: list[Path]


def is_path(target: str) -> bool:
    """Whether a target means a file or folder: one that exists, or that can only be a path."""
    if target.startswith(("/", "./", "../", "~")) or target in {".", ".."}:
        return True
    return "://" not in target and not target.startswith("@") and Path(target).exists()


def absolute(target: str) -> str:
    """A path made absolute, since the services run elsewhere; any other target unchanged."""
    return str(Path(target).expanduser().absolute()) if is_path(target) else target


def prepare(extrophi: "Extrophi", targets: Sequence[str]) -> Targets:
    """Split targets for this Extrophi. Raises CommandError for an empty one, and a path that is not there."""
    remote: list[str] = []
    files: list[Path] = []
    for target in targets:
        if not target.strip():  # as a path it would be the current folder
            raise CommandError("A target is empty.", hint="Check the variables in the command.", code=2)
        if not is_path(target):
            remote.append(target)
            continue
        path = Path(target).expanduser().absolute()
        if not path.exists():
            raise CommandError(f"There is no file or folder {target}.", hint="Check the path.", code=4)
        if extrophi.is_local:
            remote.append(str(path))
        else:
            files.append(path)
    return Targets(remote, files)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An Extrophi's word on each file that was carried to it."""

    items: list[JSON]
    failures: list[JSON]

    @property
    def code(self) -> int:
        """What a command ends with for them."""
        if not self.failures:
            return 0
        return PARTIAL if self.items else FAILED


def upload(extrophi: "Extrophi", paths: Sequence[Path], *, collection: str = "default") -> Uploaded:
    """Upload files, and folders recursively, to an Extrophi elsewhere; says what failed."""
    items: list[JSON] = []
    failures: list[JSON] = []
    for batch in _batches(readable_files(paths)):
        with ExitStack() as opened:
            parts = [
                (
                    "files",
                    (name, opened.enter_context(path.open("rb")), mimetypes.guess_type(name)[0] or "text/plain"),
                )
                for name, path in batch
            ]
            answer = extrophi.request("POST", "/api/uploads", files=parts, data={"collection": collection})
        items += answer.get("items", [])
        failures += answer.get("failures", [])
        new = sum(item.get("status") == "created" for item in items)
        note(f"uploaded: {len(items)} documents, {new} new" + (f", {len(failures)} failed" if failures else ""))
    tell_failures({"failures": failures})
    return Uploaded(items, failures)


def readable_files(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Files that can be read as documents: (name to upload under, path), folders walked in order."""
    for path in paths:
        if path.is_file():
            yield path.name, path
            continue
        for file in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.suffix.lower() in _READABLE and not hidden and file.is_file():
                yield str(Path(path.name) / file.relative_to(path)), file


def _batches(files: Iterator[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    batch: list[tuple[str, Path]] = []
    size = 0
    for name, path in files:
        more = path.stat().st_size
        if batch and (len(batch) == _FILES_AT_ONCE or size + more > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append((name, path))
        size += more
    if batch:
        yield batch
