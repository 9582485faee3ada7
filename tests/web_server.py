"""A web server on loopback whose every path can be made to answer well, badly, slowly or not at all."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    body: bytes | str = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    validators: bool = True
    """Whether it has an ETag and honours If-None-Match."""


Raw = Callable[[socket.socket], None]
"""Writes what it likes, HTTP or not."""


@dataclass
class WebServer:
    """`pages` by path, query included. `requests` and `bodies` count by path what came and what was sent."""

    pages: dict[str, Reply | Raw | Callable[["WebServer"], Reply]] = field(default_factory=dict)
    port: int = 0
    host: str = "127.0.0.1"
    requests: Counter[str] = field(default_factory=Counter[str])
    bodies: Counter[str] = field(default_factory=Counter[str])
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://{self.host}:{self.port}"

    def url(self, path: str) -> str:
        return f"{self.base}{path}"


def article(title: str, *paragraphs: str, head: str = "") -> Reply:
    """A page whose text is long enough to be taken for one."""
    told = paragraphs or tuple(
        f"{title} is told here at some length, in paragraph {number}, since a page of one line is hardly an article."
        for number in range(1, 5)
    )
    inner = "".join(f"<p>{paragraph}</p>" for paragraph in told)
    return Reply(
        f"<!doctype html><html lang='en'><head><title>{title}</title>{head}</head>"
        f"<body><main><article><h1>{title}</h1>{inner}</article></main></body></html>"
    )


def sitemap(*urls: str, index: bool = False) -> Reply:
    outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    listed = "".join(f"<{inner}><loc>{url}</loc></{inner}>" for url in urls)
    schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return Reply(f'<?xml version="1.0"?><{outer} xmlns="{schema}">{listed}</{outer}>', media_type="application/xml")


@contextmanager
def serving(server: WebServer) -> Generator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets: the second waited 40 ms for the first

        def do_GET(self) -> None:
            server.requests[self.path] += 1
            server.headers[self.path] = dict(self.headers.items())
            page = server.pages.get(self.path, Reply("Nothing here.", 404, "text/plain"))
            if callable(page) and page.__name__.startswith("raw_"):
                with suppress(OSError):
                    page(self.connection)  # pyright: ignore[reportArgumentType]
                self.close_connection = True
                return
            self.answer(page(server) if callable(page) else page)  # pyright: ignore[reportArgumentType]

        def answer(self, reply: Reply) -> None:
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            etag = f'"{sha256(body).hexdigest()[:16]}"'
            unchanged = reply.validators and self.headers.get("If-None-Match") == etag
            own = {"ETag": etag} if reply.validators else {}
            own |= {"Content-Type": reply.media_type} if reply.media_type else {}
            own |= {} if unchanged else {"Content-Length": str(len(body))}
            self.send_response(304 if unchanged else reply.status)
            for name, value in (own | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            if not unchanged and body:
                server.bodies[self.path] += 1
                with suppress(OSError):
                    self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """The counters are the log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients leave in the middle, and may."""

    with Server((server.host, server.port), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
