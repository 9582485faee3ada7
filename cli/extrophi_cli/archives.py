"""Data archives of X, YouTube and Reddit: what matters of them is packed here, and sent."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from extrophi_cli.errors import REFUSED, CommandError
from extrophi_cli.output import say
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_IN_MEMORY = 2**24


def is_archive(path: Path) -> bool:
    """Whether it is a ZIP file, or a folder that one was unpacked to."""
    return path.is_dir() or zipfile.is_zipfile(path)


@contextmanager
def packed(path: Path) -> Generator[IO[bytes]]:
    """A ZIP file of those members of an archive that are read: the pictures and films beside them stay here.

    Raises:
        CommandError: there are none, or it cannot be read.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as out:
        try:
            count = 0
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
                for name, member in _folder(path) if path.is_dir() else _zip(path):
                    with member, zipped.open(name, "w", force_zip64=True) as stream:
                        shutil.copyfileobj(member, stream)
                    count += 1
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
            raise CommandError(f"Cannot read {path}: {error}.", hint="Download it anew.", code=REFUSED) from error
        if not count:
            raise CommandError(
                f"{path} holds no posts, lists or history of X, YouTube or Reddit.",
                hint="docs/archives.md says which archives these are, and how to get them.",
                code=REFUSED,
            )
        out.seek(0)
        yield out


def send_archive(extrophi: "Extrophi", path: Path, *, collection: str, limit: int | None, dry_run: bool) -> JSON:
    """What the archive holds, and the job that collects from it unless it is a dry run."""
    with packed(path) as file:
        data = {"collection": collection, "dry_run": str(dry_run).lower()}
        if limit is not None:
            data["limit"] = str(limit)
        return extrophi.request(
            "POST", "/api/archives", files={"file": (path.name, file, "application/zip")}, data=data
        )


def tell_contents(contents: JSON) -> None:
    """What is in an archive, and what becomes of it."""
    say(contents["title"])
    width = max((len(f"{part['count']:,}") for part in contents["parts"]), default=0)
    for part in contents["parts"]:
        known = f", {part['known']:,} of them known already" if part["known"] else ""
        becomes = f": {part['becomes']}{known}" if part["becomes"] else ": left out"
        say(f"  {part['count']:>{width},} {part['name']}{becomes}")


def _wanted(name: str) -> bool:
    from extrophi_backend.archives.kinds import KINDS  # noqa: PLC0415  as heavy as the rest of us

    return any(kind.members.search(name) for kind in KINDS)


def _zip(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir() and _wanted(member.filename):
                yield member.filename, archive.open(member)


def _folder(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Its files, links passed by: they may lead out of it."""
    for folder, _, files in os.walk(path, followlinks=False):
        for file in sorted(files):
            here = Path(folder) / file
            name = here.relative_to(path).as_posix()
            if _wanted(name) and not here.is_symlink() and here.is_file():
                yield name, here.open("rb")
