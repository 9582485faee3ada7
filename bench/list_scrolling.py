"""Frames missed while a list of 100,000 documents is scrolled, against an empty scroller of the same height.

    python -m bench.list_scrolling [--documents 100000] [--seconds 8]

The library as `extrophi up` serves it, in Chromium. Both are scrolled in the same page, in turns, by the wheel, by the
keys, and by jumps as a scroll bar makes them; the empty one is an element with nothing in it, so what it misses is the
browser's and the machine's. A frame counts as missed when the next one comes later than one and a half of what a frame
takes here, which is measured on the page at rest.
"""

import argparse
import asyncio
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import uvloop
from playwright.async_api import Locator, Page, async_playwright

from extrophi_backend.fetch.chromium import Chromium, find_chromium
from extrophi_research.db import Connection
from tests.system.running import up

MOST_MISSED = 0.01
_EMPTY = """(list) => {
    const box = list.getBoundingClientRect();
    const empty = document.createElement("div");
    empty.id = "empty";
    empty.tabIndex = 0;
    Object.assign(empty.style, { position: "fixed", overflow: "auto", zIndex: 99, background: "Canvas" });
    const bounds = { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` };
    Object.assign(empty.style, bounds, { display: "none" });
    const inside = document.createElement("div");
    inside.style.height = `${list.scrollHeight}px`;
    empty.append(inside);
    document.body.append(empty);
}"""
_WATCH = """() => {
    window.frames_seen = [];
    window.watches = true;
    const see = (now) => { window.frames_seen.push(now); if (window.watches) requestAnimationFrame(see); };
    requestAnimationFrame(see);
}"""
_FRAMES = "() => { window.watches = false; return window.frames_seen; }"
Act = Callable[[Page, Locator, float], Awaitable[None]]


async def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=100_000)
    arguments.add_argument("--seconds", type=float, default=8)
    given = arguments.parse_args()
    with up() as running:
        connection = await asyncpg.connect(f"postgresql://postgres@/extrophi?host={running.home / 'run' / 'postgres'}")
        await store(connection, given.documents)
        await connection.close()
        return await measure(f"http://127.0.0.1:{running.port}", given.seconds)


async def store(connection: Connection, count: int) -> None:
    """Documents as a list shows them: it reads no text."""
    chance = random.Random(1)
    words = "heron marsh reed winter water warmth morning bird leg shallow wait feather".split()
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [
        (
            uuid.uuid4(),
            "files",
            f"made-{n}",
            " ".join(chance.choices(words, k=chance.randint(2, 12))).capitalize(),
            bytes(32),
            begin + timedelta(minutes=n),
        )
        for n in range(count)
    ]
    columns = ["id", "platform", "external_id", "title", "content_hash", "collected_at"]
    await connection.copy_records_to_table("documents", records=rows, columns=columns)
    versions = [(row[0], 1, "", row[3], row[4]) for row in rows]
    columns = ["document_id", "version", "text", "title", "content_hash"]
    await connection.copy_records_to_table("document_versions", records=versions, columns=columns)
    await connection.execute("ANALYZE")


async def measure(base: str, seconds: float) -> int:
    async with async_playwright() as playwright:
        browser = await Chromium(find_chromium(None)).launch(playwright.chromium.launch, args=[])
        page = await browser.new_page(base_url=base, viewport={"width": 1000, "height": 800})
        await page.goto("/#/library")
        ours = page.get_by_role("listbox", name="Documents")
        await ours.locator(".title").first.wait_for()
        await ours.evaluate(_EMPTY)
        frame = await at_rest(page)
        print(f"a frame takes {frame:.1f} ms here")
        shares: dict[str, list[float]] = {"list": [], "empty": []}
        for name, act in (("wheel", wheel), ("keys", keys), ("jumps", jumps)):
            told: list[str] = []
            for what in ("empty", "list"):
                target = page.locator("#empty") if what == "empty" else ours
                await page.locator("#empty").evaluate(
                    f"(one) => one.style.display = '{'block' if what == 'empty' else 'none'}'"
                )
                share, longest = await missed(page, target, act, seconds, frame)
                shares[what].append(share)
                told.append(f"{what} {share:.2%} (longest {longest:.0f} ms)")
            print(f"{name:<6} {'  '.join(told)}", flush=True)
        await browser.close()
    most = max(shares["list"])
    print(
        f"missed at most {most:.2%} of frames, asked {MOST_MISSED:.0%}; the empty scroller {max(shares['empty']):.2%}"
    )
    return int(most > max(MOST_MISSED, max(shares["empty"]) + MOST_MISSED))


async def at_rest(page: Page) -> float:
    await page.evaluate(_WATCH)
    await asyncio.sleep(2)
    times: list[float] = await page.evaluate(_FRAMES)
    steps = sorted(b - a for a, b in pairwise(times))
    return steps[len(steps) // 2]


async def missed(page: Page, target: Locator, act: Act, seconds: float, frame: float) -> tuple[float, float]:
    """The share of frames that did not come, and the longest wait for one, in ms."""
    await target.evaluate("(one) => { one.scrollTop = 0; one.focus({ preventScroll: true }); }")
    await target.hover()
    await asyncio.sleep(0.5)
    await page.evaluate(_WATCH)
    await act(page, target, time.monotonic() + seconds)
    times: list[float] = await page.evaluate(_FRAMES)
    steps = [b - a for a, b in pairwise(times)]
    late = sum(round(step / frame) - 1 for step in steps if step > 1.5 * frame)
    return late / (len(steps) + late), max(steps)


async def wheel(page: Page, _target: Locator, until: float) -> None:
    while time.monotonic() < until:
        await page.mouse.wheel(0, 300)
        await asyncio.sleep(0.03)


async def keys(page: Page, _target: Locator, until: float) -> None:
    while time.monotonic() < until:
        await page.keyboard.press("PageDown")
        await asyncio.sleep(0.1)


async def jumps(_page: Page, target: Locator, until: float) -> None:
    chance = random.Random(2)
    while time.monotonic() < until:
        await target.evaluate("(one, share) => one.scrollTop = share * one.scrollHeight", chance.random())
        await asyncio.sleep(0.25)


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
