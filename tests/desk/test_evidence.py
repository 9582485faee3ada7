"""Evidence beside the draft, and the citations that come of it, as a person has them."""

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.desk.axe import violations
from tests.desk.test_drafts import begin, draft_id, editor, status
from tests.desk.watching import Watch
from tests.system.running import Running, eventually

QUOTE = "Kestrels hover above motorway verges because voles live in the long grass there."
TEXT = (
    "Notes from a summer of counting.\n\n"
    f"{QUOTE} Nobody mows those verges before July.\n\n"
    "The grass is cut in autumn, and the birds move to the railway lines."
)
PASSAGE = "Along the motorway verges one sees kestrels that hover, since the long grass is full of voles"


def document(extrophi: Running, **fields: Any) -> str:
    """A document in the library; its id."""
    address = f"https://birds.example/{uuid4().hex}"
    pushed = {
        "platform": "web",
        "external_id": address,
        "url": address,
        "title": "Why kestrels hover over verges",
        "author": "Ida Holm",
        "published_at": "2024-03-01T10:00:00Z",
        "language": "en",
        "text": TEXT,
        **fields,
    }
    return extrophi.post("/api/documents", {"documents": [pushed]})["items"][0]["id"]


@pytest.fixture(scope="module", autouse=True)
def kestrels(extrophi: Running) -> str:
    id = document(extrophi, external_id="https://birds.example/kestrels", url="https://birds.example/kestrels")  # noqa: A001
    document(
        extrophi,
        title="Railway lines in autumn",
        author=None,
        text="Few people travel in autumn.\n\nAlong railway embankments the kestrels hunt voles once verges are mown.",
    )
    eventually(lambda: extrophi.post("/api/search", {"query": "kestrels voles"})["items"] or None)
    return id


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Evidence")


def piece(page: Page, title: str = "Why kestrels hover") -> Locator:
    return panel(page).get_by_role("article", name=re.compile(title)).first


def write(page: Page, text: str = PASSAGE) -> str:
    id = begin(page, text)  # noqa: A001
    expect(piece(page)).to_be_visible()
    return id


def bibliography(extrophi: Running, id: str) -> list[dict[str, Any]]:  # noqa: A002
    return extrophi.get(f"/api/drafts/{id}")["bibliography"]


def cite(page: Page) -> None:
    """Cite the piece on kestrels from the editor, by keys."""
    piece(page).focus()
    editor(page).focus()
    page.keyboard.press("Alt+Enter")
    expect(editor(page)).to_contain_text("[@holm2024kestrels")


def test_evidence_appears_beside_what_one_writes_and_says_why(page: Page) -> None:
    write(page)
    found = piece(page)
    assert "".join(found.locator("mark").all_text_contents()) == QUOTE
    expect(found).to_contain_text("Nobody mows those verges before July.")
    expect(found).to_contain_text("Ida Holm")
    expect(found).to_contain_text("Mar 1, 2024")
    expect(found).to_contain_text(re.compile("Shared words: .*kestrels"))
    expect(found).not_to_contain_text("Cited")


def test_a_citation_is_a_reference_that_other_programs_read(page: Page, extrophi: Running, kestrels: str) -> None:
    id = write(page)  # noqa: A001
    cite(page)
    expect(editor(page)).to_contain_text(f"{PASSAGE} [@holm2024kestrels]")
    expect(piece(page)).to_contain_text("Cited")
    [reference] = eventually(lambda: bibliography(extrophi, id) or None)
    assert reference["type"] == "webpage"
    assert reference["author"] == [{"literal": "Ida Holm"}]
    assert reference["issued"] == {"date-parts": [[2024, 3, 1]]}
    assert reference["URL"] == "https://birds.example/kestrels"
    [span] = reference["custom"]["extrophi"]["spans"]
    assert reference["custom"]["extrophi"]["document_id"] == kestrels
    assert TEXT[span["start"] : span["end"]] == span["quote"]
    page.keyboard.press("Control+z")
    expect(editor(page)).not_to_contain_text("holm2024")


