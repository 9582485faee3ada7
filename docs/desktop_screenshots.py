"""Take the pictures of the desktop program in docs/images: where one says which Extrophi, the drafts of a folder, one of them.

    make desktop-screenshots

The program is that of the desktop tests, under Xvfb, before a real Extrophi that holds examples/reading. It is looked at
through WebDriver, in both themes: a person's GTK theme tells it which. Chromium makes WebP of what was seen.
"""

import base64
import json
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from screenshots import DESKTOP, ESSAY, IMAGES
from stage import READING

from tests.desk.conftest import launched
from tests.desktop.driver import ALT, CONTROL, DOWN, END, ENTER, Person, Window
from tests.desktop.program import build
from tests.desktop.surroundings import screen, somebody
from tests.desktop.test_writing import saved
from tests.system.running import REPO, Running, up

THEMES = {"light": "Adwaita", "dark": "Adwaita:dark"}
OTHERS = {
    "Letters to the group.md": "# Letters to the group\n\nDear Ida, I have read your note twice, once on paper.\n"
}


def take(window: Window, browser: Browser, name: str) -> None:
    """What the window shows, as WebP."""
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen.png"
        window.picture(seen)
        page = browser.new_page(viewport=DESKTOP)
        page.goto(seen.as_uri())
        page.locator("img").evaluate("(one) => one.style.cssText = 'position: fixed; inset: 0; margin: 0'")
        session = page.context.new_cdp_session(page)
        taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
        packed = base64.b64decode(taken["data"])
        (IMAGES / f"{name}.webp").write_bytes(packed)
        print(f"{name}.webp {len(packed):,}", flush=True)
        page.close()


def connecting(person: Person, browser: Browser) -> None:
    for theme, gtk in THEMES.items():
        with person.program(EXTROPHI_HOME=str(person.home / "none"), GTK_THEME=gtk) as window:
            size(window)
            window.field("Address").type("extrophi.example.org")
            take(window, browser, f"desktop-connect-{theme}")


def drafts(person: Person, browser: Browser, folder: Path) -> None:
    # As the program remembers a folder that was chosen: WebKitWebDriver sees no window that lay under a dialog.
    person.memory.parent.mkdir(parents=True, exist_ok=True)
    person.memory.write_text(json.dumps({"folder": str(folder)}))
    for theme, gtk in THEMES.items():
        with person.program(GTK_THEME=gtk) as window:
            size(window)
            window.run("location.hash = '#/drafts'")
            draft = window.one("//a[contains(., 'Reading in the gaps')]")
            take(window, browser, f"desktop-drafts-{theme}")
            draft.click()
            window.shows("Long articles are left unfinished")
            if theme == "light":
                cite(window)
            window.editor.click()
            window.editor.type(f"{CONTROL}{END}")
            window.one("//article[.//*[contains(., 'Cited')]]")
            take(window, browser, f"desktop-draft-{theme}")


def cite(window: Window) -> None:
    window.editor.click()
    window.editor.type(f"{CONTROL}{END}")
    window.one("//article[contains(@class, 'selected')]")
    window.editor.type(f"{ALT}{ENTER}")
    window.editor.type(f"{ALT}{DOWN}{ENTER}")
    saved(window)


def size(window: Window) -> None:
    window.ask("POST", "/window/rect", {"width": DESKTOP["width"], "height": DESKTOP["height"]})


def hold(running: Running) -> None:
    """The texts that the drafts are about."""
    running.ended(running.post("/api/jobs", {"target": str(READING)})["id"])


def main() -> None:
    binary = build()
    with (
        up(EXTROPHI_FILES_ROOTS=str(REPO)) as running,
        screen() as display,
        somebody(display, running.home) as (home, environment),
        sync_playwright() as playwright,
        launched(playwright) as browser,
    ):
        hold(running)
        folder = home / "Essays"
        folder.mkdir()
        for name, text in {"Reading in the gaps.md": ESSAY, **OTHERS}.items():
            (folder / name).write_text(text, encoding="utf-8")
        person = Person(home, binary, environment)
        connecting(person, browser)
        drafts(person, browser, folder)


if __name__ == "__main__":
    main()
