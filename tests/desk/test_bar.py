"""The command bar: one line that asks, finds, does."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.desk.reading import QUESTION, collect_reading, faults
from tests.desk.watching import Watch
from tests.system.running import Running


@pytest.fixture(scope="module")
def library(extrophi: Running) -> Running:
    collect_reading(extrophi)
    return extrophi


def opened(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    line = page.get_by_role("combobox")
    expect(line).to_be_focused()
    return line


def active(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


def test_it_opens_by_keys_and_tap_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/#/answers")
    field = page.get_by_role("textbox", name="What do you want to know?")
    field.focus()
    opened(page)
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox")).to_be_hidden()
    expect(field).to_be_focused()
    opened(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_hidden()
    page.get_by_role("navigation", name="Places").get_by_role("button", name="Ask").click()
    expect(page.get_by_role("combobox")).to_be_focused()


def test_commands_are_found_by_words_and_first_letters_and_carried_out(page: Page) -> None:
    page.goto("/#/answers")
    line = opened(page)
    line.fill("light dark")
    expect(active(page)).to_have_text("Switch between light and dark")
    line.fill("gttl")
    expect(active(page)).to_contain_text("Go to the library")
    line.fill("go draft")
    expect(active(page)).to_contain_text("Go to drafts")
    line.press("Enter")
    expect(page).to_have_url(re.compile("#/drafts"))


def test_arrows_go_round_and_late_finds_move_nothing(page: Page, library: Running) -> None:
    library.post(
        "/api/documents",
        {"documents": [{"platform": "files", "external_id": "bar", "title": "Go on", "text": "Go on."}]},
    )
    page.goto("/#/answers")
    line = opened(page)
    line.fill("go")
    line.press("ArrowDown")
    chosen = active(page).text_content() or ""
    expect(page.get_by_role("option", name=re.compile("^Go on"))).to_be_visible()
    expect(active(page)).to_have_text(chosen)
    assert line.get_attribute("aria-activedescendant") == active(page).get_attribute("id")
    line.press("ArrowUp")
    line.press("ArrowUp")
    expect(active(page)).to_have_text("Find “go” in the library")


@pytest.mark.usefixtures("library")
def test_a_question_is_asked_by_enter(page: Page) -> None:
    page.goto("/#/drafts")
    line = opened(page)
    line.fill(QUESTION)
    expect(active(page)).to_have_text(f"Ask: {QUESTION}")
    line.press("Enter")
    expect(page).to_have_url(re.compile("#/answers/"))
    expect(page.get_by_role("region", name="Answer")).to_contain_text("short gaps")
    # What was asked is at hand from the empty line.
    opened(page)
    expect(page.get_by_role("group", name="Answers").get_by_text(QUESTION).first).to_be_visible()


def test_drafts_and_documents_are_found_and_opened(page: Page, library: Running) -> None:
    library.post("/api/drafts", {"text": "# Quarrelsome herons\n\nThey stand."})
    page.goto("/#/answers")
    line = opened(page)
    line.fill("quarrelsome")
    page.get_by_role("group", name="Drafts").get_by_role("option", name="Quarrelsome herons").click()
    expect(page).to_have_url(re.compile("#/drafts/"))
    line = opened(page)
    line.fill("narrow column")
    page.get_by_role("group", name="In the library").get_by_role(
        "option", name=re.compile("^The narrow column")
    ).click()
    expect(page).to_have_url(re.compile(r"#/documents/.*start=\d+"))


def test_of_a_name_that_may_mean_several_things_one_is_chosen(page: Page, watch: Watch) -> None:
    watch.expects_failures = True
    page.goto("/#/answers")
    line = opened(page)
    line.fill("@ida")
    expect(active(page)).to_contain_text("Collect @ida, and ask something of it")
    line.press("Enter")
    expect(line).to_have_attribute("placeholder", "What do you want to know from it?")
    line.fill("What does she say of phones?")
    line.press("Enter")
    choices = page.get_by_role("group", name="Which one do you mean?")
    expect(choices.get_by_role("option")).to_have_count(2)
    assert faults(page) == []
    line.press("Escape")  # one step back, not away
    expect(choices).to_be_hidden()
    expect(line).to_have_value("What does she say of phones?")
    line.press("Enter")
    choices.get_by_role("option", name=re.compile("^X: the posts of @ida")).click()
    expect(page).to_have_url(re.compile("#/investigations/"))
    expect(page.get_by_role("region", name="What is collected")).to_contain_text("x.com/ida")


def test_with_the_server_away_there_are_commands_still(page: Page, watch: Watch) -> None:
    page.goto("/#/answers")
    expect(page.get_by_role("textbox", name="What do you want to know?")).to_be_visible()
    watch.expects_failures = True
    page.context.set_offline(True)
    line = opened(page)
    line.fill("switch light")
    expect(active(page)).to_contain_text("Switch between light and dark")
    line.press("Enter")
    expect(page.locator(":root")).to_have_attribute("data-theme", re.compile("dark|light"))