def test_a_quotation_comes_after_the_paragraph_and_a_second_citation_joins_the_first(page: Page) -> None:
    write(page)
    cite(page)
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+Enter")
    expect(editor(page)).to_contain_text(re.compile(r"\[@holm2024kestrels; @\w+\]"))
    piece(page).get_by_role("button", name="Quote").click()
    expect(page.locator(".cm-line", has_text=QUOTE[:30]).last).to_be_visible()
    expect(editor(page)).to_contain_text("— [@holm2024kestrels]")


def test_the_list_is_walked_by_keys(page: Page) -> None:
    write(page)
    items = panel(page).get_by_role("article")
    expect(items.nth(1)).to_be_visible()
    items.first.focus()
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(items.first).to_be_focused()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Close the reader")).to_be_visible()


def test_what_is_selected_from_the_editor_is_said(page: Page) -> None:
    write(page)
    expect(panel(page).get_by_role("article").nth(1)).to_be_visible()
    editor(page).focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(panel(page).get_by_role("status")).to_contain_text(re.compile(r"2 of \d"))


def test_hovering_shows_the_quote_and_a_click_reads_it(page: Page) -> None:
    write(page)
    cite(page)
    page.keyboard.press("Enter")
    mark = page.locator(".cm-cited").first
    mark.hover()
    card = page.get_by_role("region", name="What is cited")
    expect(card).to_contain_text("Why kestrels hover over verges")
    expect(card).to_contain_text(re.compile("voles|verges"))
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    mark.click()
    expect(page.get_by_role("button", name="Close the reader")).to_be_visible()


def test_the_card_is_reached_and_left_by_keys(page: Page) -> None:
    write(page)
    cite(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+c")
    card = page.get_by_role("region", name="What is cited")
    expect(card.get_by_role("button", name="Read it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Close the reader")).to_be_visible()


def test_what_changed_at_its_source_is_told_with_what_changed(page: Page, extrophi: Running) -> None:
    address = f"https://birds.example/{uuid4().hex}"
    sentence = "Barn owls in the polder take shrews on nights without wind."
    kept = f"A diary.\n\n{sentence}\n\nRain on the third day."
    head = {"external_id": address, "url": address, "title": "Owls in the polder", "author": "Bo Juul"}
    id = document(extrophi, **head, text=kept)  # noqa: A001
    span = {"version": 1, "start": kept.index(sentence), "end": kept.index(sentence) + len(sentence), "quote": sentence}
    origin = {
        "document_id": id,
        "platform": "web",
        "part": None,
        "spans": [{"locator": "", "deep_link": address, **span}],
    }
    reference = {"id": "juul2024owls", "type": "webpage", "title": "Owls in the polder", "custom": {"extrophi": origin}}
    draft = extrophi.post("/api/drafts", {"text": "They hunt shrews [@juul2024owls].", "bibliography": [reference]})[
        "id"
    ]

    page.goto(f"/#/drafts/{draft}")
    mark = page.locator(".cm-cited")
    expect(mark).to_have_class(re.compile("cm-cited-same"))

    document(extrophi, **head, text=kept.replace("shrews", "voles and mice"))
    page.reload()
    expect(mark).to_have_class(re.compile("cm-cited-changed"))
    mark.hover()
    card = page.get_by_role("region", name="What is cited")
    expect(card.get_by_role("deletion")).to_contain_text("shrews")
    expect(card.get_by_role("insertion")).to_contain_text("voles and mice")
    expect(card).to_contain_text("The kept copy is version 1.")

    extrophi.client.delete(f"/api/documents/{id}").raise_for_status()
    page.reload()
    expect(mark).to_have_class(re.compile("cm-cited-deleted"))


def test_an_id_without_a_reference_is_told_and_known_ones_are_offered(page: Page) -> None:
    write(page)
    cite(page)
    page.keyboard.press("End")
    page.keyboard.type(" and @nobody2020 says. ")
    missing = page.locator(".cm-cited-missing")
    expect(missing).to_have_text("@nobody2020")
    missing.hover()
    expect(page.get_by_role("region", name="What is cited")).to_contain_text("No such reference")
    page.keyboard.type("So @kes")
    offered = page.get_by_role("listbox").get_by_role("option", name=re.compile("holm2024kestrels"))
    expect(offered).to_be_visible()
    page.wait_for_timeout(150)  # an Enter at the very moment at which the list opens is a new line
    page.keyboard.press("Enter")
    expect(editor(page)).to_contain_text("So @holm2024kestrels")


def test_references_are_edited_and_removed_and_both_are_undone(page: Page, extrophi: Running) -> None:
    id = write(page)  # noqa: A001
    cite(page)
    expect(status(page)).to_have_text("Saved")
    page.keyboard.press("Control+Shift+b")
    dialog = page.get_by_role("dialog", name="References")
    expect(dialog).to_contain_text("cited once")
    dialog.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Authors").fill("Holm, Ida")
    dialog.get_by_label("Date").fill("2024-13")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Date").fill("2024-04")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Ida Holm · 2024-04")
    eventually(lambda: bibliography(extrophi, id)[0]["author"] == [{"family": "Holm", "given": "Ida"}] or None)
    assert violations(page) == []
    dialog.get_by_role("button", name="Done").click()
    page.keyboard.press("Control+z")  # the citation; its reference stays until it is removed
    expect(editor(page)).not_to_contain_text("holm2024")
    page.keyboard.press("Control+Shift+b")
    expect(dialog).to_contain_text("not cited")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_contain_text("Nothing is cited yet")
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Undo").last.click()
    eventually(lambda: [one["id"] for one in bibliography(extrophi, id)] == ["holm2024kestrels"] or None)


