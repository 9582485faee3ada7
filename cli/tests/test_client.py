import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from extrophi_cli.client import Extrophi


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for n in range(0, len(body), 7):  # also in the middle of a character
                self.wfile.write(body[n : n + 7])
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        thread.join()


def test_any_separator_may_stand_in_an_event() -> None:
    told = {"text": "one\u2028two\u2029three\u0085four\x1cfive"}
    body = f": hello\r\n\r\nid: 7\nevent: delta\ndata: {json.dumps(told, ensure_ascii=False)}\n\n".encode()
    with serving(body) as url, Extrophi(url) as extrophi, extrophi.events("GET", "/") as events:
        assert [(one.id, one.name, one.data) for one in events] == [("7", "delta", told)]
