"""A receiver of webhooks on loopback that answers as it is told, and keeps what came."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.body["data"]["events"]]


Answer = tuple[int, dict[str, str]]


@dataclass
class Receiver:
    """`answers` by path: a status with headers, or a function that waits and gives one. 204 where nothing is said."""

    port: int = 0
    answers: dict[str, Answer | Callable[[], Answer]] = field(default_factory=dict[str, Answer | Callable[[], Answer]])
    got: list[Got] = field(default_factory=list[Got])
    drip: threading.Event = field(default_factory=threading.Event)
    """Until it is set, the path /drip sends a byte of its head every now and then, and /drip-body one of its body."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Got]:
        return [one for one in self.got if one.path == path]


@contextmanager
def receiving() -> Generator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, raw))
            if self.path.startswith("/drip"):
                self.send_response(200)
                self.send_header("content-encoding", "br")
                self.send_header("content-length", "100000")
                if self.path == "/drip-body":
                    self.end_headers()
                self.flush_headers()
                with suppress(OSError):
                    while not receiver.drip.wait(0.2):
                        self.wfile.write(b".")
                self.close_connection = True
                return
            answer = receiver.answers.get(self.path, (204, {}))
            status, headers = answer() if callable(answer) else answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """What came is kept."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients leave in the middle, and may."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.drip.set()
            server.shutdown()
            thread.join()
