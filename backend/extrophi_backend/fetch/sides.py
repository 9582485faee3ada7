"""Two connections joined by the proxy: what comes on one goes out on the other."""

import asyncio
import re
from typing import cast

from typing_extensions import override

from extrophi_backend.fetch.heads import HEAD_BYTES, answer_head, refusal
from extrophi_backend.fetch.passes import Pass

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.\d ([1-9])\d\d[ \r\n]")


class Side(asyncio.Protocol):
    """One of two connections: what comes on it goes out on the other, no faster than that takes it."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.hold()

    @override
    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.go_on()

    def hold(self) -> None:
        """Read no more for now."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Once all is written."""
        if self._transport is not None:
            self._transport.close()

    def end(self) -> None:
        """At once."""
        if self._transport is not None:
            self._transport.abort()


class Server(Side):
    """A server's side. All that comes counts.

    Args:
        page: Whose bytes they are.
        has_head: What comes is an answer in plain HTTP.
    """

    def __init__(self, page: Pass, *, has_head: bool) -> None:
        super().__init__()
        self._page = page
        self._has_head = has_head
        self._head = bytearray()
        """Of the answer; and what comes before there is somebody to have it."""
        self._has_begun = False
        self._is_lost = False

    def begin(self) -> None:
        """Answer from now on."""
        self._has_begun = True
        self.go_on()
        came, self._head = bytes(self._head), bytearray()
        self.data_received(came)
        if self._is_lost:
            self.connection_lost(None)

    @override
    def data_received(self, data: bytes) -> None:
        if self.other is None or not self._has_begun:
            self._head += data
            self.hold()
        elif self._page.take(len(data)):
            self._give(self.other, data)
        else:
            self.other.end()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self.other is None or not self._has_begun:
            return
        if self._has_head:
            self._refused(self.other)
        else:
            self.other.close()

    def _give(self, asker: Side, data: bytes) -> None:
        if not self._has_head:
            asker.write(data)
            return
        searched = max(0, len(self._head) - 3)
        self._head += data
        while (end := _END_OF_HEAD.search(self._head, searched)) is not None:
            status = _STATUS.match(self._head)
            if status is None:
                self._refused(asker)
                return
            if status[1] != b"1":
                self._has_head = False
                asker.write(answer_head(bytes(self._head[: end.start()])) + bytes(self._head[end.end() :]))
                return
            del self._head[: end.end()]  # it says only that an answer will come
            searched = 0
        if len(self._head) > HEAD_BYTES or not self._head.startswith(b"HTTP/"[: len(self._head)]):
            self._refused(asker)

    def _refused(self, asker: Side) -> None:
        """What came is no answer."""
        self._has_head = False
        asker.write(refusal(502, is_last=True))
        asker.close()
        self.end()
