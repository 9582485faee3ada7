"""The server is away: the page opens, drafts are written, and all of it is there when it is back."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.desk.test_drafts import editor, saved_text, status
from tests.system.running import REPO, eventually, up

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


def another_build(folder: Path) -> str:
    """Where Python finds a clone whose Writer is of another build: each of its scripts has another name."""
    folder.mkdir()
    for name in ("cli", "orchestrator"):
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for name in ("backend", "research"):
        (folder / name).symlink_to(REPO / name)
    web = folder / "orchestrator" / "extrophi_orchestrator" / "desk" / "web"
    names = {one.name: f"{one.stem[:-8]}{one.stem[-8:][::-1]}.js" for one in (web / "assets").glob("*.js")}
    for one in [*web.rglob("*.js"), web / "index.html"]:
        text = one.read_text(encoding="utf-8")
        for old, new in names.items():
            text = text.replace(old, new)
        one.write_text(text, encoding="utf-8")
    for old, new in names.items():
        (web / "assets" / old).rename(web / "assets" / new)
    return os.pathsep.join(str(folder / name) for name in ("cli", "orchestrator", "backend", "research"))


def entry(page: Page) -> str:
    return page.evaluate("document.querySelector('script[type=module]').src")


def test_a_newer_build_is_told_and_never_half_loaded(page: Page, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as extrophi:
        port = extrophi.port
        address = f"http://127.0.0.1:{port}"
        page.goto(f"{address}/#/drafts")
        expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
        before = entry(page)
        assert kept(page)
    with up(home, port, PYTHONPATH=another_build(tmp_path / "newer")):
        page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
        expect(page.get_by_text("There is a newer Extrophi.")).to_be_visible()
        # The page goes on with what it began with: the server has these files no more.
        missing = page.evaluate("(entry) => fetch(`${entry}?anew`).then(({ status }) => status)", before)
        assert missing == 404
        page.goto(f"{address}/#/settings")
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
        assert entry(page) == before
        page.get_by_role("button", name="Load it").click()
        expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
        page.wait_for_function("(before) => document.querySelector('script[type=module]').src !== before", arg=before)
        page.goto(f"{address}/#/library")
        expect(page.get_by_role("heading", name="Library", level=1)).to_be_attached()
        expect(page.get_by_text("There is a newer Extrophi.")).to_have_count(0)


def test_who_signs_out_leaves_neither_the_program_nor_what_is_saved(page: Page) -> None:
    with up() as extrophi:
        address = f"http://127.0.0.1:{extrophi.port}"
        page.goto(f"{address}/#/drafts/new")
        editor(page).click()
        page.keyboard.insert_text("A secret.")
        expect(status(page)).to_have_text("Saved")
        assert kept(page)
        page.goto(f"{address}/#/settings/access")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Signed out")).to_be_visible()
        left = page.evaluate(
            """async () => {
                const db = await new Promise((done) => {
                    const asked = indexedDB.open("extrophi");
                    asked.onsuccess = () => done(asked.result);
                });
                const drafts = await new Promise((done) => {
                    const asked = db.transaction("drafts").objectStore("drafts").getAll();
                    asked.onsuccess = () => done(asked.result);
                });
                return [drafts.length, (await caches.keys()).length];
            }"""
        )
        assert left == [0, 0]
