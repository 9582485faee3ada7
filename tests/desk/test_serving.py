"""The Writer's files, as a browser and a curious stranger ask for them."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.system.running import Running


def test_the_page_opens_and_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("navigation", name="Places")).to_be_visible()


def test_each_page_has_a_nonce_of_its_own_and_no_script_is_inline(extrophi: Running) -> None:
    pages = [extrophi.client.get("/") for _ in range(2)]
    policies = [page.headers["content-security-policy"] for page in pages]
    nonces = [re.findall(r"'nonce-([^']+)'", policy) for policy in policies]
    assert len(nonces[0]) == 1
    assert nonces[0] != nonces[1]
    assert f'name="csp-nonce" content="{nonces[0][0]}"' in pages[0].text
    assert "unsafe" not in policies[0]
    assert not re.findall(r"<script(?![^>]*\bsrc=)", pages[0].text)
    assert pages[0].headers["cache-control"] == "no-store"


def test_files_named_by_what_they_hold_are_kept_for_good_and_come_compressed(extrophi: Running) -> None:
    [script] = re.findall(r'<script type="module"[^>]* src="([^"]+)"', extrophi.client.get("/").text)
    answer = extrophi.client.get(script, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert extrophi.client.get(script, headers={"Accept-Encoding": "identity"}).text == answer.text
    again = extrophi.client.get(script, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == httpx.codes.NOT_MODIFIED


def test_no_other_file_can_be_had(extrophi: Running) -> None:
    for path in ("/assets/../serving.py", "/assets/%2e%2e/serving.py", "/index.html", "/assets/", "/serving.py"):
        assert extrophi.client.get(path).status_code in {400, 404}, path