def test_filters_narrow_what_is_found_and_are_remembered(page: Page) -> None:
    write(page)
    panel(page).get_by_role("button", name="Filters").click()
    panel(page).get_by_role("checkbox", name="YouTube").check()
    expect(panel(page)).to_contain_text("Nothing that the filters let through")
    page.reload()
    expect(panel(page).get_by_role("button", name=re.compile("Filters are on"))).to_be_visible()
    editor(page).click()
    expect(panel(page)).to_contain_text("Nothing that the filters let through")
    panel(page).get_by_role("button", name="Search everything").click()
    expect(piece(page)).to_be_visible()


def test_what_was_found_stays_while_extrophi_is_away(page: Page, context: BrowserContext, watch: Watch) -> None:
    watch.expects_failures = True
    write(page)
    context.set_offline(True)
    page.keyboard.press("End")
    page.keyboard.type(" and of shrews. ")
    expect(panel(page).get_by_role("alert")).to_contain_text("This is what was found before.")
    expect(piece(page)).to_be_visible()
    context.set_offline(False)
    panel(page).get_by_role("button", name="Try again").click()
    expect(panel(page).get_by_role("alert")).to_be_hidden()


def test_where_nothing_is_written_yet_it_is_said_what_to_do(page: Page) -> None:
    begin(page)
    expect(panel(page)).to_contain_text("Evidence appears as you write")
    page.keyboard.insert_text("Too few.")
    expect(status(page)).to_have_text("Saved")
    expect(panel(page)).to_contain_text("Evidence appears as you write")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    write(page)
    cite(page)
    panel(page).get_by_role("button", name="Filters").click()
    expect(panel(page).get_by_role("article").first).to_be_visible()
    page.wait_for_timeout(400)  # what fades in has to have faded in
    assert violations(page) == []
    panel(page).get_by_role("button", name="Filters").click()
    page.locator(".cm-cited").first.hover()
    expect(page.get_by_role("region", name="What is cited")).to_be_visible()
    assert violations(page) == []


def test_the_draft_and_its_evidence_fit_a_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 720})
    write(page)
    cite(page)
    assert draft_id(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
