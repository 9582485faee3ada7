"""What uvicorn leaves open in its HTTP/1.1: how long and how large a request's head may be, and what follows it."""

import asyncio
import json
from uuid import uuid4

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_LIMIT = 65_536
HEADERS_LIMIT = 100
HEAD_SECONDS = 15.0
LINGER_SECONDS = 2.0
UNREAD_SECONDS = 60.0
DISCARDED_LIMIT = 16_000_000


class _HeadTooLarge(Exception):
    pass


class Protocol(HttpToolsProtocol):
    """uvicorn's own, with bounds. What it cannot read is answered by a problem (RFC 9457), as all errors are."""

    _in_head = False  # from the first byte of a request to the end of its headers
    _head_bytes = 0
    _told = 0
    _discarded = 0
    _too_large = False
    _refused = False
    _answering = False  # from the first request on
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None  # set while the client takes less than we have for it

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]  of a stream socket
        self._await_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discard(len(data))
            return
        begun = self._in_head
        super().data_received(data)
        if self.transport.is_closing():
            return
        # Any byte ends uvicorn's wait for another request, also an empty line, which begins none.
        if self._deadline is None and (self._in_head or self._is_idle()):
            self._await_head()
        if not self._in_head:
            return
        if begun:  # where in `data` a head begins is not told: what comes with its beginning is one read at most
            self._head_bytes += len(data)
        if self._head_bytes > HEAD_LIMIT:
            self._too_large = True
            self.send_400_response("")

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._told = 0

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # trailers: they would be added to headers that were checked already
        self._told += len(name) + len(value) + 4
        if self._told > HEAD_LIMIT or len(self.headers) >= HEADERS_LIMIT:
            self._too_large = True
            raise _HeadTooLarge
        super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        assert self.parser is not None
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise ValueError("another version of HTTP")
        upgrade = self.parser.should_upgrade()
        if upgrade and any(name in {b"content-length", b"transfer-encoding"} for name, _ in self.headers):
            # The parser leaves such a body unread, and would take it for the next request.
            raise ValueError("a body on a request to upgrade")
        super().on_headers_complete()
        self._answering = True
        if upgrade:
            self.cycle.keep_alive = False

    @override
    def on_body(self, body: bytes) -> None:
        if self.cycle.response_complete:  # too large, say: some of the rest is taken, so that the answer is read
            self._discard(len(body))
        super().on_body(body)

    @override
    def send_400_response(self, msg: str) -> None:
        if self._refused:
            return
        if self._is_answering():  # this one would be taken for a part of that answer, or for another's
            self.transport.close()
            return
        status, code, title = 400, "bad_request", "The request cannot be read"
        detail = "It is not HTTP/1.1, or could be read in more than one way."
        if self._too_large:
            status, code, title = 431, "headers_too_large", "The headers are too large"
            detail = f"Headers may have {HEAD_LIMIT // 1024} KiB, and be {HEADERS_LIMIT} at most."
        problem = {"type": f"urn:extrophi:problem:{code}", "title": title, "status": status, "detail": detail}
        body = json.dumps(problem | {"code": code, "hint": "Send it as RFC 9112 has it."}).encode()
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: application/problem+json\r\nconnection: close\r\n"
            + b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n" % (uuid4().hex.encode(), len(body))
            + body
        )
        if self._answering and not self.cycle.response_complete:  # its body is at fault: it gets no other answer
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # To close now, with bytes unread, would reset the connection, and the answer might be lost with it
        # (RFC 9112, section 9.6).
        self._refused = True
        self.transport.write_eof()
        self._stop_waiting()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self._close)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading(self.transport.get_write_buffer_size())

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _watch_reading(self, left: int) -> None:
        """Give up on a client that takes nothing at all: what it has asked of a component is held for it."""

        def look() -> None:
            now = self.transport.get_write_buffer_size()
            if now < left:
                self._watch_reading(now)
            else:
                self.transport.abort()

        self._unread = self.loop.call_later(UNREAD_SECONDS, look)

    def _is_idle(self) -> bool:
        return self._answering and self.cycle.response_complete and not self.pipeline

    def _is_answering(self) -> bool:
        """Whether an answer has begun, or is to come for a request that was whole."""
        cycle = self.cycle
        return self._answering and (
            bool(self.pipeline) or (not cycle.response_complete and (cycle.response_started or not cycle.more_body))
        )

    def _discard(self, count: int) -> None:
        self._discarded += count
        if self._discarded > DISCARDED_LIMIT:
            self.transport.close()

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self.transport.close()
