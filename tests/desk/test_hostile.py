"""Whatever was collected is shown as text: in every view nothing of it runs, and nothing is asked of anybody."""

import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.desk.conftest import launched
from tests.desk.hostile import ADDRESSES, VECTORS, hostile_draft
from tests.desk.hostile_library import LOT, PLATFORMS, HostileLibrary, hostile_library, lot
from tests.desk.test_drafts import editor
from tests.desk.test_exporting import make_draft
from tests.desk.watching import Watch
from tests.system.running import Running

pytestmark = pytest.mark.timeout(600)

# What only our own build may put into a page, and what nobody may.
_FOREIGN = """
window.foreign = () => {
    const elements = "frame, object, embed, base, form[action], [formaction], [ping], [background], math, marquee,"
        + " frameset, isindex, xmp, plaintext, area, video, audio, source, meta[http-equiv]";
    const found = [...document.querySelectorAll(elements)];
    for (const one of document.querySelectorAll("*")) {
        const names = one.getAttributeNames();
        const at = (name) => one.getAttribute(name);
        const is = (...tags) => tags.includes(one.localName);
        if (names.some((name) => /^on/i.test(name))) found.push(one);
        if (is("script", "link") && !/^\\/(assets\\/|icon)/.test(at("src") ?? at("href") ?? "")) found.push(one);
        if (is("iframe") && (at("sandbox") !== "" || (at("src") !== null && !at("src").startsWith("/api/documents/"))))
            found.push(one);
        if (is("svg") && one.getAttribute("aria-hidden") !== "true") found.push(one);
        if (is("img") && !/^(blob:|\\/api\\/drafts\\/|$)/.test(at("src") ?? "")) found.push(one);
        if (is("a") && at("href") !== null && !/^(#|https?:\\/\\/)/.test(at("href"))) found.push(one);
        if (/url\\(|expression/.test(at("style") ?? "")) found.push(one);
    }
    if (window.ran !== undefined) return [`ran: ${window.ran}`];
    return found.map((one) => one.outerHTML.slice(0, 200));
};
window.until = async (look) => {
    for (const end = performance.now() + 20_000; performance.now() < end; ) {
        const seen = look();
        if (seen) return seen;
        await new Promise((done) => setTimeout(done, 4));
    }
    const main = document.querySelector("main")?.innerText.slice(0, 300);
    throw new Error(`not seen: ${look} at ${location.hash}: ${main}`);
};
"""
_READ = """async ({ documents, tabs }) => {
    performance.setResourceTimingBufferSize(100_000);
    const tab = (name) => [...document.querySelectorAll("[role=tab]")].find((one) => one.textContent === name);
    const faults = [];
    for (const { id, title } of documents) {
        location.hash = `#/documents/${id}`;
        const head = () => document.querySelector("main h2")?.textContent;
        await until(() => head() === (title || "Untitled") && document.querySelector("[data-start], .passage"));
        faults.push(...foreign().map((one) => `${id}: ${one}`));
        if (!tabs) continue;
        tab("Original").click();
        await until(() => /Scripts do not run|No original was kept|is not shown here/
            .test(document.querySelector("[role=tabpanel]").innerText));
        const frame = document.querySelector("iframe");
        if (frame) await until(() => performance.getEntriesByName(frame.src).length > 0);
        faults.push(...foreign().map((one) => `the original of ${id}: ${one}`));
        if (tab("Screenshot")) {
            tab("Screenshot").click();
            await until(() => document.querySelector("main img")?.complete);
            faults.push(...foreign().map((one) => `the screenshot of ${id}: ${one}`));
        }
        tab("Text").click();
    }
    return faults;
}"""


@dataclass
class Outside:
    """Where `outside.example` leads: a listener on loopback that counts who came."""

    port: int = 0
    reached: list[bytes] = field(default_factory=list[bytes])


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        found = Outside(listener.getsockname()[1])
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    one, _ = listener.accept()
                except TimeoutError:
                    continue
                with one:
                    one.settimeout(1)
                    found.reached.append(one.recv(200))

        thread = threading.Thread(target=listen)
        thread.start()
        yield found
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def browser(playwright: Playwright, outside: Outside) -> Iterator[Browser]:
    rule = f"--host-resolver-rules=MAP outside.example 127.0.0.1:{outside.port}"
    with launched(playwright, rule) as browser:
        yield browser


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileLibrary]:
    with hostile_library(tmp_path_factory.mktemp("hostile")) as library:
        yield library


@pytest.fixture(scope="module")
def extrophi(library: HostileLibrary) -> Running:
    return library.running


@pytest.fixture
def page(context: BrowserContext, watch: Watch, outside: Outside) -> Iterator[Page]:
    outside.reached.clear()
    context.add_init_script(_FOREIGN)
    page = context.new_page()
    page.on("dialog", lambda dialog: watch.faults.append(f"a script ran: {dialog.message}"))
    page.on("popup", lambda popup: watch.faults.append(f"a window opened: {popup.url}"))
    yield page
    assert page.evaluate("window.ran") is None
    assert outside.reached == []


