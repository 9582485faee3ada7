"""Script that a browser is sent before the first view is there, compressed as it comes, by file.

    python -m bench.first_view

The Writer as `extrophi up` serves it, in Chromium with nothing kept. What may come first: the first steps, which the
bare address shows once; the list of drafts, which it shows from then on; a draft that is opened by its address.
"""

import asyncio
import sys
from urllib.parse import urlsplit

import uvloop
from playwright.async_api import Browser, CDPSession, async_playwright

from extrophi_backend.fetch.chromium import Chromium, find_chromium
from tests.system.running import up

MOST_KB = 250
WELCOMED = "if (origin !== 'null') localStorage['extrophi.preferences'] = JSON.stringify({ welcomed: true })"
VIEWS = {
    "first steps": ("/", "heading", "Welcome to Extrophi"),
    "drafts": ("/#/drafts", "searchbox", "Find a draft"),
    "a draft": ("/#/drafts/new", "textbox", "Draft"),
}


async def main() -> int:
    with up() as running:
        base = f"http://127.0.0.1:{running.port}"
        async with async_playwright() as playwright:
            browser = await Chromium(find_chromium(None)).launch(playwright.chromium.launch, args=[])
            totals = {name: await view(browser, base, name) for name in VIEWS}
            await browser.close()
    most = max(totals.values())
    told = ", ".join(f"{name} {total:.0f} KB" for name, total in totals.items())
    print(f"script of the first view, compressed: {told}; asked {MOST_KB} KB")
    return int(most > MOST_KB)


async def view(browser: Browser, base: str, name: str) -> float:
    """KB (of 1,000 bytes) of script."""
    context = await browser.new_context(base_url=base, service_workers="block")
    if name != "first steps":
        await context.add_init_script(WELCOMED)
    page = await context.new_page()
    session: CDPSession = await context.new_cdp_session(page)
    scripts: dict[str, str] = {}
    sizes: dict[str, float] = {}

    def responded(event: dict[str, object]) -> None:
        if event["type"] == "Script":
            scripts[str(event["requestId"])] = urlsplit(event["response"]["url"]).path.rpartition("/")[2]  # type: ignore[index]

    def finished(event: dict[str, object]) -> None:
        if one := scripts.get(str(event["requestId"])):
            sizes[one] = float(event["encodedDataLength"]) / 1000  # type: ignore[arg-type]

    session.on("Network.responseReceived", responded)
    session.on("Network.loadingFinished", finished)
    await session.send("Network.enable")
    address, role, called = VIEWS[name]
    await page.goto(address)
    await page.get_by_role(role, name=called, exact=True).wait_for()  # pyright: ignore[reportArgumentType]
    await page.wait_for_load_state("networkidle")
    await asyncio.sleep(0.5)
    print(name)
    for one, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"  {size:7.1f} KB  {one}")
    await context.close()
    return sum(sizes.values())


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
