"""Every view, dialog, panel and menu can be used by everybody: in both themes, and on a telephone.

What there is is read from the Writer's own lists: who adds a view, a dialog, a section or a command adds a face here.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.desk.axe import overflows, violations
from tests.desk.reading import QUESTION, SENTENCE, collect_reading
from tests.desk.test_drafts import begin, editor, status
from tests.desk.watching import Watch
from tests.embeddings_endpoint import serving
from tests.system.running import REPO, Running, eventually

LIB = REPO / "writer" / "src" / "lib"


@dataclass(frozen=True)
class Things:
    """What there is to look at."""

    extrophi: Running
    document: str
    source: str
    draft: str


@dataclass(frozen=True)
class Face:
    name: str
    covers: tuple[str, ...]
    show: Callable[[Page, Things], object]


def views() -> set[str]:
    text = (REPO / "writer" / "src" / "App.svelte").read_text(encoding="utf-8")
    [table] = re.findall(r"const VIEWS[^{]*\{(.*?)\n\t\};", text, re.DOTALL)
    return set(re.findall(r"^\t\t(\w+):", table, re.MULTILINE))


def sections() -> set[str]:
    text = (LIB / "settings" / "SettingsView.svelte").read_text(encoding="utf-8")
    [table] = re.findall(r"const SECTIONS[^{]*\{(.*?)\n\t\};", text, re.DOTALL)
    return set(re.findall(r"^\t\t(\w+):", table, re.MULTILINE))


def dialogs() -> set[str]:
    return {
        path.relative_to(LIB).as_posix().removesuffix(".svelte")
        for path in LIB.rglob("*.svelte")
        if re.search(r"<(Dialog|dialog)\b", path.read_text(encoding="utf-8")) and path.name != "Dialog.svelte"
    }


def commands() -> set[str]:
    text = (LIB / "keys" / "commands.ts").read_text(encoding="utf-8")
    return set(re.findall(r'\{ id: "([\w.]+)"', text))


def key(name: str) -> Callable[[Page], None]:
    return lambda page: page.keyboard.press(name)


def library(page: Page, things: Things, query: str = "") -> None:
    page.goto(f"/#/library{query}")
    expect(page.get_by_role("heading", name="Library", level=1)).to_be_attached()
    page.wait_for_load_state("networkidle")


def document(page: Page, things: Things, tab: str = "Text") -> None:
    page.goto(f"/#/documents/{things.document}")
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("tabpanel")).not_to_be_empty()
    page.wait_for_load_state("networkidle")


def draft(page: Page, things: Things, press: str = "", into: str = "") -> None:
    """The draft with its evidence; then a key, or a command by its words."""
    page.goto(f"/#/drafts/{things.draft}")
    editor(page).click()
    page.keyboard.press("Control+Home")
    expect(page.get_by_role("complementary", name="Evidence").get_by_role("article").first).to_be_visible()
    if press:
        page.keyboard.press(press)
    if into:
        command(page, into)


def command(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    line = page.get_by_role("dialog").get_by_role("combobox")
    line.fill(words)
    expect(page.get_by_role("option", selected=True)).to_contain_text(words)
    line.press("Enter")
    expect(line).to_be_hidden()


def dialog(page: Page) -> None:
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_load_state("networkidle")


def answered(page: Page, things: Things) -> None:
    page.goto("/#/answers")
    field = page.get_by_role("textbox", name="What do you want to know?")
    field.fill(QUESTION)
    field.press("Enter")
    expect(page.get_by_role("region", name="Answer")).to_contain_text(SENTENCE)


def trash(page: Page, things: Things) -> None:
    made = things.extrophi.post("/api/drafts", {"text": "# To be thrown away"})
    things.extrophi.client.delete(f"/api/drafts/{made['id']}")
    page.goto("/#/drafts")
    page.get_by_role("button", name="Trash").click()
    expect(page.get_by_role("button", name="Remove for good").first).to_be_visible()


def conflict(page: Page, things: Things) -> None:
    id = begin(page, "The heron eats at dawn.")  # noqa: A001  the contract's name
    head = things.extrophi.client.get(f"/api/drafts/{id}")
    page.keyboard.press("Shift+Control+ArrowLeft")
    theirs = {"text": "The heron eats at dusk.", "bibliography": [], "settings": {}, "mark": None}
    things.extrophi.client.put(f"/api/drafts/{id}", json=theirs, headers={"If-Match": head.headers["etag"]})
    page.keyboard.type("noon")
    expect(status(page)).to_have_text("Changed in two places")
    page.get_by_role("button", name="Look at both").click()


def embeddings(page: Page, things: Things) -> None:
    """Another model, which is being built for as long as its endpoint does not answer, can be given up."""
    page.goto("/#/settings/models")
    expect(page.get_by_text("all-MiniLM-L6-v2").first).to_be_visible()


def forget(page: Page, things: Things) -> None:
    page.goto("/#/settings/accounts")
    reddit = page.get_by_role("article", name="Reddit")
    reddit.get_by_role("button", name=re.compile("^(Set|Change)")).first.click()
    reddit.get_by_label("OAuth client id").fill("very-secret-id")
    reddit.get_by_role("button", name="Keep sealed").click()
    reddit.get_by_role("button", name="Forget").click()


def highlight(page: Page, things: Things) -> None:
    document(page, things)
    page.get_by_role("region", name="The document's text").focus()
    for one in ("Enter", "Enter"):
        page.keyboard.press(one)


def removal(page: Page, things: Things) -> None:
    library(page, things)
    page.get_by_role("listbox", name="Documents").focus()
    for one in ("Home", " ", "Delete"):
        page.keyboard.press(one)


def then(*steps: Callable[[Page, Things], object] | Callable[[Page], object]) -> Callable[[Page, Things], None]:
    def show(page: Page, things: Things) -> None:
        for step in steps:
            step(page, things) if step.__code__.co_argcount > 1 else step(page)  # pyright: ignore[reportCallIssue]

    return show


def adds(page: Page, things: Things) -> None:
    page.goto("/#/sources?add=https://birds.example/%20@ida%20nothing%20at%20all")


def filters(page: Page) -> None:
    page.get_by_text("Filters").click()


def click(name: str, role: str = "button") -> Callable[[Page], None]:
    return lambda page: page.get_by_role(role, name=re.compile(name)).first.click()  # pyright: ignore[reportArgumentType]


FACES = [
    Face("drafts", ("view:drafts",), lambda page, _: page.goto("/#/drafts")),
    Face("the trash", (), trash),
    Face("for good", ("dialog:draft/Drafts",), then(trash, click("Remove for good"), dialog)),
    Face("a draft", ("command:evidence.toggle",), draft),
    Face("find and replace", ("command:draft.find",), lambda page, things: draft(page, things, "Control+f")),
    Face("the outline", ("command:draft.outline",), lambda page, things: draft(page, things, "Control+Shift+o")),
    Face("focus mode", ("command:draft.focus",), lambda page, things: draft(page, things, "Control+Shift+f")),
    Face(
        "the goal",
        ("command:draft.goal", "dialog:draft/GoalDialog"),
        then(lambda page, things: draft(page, things, into="Word goal"), dialog),
    ),
    Face(
        "history",
        ("command:draft.history", "dialog:draft/HistoryDialog"),
        then(lambda page, things: draft(page, things, "Control+Shift+h"), dialog),
    ),
    Face(
        "export",
        ("command:draft.export", "dialog:exporting/ExportDialog"),
        then(lambda page, things: draft(page, things, "Control+Shift+x"), dialog),
    ),
    Face(
        "references",
        ("command:draft.references", "dialog:citing/Bibliography"),
        then(lambda page, things: draft(page, things, "Control+Shift+b"), dialog),
    ),
    Face("a reference edited", (), then(lambda page, things: draft(page, things, "Control+Shift+b"), click("^Edit"))),
    Face(
        "what is cited",
        ("command:citation.show",),
        then(lambda page, things: draft(page, things, "Control+Home"), key("End"), key("ArrowLeft"), key("Alt+c")),
    ),
    Face("completion", (), then(draft, key("Control+End"), lambda page: page.keyboard.type(" [@ho", delay=30))),
    Face(
        "evidence read",
        ("command:evidence.read",),
        then(draft, key("Alt+ArrowDown"), key("Alt+r")),
    ),
    Face("a conflict", ("dialog:draft/ConflictDialog",), then(conflict, dialog)),
    Face("the library", ("view:library", "command:library.search"), library),
    Face("the library's filters", (), then(library, click("^Filters"))),
    Face("what was found", (), lambda page, things: library(page, things, "?query=phones")),
    Face("nothing found", (), lambda page, things: library(page, things, "?query=xyzzyplugh")),
    Face("highlights", (), lambda page, things: library(page, things, "?show=highlights")),
    Face("deleting", ("dialog:library/RemoveDialog",), then(removal, dialog)),
    Face("a note", ("command:note.new", "dialog:library/NoteDialog"), then(library, key("Alt+Shift+n"), dialog)),
    Face("the reader", ("view:documents",), document),
    Face("an original", (), lambda page, things: document(page, things, "Original")),
    Face("versions", (), lambda page, things: document(page, things, "Versions")),
    Face("a selection", ("dialog:reader/SelectionBar",), highlight),
    Face("a highlight", ("dialog:reader/HighlightDialog",), then(document, click("^Highlight: "), dialog)),
    Face("sources", ("view:sources",), lambda page, _: page.goto("/#/sources")),
    Face("a source", (), lambda page, things: page.goto(f"/#/sources/{things.source}")),
    Face("a source edited", (), then(lambda page, things: page.goto(f"/#/sources/{things.source}"), click("^Edit"))),
    Face("jobs", (), lambda page, _: page.goto("/#/sources?show=jobs")),
    Face("adding", ("command:source.add", "dialog:sources/AddSource"), then(adds, dialog)),
    Face("answers", ("view:answers",), lambda page, _: page.goto("/#/answers")),
    Face(
        "questions' filters",
        (),
        then(lambda page, _: page.goto("/#/answers"), lambda page: page.get_by_text("Filters").click()),
    ),
    Face("investigations", ("view:investigations",), lambda page, _: page.goto("/#/answers?list=investigations")),
    Face("an answer", ("command:answer.keep", "command:answer.copy", "command:answer.stop"), answered),
    Face(
        "an answer's source",
        (),
        then(answered, lambda page: page.get_by_role("button", name=re.compile(r"^Source \d+")).first.hover()),
    ),
    Face(
        "a draft for an answer",
        ("command:answer.drop", "dialog:answer/ChooseDraft"),
        then(answered, click("^Put into a draft"), dialog),
    ),
    *(
        Face(f"settings: {one}", (f"section:{one}",), lambda page, _, one=one: page.goto(f"/#/settings/{one}"))
        for one in sorted(sections())
    ),
    Face("settings", ("view:settings",), lambda page, _: page.goto("/#/settings")),
    Face("an account forgotten", ("dialog:settings/Account",), then(forget, dialog)),
    Face(
        "a model given up",
        ("dialog:settings/Embeddings",),
        then(embeddings, click("^Drop$"), dialog),
    ),
    Face("first steps", ("view:welcome",), lambda page, _: page.goto("/#/welcome")),
    Face("nothing there", (), lambda page, _: page.goto("/#/nowhere")),
    Face("no such document", (), lambda page, _: page.goto(f"/#/documents/{uuid4()}")),
    Face(
        "the command bar",
        ("command:bar.open", "dialog:bar/CommandBar"),
        then(library, key("Control+k"), lambda page: page.get_by_role("dialog").get_by_role("combobox").fill("phones")),
    ),
    Face("the keys", ("command:keys.show", "dialog:keys/KeyMap"), then(library, key("F1"), dialog)),
]
ELSEWHERE = {
    # It takes an Extrophi with keys: test_first_steps looks at it.
    "dialog:onboarding/SignIn",
    # Only the desktop program has it: tests/desktop looks at it there.
    "dialog:connecting/ConnectView",
    # They open nothing that is not here by another name.
    *(f"command:go.{one}" for one in ("drafts", "library", "sources", "answers", "settings")),
    *(f"command:draft.{one}" for one in ("new", "save", "bold", "italic", "link", "trash")),
    *(f"command:evidence.{one}" for one in ("next", "previous", "cite", "quote")),
    "command:citation.read",
    "command:theme.switch",
}


@pytest.fixture(scope="module")
def building(extrophi: Running) -> Iterator[None]:
    """A second embedding model that never gets done."""
    collect_reading(extrophi)
    # The first model is chosen at the first indexing.
    eventually(lambda: any(one["state"] == "active" for one in extrophi.get("/api/embeddings")["items"]) or None)
    with serving() as endpoint:
        probes = 1
        endpoint.refuse = lambda _: (503, {}, {"error": "busy"}) if len(endpoint.requests) > probes else None
        extrophi.post("/api/embeddings", {"model": "another", "endpoint": endpoint.url})
        yield
        for one in extrophi.get("/api/embeddings")["items"]:
            if one["model"] == "another":
                extrophi.client.delete(f"/api/embeddings/{one['id']}").raise_for_status()


@pytest.fixture(scope="module")
def things(extrophi: Running, building: None) -> Things:
    assert building is None
    [found, *_] = eventually(lambda: extrophi.post("/api/search", {"query": QUESTION})["items"] or None)
    source = extrophi.post("/api/sources", {"target": str(REPO / "examples" / "reading"), "title": "Reading"})
    extrophi.ended(source["last_job"]["id"])
    highlight = {"document_id": found["document_id"], "version": 1, "start": found["start"], "end": found["start"] + 20}
    extrophi.post("/api/highlights", highlight | {"note": "Look at this again."})
    cited = found["citation"]
    span = {
        "locator": "",
        "version": 1,
        "start": cited["quote_start"],
        "end": cited["quote_end"],
        "quote": cited["quote"],
        "deep_link": None,
    }
    origin = {"document_id": found["document_id"], "platform": "files", "part": None, "spans": [span]}
    reference = {
        "id": "holm2024",
        "type": "article",
        "title": cited["title"],
        "author": [{"literal": "Ida Holm"}],
        "custom": {"extrophi": origin},
    }
    text = f"{SENTENCE} [@holm2024]\n\n# A heading\n\n> A **quotation**, `code`, [a link](https://birds.example).\n"
    draft = {"text": text, "bibliography": [reference], "settings": {}}
    made = extrophi.client.post("/api/drafts", json=draft).raise_for_status().json()
    return Things(extrophi, found["document_id"], source["id"], made["id"])


def test_every_view_dialog_section_and_command_has_a_face() -> None:
    there = {f"view:{one}" for one in views()} | {f"section:{one}" for one in sections()}
    there |= {f"dialog:{one}" for one in dialogs()} | {f"command:{one}" for one in commands()}
    assert min(len(views()), len(sections())) > 5  # they were read
    known = {one for face in FACES for one in face.covers} | ELSEWHERE
    assert there - known == set()
    assert known - there - {"dialog:reader/SelectionBar"} == set()  # it is no dialog, and floats as one


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_everybody_can_use(face: Face, page: Page, watch: Watch, things: Things) -> None:
    watch.expects_failures = True  # what is not there, and a conflict
    page.emulate_media(reduced_motion="reduce")
    page.goto("/#/sources")  # a draft that is open is the last to be left
    face.show(page, things)
    expect(page.get_by_role("main").or_(page.get_by_role("dialog")).first).not_to_be_empty()
    page.wait_for_load_state("networkidle")
    found = violations(page)
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(100)
    assert found + [f"on a telephone: {one}" for one in violations(page)] == []
    assert not overflows(page)
