"""One limit that many workers share: how much of it they use, and whether they ever go beyond.

    python -m bench.budget [SECONDS]

A site asks by its robots.txt for a second between two requests, and answers 429 to whatever is beyond 60 in any 60
seconds. Ten worker processes, each with its own pool and its own way out, ask it for pages as fast as they may. The
peer is the limit itself.
"""

import asyncio
import multiprocessing
import sys
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Lock, Thread

from bench.library import database
from extrophi_backend.budgets.service import SharedPace
from extrophi_backend.db import make_pool
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait

WORKERS = 10
LIMIT, WINDOW = 60, 60.0
LEAST_SHARE = 0.9


class Site:
    """Answers pages, and counts."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.answered: deque[float] = deque()
        self.times: list[float] = []
        self.refused = 0

    def take(self) -> bool:
        """Whether this request is within the limit."""
        with self.lock:
            now = time.monotonic()
            while self.answered and self.answered[0] <= now - WINDOW:
                self.answered.popleft()
            if len(self.answered) >= LIMIT:
                self.refused += 1
                return False
            self.answered.append(now)
            self.times.append(now)
            return True


def serving(site: Site) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/robots.txt":
                self.reply(200, b"User-agent: *\nCrawl-delay: 1\n")
            elif site.take():
                self.reply(200, b"A page.")
            else:
                self.reply(429, b"Slower.")

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """The site counts."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def work(dsn: str, base: str, until: float, number: int) -> None:
    asyncio.run(_work(dsn, base, until, number))


async def _work(dsn: str, base: str, until: float, number: int) -> None:
    pool = await make_pool(dsn, name=f"bench-{number}", most=2)
    loopback = (ip_network("127.0.0.0/8"),)
    fetcher = Fetcher(allow=loopback, max_bytes=1_000_000, seconds=60, pace=SharedPace(pool))
    page = 0
    while time.time() < until:
        page += 1
        try:
            await fetcher.fetch(f"{base}/{number}/{page}", typed=False)
        except Wait as wait:  # a worker gives its slot back, and comes again
            await asyncio.sleep(min(wait.seconds, until - time.time(), 1.0) if until > time.time() else 0)
        except FetchFailed as failure:
            print(f"worker {number}: {failure.detail}", file=sys.stderr)
    await fetcher.close()
    await pool.close()


async def main(seconds: float) -> int:
    site = Site()
    server = serving(site)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    spawn = multiprocessing.get_context("spawn")
    async with database() as (dsn, _):
        until = time.time() + 10 + seconds  # the first seconds are the processes' own
        workers = [spawn.Process(target=work, args=(dsn, base, until, number)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        await asyncio.to_thread(lambda: [worker.join() for worker in workers])
    server.shutdown()
    measured = [moment for moment in site.times if moment >= site.times[0] + 5]
    share = (len(measured) - 1) / (measured[-1] - measured[0]) / (LIMIT / WINDOW)
    ok = site.refused == 0 and share >= LEAST_SHARE
    print(f"{WORKERS} workers, {LIMIT} requests in {WINDOW:.0f} s allowed, {measured[-1] - measured[0]:.0f} s long")
    print(f"beyond the limit (429): {site.refused}, asked: 0")
    print(f"used of the limit: {share:.3f}, asked: {LEAST_SHARE}{'' if ok else '  MISSED'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 150)))
