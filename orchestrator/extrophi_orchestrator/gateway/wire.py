"""One connection to a component: HTTP/1.1 over asyncio, parsed by llhttp (httptools), one exchange at a time.

httpx is not used here: passing a request on costs it several times what the request itself costs (docs/decisions/0006).
What makes a connection of one's own dangerous is guarded here: what was framed twice is refused by the parser in strict
mode, bytes that nobody asked for end the connection, a head is bounded, and buffers stop reading when they are full.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httptools
from typing_extensions import override

BUFFER = 65_536  # what may wait for a slow client; one read of the event loop (256 KB) may come on top
HEAD_LIMIT = 65_536
_CLOSE = b"close"

Headers = Sequence[tuple[bytes, bytes]]


class WireError(Exception):
    """The connection failed. `came` says whether any byte of an answer had come; `reset`, that it did not just end."""

    def __init__(self, detail: str, *, came: bool, reset: bool = False) -> None:
        super().__init__(detail)
        self.came = came
        self.reset = reset


class Silent(WireError):
    """Nothing came in the time given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, its header names in lower case."""

    status: int
    headers: Headers


class Connection(asyncio.Protocol):
    """`begin` sends a head, `write` the body's parts; `head` and `read` give the answer as it comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None  # the one who reads
        self._writable: asyncio.Future[None] | None = None  # set while the transport's buffer is full
        self._lost = False
        self._reset()
        self._parser: httptools.HttpResponseParser | None = None
        self.used = False
        self.idle_since = 0.0

    def _reset(self) -> None:
        self._method = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._answer: Answer | None = None
        self._interim = False
        self._framed = False  # its end is told by a length or chunks, not by the end of the connection
        self._keep = False
        self._parts: list[bytes] = []
        self._waiting = 0
        self._paused = False
        self._complete = False
        self._error: Exception | None = None

    # What the gateway calls.

    @property
    def usable(self) -> bool:
        return not self._lost and not self._transport.is_closing()

    @property
    def descriptor(self) -> int:
        return int(self._transport.get_extra_info("socket").fileno())

    def begin(self, method: bytes, data: bytes) -> None:
        """Send the head of a request (or all of it). What a former exchange left is gone."""
        self._reset()
        self._method = method
        self._parser = httptools.HttpResponseParser(self)
        if self._lost:  # since it was taken
            self.fail(WireError("it hung up", came=False, reset=True))
        else:
            self._transport.write(data)

    async def write(self, data: bytes) -> None:
        """Send a part of the body; waits while the component does not take what it was sent."""
        if self._writable is not None:
            await self._writable
        if not self._lost:  # the answer, or its lack, tells what happened
            self._transport.write(data)

    async def head(self, seconds: float) -> Answer:
        """The answer's head. Raises WireError, or what `fail` was given."""
        if self._answer is None and self._error is None:
            await self._wait(seconds)
        if self._answer is None:
            raise self._error or Silent("no answer came", came=self._head_bytes > 0)
        return self._answer

    async def read(self, seconds: float) -> tuple[bytes, bool]:
        """What has come of the body, at least a byte of it or its end; and whether that was the end."""
        if not self._parts and not self._complete and self._error is None:
            await self._wait(seconds)
        if self._parts:
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts = []
            self._waiting = 0
            if self._paused and not self._complete:
                self._paused = False
                self._transport.resume_reading()
            return data, self._complete
        if self._complete:
            return b"", True
        raise self._error or Silent("the answer stopped", came=True)

    def fail(self, error: Exception) -> None:
        """End the exchange: whoever reads gets `error`. The first error stays."""
        if self._error is None and not self._complete:
            self._error = error
        self._wake()

    def finish(self) -> bool:
        """The exchange is over. Whether the connection may carry another; it is closed if not."""
        self._parser = None
        self._parts = []
        self.used = True
        if self._complete and self._keep and self._error is None and self.usable and self._writable is None:
            if self._paused:
                self._transport.resume_reading()
            return True
        self._transport.abort()
        return False

    def close(self) -> None:
        self._transport.abort()

    async def _wait(self, seconds: float) -> None:
        """Until something comes, or `seconds` are over: the caller looks which."""
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # pyright: ignore[reportAttributeAccessIssue]  of a connected stream socket

    @override
    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:  # nobody asked: whatever this is, the next request must not be answered by it
            self._transport.abort()
            return
        if self._answer is None:
            self._head_bytes += len(data)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._keep = False
            self.fail(WireError(f"the answer is not HTTP/1.1: {error}", came=True))
            return
        if self._answer is None and self._head_bytes > HEAD_LIMIT:
            self.fail(WireError("the answer's head is too large", came=True))
            self._transport.abort()
            return
        if self._waiting > BUFFER and not self._paused and not self._complete:
            self._paused = True
            self._transport.pause_reading()
        if self._answer is not None:
            self._wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._parser is not None and not self._complete:
            if self._answer is not None and not self._framed and exc is None:
                self._complete = True  # RFC 9112, section 6.3: such an answer ends with its connection
            else:
                came = self._head_bytes > 0
                reset = isinstance(exc, ConnectionResetError | BrokenPipeError)
                self.fail(WireError("it broke off in the answer" if came else "it hung up", came=came, reset=reset))
        self.resume_writing()
        self._wake()

    @override
    def pause_writing(self) -> None:
        if self._writable is None:
            self._writable = self._loop.create_future()

    @override
    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._complete:
            self._keep = False  # more than was asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answer is None:  # else it is a trailer, which is not passed on
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            if status == 101:
                raise ValueError("it switched protocols unasked")
            self._interim = True
            self._headers = []
            return
        version_11 = self._parser.get_http_version() == "1.1"
        self._keep = version_11
        for name, value in self._headers:
            if name == b"connection":
                self._keep = self._keep and _CLOSE not in [token.strip().lower() for token in value.split(b",")]
            elif name == b"content-length":
                self._framed = True
            elif name == b"transfer-encoding":
                if value.lower() != b"chunked" or not version_11:
                    raise ValueError("a transfer coding other than chunked")
                self._framed = True
        self._answer = Answer(status, self._headers)
        if self._method == b"HEAD" or status in {204, 304}:
            # The parser does not know what was asked. It is not fed again: `finish` takes it away.
            self._complete = self._framed = True

    def on_body(self, body: bytes) -> None:
        if self._complete:
            self._keep = False
            return
        self._parts.append(body)
        self._waiting += len(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        self._complete = self._answer is not None
