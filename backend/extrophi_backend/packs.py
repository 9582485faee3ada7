#!/usr/bin/env -S python -IS
"""What the image holds packed, since its size counts what it holds unpacked: Chromium, Node and ChromaDB's library.

Each is unpacked on its first use, once, into a folder that may be written: 0.3 to 1 s and 60 to 290 MB. Linked to as
`chromium` or `node`, this file runs the program of that name out of its pack. It needs the standard library alone.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKS = Path("/app/packs")


class Unpackable(Exception):
    """There is no folder that it could be unpacked into; the message says why, and what to do."""


def unpacked(name: str, *, packs: Path = PACKS, into: Iterable[Path] | None = None) -> Path | None:
    """The folder of what was packed as `name`; None where nothing is packed (outside the image).

    It stays as long as this process, or one that it becomes, runs: an image with another content unpacks its own beside
    it, and takes away what nobody uses. Several at once unpack it once.

    Args:
        name: Of a pack: `packs` holds it as NAME-DIGEST.tar.zst.
        packs: Where the packs are.
        into: Folders to unpack into, the first that can be written; by default below EXTROPHI_DATA, else in /tmp.

    Raises:
        Unpackable: none of them can be written, or all are full.
    """
    pack = next(packs.glob(f"{name}-*.tar.zst"), None)
    if pack is None:
        return None
    stem = pack.name.removesuffix(".tar.zst")
    problems: list[str] = []
    for folder in into or _folders():
        try:
            return _unpack(pack, folder, stem)
        except (OSError, tarfile.TarError) as error:
            problems.append(f"{folder}: {getattr(error, 'strerror', None) or error}")
    raise Unpackable(
        f"{name} cannot be unpacked ({'; '.join(problems)}). Give the container a volume at /app/data that user"
        " 1000 or group 0 may write, with 600 MB to spare."
    )


def _folders() -> list[Path]:
    return [Path(os.environ.get("EXTROPHI_DATA") or "data") / ".packs", Path(tempfile.gettempdir()) / ".packs"]


@cache  # one lock a process
def _unpack(pack: Path, folder: Path, stem: str) -> Path:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o775)  # group 0 may, whatever the umask: the next user id may be another
    target = folder / stem
    # Held for as long as this process runs, or what it becomes: nobody takes away what is in use.
    os.set_inheritable(_lock(folder / f"{stem}.lock", fcntl.LOCK_SH), True)
    if not target.is_dir():
        unpacking = _lock(folder / ".unpacking", fcntl.LOCK_EX)
        try:
            if not target.is_dir():
                _extract(pack, target)
                _take_away_others(folder, pack, target)
        finally:
            os.close(unpacking)
    return target


def _lock(path: Path, how: int) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o664)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _extract(pack: Path, target: Path) -> None:
    """By rename, so that a folder of that name is whole."""
    for left in target.parent.glob(f".{target.name}-*"):  # by one that was killed
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        with (
            subprocess.Popen(["zstd", "-dcq", str(pack)], stdout=subprocess.PIPE) as zstd,  # noqa: S603, S607  the image's
            tarfile.open(fileobj=zstd.stdout, mode="r|") as tar,
        ):
            tar.extraction_filter = getattr(tarfile, "tar_filter", None)  # Python before 3.11.4 has none
            tar.extractall(aside)  # noqa: S202  it is our own pack
        aside.chmod(0o775)
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _take_away_others(folder: Path, pack: Path, target: Path) -> None:
    """What other images unpacked under this name and nobody uses."""
    name = pack.name.rpartition("-")[0]
    for other in folder.glob(f"{name}-*.lock"):
        if other.stem == target.name:
            continue
        try:
            lock = _lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # in use, or another's
        shutil.rmtree(folder / other.stem, ignore_errors=True)
        os.close(lock)


def run(name: str, arguments: list[str]) -> None:
    """Become the program of that name. Does not return."""
    folder = unpacked(name)
    if folder is None:
        raise Unpackable(f"There is no {name} in {PACKS}.")
    environment = dict(os.environ, LD_LIBRARY_PATH=str(folder / "lib"))
    if (folder / "fonts.conf").exists():
        environment["FONTCONFIG_FILE"] = str(folder / "fonts.conf")
    os.execve(folder / name, [name, *arguments], environment)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    try:
        run(Path(sys.argv[0]).name, sys.argv[1:])
    except Unpackable as error:
        sys.exit(str(error))
