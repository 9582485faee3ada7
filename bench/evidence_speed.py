"""From a pause in typing to evidence on the screen among 100,000 chunks, beside the HTTP call that it takes.

    python -m bench.evidence_speed [--chunks 100000] [--passages 60]

The Writer as `extrophi up` serves it, in Chromium, with a library of made-up texts (as `memory` makes them). Passages
are written one after the other; of each it is measured in the page how long after its last keystroke the evidence was
painted. From that are taken the pause that a person has chosen (0.6 s), and the call itself, from its start to its last
byte as the browser times it: what is left is what the Writer adds.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from contextlib import suppress

import asyncpg
import httpx
import uvloop
from playwright.async_api import Page, async_playwright
from playwright.async_api import TimeoutError as NotSeen

from bench.memory import load
from extrophi_backend.fetch.chromium import Chromium, find_chromium
from tests.system.running import Running, up

MOST_MS = 50
_PAUSE_MS = 600
"""The Writer's own, unless a person chose another (`preferences.svelte.ts`)."""
_WATCH = """() => {
    let typed = 0;
    window.shown = [];
    addEventListener("keydown", ({ timeStamp }) => (typed = timeStamp), true);
    new MutationObserver(() => {
        const last = typed;
        const call = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/api/enrich")).at(-1);
        if (!call || call.startTime < last || window.shown.at(-1)?.last === last) return;
        const one = { last, call: call.responseEnd - call.startTime };
        window.shown.push(one);
        requestAnimationFrame(() => {
            const painted = new MessageChannel();
            painted.port1.onmessage = () => (one.whole = performance.now() - last);
            painted.port2.postMessage(null);
        });
    }).observe(document.querySelector("aside[aria-labelledby]"), { subtree: true, childList: true });
}"""


async def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--chunks", type=int, default=100_000)
    arguments.add_argument("--passages", type=int, default=60)
    given = arguments.parse_args()
    with up() as running:
        await load(f"postgresql://postgres@/extrophi?host={running.home / 'run' / 'postgres'}", given.chunks)
        words = await some_words(running)
        async with httpx.AsyncClient(base_url=running.client.base_url, timeout=60) as client:
            await until_indexed(client, given.chunks)
        return await measure(running, words, given.passages)


async def some_words(running: Running) -> list[str]:
    connection = await asyncpg.connect(f"postgresql://postgres@/extrophi?host={running.home / 'run' / 'postgres'}")
    texts = await connection.fetch("SELECT text FROM chunks ORDER BY id LIMIT 200")
    await connection.close()
    return [word for row in texts for word in row["text"].split()]


async def until_indexed(client: httpx.AsyncClient, chunks: int) -> None:
    """Until the index of words has the last of them (`memory` gives it a word of its own)."""
    until = time.monotonic() + 300 + chunks / 200
    while time.monotonic() < until:
        found = await client.post("/api/search", json={"query": "quokka"})
        if found.is_success and found.json()["items"]:
            return
        await asyncio.sleep(1)
    raise RuntimeError("The library was not indexed in time.")


async def measure(running: Running, words: list[str], passages: int) -> int:
    chance = random.Random(5)
    async with async_playwright() as playwright:
        browser = await Chromium(find_chromium(None)).launch(playwright.chromium.launch, args=[])
        context = await browser.new_context(
            base_url=str(running.client.base_url), viewport={"width": 1400, "height": 900}, service_workers="block"
        )
        page = await context.new_page()
        await page.goto("/#/drafts/new")
        await page.get_by_role("textbox", name="Draft", exact=True).click()
        await page.evaluate(_WATCH)
        for _ in range(passages + 3):
            await write(page, " ".join(chance.choices(words, k=25)))
        found: list[dict[str, float]] = await page.evaluate("window.shown")
        await browser.close()
    told = [one for one in found[3:] if "whole" in one]  # the first ones warm up
    if len(told) < passages * 0.9:
        raise RuntimeError(f"Of {passages} passages {len(told)} had evidence.")
    calls = [one["call"] for one in told]
    added = [one["whole"] - _PAUSE_MS - one["call"] for one in told]
    for name, times in (("the call", calls), ("added", added)):
        print(f"{name:<9} p50 {statistics.median(times):6.1f} ms   p95 {statistics.quantiles(times, n=20)[-1]:6.1f} ms")
    median = statistics.median(added)
    print(f"added to the call, p50 {median:.1f} ms of {len(told)} passages, asked {MOST_MS} ms")
    return int(median > MOST_MS)


async def write(page: Page, passage: str) -> None:
    """A paragraph of its own: the most of it at once, its end by keys."""
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await page.keyboard.insert_text(passage)
    for key in " so":
        await page.keyboard.press(key)
        await asyncio.sleep(0.05)
    before: int = await page.evaluate("window.shown.length")
    with suppress(NotSeen):  # a passage that nothing was found for
        await page.wait_for_function("(before) => window.shown.length > before", arg=before, timeout=5_000)
    await asyncio.sleep(0.3)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
