"""A command run as a person runs it, and a local server that speaks the orchestrator's wire format."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.tests.support import PATHS, Command, FrontDoor, Run
from tests.folders import quick


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xh-", dir=quick()))  # not tmp_path: sockets need short paths
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def extrophi(home: Path) -> Command:
    def run(*arguments: str, stdin: str | None = None, **variables: str) -> Run:
        environment = {**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home), **variables}
        ran = subprocess.run(
            [sys.executable, "-m", "extrophi_cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=100,
        )
        return Run(ran.returncode, ran.stdout, ran.stderr)

    return run


@pytest.fixture
def front_door() -> Iterator[FrontDoor]:
    door = FrontDoor()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            is_json = self.headers.get("content-type") == "application/json"
            path = self.path.partition("?")[0]
            door.keys.append(self.headers.get("authorization"))
            body = json.loads(content) if is_json and content else content
            door.asked.append((self.command, path, body))
            found = door.answers.get((self.command, path), (404, {"title": "Not found", "code": "not_found"}))
            found = found(body) if callable(found) else found
            if isinstance(found, list):
                self.stream(found)
                return
            status, body = found if isinstance(found, tuple) else (200, found)
            self.reply(status, json.dumps(body).encode())

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def stream(self, events: list[tuple[str, Any]]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for number, (name, data) in enumerate(events, 1):
                self.wfile.write(f": still here\nid: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode())
                self.wfile.flush()
            if door.hang_after_events is not None:
                door.hang_after_events.wait(60)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield door
    if door.hang_after_events is not None:
        door.hang_after_events.set()
    server.shutdown()
    thread.join()
    server.server_close()
