#!/usr/bin/env -S python -IS
"""What the image holds packed, since its size counts what it holds unpacked: Chromium, Node and ChromaDB's library.

Each is unpacked on its first use, once, into a folder that may be written: 0.3 to 1 s and 60 to 290 MB. Linked to as
`chromium` or `node`, this file runs the program of that name out of its pack. It needs the standard library alone.
"""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

PACKS = Path("/app/packs")


class NotUnpacked(Exception):
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
        NotUnpacked: none of them can be written, or all are full.
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
    raise NotUnpacked(
        f"{name} cannot be unpacked ({'; '.join(problems)}). Give the container a volume at /app/data that user"
        " 1000 or group 0 may write, with 600 MB to spare."
    )


def _folders() -> list[Path]:
    return [Path(os.environ.get("EXTROPHI_DATA") or "data") / ".packs", Path("/tmp/.packs")]  # noqa: S108


@cache  # one lock a process
def _unpack(pack: Path, folder: Path, stem: str) -> Path:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o775)  # group 0 may, whatever the umask: the next user id may be another
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise OSError(errno.EACCES, "nothing may be executed there (noexec)")
    target = folder / stem
    # Held for as long as this process runs, or what it becomes: nobody takes away what is in use.
    using = _lock(folder / f"{stem}.lock", fcntl.LOCK_SH)
    try:
        if not target.is_dir():
            _unpack_once(pack, folder, target)
    except BaseException:
        os.close(using)
        raise
    os.set_inheritable(using, True)
    return target


def _unpack_once(pack: Path, folder: Path, target: Path) -> None:
    unpacking = _lock(folder / ".unpacking", fcntl.LOCK_EX)
    try:
        if not target.is_dir():
            _take_away_others(folder, pack, target)
            _extract(pack, target)
    finally:
        os.close(unpacking)


def _lock(path: Path, how: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o664)  # over NFS, only who may write may lock
    try:
        with suppress(PermissionError):  # another's: it has done so
            os.fchmod(descriptor, 0o664)
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _extract(pack: Path, target: Path) -> None:
    """By rename, so that a folder of that name is whole. The caller holds `.unpacking`."""
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".half-"))
    try:
        with (
            subprocess.Popen(["zstd", "-dcq", str(pack)], stdout=subprocess.PIPE) as zstd,  # noqa: S603, S607  the image's
            tarfile.open(fileobj=zstd.stdout, mode="r|") as tar,
        ):
            # Our own pack, as it was packed: the filters of newer Pythons would take group 0's rights away.
            tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
            tar.extractall(aside)  # noqa: S202
        if zstd.returncode:
            raise OSError(errno.EIO, f"zstd ended with {zstd.returncode}")  # noqa: TRY301
        aside.chmod(0o775)
        os.sync()  # a power cut must not leave a folder of that name with empty files
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _take_away_others(folder: Path, pack: Path, target: Path) -> None:
    """What other images unpacked under this name and nobody uses, and what a crash left half done.

    By rename, too: what is half gone is not to be taken for whole. The caller holds `.unpacking`.
    """
    name = pack.name.rpartition("-")[0]
    for other in folder.glob(f"{name}-*.lock"):
        if other.stem == target.name:
            continue
        try:
            lock = _lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # in use, or another's
        with suppress(OSError):
            (folder / other.stem).rename(folder / f".half-{other.stem}")
        os.close(lock)
    for half in folder.glob(".half-*"):
        shutil.rmtree(half, ignore_errors=True)


def run(name: str, arguments: list[str]) -> None:
    """Become the program of that name. Does not return."""
    folder = unpacked(name)
    if folder is None:
        raise NotUnpacked(f"There is no {name} in {PACKS}.")
    environment = dict(os.environ, LD_LIBRARY_PATH=str(folder / "lib"))
    if (folder / "fonts.conf").exists():
        environment["FONTCONFIG_FILE"] = str(folder / "fonts.conf")
    os.execve(folder / name, [name, *arguments], environment)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    try:
        run(Path(sys.argv[0]).name, sys.argv[1:])
    except (NotUnpacked, OSError) as error:
        sys.exit(str(error))
