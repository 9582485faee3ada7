"""EXTROPHI_ROLE=all: the API and the worker in one container, each its own process; they stop together."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress

import asyncpg

from extrophi_backend.db import is_away
from extrophi_backend.log import event
from extrophi_backend.schema.migrate import NO_PGVECTOR, migrate, uses_chroma
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 2.0
_GRACE_SECONDS = 9.0
"""After that they are killed: whoever stops us waits for 10 s."""


async def run_all(settings: Settings) -> int:
    """Run until told to stop, or until one of them ends: then nothing would be whole, and who started us has to know.

    Returns:
        The exit code: 0 when told to stop.
    """
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    migrating = asyncio.create_task(_migrate(settings))
    told = asyncio.create_task(stop.wait())
    # The API serves at once, and says what it waits for; a worker has nothing to do before there are tables.
    # Where none is given, one of our own, which nobody else can reach.
    chroma = {} if settings.chroma_url else {"CHROMA_URL": f"http://127.0.0.1:{_free_port()}"}
    children = [await _start("extrophi_backend", chroma, role="api")]
    ends = [asyncio.create_task(children[0].wait())]
    await asyncio.wait({told, migrating, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if migrating.done() and not stop.is_set():
        if chroma and (migrating.result() or settings.vector_store == "chroma"):
            children.append(await _start("extrophi_backend.vectors.server", {**chroma, "EXTROPHI_HOST": "127.0.0.1"}))
        children.append(await _start("extrophi_backend", chroma, role="worker"))
        ends += [asyncio.create_task(child.wait()) for child in children[1:]]
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


async def _start(module: str, environment: Mapping[str, str], *, role: str = "api") -> asyncio.subprocess.Process:
    # A group of its own: Ctrl-C reaches us alone, and we pass it on.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env={**os.environ, **environment, "EXTROPHI_ROLE": role}, process_group=0
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


async def _migrate(settings: Settings) -> bool:
    """Migrate as soon as the database is in reach; whether its vectors are in ChromaDB, or are on their way there.

    Meanwhile the API says that it waits for that.
    """
    while True:
        try:
            await migrate(settings.database_url.get_secret_value(), settings.vector_store)
            return await uses_chroma(settings.database_url.get_secret_value())
        except asyncpg.FeatureNotSupportedError:  # an extension that the server does not have
            _log.warning(event("schema.waits", error=f"The database cannot be used: {NO_PGVECTOR}"))
            await asyncio.sleep(_RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, it is tried again, and said
            unexpected = None if is_away(error) else error
            _log.warning(event("schema.waits", error=type(error).__name__), exc_info=unexpected)
            await asyncio.sleep(_RETRY_SECONDS)
