"""Data archives of X, YouTube and Reddit: what matters of them is packed here, and sent."""

import os
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
    from extrophi_backend.archives.reading import Archive
    from extrophi_cli.client import Extrophi

_IN_MEMORY = 2**24


def is_archive(path: Path) -> bool:
    """Whether it is a ZIP file, or a folder that one was unpacked to."""
    return path.is_dir() or zipfile.is_zipfile(path)


@contextmanager
def packed(path: Path) -> Generator[IO[bytes]]:
    """A ZIP file of what is read of an archive, and of nothing else: the rest stays here.

    Raises:
        CommandError: there is nothing of the kind in it, or it cannot be read.
    """
    from extrophi_backend.archives.reading import BROKEN, Archive, BadArchive  # noqa: PLC0415  as heavy as the rest of us

    try:
        with _opened(path) as file, tempfile.SpooledTemporaryFile(_IN_MEMORY) as out:
            count = _pack(Archive(file), out)
            if not count:
                raise CommandError(
                    f"{path} holds no posts, lists or history of X, YouTube or Reddit.",
                    hint="docs/archives.md says which archives these are, and how to get them.",
                    code=REFUSED,
                )
            out.seek(0)
            yield out
    except BadArchive as error:
        raise CommandError(f"Cannot read {path}: {error.detail}", hint="Download it anew.", code=REFUSED) from error
    except BROKEN as error:
        raise CommandError(f"Cannot read {path}: {error}.", hint="Download it anew.", code=REFUSED) from error


def _pack(archive: "Archive", out: IO[bytes]) -> int:
    """Put what is read of it into a ZIP file; of how many members there is something."""
    from extrophi_backend.archives.kinds import KINDS  # noqa: PLC0415  as heavy as the rest of us

    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in archive.names:
            kind = next((one for one in KINDS if one.members.search(name)), None)
            parts = kind.sent(archive, name) if kind else None
            if parts is not None:
                count += 1
                with zipped.open(name, "w", force_zip64=True) as stream:
                    for part in parts:
                        stream.write(part.encode("utf-8", "replace"))
    return count


@contextmanager
def _opened(path: Path) -> Generator[IO[bytes]]:
    """An archive; of a folder that one was unpacked to, the ZIP file that it was, as far as it may matter."""
    if not path.is_dir():
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zipped:
            for name, here in _folder(path):
                zipped.write(here, name)
        file.seek(0)
        yield file


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
    parts = contents["parts"]
    name_width = max((len(part["name"]) for part in parts), default=0)
    width = max((len(f"{part['count']:,}") for part in parts), default=0)
    for part in parts:
        known = f"; known already: {part['known']:,}" if part["known"] else ""
        becomes = f"{part['becomes']}{known}" if part["becomes"] else "left out"
        say(f"  {part['name']:<{name_width}}  {part['count']:>{width},}  {becomes}")


def _wanted(name: str) -> bool:
    from extrophi_backend.archives.kinds import KINDS  # noqa: PLC0415  as heavy as the rest of us

    return any(kind.members.search(name) for kind in KINDS)


def _folder(path: Path) -> Iterator[tuple[str, Path]]:
    """Its files, links passed by: they may lead out of it."""
    for folder, _, files in os.walk(path, followlinks=False):
        for file in sorted(files):
            here = Path(folder) / file
            name = here.relative_to(path).as_posix()
            if _wanted(name) and not here.is_symlink() and here.is_file():
                yield name, here
