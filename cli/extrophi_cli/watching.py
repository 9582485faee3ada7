"""Follows watched folders: each change collects the folder again, or uploads it when Extrophi is elsewhere."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_cli.collecting import collect_all
from extrophi_cli.errors import CommandError
from extrophi_cli.output import note, say_error
from extrophi_cli.targets import upload
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_STILL_HERE_SECONDS = 60.0


def follow(extrophi: "Extrophi", folders: Sequence[str], sources: Sequence[JSON], *, collection: str) -> None:
    """Follow `folders` (absolute) until Ctrl-C; `sources` are theirs, in the same order, when they are ours."""
    asyncio.run(_follow_all(extrophi, folders, sources, collection))


async def _follow_all(extrophi: "Extrophi", folders: Sequence[str], sources: Sequence[JSON], collection: str) -> None:
    one_at_a_time = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        group.create_task(_stay(extrophi))
        for number, folder in enumerate(folders):
            source = sources[number] if extrophi.is_local else None
            group.create_task(_follow(extrophi, folder, source, collection, one_at_a_time))


async def _stay(extrophi: "Extrophi") -> None:
    """Ask something now and then, so that an Extrophi that stops when idle knows that we are here."""
    while True:
        await asyncio.sleep(_STILL_HERE_SECONDS)
        with suppress(CommandError):
            await asyncio.to_thread(extrophi.get, "/api/stats")


async def _follow(
    extrophi: "Extrophi", folder: str, source: JSON | None, collection: str, one_at_a_time: asyncio.Lock
) -> None:
    from extrophi_cli.watch import watch  # noqa: PLC0415  watchfiles is needed here only

    def look() -> None:
        if source is None:
            upload(extrophi, [Path(folder)], collection=collection)
        else:
            collect_all(extrophi, [extrophi.post(f"/api/sources/{source['id']}/jobs")])

    async with aclosing(watch(Path(folder))) as changes:
        async for _ in changes:
            async with one_at_a_time:
                try:
                    await asyncio.to_thread(look)
                except CommandError as error:  # watching goes on: the next change may find it mended
                    say_error(error.message, error.hint)
                    note("Still watching.")
