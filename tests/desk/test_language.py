"""The Writer in another language, one that is read from right to left: no text of it is English, and none is cut off.

The language is made of the English (tests/desk/pseudo.py). The library, the drafts and the questions are in Hebrew, so
that English words on a page are the Writer's own, and were not asked for by their names in `text/`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.desk import pseudo
from tests.desk.pseudo import Told, english_left
from tests.desk.pseudo import pseudo as said
from tests.desk.watching import Watch
from tests.system.running import Running, eventually, up
from tests.web_server import Reply, WebServer, article, serving

pytestmark = [
    pytest.mark.skipif(pseudo.NODE is None, reason="Node builds the Writer with another language"),
    pytest.mark.timeout(400),  # a build, and an Extrophi of its own
]
QUESTION = "מדוע אנפה עומדת על רגל אחת?"
SENTENCES = (
    "אנפה עומדת על רגל אחת כדי לשמור על חום הגוף במים קרים בחורף.",
    "במים קרים אנפה מאבדת את רוב החום דרך הרגליים החשופות שלה.",
    "הציפור מחליפה רגל כל כמה דקות ומסתירה את השנייה בתוך הנוצות.",
)
PARAGRAPH = "בחורף ראיתי אנפה במים קרים, עומדת שעה ארוכה על רגל אחת."
WIDE, NARROW = 1280, 360
_OVERFLOWS = """() => [document.documentElement, ...document.querySelectorAll('main, dialog, aside, dialog .body')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.localName} ${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""


@dataclass
class Look:
    """What is wrong with what is on the page, by the name of the view."""

    page: Page
    told: Told
    faults: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def __call__(self, view: str) -> None:
        for width in (WIDE, NARROW):
            self.page.set_viewport_size({"width": width, "height": 780})
            # Another width is laid out a moment later.
            self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))")
            wrong = [*english_left(self.page, self.told), *self.page.evaluate(_OVERFLOWS)]
            if wrong:
                self.faults[f"{view} at {width}"] = wrong
        self.page.set_viewport_size({"width": WIDE, "height": 780})


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        page = article("אנפה", *SENTENCES)
        body = page.body if isinstance(page.body, str) else page.body.decode()
        server.pages |= {"/heron": Reply(body.replace("lang='en'", "lang='he'")), "/closed": Reply("no", status=403)}
        yield server


@pytest.fixture(scope="module")
def hebrew(server: WebServer) -> Iterator[Running]:
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128") as running:
        for path in ("/heron", "/closed"):
            made = running.post("/api/sources", {"target": server.url(path)})
            running.ended(made["last_job"]["id"])
        anchors = [[0, {}], [len(SENTENCES[0]) + 2, {"author": "מירה", "depth": 0, "score": 3}]]
        blocks = [[0, len(SENTENCES[0]), 0], [len(SENTENCES[0]) + 2, len(SENTENCES[0]) + 2 + len(SENTENCES[1]), 0]]
        posts = [
            {"platform": "reddit", "external_id": "1", "anchors": anchors, "blocks": blocks},
            {"platform": "youtube", "external_id": "2", "author": "ערוץ", "published_at": "2026-01-31T12:00:00Z"},
            {"platform": "files", "external_id": "3", "collection": "ציפורים", "language": "he"},
        ]
        text = "\n\n".join(SENTENCES[:2])
        pushed = [{"title": "אנפה בחורף", "text": text} | one for one in posts]
        running.post("/api/documents", {"documents": pushed})
        running.post("/api/documents", {"documents": [pushed[2] | {"text": f"{SENTENCES[2]}\n\n{text}"}]})
        eventually(lambda: running.post("/api/search", {"query": "אנפה"})["items"] or None)
        yield running