def foreign(page: Page) -> list[str]:
    return page.evaluate("foreign()")


def test_the_listener_outside_hears_of_a_request(browser: Browser, outside: Outside) -> None:
    """Without this the tests below could not fail."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content("<img src=http://outside.example/asked onerror='window.ran=1'>")
        page.wait_for_function("window.ran === 1")
    assert any(b"GET /asked" in one for one in outside.reached)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_reader_shows_it_as_text(page: Page, library: HostileLibrary, platform: str) -> None:
    mine = [one for one in library.documents if one["platform"] == platform]
    assert len(mine) > len(VECTORS)
    page.goto("/#/library")
    for at in range(0, len(mine), 40):
        some = [{"id": one["id"], "title": one["title"]} for one in mine[at : at + 40]]
        assert page.evaluate(_READ, {"documents": some, "tabs": False}) == []


def test_originals_and_screenshots_stay_in_their_frame(page: Page, library: HostileLibrary, watch: Watch) -> None:
    found = [one for one in library.originals if one["platform"] in {"web", "files"}]
    assert {one["platform"] for one in library.originals} == set(PLATFORMS)
    assert any(one["has_screenshot"] for one in found)
    page.goto("/#/library")
    for at in range(0, len(found), 20):
        some = [{"id": one["id"], "title": one["title"]} for one in found[at : at + 20]]
        assert page.evaluate(_READ, {"documents": some, "tabs": True}) == []
    # What the frames' own policy refused was refused: Chromium tells of it, and the listener outside heard nothing.
    watch.faults[:] = [fault for fault in watch.faults if not _is_refusal(fault)]


def _is_refusal(fault: str) -> bool:
    return "http://outside.example/asked" in fault or re.search(r"Content Security Policy|sandboxed", fault) is not None


def test_an_original_whose_address_is_typed_runs_nothing(
    context: BrowserContext, library: HostileLibrary, outside: Outside
) -> None:
    """Not with `watch`, which cannot know what is refused within a page of somebody else's."""
    outside.reached.clear()
    ran: list[str] = []
    page = context.new_page()
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    page.on("popup", lambda popup: ran.append(popup.url))
    for one in library.originals:
        address = f"/api/documents/{one['id']}/capture"
        answer = page.goto(address)
        assert answer
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert page.url.endswith(address)
        assert page.evaluate("[window.ran, origin]") == [None, "null"], one["title"]
    assert ran == []
    assert outside.reached == []


def test_the_lists_of_the_library_show_it_as_text(page: Page, library: HostileLibrary) -> None:
    page.goto("/#/library")
    listbox = page.get_by_role("listbox", name="Documents")
    expect(listbox.locator(".title").first).to_be_visible()
    seen = page.evaluate(
        """async () => {
            const list = document.querySelector("[role=listbox]");
            const seen = new Set(), faults = [];
            for (let at = 0; at < list.scrollHeight; at += list.clientHeight) {
                list.scrollTop = at;
                await until(() => list.querySelector(".title") && !list.querySelector(".waiting"));
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                for (const one of list.querySelectorAll(".title")) seen.add(one.textContent);
                faults.push(...foreign());
            }
            return { seen: [...seen], faults };
        }"""
    )
    assert seen["faults"] == []
    assert {one["title"] or "Untitled" for one in library.documents} <= {*seen["seen"]}
    for platform in PLATFORMS:
        page.goto(f"/#/library?query=lamprey&platform={platform}")
        expect(page.get_by_role("list", name="What was found").get_by_role("listitem")).not_to_have_count(0)
        assert foreign(page) == []
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("lamprey onerror script")
    expect(page.get_by_role("group", name="In the library").get_by_role("option")).not_to_have_count(0)
    assert foreign(page) == []


def test_the_evidence_panel_shows_it_as_text(page: Page, library: HostileLibrary) -> None:
    lots = sorted({lot(number) for number in range(len(VECTORS))})
    text = "\n\n".join(f"At night the {one} swims past and rests near the weir." for one in lots)
    page.goto(f"/#/drafts/{make_draft(library.running, text, [])}")
    editor(page).click()
    page.keyboard.press("Control+Home")
    seen: set[str] = set()
    for one in lots:
        seen |= {
            *page.evaluate(
                """async (lot) => {
                    const pieces = () => [...document.querySelectorAll("aside article")];
                    await until(() => pieces().some((one) => one.querySelector(".text").textContent.includes(lot)));
                    return pieces().map((one) => one.querySelector("h3").textContent);
                }""",
                one,
            )
        }
        assert foreign(page) == []
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
    assert len(seen & {*VECTORS}) > 0.9 * len({*VECTORS})


