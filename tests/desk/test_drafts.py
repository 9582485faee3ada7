"""Writing, as a person does it: it is there afterwards, whatever happened in between."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.desk.watching import Watch
from tests.system.running import Running, eventually


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Draft")


def draft_id(page: Page) -> str:
    match = re.search(r"#/drafts/([0-9a-f-]{36})", page.url)
    assert match, page.url
    return match[1]


def status(page: Page) -> Locator:
    return page.locator("footer .status")


def begin(page: Page, text: str = "") -> str:
    """A new draft with a text, saved."""
    page.goto("/#/drafts/new")
    editor(page).click()
    if text:
        page.keyboard.insert_text(text)
    expect(status(page)).to_have_text("Saved")
    return draft_id(page)


def saved_text(extrophi: Running, id: str) -> str:  # noqa: A002  the contract's name
    return extrophi.get(f"/api/drafts/{id}")["text"]


def test_what_is_written_is_saved_by_itself(page: Page, extrophi: Running) -> None:
    page.goto("/")
    expect(page.get_by_role("searchbox", name="Find a draft")).to_be_visible()
    page.keyboard.press("Alt+n")
    editor(page).click()
    page.keyboard.type("# Herons\n\nThey stand in the shallows 🪶.", delay=5)
    expect(status(page)).to_have_text("Saved")
    id = draft_id(page)  # noqa: A001
    eventually(lambda: saved_text(extrophi, id) == "# Herons\n\nThey stand in the shallows 🪶." or None)
    expect(page.get_by_role("link", name=re.compile("Herons"))).to_be_visible()
    expect(page.get_by_text("6 words").first).to_be_visible()
    page.reload()
    expect(editor(page)).to_contain_text("They stand in the shallows 🪶.")


def test_a_draft_without_a_word_is_one_after_a_reload_and_still_is_when_it_was_saved(
    page: Page, extrophi: Running, watch: Watch
) -> None:
    watch.expects_failures = True  # the server does not know it yet
    page.goto("/#/drafts/new")
    expect(editor(page)).to_be_visible()
    id = draft_id(page)  # noqa: A001
    page.reload()
    expect(editor(page)).to_be_visible()
    assert draft_id(page) == id
    editor(page).click()
    page.keyboard.type("Herons.")
    eventually(lambda: saved_text(extrophi, id) == "Herons." or None)
    page.reload()
    expect(editor(page)).to_contain_text("Herons.")


def test_a_draft_that_was_removed_elsewhere_does_not_come_back_by_a_reload(
    page: Page, extrophi: Running, watch: Watch
) -> None:
    watch.expects_failures = True
    id = begin(page, "Gone.")  # noqa: A001
    for where in ("", "?for_good=true"):
        extrophi.client.delete(f"/api/drafts/{id}{where}").raise_for_status()
    page.evaluate("indexedDB.deleteDatabase('extrophi')")  # as after a month: nothing of it is kept here
    page.reload()
    expect(page.get_by_text("There is no draft")).to_be_visible()


def test_a_dialog_gives_the_focus_back_to_what_it_was_opened_from(page: Page) -> None:
    begin(page, "one two three")
    page.keyboard.press("Control+Shift+H")
    expect(page.get_by_role("dialog", name="History")).to_be_visible()
    page.keyboard.press("Escape")
    expect(editor(page)).to_be_focused()

    page.keyboard.press("Control+k")  # the bar is gone by the time the dialog closes
    page.keyboard.type("word goal")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Goal")
    expect(dialog.get_by_role("spinbutton")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(editor(page)).to_be_focused()

    goal = page.get_by_role("button", name="3 words")
    goal.click()
    dialog.get_by_role("button", name="Close").click()
    expect(goal).to_be_focused()


def test_marks_step_aside_where_one_is_not_writing(page: Page) -> None:
    begin(page, "# Herons\n\nA **grey** heron.\n\nEnd")
    heading = page.locator(".cm-line").first
    expect(heading).to_have_text("Herons")
    expect(page.locator(".cm-line", has_text="grey")).to_have_text("A grey heron.")
    heading.click()
    expect(heading).to_have_text("# Herons")


def test_two_windows_write_in_one_draft_and_nothing_is_overwritten(
    page: Page, context: BrowserContext, extrophi: Running, watch: Watch
) -> None:
    watch.expects_failures = True  # the 412
    id = begin(page, "First.\n\nSecond.\n\nThird.")  # noqa: A001
    other = context.new_page()
    other.goto(f"/#/drafts/{id}")
    expect(editor(other)).to_contain_text("Third.")
    other.locator(".cm-line", has_text="Third.").click()
    other.keyboard.press("End")
    other.keyboard.type(" And a fourth.")
    page.locator(".cm-line", has_text="First.").click()
    page.keyboard.press("End")
    page.keyboard.type(" Really.")
    both = "First. Really.\n\nSecond.\n\nThird. And a fourth."
    eventually(lambda: saved_text(extrophi, id) == both or None)
    for window in (page, other):
        window.bring_to_front()
        expect(editor(window)).to_contain_text("First. Really.")
        expect(editor(window)).to_contain_text("Third. And a fourth.")


def test_a_conflict_is_shown_and_both_sides_can_be_kept(page: Page, extrophi: Running, watch: Watch) -> None:
    watch.expects_failures = True  # the 412
    id = begin(page, "The heron eats at dawn.")  # noqa: A001
    draft = extrophi.client.get(f"/api/drafts/{id}")
    # Written elsewhere, by something that reads and writes as we do.
    theirs = {"text": "The heron eats at dusk.", "bibliography": [], "settings": {}, "mark": None}
    page.keyboard.press("Control+Home")
    for _ in range(18):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Control+ArrowRight")
    extrophi.client.put(
        f"/api/drafts/{id}", json=theirs, headers={"If-Match": draft.headers["etag"]}
    ).raise_for_status()
    page.keyboard.type("noon")
    expect(status(page)).to_have_text("Changed in two places")
    expect(editor(page)).to_contain_text("noon")
    assert saved_text(extrophi, id) == "The heron eats at dusk."
    page.get_by_role("button", name="Look at both").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("noon")
    expect(dialog).to_contain_text("dusk")
    dialog.get_by_role("radio", name="Keep both").check()
    dialog.get_by_role("button", name="Use this text").click()
    expect(status(page)).to_have_text("Saved")
    text = saved_text(extrophi, id)
    assert "noon" in text
    assert "dusk" in text


def test_writing_goes_on_while_the_server_is_away(
    page: Page, context: BrowserContext, extrophi: Running, watch: Watch
) -> None:
    watch.expects_failures = True
    id = begin(page, "Here.")  # noqa: A001
    context.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.keyboard.type(" And away.")
    expect(status(page)).to_have_text(re.compile("Kept on this device"))
    assert saved_text(extrophi, id) == "Here."
    context.unroute("**/api/**")
    expect(status(page)).to_have_text("Saved", timeout=40_000)
    eventually(lambda: saved_text(extrophi, id) == "Here. And away." or None)


def test_what_was_kept_here_is_put_back_after_the_window_died(
    page: Page, context: BrowserContext, extrophi: Running, watch: Watch
) -> None:
    watch.expects_failures = True
    id = begin(page, "Kept.")  # noqa: A001
    context.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.keyboard.type(" Not sent.")
    expect(status(page)).to_have_text(re.compile("Kept on this device"))
    page.close()
    context.unroute("**/api/**")
    again = context.new_page()
    again.goto(f"/#/drafts/{id}")
    expect(editor(again)).to_contain_text("Kept. Not sent.")
    eventually(lambda: saved_text(extrophi, id) == "Kept. Not sent." or None)


def test_an_earlier_text_is_restored_and_the_later_one_is_not_lost(page: Page, extrophi: Running) -> None:
    id = begin(page, "The first text.")  # noqa: A001
    page.keyboard.press("Control+a")
    page.keyboard.type("Another text.")
    eventually(lambda: saved_text(extrophi, id) == "Another text." or None)
    page.keyboard.press("Control+Shift+H")
    dialog = page.get_by_role("dialog", name="History")
    expect(dialog).to_contain_text("first")
    dialog.get_by_role("button", name="Restore this version").click()
    expect(editor(page)).to_contain_text("The first text.")
    eventually(lambda: saved_text(extrophi, id) == "The first text." or None)
    page.get_by_role("button", name="Undo").click()
    expect(editor(page)).to_contain_text("Another text.")


def test_a_draft_goes_to_the_trash_and_comes_back(page: Page) -> None:
    title = f"Draft {uuid4().hex[:8]}"
    begin(page, title)
    expect(page.get_by_role("link", name=re.compile(title))).to_be_visible()
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_role("link", name=re.compile(title))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(editor(page)).to_contain_text(title)
    expect(page.get_by_role("link", name=re.compile(title))).to_be_visible()


def test_an_image_is_pasted_shown_and_kept(page: Page, extrophi: Running) -> None:
    id = begin(page, "An image:\n\n")  # noqa: A001
    page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 4 });
            canvas.getContext("2d").fillRect(0, 0, 4, 4);
            const blob = await new Promise((made) => canvas.toBlob(made, "image/png"));
            const data = new DataTransfer();
            data.items.add(new File([blob], "pond.png", { type: "image/png" }));
            document.querySelector(".cm-content").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_role("img", name="pond")).to_be_visible()
    name = eventually(lambda: re.search(r"!\[pond\]\(images/([0-9a-f]{16}\.png)\)", saved_text(extrophi, id)))[1]
    kept = eventually(
        lambda: ((got := extrophi.client.get(f"/api/drafts/{id}/images/{name}")).status_code == 200 and got) or None
    )
    assert kept.headers["content-type"] == "image/png"
    page.reload()
    expect(page.get_by_role("img", name="pond")).to_be_visible()


def test_find_and_replace(page: Page) -> None:
    begin(page, "heron heron pond")
    page.keyboard.press("Control+f")
    page.get_by_role("textbox", name="Find").fill("heron")
    page.get_by_role("textbox", name="Replace").fill("egret")
    page.get_by_role("button", name="Replace all").click()
    expect(editor(page)).to_contain_text("egret egret pond")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    expect(editor(page)).to_contain_text("heron heron pond")


def test_the_outline_leads_to_its_headings(page: Page) -> None:
    begin(page, "# One\n\n" + "text\n\n" * 120 + "## Two\n\nend")
    page.keyboard.press("Control+Shift+O")
    outline = page.get_by_role("complementary", name="Outline")
    expect(outline.get_by_role("button")).to_have_text(["One", "Two"])
    outline.get_by_role("button", name="Two").click()
    expect(page.locator(".cm-line", has_text="Two")).to_be_in_viewport()


def test_a_goal_shows_how_far_one_is(page: Page) -> None:
    begin(page, "one two three")
    page.get_by_role("button", name=re.compile("3 words")).click()
    page.get_by_role("spinbutton").fill("10")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("progressbar", name="Goal")).to_have_attribute("value", "3")
    page.reload()
    expect(page.get_by_role("progressbar", name="Goal")).to_have_attribute("value", "3")


@pytest.mark.parametrize("text", ["שלום עולם", "مرحبا بالعالم"])
def test_right_to_left_text_begins_at_the_right(page: Page, text: str) -> None:
    begin(page, text)
    line = page.locator(".cm-line").first
    assert line.evaluate("(line) => getComputedStyle(line).unicodeBidi") == "plaintext"
    box, rect = (
        line.bounding_box(),
        line.evaluate(
            "(line) => { const range = document.createRange(); range.selectNodeContents(line);"
            " return range.getBoundingClientRect().right }"
        ),
    )
    assert box
    assert abs(box["x"] + box["width"] - rect) < 4
