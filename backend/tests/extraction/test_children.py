"""Children that hang, crash, are given up or leave harm nobody else."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from extrophi_backend.extraction.children import ChildDied, Children


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children(2)
    yield made
    for child in made._idle:
        child.end()


async def test_a_child_is_used_again(children: Children) -> None:
    first = await children.run(os.getpid, time_limit=20)
    assert first != os.getpid()
    assert await children.run(os.getpid, time_limit=20) == first


async def test_a_crash_is_told_and_the_next_turn_has_another_child(children: Children) -> None:
    with pytest.raises(ChildDied):
        await children.run(os._exit, 3, time_limit=20)
    assert await children.run(len, "four", time_limit=20) == 4


async def test_a_child_killed_while_idle_is_nobodys_fault(children: Children) -> None:
    first = await children.run(os.getpid, time_limit=20)
    os.kill(first, signal.SIGKILL)
    while psutil.pid_exists(first) and psutil.Process(first).status() != psutil.STATUS_ZOMBIE:
        await asyncio.sleep(0.01)
    assert await children.run(len, "four", time_limit=20) == 4


async def test_an_error_comes_back_as_it_was(children: Children) -> None:
    with pytest.raises(ZeroDivisionError):
        await children.run(divmod, 1, 0, time_limit=20)
    assert await children.run(len, "four", time_limit=20) == 4


async def test_a_child_over_its_time_is_killed(children: Children) -> None:
    pid = await children.run(os.getpid, time_limit=20)
    with pytest.raises(TimeoutError):
        await children.run(time.sleep, 60, time_limit=0.1)
    assert not psutil.pid_exists(pid)


async def test_giving_up_kills_the_child_and_no_other(children: Children) -> None:
    pid = await children.run(os.getpid, time_limit=20)
    sleeping = asyncio.create_task(children.run(time.sleep, 60, time_limit=60))
    await asyncio.sleep(0.2)
    sleeping.cancel()
    with suppress(asyncio.CancelledError):
        await sleeping
    async with asyncio.timeout(10):
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)
    assert await children.run(len, "four", time_limit=20) == 4