def test_answers_quote_it_as_text(page: Page, library: HostileLibrary) -> None:
    for n in range(0, len(VECTORS), 3 * LOT):
        # One that writes all of it itself, and cites it.
        mine = [*VECTORS[n : n + 3 * LOT], *(f"[x]({one}) ![x]({one}) <{one}>" for one in ADDRESSES)]
        library.model.reply = [
            f"The lamprey swims past the weir [{at % 5 + 1}]. {one}\n\n" for at, one in enumerate(mine)
        ]
        page.goto("/#/answers")
        field = page.get_by_role("textbox", name="What do you want to know?")
        field.fill(f"What swims past {lot(n)} {lot(n + LOT)} {VECTORS[n]}")
        field.press("Control+Enter" if "\n" in VECTORS[n] else "Enter")
        expect(page.get_by_text("Written by small-chat")).to_be_visible(timeout=60_000)
        assert foreign(page) == []
        number = page.get_by_role("region", name="Answer").get_by_role("button", name=re.compile(r"^Source \d+")).first
        number.hover()
        expect(page.get_by_role("tooltip")).to_be_visible()
        assert foreign(page) == []
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("The answer is kept.")).to_be_visible()
    page.goto("/#/answers")
    expect(page.get_by_role("link", name=re.compile("What swims past"))).not_to_have_count(0)
    assert foreign(page) == []


def cited(library: HostileLibrary) -> tuple[str, list[dict[str, Any]]]:
    """A draft that cites a document for each vector, with references whose every field was written to do harm."""
    _, references = hostile_draft()
    mine = [one for one in library.documents if one["external_id"].startswith("hostile-")][: len(references)]
    for reference, document in zip(references, mine, strict=False):
        text = library.running.get(f"/api/documents/{document['id']}")["text"]
        span = {"locator": reference["title"], "version": 1, "start": 0, "end": 40, "quote": text[:40]}
        origin = {"document_id": document["id"], "platform": document["platform"], "part": reference["URL"]}
        reference["custom"] = {"extrophi": origin | {"spans": [span | {"deep_link": reference["URL"]}]}}
    return "\n\n".join(f"Cited [@{one['id']}]." for one in references), references


def test_a_drafts_citations_and_references_show_it_as_text(page: Page, library: HostileLibrary) -> None:
    text, references = cited(library)
    page.goto(f"/#/drafts/{make_draft(library.running, text, references)}")
    editor(page).click()
    page.keyboard.press("Control+Home")
    for reference in references:
        for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Alt+c"):
            page.keyboard.press(key)
        card = page.get_by_role("region", name="What is cited")
        expect(card.get_by_role("heading")).to_have_text(str(reference["title"]))
        assert foreign(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+Shift+b")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(len(references))
    assert foreign(page) == []


def test_what_will_be_exported_is_shown_as_text(page: Page, library: HostileLibrary, watch: Watch) -> None:
    watch.expects_failures = True  # images that the draft has not
    page.goto(f"/#/drafts/{make_draft(library.running, *hostile_draft())}")
    expect(editor(page)).to_be_visible()
    assert foreign(page) == []
    page.keyboard.press("Control+Shift+x")
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog.get_by_role("listitem")).not_to_have_count(0)
    for radio in dialog.get_by_role("radio").all():
        radio.check()
        expect(dialog.get_by_text(re.compile("^Will be saved as"))).to_be_visible()
        assert foreign(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+h")
    expect(page.get_by_role("dialog", name="History")).to_be_visible()
    assert foreign(page) == []


def test_names_that_a_person_took_over_are_shown_as_text(page: Page, library: HostileLibrary) -> None:
    """Collections, sources, highlights and their notes, drafts' titles, kept questions: pasted from somewhere."""
    running = library.running
    document = library.documents[0]["id"]
    for number, evil in enumerate(VECTORS):
        one = " ".join(evil.split())[:200]
        if number % 5 == 0:
            running.client.post("/api/collections", json={"name": f"{number} {one}"})
            made = running.client.post("/api/sources", json={"target": f"http://127.0.0.1:1/{number}", "title": evil})
            assert made.status_code < 300, made.text
        make_draft(running, f"# {evil}\n\n{evil}", [])
        highlight = {"document_id": document, "version": 1, "start": number % 20, "end": number % 20 + 5, "note": evil}
        assert running.client.post("/api/highlights", json=highlight).status_code < 300
    for address, known in (
        ("/#/sources", "Sources"),
        ("/#/sources?show=jobs", "Sources"),
        ("/#/library?show=highlights", "Library"),
        ("/#/settings/collections", "Settings"),
        ("/#/drafts", "Drafts"),
        (f"/#/documents/{document}", "Reader"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", name=known, level=1)).to_be_attached()
        page.wait_for_load_state("networkidle")
        assert foreign(page) == [], address
