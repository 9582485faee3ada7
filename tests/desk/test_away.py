"""The server is away: the page opens, drafts are written, and all of it is there when it is back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.desk.test_drafts import editor, saved_text, status
from tests.system.running import eventually, up

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    context.add_init_script(
        "if (origin !== 'null') localStorage['extrophi.preferences'] ??= JSON.stringify({ welcomed: true })"
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def kept(page: Page) -> list[str]:
    """The addresses of what the service worker keeps, once it does."""
    page.evaluate("navigator.serviceWorker.ready")
    return page.evaluate(
        """async () => {
            const names = await caches.keys();
            const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
            return all.flat().map((one) => new URL(one.url).pathname);
        }"""
    )


def test_drafts_are_written_while_the_server_is_away_and_saved_when_it_is_back(page: Page, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as extrophi:
        port = extrophi.port
        address = f"http://127.0.0.1:{port}"
        page.goto(f"{address}/#/drafts/new")
        editor(page).click()
        page.keyboard.insert_text("Here.")
        expect(status(page)).to_have_text("Saved")
        id = page.url.rpartition("/")[2]  # noqa: A001  the contract's name
        found = kept(page)
        assert "/" in found
        assert len([one for one in found if one.endswith(".js")]) > 20
        assert not [one for one in found if one.startswith("/api")]

    page.goto("about:blank")
    page.goto(f"{address}/#/drafts/{id}")  # nobody listens there
    expect(editor(page)).to_contain_text("Here.")
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" And away.")
    expect(status(page)).to_have_text(re.compile("Kept on this device"))
    page.keyboard.press("Alt+n")
    expect(page).not_to_have_url(re.compile(id))
    editor(page).click()
    page.keyboard.type("Begun while it was away.")
    expect(status(page)).to_have_text(re.compile("Kept on this device"))
    page.reload()
    expect(editor(page)).to_contain_text("Begun while it was away.")
    other = page.url.rpartition("/")[2]
    for view in ("library", "sources", "answers", "settings"):  # each opens, and says what is wrong
        page.goto(f"{address}/#/{view}")
        expect(page.get_by_role("heading", level=1)).to_be_attached()
    page.goto(f"{address}/#/drafts/{other}")  # in the same window, which had it open before
    expect(editor(page)).to_contain_text("Begun while it was away.")
    page.goto(f"{address}/#/library")

    with up(home, port) as again:
        page.goto(f"{address}/#/drafts/{id}")
        expect(status(page)).to_have_text("Saved", timeout=40_000)
        eventually(lambda: saved_text(again, id) == "Here. And away." or None)
        # The other goes there by itself.
        eventually(lambda: saved_text(again, other) == "Begun while it was away." or None)