@pytest.fixture(scope="module")
def context(browser: Browser, hebrew: Running) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=str(hebrew.client.base_url), viewport={"width": WIDE, "height": 780})
    context.set_default_timeout(20_000)
    preferences = f"JSON.stringify({{ welcomed: true, language: '{pseudo.LANGUAGE}' }})"
    context.add_init_script(f"if (origin !== 'null') localStorage['extrophi.preferences'] ??= {preferences}")
    with pseudo.build() as web:
        pseudo.serve(context, web)
        yield context
    context.close()


@pytest.fixture
def look(context: BrowserContext) -> Iterator[Look]:
    watch = Watch(context)
    watch.expects_failures = True  # what is not kept, not there, not allowed
    page = context.new_page()
    look = Look(page, Told(page))
    yield look
    look.page.close()
    assert look.faults == {}
    assert watch.faults == []


def button(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=said(name), exact=True).first


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def close(page: Page) -> None:
    page.keyboard.press("Escape")  # in the command bar the first one only takes back what is written
    if dialog(page).count():
        page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)


def test_the_page_is_read_from_right_to_left_and_the_language_can_be_chosen(look: Look) -> None:
    page = look.page
    page.goto("/#/settings/appearance")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("html")).to_have_attribute("lang", pseudo.LANGUAGE)
    chooser = page.get_by_role("combobox")
    expect(chooser.get_by_role("option", name="Another")).to_be_attached()
    places = page.get_by_role("navigation", name=said("Places")).bounding_box()
    assert places
    assert places["x"] > WIDE / 2


def test_a_draft_its_evidence_and_its_dialogs(look: Look) -> None:
    page = look.page
    page.goto("/#/drafts")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look("drafts")
    page.goto("/#/drafts/new")
    draft = page.get_by_role("textbox", name=said("Draft"), exact=True)
    draft.click()
    look("a draft without a word")
    page.keyboard.insert_text(f"# אנפה\n\n{PARAGRAPH}")
    pieces = page.get_by_role("complementary", name=said("Evidence")).get_by_role("article")
    expect(pieces.first).to_be_visible()
    page.keyboard.press("Alt+Enter")
    expect(pieces.first).to_contain_text(said("Cited"))
    expect(page.locator("footer .status")).to_have_text(said("Saved"))
    look("evidence")
    button(page, "Filters").click()
    look("evidence with filters")
    button(page, "Filters").click()
    draft.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+c")
    expect(page.get_by_role("region", name=said("What is cited"))).to_be_visible()
    look("what is cited")
    page.keyboard.press("Escape")
    draft.focus()
    for keys, name in (("b", "References"), ("X", "Export"), ("H", "History")):
        page.keyboard.press(f"Control+Shift+{keys}")
        expect(dialog(page).get_by_role("heading", name=said(name), exact=True)).to_be_visible()
        expect(dialog(page).get_by_text(said("Loading …"))).to_have_count(0)
        look(name)
        close(page)
        draft.focus()
    for keys, name in (("Control+f", "find and replace"), ("Control+Shift+O", "outline"), ("Control+Shift+F", "focus")):
        page.keyboard.press(keys)
        look(name)
        page.keyboard.press("Escape")
        draft.focus()


def test_the_library_and_the_reader(look: Look, hebrew: Running) -> None:
    page = look.page
    ids = {one["platform"]: one["id"] for one in hebrew.get("/api/documents")["items"]}
    highlight = {"document_id": ids["web"], "version": 1, "start": 0, "end": 4, "note": "הערה"}
    hebrew.post("/api/highlights", highlight)
    page.goto("/#/library")
    page.get_by_role("listbox", name=said("Documents")).get_by_role("option").nth(1).click()
    expect(page.get_by_role("complementary", name=said("Preview")).get_by_role("heading").first).to_be_visible()
    look("library")
    button(page, "Filters").click()
    look("filters")
    page.goto("/#/library?query=אנפה")
    expect(page.get_by_role("list", name=said("What was found")).get_by_role("listitem").first).to_be_visible()
    look("what was found")
    page.goto("/#/library?query=זברה")
    expect(page.get_by_role("heading", name=said("Nothing in your library matches that"))).to_be_visible()
    look("nothing found")
    page.goto("/#/library?show=highlights")
    expect(page.get_by_role("list", name=said("Highlights")).get_by_role("listitem").first).to_be_visible()
    look("highlights")
    page.keyboard.press("Alt+Shift+n")
    expect(dialog(page)).to_be_visible()
    look("note")
    close(page)
    for platform in ("web", "reddit", "youtube", "files"):
        page.goto(f"/#/documents/{ids[platform]}?version=1&start=0&end=10")
        expect(page.locator("mark.cited").first).to_be_visible()
        look(f"a document of {platform}")
    page.get_by_role("tab", name=said("Versions")).click()
    expect(page.get_by_text(said("First version"))).to_be_visible()
    look("versions")
    page.goto(f"/#/documents/{ids['web']}")
    page.get_by_role("tab", name=said("Original")).click()
    expect(page.locator("iframe")).to_be_visible()
    look("original")


