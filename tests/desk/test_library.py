"""The library and the reader, as a person uses them: found, read, highlighted, noted; nothing runs."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import BrowserContext, Page, expect

from tests.desk.watching import Watch
from tests.system.running import REPO, Running
from tests.web_server import Reply, WebServer, serving

AXE = REPO / "writer" / "node_modules" / "axe-core" / "axe.min.js"
HERONS = "🪶 Herons stand on one leg.\n\nIn cold water a heron loses warmth, e\u0301 vero.\n\nאנפה עומדת על רגל אחת."


def push(extrophi: Running, text: str, **more: Any) -> str:
    """The id of a document with this text."""
    document = {"platform": "files", "external_id": f"desk-{uuid4()}", "text": text, "title": "Herons"} | more
    return str(extrophi.post("/api/documents", {"documents": [document]})["items"][0]["id"])


def select(page: Page, words: str) -> None:
    """Select words of the text shown, as a mouse does."""
    page.get_by_role("region", name="The document's text").evaluate(
        """(root, words) => {
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf(words);
                if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + words.length);
            }
            throw new Error(words);
        }""",
        words,
    )


def test_a_citation_opens_the_reader_at_the_very_span(page: Page, extrophi: Running) -> None:
    text = "\n\n".join([*(f"Paragraph {n} says little. 🪶" for n in range(400)), "A heron waits.", "The end."])
    start = text.index("A heron")
    document = push(extrophi, text)
    page.goto(f"/#/documents/{document}?version=1&start={start}&end={start + 14}")
    mark = page.locator("mark.cited")
    expect(mark).to_have_text("A heron waits.")
    expect(mark).to_be_in_viewport()
    expect(page.get_by_role("status").filter(has_text="The passage you came for: A heron waits.")).to_be_attached()


def test_a_highlight_is_the_selected_text_in_every_script_and_its_removal_can_be_undone(
    page: Page, extrophi: Running
) -> None:
    document = push(extrophi, HERONS)
    page.goto(f"/#/documents/{document}")
    for words in ("🪶 Herons", "e\u0301 vero", "עומדת על"):
        select(page, words)
        page.get_by_role("button", name="Highlight: Green").click()
        expect(page.locator("mark.green").filter(has_text=words)).to_be_visible()
    kept = extrophi.get(f"/api/highlights?document_id={document}")["items"]
    assert {one["quote"] for one in kept} == {"🪶 Herons", "e\u0301 vero", "עומדת על"}
    assert all(HERONS[one["start"] : one["end"]] == one["quote"] for one in kept)

    page.locator("mark.green").first.click()
    page.get_by_label("Your note").fill("Why on one leg?")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Highlight: Why on one leg?").click()
    page.get_by_role("button", name="Remove the highlight").click()
    expect(page.locator("mark.green")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("mark.green")).to_have_count(3)
    assert [one["note"] for one in extrophi.get("/api/highlights?query=one leg")["items"]] == ["Why on one leg?"]


def test_the_keys_alone_select_and_highlight(page: Page, extrophi: Running) -> None:
    document = push(extrophi, HERONS)
    page.goto(f"/#/documents/{document}")
    page.get_by_role("region", name="The document's text").focus()
    for key in ("Enter", "ArrowDown", "Enter", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("mark.highlight")).to_have_text("In cold water a heron loses warmth, e\u0301 vero.")


def test_an_older_version_says_where_its_passage_stands_now(page: Page, extrophi: Running) -> None:
    name = f"desk-{uuid4()}"
    document = push(extrophi, "Herons eat at dawn.\n\nThey wait.", external_id=name)
    push(extrophi, "Grey herons eat at dusk and dawn.\n\nThey wait.", external_id=name)
    page.goto(f"/#/documents/{document}?version=1&start=0&end=19")
    expect(page.get_by_text("This is version 1. The newest is version 2.")).to_be_visible()
    expect(page.get_by_text("There, the passage reads differently:")).to_be_visible()
    page.get_by_role("button", name="What changed").click()
    expect(page.locator("ins").filter(has_text="dusk")).to_be_visible()
    page.get_by_role("tab", name="Text").click()
    page.get_by_role("button", name="Show the newest").click()
    expect(page.locator("mark.cited")).to_contain_text("dusk")


def test_comments_fold_with_what_answers_them(page: Page, extrophi: Running) -> None:
    anchors = [[0, {}], [6, {"author": "mira", "depth": 0, "score": 3}], [9, {"depth": 1, "state": "deleted"}]]
    blocks = [[0, 4, 0], [6, 7, 0], [9, 18, 0]]
    document = push(extrophi, "Post\n\na\n\n[deleted]", platform="reddit", anchors=anchors, blocks=blocks)
    page.goto(f"/#/documents/{document}")
    expect(page.get_by_text("Deleted by its author")).to_be_visible()
    page.get_by_role("button", name="Fold what mira says").click()
    expect(page.get_by_text("Deleted by its author")).to_be_hidden()
    expect(page.get_by_text("1 reply")).to_be_visible()


def test_words_are_found_as_they_are_typed_and_read_beside_the_list(page: Page, extrophi: Running) -> None:
    word = f"quill{uuid4().hex[:6]}"
    push(extrophi, f"Before it. The {word} is a feather. After it.", title=f"On the {word}")
    page.goto("/#/library")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search the library")
    expect(search).to_be_focused()
    search.press_sequentially(word)
    hits = page.get_by_role("list", name="What was found")
    expect(hits.locator("mark")).to_contain_text(word)
    hits.get_by_role("link").click()
    expect(page.get_by_role("complementary", name="Preview").locator("mark.cited")).to_contain_text(word)
    assert f"query={word}" in page.url


def test_documents_are_chosen_by_keys_and_deleted_after_a_warning(page: Page, extrophi: Running) -> None:
    collection = f"birds-{uuid4().hex[:6]}"
    documents = [push(extrophi, f"Heron {n}.", title=f"Heron {n}", collection=collection) for n in range(3)]
    extrophi.post("/api/highlights", {"document_id": documents[2], "version": 1, "start": 0, "end": 5, "note": "Mine."})
    page.goto(f"/#/library?collection={collection}&sort=title&order=descending")
    listbox = page.get_by_role("listbox", name="Documents")
    expect(listbox.get_by_role("option").filter(has_text="Heron")).not_to_have_count(0)
    listbox.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    one = listbox.get_by_role("option", name=re.compile("^Heron 2"))
    one.click()
    listbox.press("Delete")
    expect(page.get_by_text("1 highlight with its note goes, too.")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(one).to_have_count(0)
    assert extrophi.client.get(f"/api/documents/{documents[2]}").status_code == 410


def test_a_note_is_kept_until_it_is_saved_and_edited_as_a_new_version(page: Page, extrophi: Running) -> None:
    page.goto("/#/library")
    page.get_by_role("button", name="New note").first.click()
    page.get_by_label("Your note").fill("# Marsh walk\n\nHerons at dawn.")
    page.reload()
    page.get_by_role("button", name="New note").first.click()
    expect(page.get_by_label("Your note")).to_have_value("# Marsh walk\n\nHerons at dawn.")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Marsh walk").first).to_be_visible()
    page.get_by_role("button", name="Edit this note").click()
    page.get_by_label("Your note").fill("# Marsh walk\n\nHerons at dusk.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Herons at dusk.")).to_be_visible()
    note = page.url.rpartition("/")[2]
    assert extrophi.get(f"/api/documents/{note}")["version"] == 2


def test_files_are_added_with_a_result_for_each(page: Page, extrophi: Running, tmp_path: Path) -> None:
    word = f"feather{uuid4().hex[:6]}"
    (tmp_path / f"{word}.md").write_text(f"# {word}\n\nA heron's.")
    (tmp_path / "broken.pdf").write_bytes(b"no pdf")
    page.goto("/#/library")
    page.locator("input[type=file]").set_input_files([tmp_path / f"{word}.md", tmp_path / "broken.pdf"])
    expect(page.get_by_text("1 file added")).to_be_visible()
    expect(page.get_by_text("1 file could not be added")).to_be_visible()
    page.get_by_role("link", name=f"{word}.md").click()
    expect(page.get_by_text("A heron's.")).to_be_visible()
    assert extrophi.client.get("/api/documents").status_code == 200


VECTORS = [
    "<script>window.ran=1</script>",
    "<img src=x onerror='window.ran=1'><svg onload='window.ran=1'>",
    "javascript:window.ran=1//",
    '"><iframe srcdoc="<script>parent.ran=1</script>">',
    "{@html '<b>'}{{constructor.constructor('window.ran=1')()}}",
]


def test_nothing_collected_runs_or_asks_for_anything(page: Page, extrophi: Running) -> None:
    word = f"vector{uuid4().hex[:6]}"
    for n, vector in enumerate(VECTORS):
        anchors = [[0, {"author": vector, "url": "javascript:window.ran=1", "depth": 0}]]
        document = push(
            extrophi,
            f"{word} {vector}",
            title=vector,
            author=vector,
            url="javascript:window.ran=1",
            language="en",
            collection=f"{vector[:40]}{n}",
            anchors=anchors,
        )
        extrophi.post("/api/highlights", {"document_id": document, "version": 1, "start": 0, "end": 6, "note": vector})
        page.goto(f"/#/documents/{document}")
        expect(page.get_by_text(word)).to_be_visible()
        assert page.locator("a[href^='javascript:']").count() == 0
    page.goto(f"/#/library?query={word}")
    expect(page.get_by_role("list", name="What was found").get_by_role("listitem")).not_to_have_count(0)
    page.goto("/#/library?show=highlights")
    expect(page.get_by_role("list", name="Highlights").get_by_role("listitem")).not_to_have_count(0)
    assert page.evaluate("window.ran") is None


def test_the_original_is_seen_in_a_frame_that_runs_nothing_and_asks_for_nothing(page: Page, extrophi: Running) -> None:
    server = WebServer()
    server.pages["/heron"] = Reply(
        "<title>Herons</title><h1>Herons at dawn</h1><p>Herons stand in the shallows at dawn, and wait for a fish.</p>"
        "<script>fetch('/stolen'); parent.ran = 1; top.ran = 1</script><img src='/seen.png'>"
        "<link rel=stylesheet href='/a.css'>"
        "<iframe src='/inner'></iframe><body onload='top.ran = 1'>"
    )
    with serving(server):
        job = extrophi.post("/api/jobs", {"target": server.url("/heron")})
        ended = extrophi.ended(job["id"])
        assert ended["status"] == "succeeded", ended
        found = extrophi.get("/api/documents?platform=web&limit=1")["items"][0]
        server.requests.clear()
        page.goto(f"/#/documents/{found['id']}")
        page.get_by_role("tab", name="Original").click()
        frame = page.frame_locator("iframe[title^='The original of']")
        expect(frame.get_by_role("heading", name="Herons at dawn")).to_be_visible()
        expect(page.get_by_text("Scripts do not run")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert list(server.requests) == []
    assert page.evaluate("window.ran") is None
    assert page.locator("iframe").get_attribute("sandbox") == ""


def test_axe_finds_nothing_in_either_theme(page: Page, extrophi: Running) -> None:
    document = push(extrophi, HERONS)
    extrophi.post("/api/highlights", {"document_id": document, "version": 1, "start": 2, "end": 8})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for address in (
            "/#/library",
            "/#/library?show=highlights",
            "/#/library?query=herons",
            f"/#/documents/{document}",
        ):
            page.goto("about:blank")
            page.goto(address)
            expect(page.get_by_text("Herons").first).to_be_visible()
            session = page.context.new_cdp_session(page)  # the policy lets no script of ours into the page
            session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
            asked = {
                "expression": "axe.run().then(({ violations }) => JSON.stringify("
                "violations.map(({ id, nodes }) => [id, nodes[0].html])))"
            }
            found = session.send("Runtime.evaluate", asked | {"awaitPromise": True, "returnByValue": True})
            assert json.loads(found["result"]["value"]) == [], (scheme, address)


def test_a_narrow_screen_has_the_list_and_then_the_document(
    context: BrowserContext, watch: Watch, extrophi: Running
) -> None:
    assert watch.faults == []
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 700})
    push(extrophi, "W" * 400, title="W" * 300)
    page.goto("/#/library")
    page.get_by_role("option", name="W" * 300).dblclick()
    expect(page.get_by_role("heading", name="W" * 300)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
