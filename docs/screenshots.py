"""Take the pictures of docs/images: every view of the Writer, in both themes, the main ones at a phone's width, too.

    make screenshots                 all of them
    make screenshots T="export bar"  those whose names begin so, besides what leads to them

A real Extrophi is started (docs/stage.py says with what) and driven in Chromium as a person drives it. Chromium writes
the pictures as WebP, of quality 80: a third of what a PNG takes. `PNG=folder` keeps PNGs, too, for programs that show none.
"""

import base64
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from stage import HOST, KEY, QUESTION, chatting, files, fill, stage

from tests.desk.conftest import CHROMIUM, QUIET
from tests.desk.test_drafts import begin, editor, status
from tests.system.running import Running, eventually

IMAGES = Path(__file__).parent / "images"
LARGEST = 150_000
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 780}
ESSAY = """# Reading in the gaps

## What the notebook said

Long articles are left unfinished on phones because phones are used in short gaps: at the bus stop, in the queue.

Each interruption cuts the thread of the argument, and a long article has more thread to lose than a short one.

## What helps

- headings that a reader *recognises*
- a page that opens **where she left it**

Readers who scroll lose the sense of place, and after a break they cannot find where they were."""


class Camera:
    """Takes a page as it stands, in both themes. `wanted` are the beginnings of names; none means all."""

    def __init__(self, wanted: list[str]) -> None:
        self._wanted = wanted
        self._png = os.environ.get("PNG")

    def take(self, page: Page, name: str, *, phone: bool = False, hovering: bool = False) -> None:
        if not hovering:
            page.mouse.move(639, 799)
        if self._wanted and not any(name.startswith(one) for one in self._wanted):
            return
        self._both(page, name)
        if phone:
            page.set_viewport_size(PHONE)
            self._both(page, f"{name}-phone")
            page.set_viewport_size(DESKTOP)

    def _both(self, page: Page, name: str) -> None:
        session = page.context.new_cdp_session(page)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(400)  # what is laid out anew, or fades
            taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
            packed = base64.b64decode(taken["data"])
            (IMAGES / f"{name}-{theme}.webp").write_bytes(packed)
            if self._png:
                page.screenshot(path=Path(self._png) / f"{name}-{theme}.png")
            print(f"{name}-{theme}.webp {len(packed):,}{' is too large' if len(packed) > LARGEST else ''}", flush=True)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")


@contextmanager
def visitor(browser: Browser, base: str, *, welcomed: bool = True) -> Generator[Page]:
    context: BrowserContext = browser.new_context(base_url=base, viewport=DESKTOP, reduced_motion="reduce")
    if welcomed:
        context.add_init_script("localStorage['extrophi.preferences'] ??= JSON.stringify({ welcomed: true })")
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def cite(page: Page, words: str, *, times: int = 1) -> None:
    """Put the cursor at the end of the paragraph with these words, and cite what stands first beside it."""
    page.locator(".cm-line", has_text=words).click()
    page.keyboard.press("End")
    pieces = page.get_by_role("complementary", name="Evidence").get_by_role("article")
    expect(pieces.first).to_be_visible()
    page.wait_for_timeout(1500)  # evidence of the paragraph before may be shown still
    for n in range(times):
        if n:
            page.keyboard.press("Alt+ArrowDown")
        page.keyboard.press("Alt+Enter")
    expect(status(page)).to_have_text("Saved")


