"""From an empty library behind a key to a first cited answer, as somebody does it who has never been here."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.desk.axe import overflows, violations
from tests.desk.watching import Watch
from tests.system.running import REPO, Running, up

KEY = "a-key-of-the-tests"
NAME = "desk.localhost"  # browsers know without asking that this is here (RFC 6761, section 6.3)


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    """An Extrophi that is reached by a name of its own, as from elsewhere: who uses it needs a key (decision 0013)."""
    with up(EXTROPHI_ALLOWED_HOSTS=NAME, EXTROPHI_API_KEYS=KEY) as running:
        yield running


@pytest.fixture
def context(browser: Browser, locked: Running) -> Iterator[BrowserContext]:
    base = f"http://{NAME}:{locked.port}"
    context = browser.new_context(base_url=base, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_a_key_opens_and_three_steps_lead_to_a_cited_answer(page: Page, watch: Watch, locked: Running) -> None:
    watch.expects_failures = True  # 401 until there is a key
    page.goto("/")
    key = page.get_by_label("Key", exact=True)
    key.fill("not-a-key")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("That is not one of its keys.")).to_be_visible()
    assert violations(page) == []
    key.fill(f" {KEY} ")
    page.get_by_role("button", name="Open").click()

    expect(page.get_by_role("heading", name="Welcome to Extrophi")).to_be_visible()
    assert KEY not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert violations(page) == []
    assert not overflows(page)
    page.get_by_role("button", name="Take the ten example texts").click()
    expect(page.get_by_text("10 documents are in your library.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Why do long articles get read less on phones?").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("phones are used in short gaps")
    expect(answer.get_by_role("button", name="Why long articles lose on phones").first).to_be_visible()
    expect(answer.get_by_role("listitem").first).to_contain_text("Ida Holm")
    assert violations(page) == []

    page.get_by_role("button", name="Start a draft from this answer").click()
    draft = page.get_by_role("textbox", name="Draft")
    expect(draft).to_contain_text("Why do long articles get read less on phones?")
    expect(draft).to_contain_text("phones are used in short gaps")
    expect(draft).to_contain_text("holm2024")
    page.goto("/#/")
    page.reload()
    expect(page.get_by_role("heading", name="Drafts")).to_be_visible()  # the first steps came once
    assert len(locked.get("/api/documents")["items"]) == 10


def test_who_signs_out_is_asked_for_the_key_again(page: Page, watch: Watch) -> None:
    watch.expects_failures = True
    page.goto("/#/settings/access")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog", name="A key is needed")).to_be_visible()


def test_the_example_texts_are_those_of_the_repository() -> None:
    ours = REPO / "writer" / "src" / "lib" / "onboarding" / "reading"
    theirs = REPO / "examples" / "reading"
    assert {one.name: one.read_bytes() for one in ours.iterdir()} == {
        one.name: one.read_bytes() for one in theirs.iterdir()
    }
