"""Server-Sent Events (WHATWG HTML, section 9.2), with a comment every 10 s so that no proxy thinks the stream dead."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from fastapi.responses import StreamingResponse

HEARTBEAT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Any
    id: str | None = None

    def encode(self) -> bytes:
        head = f"id: {self.id}\n" if self.id is not None else ""
        return f"{head}event: {self.name}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


class EventStream(StreamingResponse):
    """Sends what `events` yields, and closes it when the client leaves."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        super().__init__(_with_heartbeat(events), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _with_heartbeat(events: AsyncGenerator[Event, None]) -> AsyncIterator[bytes]:
    async with aclosing(events):
        upcoming: asyncio.Task[Event] | None = None
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({upcoming}, timeout=HEARTBEAT_SECONDS)
                if not done:
                    yield b": still here\n\n"
                    continue
                try:
                    event = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = None
                yield event.encode()
        finally:
            if upcoming is not None:
                upcoming.cancel()
                while not upcoming.done():  # the server cancels again and again while `events` gives back what it has
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait({upcoming})
