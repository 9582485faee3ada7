"""Follows watched folders: each change collects the folder again, or uploads what changed when Extrophi is elsewhere.

The folders are watched in a thread; collecting stays in the main one, where Ctrl-C finds it.
"""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from extrophi_backend.extraction.detecting import SUFFIXES, suffix
from extrophi_cli.changes import changes_below
from extrophi_cli.collecting import collect_all
from extrophi_cli.errors import CommandError
from extrophi_cli.output import note, say_error
from extrophi_cli.targets import upload
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_STILL_HERE_SECONDS = 60.0

Burst = tuple[Path, frozenset[Path] | OSError]
"""The folder, and what changed below it; or why it is watched no more."""


def follow(extrophi: "Extrophi", folders: Sequence[Path], sources: Mapping[str, JSON], *, collection: str) -> None:
    """Follow `folders` (absolute) until Ctrl-C; `sources` are theirs, by path, when they are ours."""
    with _watching(folders) as bursts:
        while True:
            try:
                folder, burst = bursts.get(timeout=_STILL_HERE_SECONDS)
            except Empty:
                with suppress(CommandError):  # an Extrophi that stops when idle should know that we are here
                    extrophi.get("/api/jobs", limit=1)
                continue
            if isinstance(burst, OSError):
                raise CommandError(f"Cannot watch {folder}: {burst.strerror or burst}.")
            try:
                if extrophi.is_local:
                    collect_all(extrophi, [extrophi.post(f"/api/sources/{sources[str(folder)]['id']}/jobs")])
                else:
                    upload(extrophi, _changed(folder, burst), collection=collection)
            except (CommandError, OSError) as error:  # watching goes on: the next change may find it mended
                say_error(str(error), error.hint if isinstance(error, CommandError) else None)
                note("Still watching.")


def _changed(folder: Path, burst: frozenset[Path]) -> list[Path]:
    """What is to be uploaded after a burst: all of the folder after an empty one, which says that watching begins."""
    if not burst:
        return [folder]
    files = [path for path in sorted(burst) if suffix(path.name) in SUFFIXES and path.is_file()]
    folders = [path for path in sorted(burst) if path.is_dir()]  # a new one, whose files may have come before the watch
    return [*files, *(path for path in folders if not any(above in folders for above in path.parents))]


@contextmanager
def _watching(folders: Sequence[Path]) -> Generator[SimpleQueue[Burst]]:
    """Bursts of changes as they come, of all folders, while the block runs."""
    bursts: SimpleQueue[Burst] = SimpleQueue()
    stopping = asyncio.Event()
    loops: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()

    async def watch(folder: Path) -> None:
        try:
            async with aclosing(changes_below(folder)) as changes:
                async for burst in changes:
                    bursts.put((folder, burst))
        except OSError as error:
            bursts.put((folder, error))

    async def watch_all() -> None:
        loops.put(asyncio.get_running_loop())
        tasks = [asyncio.create_task(watch(folder)) for folder in folders]
        await stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = Thread(target=lambda: asyncio.run(watch_all()))
    thread.start()
    try:
        yield bursts
    finally:
        loops.get().call_soon_threadsafe(stopping.set)
        thread.join()