def empty(camera: Camera, browser: Browser, running: Running) -> None:
    base = str(running.client.base_url)
    with visitor(browser, f"http://{HOST}:{running.port}", welcomed=False) as page:
        page.goto("/")
        expect(page.get_by_role("dialog", name="A key is needed")).to_be_visible()
        camera.take(page, "sign-in", phone=True)
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="Welcome to Extrophi")).to_be_visible()
        camera.take(page, "welcome", phone=True)
    with visitor(browser, base) as page:
        for place in ("drafts", "library", "sources", "answers"):
            page.goto(f"/#/{place}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_load_state("networkidle")
            camera.take(page, f"empty-{place}", phone=place in {"drafts", "library"})


def first_steps(camera: Camera, browser: Browser, running: Running) -> None:
    with visitor(browser, str(running.client.base_url), welcomed=False) as page:
        page.goto("/#/welcome")
        page.get_by_role("button", name="Take the ten example texts").click()
        page.get_by_role("button", name=QUESTION).click()
        expect(page.get_by_role("region", name="Answer").get_by_role("listitem").first).to_be_visible()
        page.get_by_role("heading", name="Ask a question").evaluate("(one) => one.scrollIntoView({ block: 'start' })")
        camera.take(page, "welcome-answer")
        page.get_by_role("button", name="Take them out again").click()
        eventually(lambda: not running.get("/api/documents")["items"] or None)


def drafts(camera: Camera, page: Page) -> None:
    letter = "# Letters to the group\n\nDear Ida, I have read your note twice, once on paper."
    for text in (letter, "Interview questions for Ruth"):
        begin(page, text)
    page.goto("/#/drafts")
    begin(page)
    panel = page.get_by_role("complementary", name="Evidence")
    expect(panel).to_contain_text("Evidence appears as you write")
    camera.take(page, "draft-new", phone=True)
    page.keyboard.insert_text(ESSAY)
    expect(status(page)).to_have_text("Saved")
    cite(page, "Long articles are left unfinished")
    cite(page, "Each interruption cuts")
    cite(page, "Readers who scroll", times=2)
    camera.take(page, "draft", phone=True)
    page.locator(".cm-cited").first.hover()
    expect(page.get_by_role("region", name="What is cited")).to_be_visible()
    camera.take(page, "citation", hovering=True)
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Filters").click()
    camera.take(page, "evidence-filters")
    panel.get_by_role("button", name="Filters").click()
    panel.get_by_role("button", name="Read").first.click()
    expect(page.get_by_role("button", name="Close the reader")).to_be_visible()
    expect(page.locator("mark.cited").first).to_be_visible()
    camera.take(page, "draft-reading", phone=True)
    page.get_by_role("button", name="Close the reader").click()
    editor(page).focus()
    dialogs(camera, page)
    ways_to_write(camera, page)
    page.goto("/#/drafts")
    expect(page.get_by_role("link", name=re.compile("Reading in the gaps"))).to_be_visible()
    camera.take(page, "drafts", phone=True)


def dialogs(camera: Camera, page: Page) -> None:
    """Those of a draft that is open."""
    page.keyboard.press("Control+Shift+b")
    expect(page.get_by_role("dialog", name="References")).to_be_visible()
    camera.take(page, "references")
    page.get_by_role("dialog").get_by_role("button", name="Edit").first.click()
    camera.take(page, "references-edit")
    dismiss(page)
    page.keyboard.press("Control+Shift+x")
    expect(page.get_by_role("dialog", name="Export").get_by_role("listitem").first).to_be_visible()
    camera.take(page, "export", phone=True)
    dismiss(page)
    page.get_by_role("button", name=re.compile(r"\d+ words?$")).last.click()
    page.get_by_role("spinbutton").fill("400")
    camera.take(page, "goal")
    page.get_by_role("button", name="Save", exact=True).click()


def ways_to_write(camera: Camera, page: Page) -> None:
    editor(page).focus()
    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("complementary", name="Outline")).to_be_visible()
    camera.take(page, "outline")
    page.keyboard.press("Control+Shift+O")
    page.keyboard.press("Control+f")
    page.get_by_role("textbox", name="Find").press_sequentially("thread")
    camera.take(page, "find", phone=True)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+F")
    camera.take(page, "focus")
    page.keyboard.press("Control+Shift+F")
    page.keyboard.press("Control+End")
    page.keyboard.type(" A bookmark of cardboard does all three.")
    expect(status(page)).to_have_text("Saved")
    page.keyboard.press("Control+Shift+H")
    expect(page.get_by_role("dialog", name="History")).to_contain_text("Restore this version")
    camera.take(page, "history", phone=True)
    dismiss(page)


def conflict(camera: Camera, page: Page, running: Running) -> None:
    id = begin(page, "# Herons\n\nThe heron eats at dawn.")  # noqa: A001
    draft = running.client.get(f"/api/drafts/{id}")
    theirs = {"text": "# Herons\n\nThe heron eats at dusk.", "bibliography": [], "settings": {}, "mark": None}
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+Control+ArrowLeft")
    running.client.put(f"/api/drafts/{id}", json=theirs, headers={"If-Match": draft.headers["etag"]}).raise_for_status()
    page.keyboard.type("noon")
    expect(status(page)).to_have_text("Changed in two places")
    page.get_by_role("button", name="Look at both").click()
    expect(page.get_by_role("dialog")).to_contain_text("dusk")
    camera.take(page, "conflict", phone=True)
    dismiss(page)
    running.client.delete(f"/api/drafts/{id}")


def bar(camera: Camera, page: Page) -> None:
    page.goto("/#/library")
    page.get_by_role("button", name="Ask", exact=True).click()
    line = page.get_by_role("combobox", name=re.compile("^Ask a question"))
    expect(line).to_be_focused()
    camera.take(page, "bar")
    line.fill("lose the place")
    expect(page.get_by_role("group", name="In the library")).to_be_visible()
    camera.take(page, "bar-typed", phone=True)
    dismiss(page)
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    camera.take(page, "keys", phone=True)
    dismiss(page)


