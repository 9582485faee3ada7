"""EXTROPHI_ROLE=all: the API and the worker in one container, each its own process; they stop together."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

import asyncpg

from extrophi_backend.http.problems import DATABASE_AWAY
from extrophi_backend.log import event
from extrophi_backend.schema.migrate import migrate
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 2.0
_GRACE_SECONDS = 15.0


async def run_all(settings: Settings) -> int:
    """Run until told to stop, or until one of them ends: then nothing would be whole, and who started us has to know.

    Returns:
        The exit code: 0 when told to stop.
    """
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    migrating = asyncio.create_task(_migrate(settings))
    children = [await _start(role) for role in ("api", "worker")]
    ends = [asyncio.create_task(child.wait()) for child in children]
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({told, *ends}, return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else 1
    for task in (migrating, told):
        task.cancel()
    for child in children:
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
    _, late = await asyncio.wait(ends, timeout=_GRACE_SECONDS)
    for child, end in zip(children, ends, strict=True):
        if end in late:
            child.kill()
    await asyncio.wait(ends)
    return code


async def _start(role: str) -> asyncio.subprocess.Process:
    # A group of its own: Ctrl-C reaches us alone, and we pass it on.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "extrophi_backend", env={**os.environ, "EXTROPHI_ROLE": role}, process_group=0
    )


async def _migrate(settings: Settings) -> None:
    """Migrate as soon as the database is in reach. Meanwhile the API says that it waits for that."""
    while True:
        try:
            await migrate(settings.database_url.get_secret_value())
        except (asyncpg.PostgresError, *DATABASE_AWAY) as error:
            _log.warning(event("schema.waits", error=type(error).__name__))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
