import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import anyio

from extrophi_backend.http import sse
from extrophi_backend.http.sse import Event, EventStream


async def sent(events: AsyncGenerator[Event, None], most: int = 10) -> list[bytes]:
    seen: list[bytes] = []
    stream = cast("AsyncGenerator[bytes, None]", EventStream(events).body_iterator)
    async for part in stream:
        seen.append(part)
        if len(seen) == most:
            break
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue]  it is a generator
    return seen


async def test_events_are_written_as_the_standard_says() -> None:
    async def events() -> AsyncGenerator[Event, None]:
        yield Event("job", {"text": "a\nb é"}, "7")
        yield Event("done", None)

    assert await sent(events()) == [
        'id: 7\nevent: job\ndata: {"text": "a\\nb é"}\n\n'.encode(),
        b"event: done\ndata: null\n\n",
    ]


async def test_a_silent_stream_shows_that_it_lives_and_is_closed_when_the_client_leaves(monkeypatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.01)
    closed = False

    async def events() -> AsyncGenerator[Event, None]:
        nonlocal closed
        try:
            await asyncio.Event().wait()
            yield Event("never", None)
        finally:
            closed = True

    assert await sent(events(), most=2) == [b": still here\n\n"] * 2
    assert closed


async def test_a_server_that_cancels_again_and_again_waits_for_what_is_given_back() -> None:
    closed = False

    async def events() -> AsyncGenerator[Event, None]:
        nonlocal closed
        try:
            await asyncio.Event().wait()
            yield Event("never", None)
        finally:
            await asyncio.sleep(0.05)  # as long as it takes to give a connection back
            closed = True

    with anyio.CancelScope() as scope:  # as the server has it
        asyncio.get_running_loop().call_later(0.05, scope.cancel)
        await sent(events())
    assert scope.cancelled_caught
    assert closed
