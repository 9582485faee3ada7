"""Rendering the 36 recorded pages by Chromium, as the collector does it, against a bare Playwright loop.

    python -m bench.rendering [ROUNDS]

Counted of ours: from an address to the rendered HTML, by way of the guard proxy, a context for each page, our bounds
and waits included; not what comes before and after (robots.txt, the host's pace, the static fetch, extraction). The
bare loop opens a page in a new context, goes to the address, waits for `load`, and takes the page's content. Both have
the same browser and event loop (the worker's), as many pages at once, the same server on loopback, and nothing else in
reach: what the pages want of other hosts fails at once, for both. Rounds take turns. What is asked is asked of what the
collector does, which takes a screenshot of each page, and so does the bare loop then; HTML alone is told as well, since
it says more of what the proxy and the bounds cost.
"""

import asyncio
import base64
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import async_playwright

from bench.article_text import read_pages
from bench.library import DATA
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.chromium import Chromium, find_chromium
from extrophi_backend.fetch.rendered import Limits
from tests.web_server import Reply, WebServer, serving

LEAST_RATIO = 0.85
AT_ONCE = 3
LIMITS = Limits(seconds=60, html_bytes=16 * 2**20, traffic_bytes=64 * 2**20, memory=2**30)
Render = Callable[[str], Awaitable[None]]


def serve(told: "Connection[Any, Any]") -> None:
    """The pages, from a process of its own: neither loop is to do the web's work."""
    server = WebServer()
    for key, page in read_pages(DATA / "web").items():
        server.pages[f"/{key}"] = Reply(page.html, validators=False)
    with serving(server):
        told.send([server.url(path) for path in server.pages])
        told.recv()


async def main(rounds: int) -> int:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    urls: list[str] = await asyncio.to_thread(ours.recv)
    try:
        print(f"{len(urls)} pages, {AT_ONCE} at once, {rounds} rounds in turns: pages a second, median")
        await compare("HTML alone", urls, rounds, with_screenshot=False)
        ratio = await compare("HTML and screenshot", urls, rounds, with_screenshot=True)
    finally:
        ours.send(None)
        server.join()
    print(f"ratio {ratio:.2f}, asked {LEAST_RATIO}")
    return int(ratio < LEAST_RATIO)


async def compare(what: str, urls: Sequence[str], rounds: int, *, with_screenshot: bool) -> float:
    limits = LIMITS if with_screenshot else replace(LIMITS, screenshot_height=0)
    allow = [ip_network("127.0.0.0/8")]
    ours = Browser(allow=allow, limits=limits, pages=AT_ONCE, restart_after=10**6, resolve=_loopback)
    async with async_playwright() as playwright:
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        bare = await Chromium(find_chromium(None)).launch(playwright.chromium.launch, args=[rules])

        async def rendered(url: str) -> None:
            await ours.render(url)

        async def gone_to(url: str) -> None:
            await _bare(bare, url, limits.screenshot_height)

        try:
            speeds: dict[str, list[float]] = {"ours": [], "bare": []}
            for number in range(rounds + 1):
                for name, render in (("ours", rendered), ("bare", gone_to)):
                    speed = await _speed(render, urls)
                    if number:  # the first warms up
                        speeds[name].append(speed)
        finally:
            await ours.close()
            await bare.close()
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    ratio = medians["ours"] / medians["bare"]
    print(f"{what:<22} ours {medians['ours']:.2f}  bare {medians['bare']:.2f}  ratio {ratio:.2f}", flush=True)
    return ratio


async def _speed(render: Render, urls: Sequence[str]) -> float:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(url: str) -> None:
        async with places:
            await render(url)

    began = time.perf_counter()
    await asyncio.gather(*map(one, urls))
    return len(urls) / (time.perf_counter() - began)


async def _bare(browser: PlaywrightBrowser, url: str, height: int) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 1024})
    try:
        page = await context.new_page()
        await page.goto(url, wait_until="load")
        await page.content()
        if height:
            tall = await page.evaluate("document.documentElement.scrollHeight")
            clip: dict[str, Any] = {"x": 0, "y": 0, "width": 1280, "height": min(tall, height), "scale": 1}
            session = await context.new_cdp_session(page)
            asked = {"format": "webp", "quality": 60, "clip": clip, "captureBeyondViewport": True}
            base64.b64decode((await session.send("Page.captureScreenshot", asked))["data"])
    finally:
        await context.close()


async def _loopback(host: str) -> Sequence[str]:
    if host != "127.0.0.1":
        raise OSError(host)
    return [host]


if __name__ == "__main__":
    sys.exit(uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)))
