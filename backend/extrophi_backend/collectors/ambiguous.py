"""What a name may mean that is neither an address nor a path."""

import re
from collections.abc import Sequence
from pathlib import Path

from extrophi_backend.collectors.web.target import looks_like_host
from extrophi_backend.errors import Choice

_HANDLE = re.compile(r"@(?P<name>[\w.·-]{1,50})")
_NAME = re.compile(r"(?P<name>[\w-]{1,50})", re.ASCII)


def choices_for(typed: str, roots: Sequence[Path]) -> list[Choice]:
    """The things that `typed` may mean, if there are several; else none.

    Args:
        typed: As a person typed it.
        roots: Folders that may be read: a name that also is a file there is no site's alone.
    """
    text = typed.strip()
    files = [
        Choice(str(path), "files", f"The {'folder' if path.is_dir() else 'file'} {path}")
        for path in (root / text for root in roots)
        if _NAME_OF_FILE.fullmatch(text) and _is_there(path)
    ]
    if found := _HANDLE.fullmatch(text):
        return [_on_x(found["name"]), _on_youtube(found["name"])]
    if found := _NAME.fullmatch(text):
        name = found["name"]
        on_reddit = Choice(f"https://www.reddit.com/r/{name}", "reddit", f"Reddit: r/{name}")
        return [*files, _on_x(name), _on_youtube(name), on_reddit]
    if files and looks_like_host(text):
        return [*files, Choice(f"https://{text}", "web", f"The site {text}")]
    return []


_NAME_OF_FILE = re.compile(r"(?!\.)[^/\\\0]{1,200}")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # not to be looked at, or no name for a file: none that we would read
        return False


def _on_x(name: str) -> Choice:
    return Choice(f"https://x.com/{name}", "twitter", f"X: the posts of @{name}")


def _on_youtube(name: str) -> Choice:
    return Choice(f"https://www.youtube.com/@{name}", "youtube", f"YouTube: the channel @{name}")
