"""An embeddings endpoint that speaks OpenAI's wire format, and fails as real ones do."""

import base64
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

Answer = tuple[int, dict[str, str], Any]
"""Status, headers, JSON."""


@dataclass
class EmbeddingsEndpoint:
    """Gives each text a vector that depends on the text alone. `url` ends in /v1."""

    url: str = ""
    dimensions: int = 8
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    refuse: Callable[[dict[str, Any]], Answer | None] = field(default=lambda _: None)
    """What it answers instead of vectors, if anything."""
    hanging: threading.Event = field(default_factory=threading.Event)
    """Set while it answers; cleared, it takes requests and stays silent."""

    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request["input"]]

    def vector(self, text: str) -> list[float]:
        digest = sha256(text.encode()).digest() * (self.dimensions // 8 + 1)
        return [(digest[i] - 127.5) / 127.5 for i in range(self.dimensions)]

    def answer(self, request: dict[str, Any]) -> Answer:
        refused = self.refuse(request)
        if refused is not None:
            return refused
        data = [
            {"object": "embedding", "index": index, "embedding": self._written(self.vector(text), request)}
            for index, text in enumerate(request["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return 200, {}, {"object": "list", "model": request["model"], "data": data[::-1], "usage": usage}

    def _written(self, vector: list[float], request: dict[str, Any]) -> str | list[float]:
        if request.get("encoding_format") != "base64":
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


@contextmanager
def serving() -> Iterator[EmbeddingsEndpoint]:
    endpoint = EmbeddingsEndpoint()
    endpoint.hanging.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.requests.append(request)
            endpoint.keys.append(self.headers.get("Authorization"))
            endpoint.hanging.wait(60)
            status, headers, body = endpoint.answer(request)
            sent = json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.hanging.set()
        server.shutdown()
        thread.join()
        server.server_close()
