"""What changes below a folder: one signal per burst."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from extrophi_backend.collectors.files.walk import SKIPPED_FOLDERS

_QUIET_MS = 400
"""A burst is over when nothing has changed for this long: editors write, rename and delete to save one file."""
_LONGEST_BURST_MS = 5_000
_LOOK_MS = 2_000
"""How often the folder itself is looked at: notifications end without a word when it is deleted or unmounted."""


async def changes_below(folder: Path) -> AsyncGenerator[frozenset[Path], None]:
    """The paths that were made, changed, deleted or renamed below `folder`, burst by burst.

    The first set may be empty: it says that watching has begun. What changed before it, since the caller last looked,
    is not in any set, so the caller looks once more. Hidden files and what the collector skips give no signal. A folder
    that goes away is waited for; when it is back there is an empty set again.

    Yields:
        Absolute paths. Never ends by itself; close it (`aclosing`) or cancel its task.
    """
    folder = await asyncio.to_thread(folder.resolve)
    polling = False  # for file systems and kernels that give no (more) notifications
    while True:
        identity = _identity(folder)
        if identity is None:
            await asyncio.sleep(_LOOK_MS / 1000)
            continue
        try:
            async with aclosing(_bursts(folder, polling=polling)) as bursts:
                first = True
                async for burst in bursts:
                    if burst or first:
                        yield burst
                    first = False
                    # A new folder of that name may get the old one's number, hence the second question.
                    if _identity(folder) != identity or folder in burst:
                        break
        except OSError:
            # The folder went away just now; or the kernel has no watches left: then we look ourselves.
            if _identity(folder) == identity:
                if polling:
                    raise
                polling = True


async def _bursts(folder: Path, *, polling: bool) -> AsyncGenerator[frozenset[Path], None]:
    """Each burst; an empty set when nothing happened for a while."""

    def concerns(_: Change, path: str) -> bool:
        return _is_collected(Path(path), folder)

    changes = awatch(
        folder,
        watch_filter=concerns,
        debounce=_LONGEST_BURST_MS,
        step=_QUIET_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        force_polling=polling or None,
        ignore_permission_denied=True,
    )
    async with aclosing(changes):
        async for burst in changes:
            yield frozenset(Path(path) for _, path in burst)


def _is_collected(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts if path.is_relative_to(folder) else path.parts
    return not any(part.startswith((".", "~$")) or part in SKIPPED_FOLDERS for part in parts)


def _identity(folder: Path) -> tuple[int, int] | None:
    """Tells a folder from another that took its name; None when there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
