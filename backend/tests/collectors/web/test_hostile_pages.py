"""Pages that mean harm, collected all at once by way of one browser: see tests/hostile_pages.py for what they do."""

import asyncio
import socket
from ipaddress import ip_network
from typing import Self

import psutil
import pytest

from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.rendering import Renderer
from extrophi_backend.collectors.web.target import recognise
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.guard import Network
from extrophi_backend.fetch.rendered import Limits
from tests.collecting import Library
from tests.hostile_pages import INSIDE, SITE, Private, Resolver, hostile_pages, private_listener
from tests.web_server import Reply, WebServer, serving

LIMITS = Limits(seconds=4, html_bytes=2_000_000, traffic_bytes=32_000_000, memory=2**29)
STORY = "".join(
    f"<p>The heron stands in the shallows, and says sentence {n} to whoever will listen.</p>" for n in range(20)
)


def processes() -> list[str]:
    """Those that a browser is made of, and that run."""
    found: list[str] = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except psutil.NoSuchProcess:
            continue
    return found


class Worker:
    """What a worker renders with."""

    def __init__(self, *allow: Network) -> None:
        self.allow = allow
        self.browser = Browser(allow=allow, limits=LIMITS, pages=4, resolve=Resolver())
        self.fetcher = Fetcher(max_bytes=2_000_000, seconds=10, allow=allow, resolve=Resolver())
        renderer = Renderer(self.browser, self.fetcher)
        self.collector = WebCollector(self.fetcher, max_bytes=2_000_000, renderer=renderer)

    async def collect(self, url: str) -> Library:
        target = recognise(url, self.allow)
        assert target is not None
        library = Library()
        await library.collect(self.collector, target)
        return library

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.close()
        await self.fetcher.close()


@pytest.mark.timeout(500)
async def test_each_of_a_hundred_kinds_ends_within_limits_and_reaches_nothing_private() -> None:
    memory = psutil.Process().memory_info().rss
    async with Worker(ip_network(f"{SITE}/32")) as worker:
        await _collect_all(worker)
        assert processes()
    assert not processes()
    assert psutil.Process().memory_info().rss - memory < 300_000_000


async def _collect_all(worker: Worker) -> None:
    with serving(WebServer(host=SITE)) as server, private_listener() as private:
        paths = hostile_pages(server, private)
        assert len(paths) >= 100
        libraries = await asyncio.gather(*(worker.collect(server.url(path)) for path in paths), return_exceptions=True)
        wrong: dict[str, object] = {}
        for path, library in zip(paths, libraries, strict=True):
            if isinstance(library, BaseException):
                wrong[path] = library
                continue
            large = [
                one.external_id
                for one in library.documents.values()
                if len(one.text) > LIMITS.html_bytes or (one.screenshot and len(one.screenshot.body) > 4_000_000)
            ]
            if large or len(library.documents) + len(library.failures) != 1 or library.cursor != {"done": True}:
                wrong[path] = (large, list(library.documents), library.failures)
        assert not wrong
        assert not private.reached
        # The worker lives, and so does its browser.
        server.pages["/well"] = Reply(f"<div id=root></div><script>root.innerHTML = {STORY!r}</script>")
        library = await worker.collect(server.url("/well"))
        assert [len(one.text) > 1000 for one in library.documents.values()] == [True], library.failures
        assert not private.reached


@pytest.mark.timeout(200)
async def test_what_is_counted_as_reached_is_seen_where_it_is_allowed() -> None:
    """That nobody came, above, is the guard's doing: the same pages do reach the listener where it lets them."""
    paths = ("by-img", "by-web-socket", "to-decimal", "to-ipv6", "to-a-name", "by-redirected-fetch", "by-event-source")
    with serving(WebServer(host=SITE)) as server, private_listener() as private:
        hostile_pages(server, private)
        async with Worker(ip_network("127.0.0.0/8"), ip_network("::1/128")) as worker:
            for path in paths:
                private.reached.clear()
                await worker.collect(server.url(f"/{path}"))
                assert private.reached.total(), path


async def test_the_listener_counts_who_comes_by_any_way() -> None:
    with private_listener() as private:
        for host in (INSIDE, "::1", "127.0.0.3"):
            socket.create_connection((host, private.port)).close()
        for family, host in ((socket.AF_INET, INSIDE), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as sending:
                sending.sendto(b"x", (host, private.port))
        await _until(private, 5)
    assert set(private.reached) == {"tcp", "tcp6", "udp", "udp6", "tcp on 127.0.0.3"}


async def _until(private: Private, count: int) -> None:
    async with asyncio.timeout(10):
        while private.reached.total() < count:
            await asyncio.sleep(0.02)
