"""What passing through the orchestrator costs: its delay against the same request direct, its throughput against peers.

    python -m bench.gateway [SECONDS]

One uvicorn with a small JSON answer stands for a component. The peers: the same request direct, a plain FastAPI +
httpx pass-through, and nginx where it is installed. The load comes from a process of its own: raw sockets, requests
made before.
"""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import cast

import httpx
import uvloop
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from bench.library import REPO
from extrophi_cli.embedded.services import COMPONENTS, free_ports

CONNECTIONS = 16
ROUNDS = 5
MOST_ADDED_MS = 1.0
LEAST_RATIO = 1.3
AIM_OF_NGINX = 0.5
PATH = "/api/stats"
_BODY = b'{"documents": 1400, "chunks": 5321, "embedded": 5321, "pending": 0, "failed": 0, "platforms": {"web": 1400}}'


async def component(scope: Scope, receive: Receive, send: Send) -> None:
    """A small JSON answer, for as little as uvicorn costs."""
    del receive
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


def plain() -> FastAPI:
    """The pass-through that one writes first: FastAPI, a shared httpx client, streamed."""
    upstream = os.environ["BACKEND_URL"]

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with httpx.AsyncClient(base_url=upstream, trust_env=False) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)

    @app.api_route("/api/{path:path}", methods=["GET", "POST"])
    async def pass_on(path: str, request: Request) -> StreamingResponse:
        client: httpx.AsyncClient = request.app.state.client
        inner = client.build_request(
            request.method, f"/{path}", headers=request.headers.raw, content=await request.body()
        )
        answer = await client.send(inner, stream=True)
        closing = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_raw(), answer.status_code, dict(answer.headers), background=closing)

    return app


class _Load(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, times: list[float]) -> None:
        self._request = request
        self._until = until
        self._times = times
        self._got = b""
        self.done = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    @override
    def data_received(self, data: bytes) -> None:
        self._got += data
        # The body's last byte ends an answer, with a length or in chunks.
        if not (self._got.endswith(_BODY) or self._got.endswith(b"\r\n0\r\n\r\n")):
            return
        now = time.perf_counter()
        if not self._got.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._got[:200].decode("latin-1")))
            return
        self._times.append(now - self._began)
        self._got = b""
        if now < self._until:
            self._ask()
        else:
            self.done.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("hung up"))


async def _load(port: int, path: str, connections: int, seconds: float) -> list[float]:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    times: list[float] = []
    until = time.perf_counter() + seconds
    made = [
        await loop.create_connection(lambda: _Load(request, until, times), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    for transport, _ in made:
        transport.close()
    return times


def load(port: int, path: str, connections: int, seconds: float) -> list[float]:
    """The seconds that each answered request took. Runs in a process of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, path, connections, seconds))


@contextlib.contextmanager
def process(command: list[str], port: int, path: str, **settings: str) -> Generator[None]:
    """A server until the end of the block, from when it answers."""
    paths = os.pathsep.join(str(REPO / name) for name in (*COMPONENTS, "."))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXTROPHI_")}
    started = subprocess.Popen(command, env=kept | {"PYTHONPATH": paths} | settings, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code == 200:
                    break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command} does not answer")
            time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(timeout=20)


def uvicorn_command(target: str, port: int, *more: str) -> list[str]:
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning", "--loop", "uvloop", *more]
    return [sys.executable, "-m", "uvicorn", target, *options, "--http", "httptools", "--lifespan", "auto"]


@contextlib.contextmanager
def nginx(port: int, upstream: int) -> Generator[bool]:
    """Nginx with one worker and kept connections, if there is one on this machine."""
    found = shutil.which("nginx")
    if found is None:
        yield False
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; {temporary} keepalive_requests 1000000000;\n"
            f"upstream component {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}\n"
            f"server {{ listen 127.0.0.1:{port}; location /api/ {{ proxy_pass http://component/;\n"
            'proxy_http_version 1.1; proxy_set_header Connection ""; } } }\n'
        )
        with process([found, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port, PATH):
            yield True


def main(seconds: float) -> int:
    upstream, ours, theirs, third = free_ports(4)
    settings = {
        "BACKEND_URL": f"http://127.0.0.1:{upstream}",
        "RESEARCH_URL": f"http://127.0.0.1:{upstream}",
        "EXTROPHI_PORT": str(ours),
    }
    spawned = multiprocessing.get_context("spawn")
    with (
        process(uvicorn_command("bench.gateway:component", upstream), upstream, "/stats"),
        process([sys.executable, "-m", "extrophi_orchestrator"], ours, PATH, **settings),
        process(uvicorn_command("bench.gateway:plain", theirs, "--factory"), theirs, PATH, **settings),
        nginx(third, upstream) as has_nginx,
        spawned.Pool(1) as pool,
    ):
        ways = {"direct": (upstream, "/stats"), "orchestrator": (ours, PATH), "FastAPI + httpx": (theirs, PATH)}
        if has_nginx:
            ways["nginx"] = (third, PATH)

        def measure(connections: int) -> tuple[dict[str, float], dict[str, float]]:
            """Median of the rounds, the ways in turn: p50 in ms, and requests per second."""
            p50s: dict[str, list[float]] = {name: [] for name in ways}
            rates: dict[str, list[float]] = {name: [] for name in ways}
            for round_ in range(ROUNDS + 1):
                for name, (port, path) in ways.items():
                    times = pool.apply(load, (port, path, connections, seconds if round_ else 0.5))
                    if round_:  # the first warms up
                        p50s[name].append(statistics.median(times) * 1000)
                        rates[name].append(len(times) / seconds)
            return (
                {name: statistics.median(found) for name, found in p50s.items()},
                {name: statistics.median(found) for name, found in rates.items()},
            )

        p50, _ = measure(1)
        _, rate = measure(CONNECTIONS)
    added = p50["orchestrator"] - p50["direct"]
    ratio = rate["orchestrator"] / rate["FastAPI + httpx"]
    for name in ways:
        print(f"{name:16} p50 {p50[name]:6.2f} ms at 1 connection, {rate[name]:7.0f} requests/s at {CONNECTIONS}")
    print(f"added to p50     {added:6.2f} ms, limit {MOST_ADDED_MS} (peer: direct)")
    print(f"throughput ratio {ratio:6.2f}, limit {LEAST_RATIO} (peer: FastAPI + httpx)")
    if has_nginx:
        print(f"throughput ratio {rate['orchestrator'] / rate['nginx']:6.2f}, aim {AIM_OF_NGINX} (peer: nginx)")
    else:
        print("nginx is not installed here: that aim is not measured")
    return int(added > MOST_ADDED_MS or ratio < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3))
