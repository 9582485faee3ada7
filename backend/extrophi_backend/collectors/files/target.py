"""Which file or folder a person means."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from extrophi_backend.collectors.files.errors import NotAPath, OutsideRoots, TargetMissing
from extrophi_backend.collectors.files.walk import below, reason, shown
from extrophi_backend.collectors.models import Target


def recognise(typed: str, roots: Sequence[Path], home: Path) -> Target | None:
    """The file or folder behind `/absolute/path`, `~/path` or `file:///path`; None when `typed` is none of these.

    A relative path means nothing here, where another folder is the current one: clients make theirs absolute.
    Symbolic links are resolved first, so `canonical` is equal for all spellings, and says where the file really is.

    Args:
        typed: What a person typed.
        roots: Folders that may be read (EXTROPHI_FILES_ROOTS).
        home: What `~` stands for.

    Raises:
        InvalidTarget: malformed, outside the roots, missing, unreadable, or neither file nor folder.
    """
    text = typed.strip()
    if text.lower().startswith("file:"):
        text = _path_of_uri(text)
    if text == "~" or text.startswith("~/"):
        text = f"{home}{text[1:]}"
    if not text.startswith("/"):
        return None
    try:
        named = Path(os.path.normpath(text) if ".." not in text else text)
        text.encode("utf-8")
        path = named.resolve()
        # Before anything is said about what is there: nobody learns what lies outside the roots.
        if below(path, [root.resolve() for root in roots]) is None:
            raise OutsideRoots(typed)
        path.stat()
    except OSError as error:
        raise TargetMissing(typed, reason(error)[1]) from error
    except (ValueError, RuntimeError) as error:  # NUL, lone surrogates; a loop of links
        raise NotAPath(typed, "It is not a path.") from error
    if path.is_dir():
        if not os.access(path, os.R_OK | os.X_OK):
            raise TargetMissing(typed, "Extrophi may not read it: permission denied.")
    elif not path.is_file():
        raise NotAPath(typed, "It is neither a file nor a folder.")
    return Target("files", shown(path), typed)


def _path_of_uri(uri: str) -> str:
    """The path of a `file:` URI of this machine (RFC 8089)."""
    try:
        parts = urlsplit(uri)
        if parts.netloc not in {"", "localhost"}:
            raise NotAPath(uri, "It names a file of another machine.")
        path = unquote_to_bytes(parts.path).decode()
    except ValueError as error:
        raise NotAPath(uri, "It is not a file URI.") from error
    if not path.startswith("/"):
        raise NotAPath(uri, "A file URI has an absolute path: file:///home/….")
    return path
