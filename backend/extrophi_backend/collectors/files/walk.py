"""Which files a folder holds, in an order that is the same every time, and reading one of them safely."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from extrophi_backend.extraction.detecting import SUFFIXES, suffix

SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "$RECYCLE.BIN"})
"""Below a collected folder, besides all whose name begins with a dot (`.git`, `.obsidian`, `.venv`)."""
MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A file to collect."""

    place: tuple[bytes, ...]
    """Its path below the folder, by parts. Files come in ascending order of it."""
    path: Path
    """Canonical: absolute, without symbolic links."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be listed, or a link that leads where we may not go."""

    place: tuple[bytes, ...]
    path: Path
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Where a link leads out of the folder: to a folder that is walked, too, or to a file that is not there."""

    path: Path


class Refused(Exception):
    """A file that is not opened or cannot be read. `code` is for programs, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def uri_of(path: Path) -> str:
    """A file's address and external id. Percent-encoded bytes: names need not be valid UTF-8."""
    return path.as_uri()


def path_of(uri: str) -> Path:
    """The path behind `uri_of`."""
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))))


def shown(path: Path) -> str:
    """A path for people and JSON: a name that is no UTF-8 shows a replacement character."""
    return os.fsencode(path).decode("utf-8", "replace")


def below(path: Path, roots: Sequence[Path]) -> Path | None:
    """The root that canonical `path` is or stands below; None when there is none."""
    return next((root for root in roots if path == root or root in path.parents), None)


def walk(folder: Path, roots: Sequence[Path]) -> Iterator[Found | Unreadable | Linked]:
    """The files below canonical `folder` whose names promise a format we read, obstacles, and where links lead.

    Names are in byte order, folders where their names stand. Left out: hidden files and folders, SKIPPED_FOLDERS,
    Office's lock files (`~$…`), files of other formats, and what is neither file nor folder (devices, pipes, sockets).
    Symbolic links are followed when they lead below `roots` but not into `folder`, where the walk comes by itself.
    Each folder is walked once, so that loops end.
    """
    # Depth first by a stack of our own: recursion has a limit, nested folders need not.
    visited: set[tuple[int, int]] = set()
    waiting: list[Found | _Folder] = [_Folder((), folder)]
    while waiting:
        at = waiting.pop()
        if isinstance(at, Found):
            yield at
            continue
        try:
            status = at.path.lstat()
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            if len(at.place) > MAX_DEPTH:
                yield Unreadable(at.place, at.path, "too_deep", f"Folders are read {MAX_DEPTH} deep.")
                continue
            with os.scandir(at.path) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name), reverse=True)
        except OSError as error:
            yield Unreadable(at.place, at.path, *reason(error))
            continue
        if at.linked:
            yield Linked(at.path)
        for entry in entries:
            inside = _look(entry, (*at.place, os.fsencode(entry.name)), folder, roots)
            if isinstance(inside, Unreadable | Linked):
                yield inside
            elif inside is not None:
                waiting.append(inside)


@dataclass(frozen=True, slots=True)
class _Folder:
    place: tuple[bytes, ...]
    path: Path
    linked: bool = False


def _look(
    entry: "os.DirEntry[str]", place: tuple[bytes, ...], folder: Path, roots: Sequence[Path]
) -> Found | _Folder | Unreadable | Linked | None:
    """What the walk does about an entry of a folder; None: pass by."""
    if entry.name.startswith((".", "~$")):
        return None
    path = Path(entry.path)
    try:
        if entry.is_symlink():
            return _follow(place, path, folder, roots)
        if entry.is_dir(follow_symlinks=False):
            return None if entry.name in SKIPPED_FOLDERS else _Folder(place, path)
        if suffix(entry.name) in SUFFIXES and entry.is_file(follow_symlinks=False):
            return Found(place, path)
    except OSError as error:
        return Unreadable(place, path, *reason(error))
    return None


def _follow(
    place: tuple[bytes, ...], link: Path, folder: Path, roots: Sequence[Path]
) -> Found | _Folder | Unreadable | Linked | None:
    """Where a link leads, if the walk should go there."""
    try:
        path = link.resolve(strict=True)
        mode = path.lstat().st_mode
    except FileNotFoundError:
        path = link.resolve()
        is_ours = suffix(path.name) in SUFFIXES and below(path, roots) and not below(path, (folder,))
        return Linked(path) if is_ours else None
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return None  # it leads nowhere: there is nothing to collect
    is_folder = stat.S_ISDIR(mode)
    if not is_folder and not (stat.S_ISREG(mode) and suffix(path.name) in SUFFIXES):
        return None
    if below(path, (folder,)):
        return None
    if below(path, roots) is None:
        return Unreadable(place, link, "outside_roots", "It is a link to a place outside EXTROPHI_FILES_ROOTS.")
    return _Folder(place, path, linked=True) if is_folder else Found(place, path)


def reason(error: OSError) -> tuple[str, str]:
    """Code and sentence for what the operating system refused."""
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return "not_found", "It is not there any more."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "unreadable", "Extrophi may not read it: permission denied."
    if error.errno == errno.ELOOP:
        return "outside_roots", "A part of its path became a symbolic link."
    return "unreadable", f"It cannot be read: {error.strerror or error}."


def status_of(path: Path) -> os.stat_result | None:
    """One `lstat`; None when there is no such file (any more).

    Raises:
        OSError: it cannot be told.
    """
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_file(path: Path, root: Path, max_bytes: int) -> tuple[bytes, os.stat_result]:
    """The bytes of a regular file below canonical `root`, and its status as it was before they were read.

    Opened part by part from the root without following a link, so that nobody can put one there between our look
    and our reading. Pipes, devices and sockets are not opened.

    Raises:
        Refused: not_found, unreadable, outside_roots, not_a_file, too_large.
    """
    try:
        descriptor = _open_below(path, root)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Refused("not_a_file", "It is neither a file nor a folder.")
            if status.st_size > max_bytes:
                raise Refused("too_large", f"It has {status.st_size:,} bytes; the limit is {max_bytes:,}.")
            body = file.read(max_bytes + 1)
            if len(body) > max_bytes:
                raise Refused("too_large", f"It grew beyond the limit of {max_bytes:,} bytes while it was read.")
            return body, status
    except OSError as error:
        raise Refused(*reason(error)) from error


def _open_below(path: Path, root: Path) -> int:
    *folders, name = path.relative_to(root).parts or (".",)
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        # Looked at before it is opened: opening a device can already do something.
        if not stat.S_ISREG(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
            raise Refused("not_a_file", "It is not a regular file.")
        # Non-blocking, should a pipe have taken its place since.
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)
