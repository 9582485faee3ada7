"""A chat model's endpoint that speaks OpenAI's wire format, answers what it was told to, and fails as real ones do."""

import json
import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


@dataclass
class ChatEndpoint:
    """Streams `reply` in its pieces. `url` ends in /v1."""

    url: str = ""
    reply: Sequence[str] = ("",)
    """The pieces of the answer: each is one event."""
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Of a refusal."""
    raw: tuple[str, bytes] | None = None
    """A content type and a body, sent as they are in place of a stream."""
    streams: bool = True
    """Whether it knows streams; else it sends one JSON object whatever is asked."""
    breaks_off: bool = False
    """Closes the connection after the pieces, without an end."""
    waits_after: int | None = None
    """After so many pieces it says nothing more until `goes_on` is set, but for comment lines."""
    goes_on: threading.Event = field(default_factory=threading.Event)
    finish_reason: str = "stop"
    is_waiting: threading.Event = field(default_factory=threading.Event)
    was_left: threading.Event = field(default_factory=threading.Event)
    """Set when a client closed its connection before the answer's end."""

    @property
    def prompt(self) -> str:
        """All that the latest request said."""
        return "\n".join(message["content"] for message in self.requests[-1]["messages"])


def _event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    endpoint: ChatEndpoint

    def do_POST(self) -> None:
        endpoint = self.endpoint
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        endpoint.requests.append(request)
        endpoint.keys.append(self.headers.get("Authorization"))
        if self.path != "/v1/chat/completions":
            self._send(404, "application/json", b'{"error": {"message": "no such path"}}')
        elif endpoint.status != 200:
            error = {"message": "no", "type": "error", "code": "no", "param": None}
            self._send(endpoint.status, "application/json", json.dumps({"error": error}).encode())
        elif endpoint.raw is not None:
            self._send(200, *endpoint.raw)
        elif not (endpoint.streams and request.get("stream")):
            message = {"role": "assistant", "content": "".join(endpoint.reply)}
            body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            self._send(200, "application/json", json.dumps(body).encode())
        else:
            self._stream()

    def _stream(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._write_events()
        except OSError:
            self.endpoint.was_left.set()

    def _write_events(self) -> None:
        endpoint = self.endpoint
        self.wfile.write(_event({"role": "assistant", "content": ""}))
        for sent, piece in enumerate(endpoint.reply):
            if sent == endpoint.waits_after:
                self._wait()
            self.wfile.write(_event({"content": piece}))
        if not endpoint.breaks_off:
            self.wfile.write(_event({}, endpoint.finish_reason) + b"data: [DONE]\n\n")

    def _wait(self) -> None:
        self.endpoint.is_waiting.set()
        while not self.endpoint.goes_on.wait(0.02):
            self.wfile.write(b": still here\n\n")
            if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1):
                raise ConnectionResetError

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind} | self.endpoint.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked had read enough
            self.endpoint.was_left.set()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[ChatEndpoint]:
    endpoint = ChatEndpoint()
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
