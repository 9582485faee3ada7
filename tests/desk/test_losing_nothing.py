"""What two windows, a server that is away, other programs and a slip of the hand do to a draft: no word is lost."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.desk.test_drafts import begin, draft_id, editor, saved_text, status
from tests.desk.watching import Watch
from tests.system.running import Running, eventually

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""One pixel."""


@pytest.fixture(autouse=True)
def refusals(watch: Watch) -> None:
    watch.expects_failures = True  # a server that is away, and its 412


def write(page: Page, text: str) -> None:
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def save_elsewhere(extrophi: Running, id: str, text: str) -> None:  # noqa: A002  the contract's name
    seen = extrophi.client.get(f"/api/drafts/{id}").headers["etag"]
    body = {"text": text, "bibliography": [], "settings": {}, "mark": None}
    extrophi.client.put(f"/api/drafts/{id}", json=body, headers={"If-Match": seen}).raise_for_status()


def paste(page: Page, kind: str, name: str, text: str = "") -> None:
    """Paste an image that says it is of a kind, beside a text."""
    page.evaluate(
        """([base64, kind, name, text]) => {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], name, { type: kind }));
            if (text) data.setData("text/plain", text);
            document.querySelector(".cm-content").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        [PNG, kind, name, text],
    )


def test_what_two_windows_wrote_while_the_server_was_away_is_there_when_one_is_opened(
    page: Page, context: BrowserContext, extrophi: Running
) -> None:
    id = begin(page, "First.\n\nSecond.")  # noqa: A001
    other = context.new_page()
    other.goto(f"/#/drafts/{id}")
    expect(editor(other)).to_contain_text("Second.")
    context.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.bring_to_front()
    page.locator(".cm-line", has_text="First.").click()
    page.keyboard.press("End")
    page.keyboard.type(" By one.")
    expect(status(page)).to_have_text(re.compile("Kept on this device"))
    other.bring_to_front()
    write(other, " By the other.")
    expect(status(other)).to_have_text(re.compile("Kept on this device"))
    page.close()
    other.close()

    again = context.new_page()
    again.goto(f"/#/drafts/{id}")
    expect(editor(again)).to_contain_text("First. By one.")
    expect(editor(again)).to_contain_text("Second. By the other.")
    again.close()
    context.unroute("**/api/**")
    last = context.new_page()
    last.goto(f"/#/drafts/{id}")
    eventually(lambda: saved_text(extrophi, id) == "First. By one.\n\nSecond. By the other." or None)


def conflict(page: Page, extrophi: Running) -> str:
    id = begin(page, "Top.\n\nThe heron eats at dawn.")  # noqa: A001
    page.keyboard.press("Shift+Control+ArrowLeft")
    save_elsewhere(extrophi, id, "Top.\n\nThe heron eats at dusk.")
    page.keyboard.type("noon")
    expect(status(page)).to_have_text("Changed in two places")
    return id


def test_a_conflict_that_is_settled_does_not_undo_what_came_meanwhile(page: Page, extrophi: Running) -> None:
    id = conflict(page, extrophi)  # noqa: A001
    page.get_by_role("button", name="Look at both").click()
    save_elsewhere(extrophi, id, "Top, newer.\n\nThe heron eats at dusk.")
    page.get_by_role("dialog").get_by_role("radio", name="Keep what is here").check()
    page.get_by_role("dialog").get_by_role("button", name="Use this text").click()
    expect(status(page)).to_have_text("Saved")
    text = saved_text(extrophi, id)
    assert text.startswith("Top, newer.")
    assert "noon" in text


def test_nothing_is_restored_over_what_is_not_saved(page: Page, extrophi: Running) -> None:
    conflict(page, extrophi)
    page.keyboard.press("Control+Shift+H")
    dialog = page.get_by_role("dialog", name="History")
    dialog.get_by_role("button", name="Restore this version").click()
    expect(page.get_by_text(re.compile("Not restored"))).to_be_visible()
    expect(editor(page)).to_contain_text("noon")


def test_an_image_is_named_for_what_it_is(page: Page, extrophi: Running) -> None:
    id = begin(page, "An image:\n\n")  # noqa: A001
    paste(page, "image/jpeg", "pond.jpg")
    expect(page.get_by_role("img", name="pond")).to_be_visible()
    name = eventually(lambda: re.search(r"images/([0-9a-f]{16}\.png)", saved_text(extrophi, id)))[1]
    eventually(lambda: extrophi.client.get(f"/api/drafts/{id}/images/{name}").status_code == 200 or None)
    page.reload()
    expect(page.get_by_role("img", name="pond")).to_be_visible()


def test_an_image_that_the_server_refuses_is_told_and_holds_up_nothing(page: Page, extrophi: Running) -> None:
    id = begin(page, "Two:\n\n")  # noqa: A001
    problem = '{"code": "too_large", "title": "Too large", "detail": "Too large by far.", "hint": "Make it smaller."}'
    headers = {"content-type": "application/problem+json"}
    page.route("**/images", lambda route: route.fulfill(status=413, body=problem, headers=headers))
    paste(page, "image/png", "pond.png")
    expect(page.get_by_text(re.compile("on this device only. Too large by far"))).to_be_visible()
    write(page, " And on.")
    expect(status(page)).to_have_text("Saved")
    eventually(lambda: saved_text(extrophi, id).endswith(" And on.") or None)
    expect(page.get_by_role("img", name="pond")).to_be_visible()


def test_of_a_text_with_its_picture_the_text_is_pasted(page: Page, extrophi: Running) -> None:
    id = begin(page, "From a table: ")  # noqa: A001
    paste(page, "image/png", "image.png", "a\tb")
    eventually(lambda: saved_text(extrophi, id) == "From a table: a\tb" or None)


def test_keys_do_nothing_behind_a_dialog(page: Page) -> None:
    id = begin(page, "Herons.")  # noqa: A001
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Alt+n")
    page.keyboard.press("Alt+2")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert draft_id(page) == id
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+2")
    expect(page).to_have_url(re.compile("#/library"))
