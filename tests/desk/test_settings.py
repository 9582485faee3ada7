"""Settings: what is configured, and whether it works."""

import pytest
from playwright.sync_api import Page, expect

from tests.desk.axe import overflows, violations
from tests.desk.watching import Watch
from tests.system.running import Running


@pytest.mark.parametrize("section", ["appearance", "state", "accounts", "models", "collections", "access", "about"])
def test_each_section_can_be_read_by_everybody(page: Page, section: str) -> None:
    page.goto(f"/#/settings/{section}")
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    expect(page.get_by_text("Asking Extrophi …")).to_have_count(0)
    assert violations(page) == []
    assert not overflows(page)


def test_the_state_of_the_whole_is_told_part_by_part(page: Page) -> None:
    page.goto("/#/settings/state")
    expect(page.get_by_text("All of it works")).to_be_visible()
    for name in ("Database", "Queue", "Index of words"):
        expect(page.get_by_role("term").filter(has_text=name).first).to_be_visible()


def test_credentials_are_kept_sealed_and_forgotten(page: Page, extrophi: Running, watch: Watch) -> None:
    watch.expects_failures = True
    page.goto("/#/settings/accounts")
    reddit = page.get_by_role("article", name="Reddit")
    reddit.get_by_role("button", name="Set").click()
    reddit.get_by_label("OAuth client id").fill("very-secret-id")
    reddit.get_by_role("button", name="Keep sealed").click()
    expect(reddit.get_by_text("Set, not tested").first).to_be_visible()
    assert "very-secret-id" not in page.content()
    assert "very-secret-id" not in extrophi.client.get("/api/accounts").text
    reddit.get_by_role("button", name="Forget").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(reddit.get_by_role("button", name="Forget")).to_have_count(0)


def test_what_writes_answers_is_told_with_the_settings_that_change_it(page: Page) -> None:
    page.goto("/#/settings/models")
    expect(page.get_by_text("Quotations", exact=True)).to_be_visible()
    expect(page.get_by_text("CHAT_MODEL")).to_be_visible()


def test_a_collection_is_made_and_the_theme_is_kept(page: Page, extrophi: Running) -> None:
    page.goto("/#/settings/collections")
    page.get_by_label("New collection").fill("marsh birds")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name="marsh birds")).to_be_visible()
    assert "marsh birds" in [one["name"] for one in extrophi.get("/api/collections")["items"]]
    page.goto("/#/settings/appearance")
    page.get_by_role("radio", name="Dark").check()
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_notices_of_what_the_writer_is_made_of_come_with_it(extrophi: Running) -> None:
    notices = extrophi.client.get("/licences.txt")
    assert notices.status_code == 200
    for name in ("svelte ", "@codemirror/state", "@fontsource-variable/inter"):
        assert name in notices.text
