"""Child processes that do what may hang, crash or eat memory, and can be killed for it.

They are forked from a small server process that has the heavy parsers loaded (multiprocessing's forkserver), so that a
new one costs milliseconds and shares its memory with the others. One child does one thing at a time.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any

_IDLE_SECONDS = 60.0
_TURNS = 500
"""A child leaves after this many turns: what a parser leaks is then given back."""
_LEFT = 0
"""The exit code of a child that left by itself."""


class ChildDied(Exception):
    """It crashed, or was killed by the kernel, over what it was given."""


class ChildNotStarted(Exception):
    """No process could be had: a matter of this machine."""


class Children:
    """At most `most` processes at once, kept while there is work. Nothing is started before it is needed."""

    def __init__(self, most: int) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["extrophi_backend.extraction.service", "trafilatura"])
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="extraction")
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    async def run(self, function: Callable[..., Any], *arguments: Any, time_limit: float) -> Any:
        """What `function(*arguments)` gives, or raises, in a child. Cancelling this kills the child.

        Args:
            function: Importable by name; its arguments, result and errors can be pickled.
            arguments: Its arguments.
            time_limit: Seconds, counted from when a child is free for it.

        Raises:
            ChildDied, ChildNotStarted, TimeoutError.
        """
        turn = _Turn()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._take_turn, turn, function, arguments, time_limit)
        except asyncio.CancelledError:
            turn.end()
            raise

    def _take_turn(self, turn: "_Turn", function: Callable[..., Any], arguments: Any, time_limit: float) -> Any:
        while True:
            child = self._child()
            if not turn.begin(child):
                self._keep(child)
                return None  # nobody waits for it any more
            try:
                succeeded, result = child.ask((function, arguments), time_limit)
            except (EOFError, ConnectionError) as error:
                if child.end() == _LEFT:
                    continue  # it went as the work came
                raise ChildDied from error
            except BaseException:
                child.end()
                raise
            finally:
                turn.let_go()
            self._keep(child)
            if succeeded:
                return result
            raise result

    def _child(self) -> "_Child":
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.process.is_alive():
                    return child
                child.end()
        try:
            return _Child(self._context)
        except (OSError, EOFError) as error:
            raise ChildNotStarted from error

    def _keep(self, child: "_Child") -> None:
        with self._lock:
            self._idle.append(child)


class _Child:
    def __init__(self, context: ForkServerContext) -> None:
        self._connection, theirs = context.Pipe()
        try:
            # A daemon: should this process end as it pleases, multiprocessing ends the child.
            self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self.process.start()
        except BaseException:
            self._connection.close()
            raise
        finally:
            theirs.close()

    def ask(self, work: Any, time_limit: float) -> tuple[bool, Any]:
        self._connection.send(work)
        if not self._connection.poll(time_limit):
            raise TimeoutError
        return self._connection.recv()

    def end(self) -> int | None:
        """Kill it if it lives. Its exit code."""
        self._connection.close()
        self.process.join(1 if self.process.exitcode == _LEFT else 0.2)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        return code


class _Turn:
    """Whose turn it is in a child, so that giving up ends the right one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._over = False

    def begin(self, child: _Child) -> bool:
        with self._lock:
            self._child = None if self._over else child
            return not self._over

    def let_go(self) -> None:
        with self._lock:
            self._child = None

    def end(self) -> None:
        with self._lock:
            self._over = True
            if self._child is not None:
                self._child.process.kill()


def _serve(connection: Connection) -> None:
    # Ctrl-C reaches the whole group, and is the parent's to act on.
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for _ in range(_TURNS):
        if not connection.poll(_IDLE_SECONDS):
            return
        try:
            function, arguments = connection.recv()
        except EOFError:  # the parent is gone
            return
        try:
            reply = (True, function(*arguments))
        except Exception as error:  # noqa: BLE001  it is raised again in the parent
            reply = (False, error)
        connection.send(reply)


@cache
def children() -> Children:
    """Those of this process."""
    return Children(max(2, os.cpu_count() or 2))
