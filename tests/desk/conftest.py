"""The Writer in a real browser before a real Extrophi: Debian's Chromium, `extrophi up`, nothing made up between."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.desk.watching import Watch
from tests.system.running import REPO, Running, up

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium", "/usr/bin/chromium-headless-shell") if os.access(path, os.X_OK)), None
)
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/desk" in item.nodeid:
            # One `up` and one browser for all of a group; those that take minutes run beside the others.
            group = item.path.stem if item.path.stem in {"test_hostile", "test_everybody"} else "desk"
            item.add_marker(pytest.mark.xdist_group(group))


# Of the package, not of the session: while Playwright is open no other test of this process can run an event loop.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=20_000)  # what others do on this machine is no fault of ours
    with sync_playwright() as playwright:
        yield playwright


@contextmanager
def launched(playwright: Playwright, *more: str) -> Iterator[Browser]:
    args = [*QUIET, *more]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args, chromium_sandbox=os.geteuid() != 0)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def extrophi() -> Iterator[Running]:
    """One Extrophi for all the tests here; each brings its own documents and drafts."""
    roots = f"{REPO},{Path(tempfile.gettempdir()).resolve()}"
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128", EXTROPHI_FILES_ROOTS=roots) as running:
        yield running


@pytest.fixture
def context(browser: Browser, extrophi: Running) -> Iterator[BrowserContext]:
    """A browser that knows nothing of us yet, with the first steps taken."""
    # Without the service worker: what it asks for no test sees or hinders. test_away.py has it.
    context = browser.new_context(
        base_url=str(extrophi.client.base_url), viewport={"width": 1280, "height": 800}, service_workers="block"
    )
    context.set_default_timeout(15_000)
    context.add_init_script(
        "if (origin !== 'null') localStorage['extrophi.preferences'] ??= JSON.stringify({ welcomed: true })"
    )
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext) -> Iterator[Watch]:
    """What must not happen in any test: errors, violations of the content policy, requests to elsewhere."""
    watch = Watch(context)
    yield watch
    assert watch.faults == []


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    assert watch.faults == []
    return context.new_page()