def answers(camera: Camera, page: Page, running: Running, address: str) -> None:
    ask(page, QUESTION)
    expect(page.get_by_role("region", name="Sources").get_by_role("listitem").first).to_be_visible()
    expect(page.get_by_role("button", name="Keep")).to_be_visible()
    camera.take(page, "answer", phone=True)
    page.get_by_role("region", name="Answer").get_by_role("button", name=re.compile(r"^Source \d+")).first.click()
    expect(page.get_by_role("complementary", name="Source").locator("mark").first).to_be_visible()
    camera.take(page, "answer-source")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Put into a draft").click()
    expect(page.get_by_role("button", name="A new draft")).to_be_visible()
    camera.take(page, "answer-drop")
    dismiss(page)
    ask(page, "What does photosynthesis need in winter?")
    expect(page.get_by_role("heading", name="Your library does not answer this")).to_be_visible()
    camera.take(page, "abstained")
    asked = {
        "question": "What helps a reader find the place again?",
        "targets": [f"{address}/sitemap.xml", "youtube.com/@lanternstreet"],
    }
    done = running.post("/api/investigations", asked)
    eventually(lambda: running.get(f"/api/investigations/{done['id']}")["status"] not in {"queued", "running"} or None)
    page.goto(f"/#/investigations/{done['id']}")
    expect(page.get_by_role("region", name="Sources").get_by_role("listitem").first).to_be_visible()
    camera.take(page, "investigation", phone=True)
    slow = running.post(
        "/api/investigations",
        {"question": "What did the group read in its first year?", "targets": [f"{address}/archive", "r/books"]},
    )
    page.goto(f"/#/investigations/{slow['id']}")
    expect(page.get_by_role("region", name="What is collected")).to_contain_text(re.compile("is collected|found"))
    page.wait_for_timeout(2000)
    camera.take(page, "investigating")
    page.get_by_role("button", name="Stop").click()
    page.goto("/#/answers")
    expect(page.get_by_role("link", name=re.compile(re.escape(QUESTION)))).to_be_visible()
    camera.take(page, "answers", phone=True)


def ask(page: Page, question: str) -> None:
    page.goto("/#/answers")
    field = page.get_by_role("textbox", name="What do you want to know?")
    field.fill(question)
    field.press("Enter")


def library(camera: Camera, page: Page, running: Running) -> None:
    page.goto("/#/library")
    page.locator("input[type=file]").set_input_files(list(files()))
    expect(page.get_by_text("4 files added")).to_be_visible()
    camera.take(page, "library-added")
    note = "# Ask Ruth\n\nDoes she still read with a bookmark of cardboard?"
    running.post(
        "/api/documents",
        {
            "documents": [
                {
                    "platform": "files",
                    "external_id": "note:01981111-2222-7333-8444-555555555555",
                    "text": note,
                    "title": "Ask Ruth",
                    "format": "markdown",
                }
            ]
        },
    )
    ids = {one["title"]: one["id"] for one in running.get("/api/documents?limit=100")["items"]}
    place = ids["Scrolling, and knowing where you are"]
    text = running.get(f"/api/documents/{place}")["text"]
    for quote, colour, said in (
        ("Readers who scroll lose the sense of place", "yellow", "The heart of it."),
        ("A bookmark of cardboard does all three.", "green", "Quote this at the end."),
    ):
        start = text.index(quote)
        running.post(
            "/api/highlights",
            {
                "document_id": place,
                "version": 1,
                "start": start,
                "end": start + len(quote),
                "colour": colour,
                "note": said,
            },
        )
    page.goto("about:blank")
    page.goto("/#/library?sort=author")
    listed = page.get_by_role("listbox", name="Documents").get_by_role("option")
    expect(listed.first).to_contain_text(re.compile(r"\w"))
    page.wait_for_load_state("networkidle")
    page.get_by_role("option", name=re.compile("^Scrolling, and knowing")).click()
    expect(page.get_by_role("complementary", name="Preview").locator("mark").first).to_be_visible()
    camera.take(page, "library", phone=True)
    page.get_by_role("button", name="Filters", exact=True).click()
    camera.take(page, "library-filters", phone=True)
    page.get_by_role("button", name="Filters", exact=True).click()
    page.goto("/#/library?query=bookmark")
    expect(page.get_by_role("list", name="What was found").get_by_role("listitem").first).to_be_visible()
    page.get_by_role("list", name="What was found").get_by_role("link").first.click()
    expect(page.get_by_role("complementary", name="Preview").locator("mark").first).to_be_visible()
    camera.take(page, "library-search")
    page.goto("/#/library?show=highlights")
    expect(page.get_by_role("list", name="Highlights").get_by_role("listitem").first).to_be_visible()
    camera.take(page, "highlights", phone=True)
    page.get_by_role("button", name="New note").first.click()
    page.get_by_label("Your note").fill("# Ask Ruth\n\nDoes she still read with a bookmark of cardboard?")
    camera.take(page, "note")
    dismiss(page)


