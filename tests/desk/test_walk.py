"""The walk of the README, step by step, as it says: from an empty library to a Word document with a bibliography."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests import reading_site
from tests.desk.test_drafts import editor, status
from tests.desk.watching import Watch
from tests.system.running import REPO, Running, up
from tests.walking import ANSWERED, PARAGRAPH, QUESTION, Walk, check_document, wait_until_found, walking
from tests.web_server import WebServer, serving


@pytest.fixture
def walk() -> Iterator[Walk]:
    with walking() as walk:
        yield walk


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        reading_site.fill(server)
        yield server


@pytest.fixture(scope="module")
def empty() -> Iterator[Running]:
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128") as running:
        yield running


@pytest.fixture
def context(browser: Browser, empty: Running) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    context = browser.new_context(base_url=str(empty.client.base_url), viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    yield context
    context.close()


def cite(page: Page, walk: Walk, piece: Locator) -> str:
    """Cite the piece that is marked; whose it is."""
    expect(piece).to_have_class(re.compile("selected"))
    author = piece.locator(".author").inner_text()
    page.keyboard.press(walk("Alt+Enter"))
    expect(piece).to_contain_text("Cited")
    return author


@pytest.mark.timeout(300)  # a site is collected politely, a page a second
def test_the_walk_of_the_readme(page: Page, watch: Watch, walk: Walk, site: WebServer, empty: Running) -> None:
    assert watch.faults == []
    page.goto("/")
    page.get_by_label(walk("Addresses, one on each line")).fill(f"{site.base}/")
    page.get_by_role("button", name=walk("Add"), exact=True).click()
    expect(page.get_by_text(re.compile(r"^6 documents are in your library"))).to_be_visible(timeout=120_000)
    wait_until_found(str(empty.client.base_url))

    page.get_by_label(walk("Your question")).fill(QUESTION)
    page.get_by_role("main").get_by_role("button", name=walk("Ask"), exact=True).click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text(ANSWERED)
    expect(answer.get_by_role("listitem").first).to_contain_text("Ida Holm")

    page.get_by_role("button", name=walk("Start a draft from this answer")).click()
    expect(editor(page)).to_contain_text(ANSWERED)
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type(PARAGRAPH)
    evidence = page.get_by_role("complementary", name=walk("Evidence"))
    shared = evidence.get_by_text(re.compile(r"Shared words: .*\bgap"))
    expect(shared.first).to_be_visible()  # it is of the new paragraph now
    pieces = evidence.get_by_role("article")
    authors = [cite(page, walk, pieces.first)]
    at = 0
    while len(set(authors)) < 2:  # the next piece may be of the same text
        at += 1
        page.keyboard.press(walk("Alt+ArrowDown"))
        authors.append(cite(page, walk, pieces.nth(at)))
    expect(status(page)).to_have_text("Saved")

    page.keyboard.press(walk("Ctrl+Shift+X").replace("Ctrl", "Control"))
    dialog = page.get_by_role("dialog", name=walk("Export"))
    dialog.get_by_role("radio", name=re.compile(f"^{walk('Word')} ")).check()
    with page.expect_download() as saving:
        dialog.get_by_role("button", name=walk("Save")).click()
    check_document(saving.value.path().read_bytes(), authors, site.base)


def test_the_documents_and_pictures_that_the_readme_links_to_are_there() -> None:
    for name in ("README.md", "docs/index.md", "docs/writer.md", "writer/README.md"):
        page = REPO / name
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{name}: {link}"
