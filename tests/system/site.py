"""A web site on loopback: articles, a sitemap that lists them, validators, a request log."""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = tuple(
    "river stone lantern harbour winter engine paper signal garden copper window letter market bridge orchard "
    "thunder ribbon compass ladder meadow anchor velvet kitchen sparrow granite whistle canvas pepper island".split()
)


def article(number: int) -> str:
    """Page `number`: some paragraphs that no other page has, and one word that only it has (`marker`)."""
    paragraphs: list[str] = []
    for part in range(4):
        digest = sha256(f"{number}/{part}".encode()).digest()
        sentence = " ".join(WORDS[byte % len(WORDS)] for byte in digest)
        paragraphs.append(
            f"<p>In part {part} of story {marker(number)} the {sentence}. It ended by the {sentence[::-1]}.</p>"
        )
    return (
        f"<!doctype html><html lang='en'><head><title>Story {number}</title></head><body><main><article>"
        f"<h1>Story {number}</h1>{''.join(paragraphs)}</article></main></body></html>"
    )


def marker(number: int) -> str:
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")


@dataclass
class Site:
    """`delay` seconds pass before each article is sent, so that there is a middle of a job to strike in."""

    pages: int
    delay: float = 0.0
    port: int = 0
    requests: Counter[str] = field(default_factory=Counter[str])
    bodies: Counter[str] = field(default_factory=Counter[str])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sitemap(self) -> str:
        return f"{self.base}/sitemap.xml"

    def urls(self) -> list[str]:
        return sorted(f"{self.base}/story/{number}" for number in range(self.pages))

    def body(self, path: str) -> tuple[str, bytes] | None:
        if path == "/sitemap.xml":
            entries = "".join(f"<url><loc>{url}</loc></url>" for url in self.urls())
            schema = "http://www.sitemaps.org/schemas/sitemap/0.9"
            return "application/xml", f'<?xml version="1.0"?><urlset xmlns="{schema}">{entries}</urlset>'.encode()
        if path.startswith("/story/") and path[7:].isdigit() and int(path[7:]) < self.pages:
            return "text/html; charset=utf-8", article(int(path[7:])).encode()
        return None


@contextmanager
def serve(site: Site) -> Generator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests[self.path] += 1
            found = site.body(self.path)
            if found is None:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            media_type, body = found
            etag = f'"{sha256(body).hexdigest()[:16]}"'
            if self.path.startswith("/story/"):
                threading.Event().wait(site.delay)
            unchanged = self.headers.get("If-None-Match") == etag
            self.send_response(304 if unchanged else 200)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", "0" if unchanged else str(len(body)))
            self.end_headers()
            if not unchanged:
                site.bodies[self.path] += 1
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """The counters are the log."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A killed worker leaves its connections in the middle."""

    with Server(("127.0.0.1", site.port), Handler) as server:
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
