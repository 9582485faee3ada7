"""Captions made of a video's sound by an endpoint that speaks OpenAI's audio API."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from extrophi_backend.collectors.youtube.collector import make_collector
from extrophi_backend.collectors.youtube.transcribing import MAX_SOUND, make_transcriber
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import Library
from tests.platforms.youtube import MadeVideo, Wallet, YouTubeServer, target, video_id

ONE = video_id(1)
URL = f"https://www.youtube.com/watch?v={ONE}"
SOUND = bytes(range(256)) * 40_000  # more than is asked for at once
HEARD = {
    "task": "transcribe",
    "language": "english",
    "text": "Hello there.",
    "segments": [
        {"id": 0, "start": 0.0, "end": 2.5, "text": " Hello"},
        {"id": 1, "start": 2.5, "end": 4.0, "text": " there."},
    ],
}


@dataclass
class Endpoint:
    answer: Any = field(default_factory=lambda: HEARD)
    status: int = 200
    port: int = 0
    asked: list[tuple[str, dict[str, str], dict[str, bytes]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def listening(endpoint: Endpoint) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts = {}
            for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
                name = part.get_param("name", header="content-disposition")
                parts[str(name)] = part.get_payload(decode=True)
            endpoint.asked.append((self.path, dict(self.headers.items()), parts))
            sent = json.dumps(endpoint.answer).encode()
            self.send_response(endpoint.status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with listening(endpoint):
        yield endpoint


async def collect(server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint) -> Library:
    transcriber = make_transcriber(endpoint.url, key="secret", model="whisper-2")
    collector = make_collector(fetcher, Wallet(), youtube_url=server.base, transcriber=transcriber)
    library = Library()
    await library.collect(collector, target(URL))
    return library


async def test_what_is_heard_is_the_transcript(server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint) -> None:
    server.videos[ONE] = MadeVideo(sound=SOUND)
    library = await collect(server, fetcher, endpoint)
    document = library.documents[ONE]
    assert not library.failures
    assert document.text == "What it is about.\n\nHello there."
    assert [anchor.seconds for anchor in document.anchors] == [None, 0.0, 2.5]
    assert document.validators["captions"] == "transcribed"
    ((path, headers, parts),) = endpoint.asked
    assert path == "/v1/audio/transcriptions"
    assert headers["Authorization"] == "Bearer secret"
    assert parts.pop("file") == SOUND
    assert parts == {
        "model": b"whisper-2",
        "response_format": b"verbose_json",
        "timestamp_granularities[]": b"segment",
    }
    # The smallest of its sounds, in parts.
    assert {path for path, _, _ in server.asked if path.startswith("/sound")} == {f"/sound?v={ONE}&itag=139"}
    assert server.requests["sound"] == 2


async def test_what_cannot_be_transcribed_is_kept_and_named(
    server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint
) -> None:
    server.videos[ONE] = MadeVideo(sound=SOUND)
    endpoint.status = 500
    library = await collect(server, fetcher, endpoint)
    assert library.documents[ONE].text == "What it is about."
    assert [(one.code, one.detail) for one in library.failures] == [
        ("not_transcribed", "It has no captions. What TRANSCRIBE_URL names answers 500.")
    ]
    for answer in ({"text": "Hello", "segments": []}, {"text": "Hello"}, {"segments": [{"text": 3}]}, [], "x"):
        endpoint.status, endpoint.answer = 200, answer
        library = await collect(server, fetcher, endpoint)
        assert [one.code for one in library.failures] == ["not_transcribed"]


async def test_a_sound_that_is_too_long_is_not_sent(
    server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint
) -> None:
    server.videos[ONE] = MadeVideo(sound=bytes(MAX_SOUND + 1))
    library = await collect(server, fetcher, endpoint)
    assert [one.code for one in library.failures] == ["too_large"]
    assert list(library.documents) == [ONE]
    assert not endpoint.asked
    assert server.requests["sound"] == 1


async def test_a_video_without_a_sound_has_none(server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint) -> None:
    server.videos[ONE] = MadeVideo()
    library = await collect(server, fetcher, endpoint)
    assert [one.code for one in library.failures] == ["no_captions"]


async def test_youtubes_own_captions_are_waited_for(
    server: YouTubeServer, fetcher: Fetcher, endpoint: Endpoint
) -> None:
    server.videos[ONE] = MadeVideo(sound=SOUND, published=datetime.now(UTC).isoformat(timespec="seconds"))
    library = await collect(server, fetcher, endpoint)
    assert [one.code for one in library.failures] == ["captions_later"]
    assert "sound" not in server.requests


async def test_without_the_endpoint_nothing_is_lost(server: YouTubeServer, fetcher: Fetcher) -> None:
    server.videos[ONE] = MadeVideo(sound=SOUND)
    library = await collect(server, fetcher, Endpoint(port=1))
    assert list(library.documents) == [ONE]
    assert [one.code for one in library.failures] == ["not_transcribed"]
    assert "secret" not in library.failures[0].detail