def test_questions_and_the_command_bar(look: Look, hebrew: Running, server: WebServer) -> None:
    page = look.page
    page.goto("/#/answers")
    page.get_by_role("textbox", name=said("What do you want to know?")).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name=said("Sources")).get_by_role("listitem").first).to_be_visible()
    look("answer")
    button(page, "Keep").click()
    expect(page.get_by_text(said("The answer is kept."))).to_be_visible()
    button(page, "Put into a draft").click()
    expect(dialog(page)).to_be_visible()
    look("which draft")
    close(page)
    page.goto("/#/answers")
    expect(page.get_by_role("link", name=QUESTION)).to_be_visible()
    page.get_by_text(said("Filters")).click()
    look("answers")
    begun = hebrew.post("/api/investigations", {"question": QUESTION, "targets": [server.url("/heron")]})
    page.goto(f"/#/investigations/{begun['id']}")
    expect(page.get_by_role("region", name=said("Sources")).get_by_role("listitem").first).to_be_visible()
    look("investigation")
    page.goto("/#/answers?list=investigations")
    expect(page.get_by_role("link", name=QUESTION)).to_be_visible()
    look("investigations")
    page.keyboard.press("Control+k")
    look("command bar")
    page.keyboard.insert_text("אנפה")
    expect(page.get_by_role("group", name=said("In the library"))).to_be_visible()
    look("command bar with a word")
    close(page)
    page.keyboard.press("F1")
    look("keys")


def test_sources_and_jobs(look: Look, hebrew: Running, server: WebServer) -> None:
    page = look.page
    page.goto("/#/sources")
    listed = page.get_by_role("list", name=said("Sources"))
    expect(listed.get_by_role("listitem")).to_have_count(2)
    look("sources")
    for source in hebrew.get("/api/sources")["items"]:
        page.goto(f"/#/sources/{source['id']}")
        expect(page.get_by_role("complementary").get_by_role("heading").first).to_be_visible()
        look(f"the source {source['state']}")
    button(page, "Edit").click()
    look("editing a source")
    page.goto("/#/sources")
    button(page, "Add").click()
    dialog(page).get_by_role("textbox").first.fill(f"{server.url('/heron')}\nאנפה\n@12")
    dialog(page).get_by_text(said("Options")).click()
    look("adding")
    close(page)
    page.get_by_role("link", name=said("Jobs")).click()
    expect(page.get_by_role("list", name=said("Jobs")).get_by_role("listitem").first).to_be_visible()
    look("jobs")


def test_settings_and_the_first_steps(look: Look) -> None:
    page = look.page
    for section in ("appearance", "state", "accounts", "models", "collections", "access", "about"):
        page.goto(f"/#/settings/{section}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        expect(page.get_by_text(said("Asking Extrophi …"))).to_have_count(0)
        look(f"settings, {section}")
    page.goto("/#/welcome")
    expect(page.get_by_text(re.compile(said("documents are in your library")))).to_be_visible()
    look("first steps")
    page.goto("/#/nowhere")
    look("an address where nothing is")
