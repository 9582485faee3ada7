"""Sources and jobs: added as one pastes and drops, seen as they are, and nothing of them lost by a click."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.desk.axe import overflows, violations
from tests.system.running import Running, eventually
from tests.web_server import Reply, WebServer, article, serving


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        server.pages["/herons"] = article("The heron")
        yield server


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Sources").get_by_role("listitem").filter(has_text=name)


def add(page: Page, text: str) -> None:
    page.goto("/#/sources")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Addresses, one on each line").fill(text)


def test_what_is_pasted_is_recognised_and_collected(page: Page, server: WebServer) -> None:
    address = server.url("/herons")
    add(page, f"{address}\n@ida\nno address at all")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Web:")).to_have_count(1)
    expect(dialog.get_by_text("“no address at all” is nothing that Extrophi can collect.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Add 3 things")).to_be_disabled()
    assert violations(page) == []
    dialog.get_by_role("button", name="Leave no address at all out").click()
    dialog.get_by_role("button", name="YouTube: the channel @ida").click()
    expect(dialog.get_by_label("Addresses, one on each line")).to_have_value(re.compile(r"youtube\.com/@ida"))
    dialog.get_by_role("button", name="Leave https://www.youtube.com/@ida out").click()
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog).to_have_count(0)

    mine = row(page, f"127.0.0.1:{server.port}/herons")
    expect(mine).to_contain_text("Collected")
    expect(mine).to_contain_text("1 document")
    page.get_by_role("link", name="Jobs").click()
    job = page.get_by_role("list", name="Jobs").get_by_role("listitem").filter(has_text=f":{server.port}/herons")
    expect(job).to_contain_text("1 found, 1 new")
    expect(job).to_contain_text("Done")
    assert violations(page) == []
    assert not overflows(page)


def test_a_source_rests_and_goes_and_comes_back(page: Page, extrophi: Running, server: WebServer) -> None:
    made = extrophi.post("/api/sources", {"target": server.url("/herons"), "title": "Herons", "schedule": "6h"})
    extrophi.ended(made["last_job"]["id"])
    page.goto(f"/#/sources/{made['id']}")
    panel = page.get_by_role("complementary", name="Herons")
    expect(panel).to_contain_text("Every six hours")
    panel.get_by_role("button", name="Pause").click()
    expect(row(page, "Herons").first).to_contain_text("Paused")
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("button", name="Pause")).to_be_visible()

    panel.get_by_role("button", name="Edit").click()
    panel.get_by_label("Name").fill("Grey herons")
    panel.get_by_label("Look again").select_option("1d")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_contain_text("Every day")
    assert violations(page) == []
    assert not overflows(page)

    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Grey herons is removed. Its documents are kept.")).to_be_visible()
    assert extrophi.client.get(f"/api/sources/{made['id']}").status_code == 404
    page.get_by_role("button", name="Undo").last.click()
    expect(row(page, "Grey herons")).to_be_visible()
    [back] = [one for one in extrophi.get("/api/sources")["items"] if one["title"] == "Grey herons"]
    assert (back["schedule"], back["target"]) == ("1d", made["target"])


def test_what_failed_says_why_and_what_to_do(page: Page, extrophi: Running, server: WebServer) -> None:
    server.pages["/closed"] = Reply("no", status=403)
    made = extrophi.post("/api/sources", {"target": server.url("/closed"), "title": "Closed"})
    extrophi.ended(made["last_job"]["id"])
    page.goto(f"/#/sources/{made['id']}")
    panel = page.get_by_role("complementary", name="Closed")
    expect(panel).to_contain_text("Blocked")
    expect(panel).to_contain_text("The site does not want to be read by programs.")


def test_files_become_documents_and_can_be_taken_back(page: Page, extrophi: Running, tmp_path: Path) -> None:
    name = f"{uuid4()}.md"
    (tmp_path / name).write_text("# Reeds\n\nReeds stand in water.", encoding="utf-8")
    page.goto("/#/sources")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Choose files").set_input_files([tmp_path / name])
    expect(page.get_by_role("dialog")).to_contain_text(name)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("1 document added.")).to_be_visible()
    assert name in extrophi.external_ids("files")
    page.get_by_role("button", name="Take back").click()
    eventually(lambda: name not in extrophi.external_ids("files") or None)


def test_a_link_that_is_dropped_is_shown_before_it_is_added(page: Page, extrophi: Running) -> None:
    before = extrophi.get("/api/stats")["sources"]
    page.goto("/#/sources")
    heading = page.get_by_role("heading", name="Sources", level=1)
    expect(heading).to_be_visible()
    heading.evaluate(
        """(target) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.setData('text/uri-list', '# two\\r\\nhttps://a.example/\\r\\nhttps://b.example/x');
            target.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
        }"""
    )
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("a.example", exact=True)).to_be_visible()
    expect(dialog.get_by_role("button", name="Add 2 things")).to_be_enabled()
    page.keyboard.press("Escape")
    assert extrophi.get("/api/stats")["sources"] == before