def reader(camera: Camera, page: Page, running: Running) -> None:
    ids = {one["title"]: one["id"] for one in running.get("/api/documents?limit=100")["items"]}
    place = ids["What an interruption costs"]
    text = running.get(f"/api/documents/{place}")["text"]
    start = text.index("The cost of an interruption")
    page.goto("about:blank")
    page.goto(f"/#/documents/{place}?version=1&start={start}&end={start + 75}")
    expect(page.locator("mark.cited").first).to_be_visible()
    camera.take(page, "reader", phone=True)
    page.get_by_role("region", name="The document's text").evaluate(
        """(root) => {
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf("A message about the weekend");
                if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + 53);
            }
        }"""
    )
    expect(page.get_by_role("button", name="Highlight: Green")).to_be_visible()
    camera.take(page, "reader-selection", phone=True)
    page.get_by_role("tab", name="Original").click()
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    camera.take(page, "original", phone=True)
    page.get_by_role("tab", name="Versions").click()
    camera.take(page, "versions")
    for name, title in (
        ("reader-video", "Losing one's place: a talk on reading by scrolling"),
        ("reader-comments", "How do you finish long articles on your phone?"),
    ):
        page.goto(f"/#/documents/{ids[title]}")
        expect(page.get_by_role("region", name="The document's text")).to_be_visible()
        camera.take(page, name, phone=True)
    posts = next(one for title, one in ids.items() if title.startswith("I finished four"))
    page.goto(f"/#/documents/{posts}")
    expect(page.get_by_role("region", name="The document's text")).to_contain_text("a reserved half hour")
    camera.take(page, "reader-posts")


def sources(camera: Camera, page: Page, address: str) -> None:
    page.goto("/#/sources")
    listed = page.get_by_role("list", name="Sources")
    expect(listed.get_by_role("listitem").first).to_be_visible()
    camera.take(page, "sources", phone=True)
    listed.get_by_role("link", name=re.compile("Lantern Street")).first.click()
    expect(page.get_by_role("complementary", name="Lantern Street")).to_be_visible()
    camera.take(page, "source", phone=True)
    page.goto("/#/sources")
    listed.get_by_role("link", name=re.compile("members")).first.click()
    expect(page.get_by_role("complementary", name=re.compile("members"))).to_be_visible()
    camera.take(page, "source-blocked")
    page.goto("/#/sources")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Addresses, one on each line").fill(f"{address}/gaps-of-four-minutes\nr/selfhosted\n@nasa")
    expect(page.get_by_role("dialog").get_by_text("Which do you mean?")).to_be_visible()
    camera.take(page, "source-add", phone=True)
    dismiss(page)
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("list", name="Jobs").get_by_role("listitem").first).to_be_visible()
    camera.take(page, "jobs", phone=True)


def settings(camera: Camera, page: Page) -> None:
    for section in ("appearance", "state", "accounts", "models", "collections", "access", "about"):
        page.goto(f"/#/settings/{section}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        expect(page.get_by_text("Asking Extrophi …")).to_have_count(0)
        camera.take(page, f"settings-{section}", phone=section in {"appearance", "accounts"})


def streaming(camera: Camera, browser: Browser) -> None:
    with chatting() as (running, model), visitor(browser, str(running.client.base_url)) as page:
        ask(page, QUESTION)
        expect(page.get_by_role("region", name="Answer")).to_contain_text("a search for the place", timeout=60_000)
        camera.take(page, "answer-streaming")
        model.goes_on.set()


def dismiss(page: Page) -> None:
    for _ in range(3):
        if page.get_by_role("dialog").count() == 0:
            return
        page.keyboard.press("Escape")
        page.wait_for_timeout(200)


def main(wanted: list[str]) -> None:
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, chromium_sandbox=os.geteuid() != 0)
        camera = Camera(wanted)
        with stage() as (running, address):
            empty(camera, browser, running)
            first_steps(camera, browser, running)
            fill(running, address)
            with visitor(browser, str(running.client.base_url)) as page:
                library(camera, page, running)
                drafts(camera, page)
                conflict(camera, page, running)
                bar(camera, page)
                reader(camera, page, running)
                answers(camera, page, running, address)
                sources(camera, page, address)
                settings(camera, page)
        streaming(camera, browser)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
