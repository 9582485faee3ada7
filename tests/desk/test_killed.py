"""The page, or the whole browser, is killed while somebody types: of the typing at most the last second is lost."""

import os
import random
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.desk.conftest import CHROMIUM, QUIET
from tests.desk.test_drafts import editor
from tests.system.running import Running

MOST_LOST = 1.0  # seconds


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """What the browser has on disk: it outlives the browser."""
    return tmp_path / "profile"


def opened(playwright: Playwright, profile: Path, extrophi: Running) -> BrowserContext:
    context = playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=QUIET,
        chromium_sandbox=os.geteuid() != 0,
        base_url=str(extrophi.client.base_url),
        viewport={"width": 1280, "height": 800},
    )
    context.set_default_timeout(20_000)
    context.add_init_script(
        "if (origin !== 'null') localStorage['extrophi.preferences'] ??= JSON.stringify({ welcomed: true })"
    )
    return context


def processes(profile: Path, *words: str) -> list[psutil.Process]:
    """Those of the browser with this profile whose command line has the words."""
    mains = [one for one in psutil.process_iter() if f"--user-data-dir={profile}" in _line(one)]
    all_of_it = {*mains, *(child for main in mains for child in main.children(recursive=True))}
    return [one for one in all_of_it if all(word in _line(one) for word in words)]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill(found: list[psutil.Process]) -> None:
    assert found
    for one in found:
        with suppress(psutil.Error):
            os.kill(one.pid, signal.SIGKILL)


def a_round(playwright: Playwright, extrophi: Running, profile: Path, rng: random.Random, *, whole: bool) -> float:
    """Seconds of typing that were lost."""
    context = opened(playwright, profile, extrophi)
    page = context.pages[0]
    page.goto("/#/drafts/new")
    editor(page).click()
    typed: list[tuple[float, str]] = []
    text = ""
    until = time.monotonic() + rng.uniform(1.5, 6)
    while time.monotonic() < until:
        letter = rng.choice("abcdefghijklmnop")
        page.keyboard.type(letter)  # returns once the page has taken it
        text += letter
        typed.append((time.monotonic(), text))
    address = page.url
    # All of them: which one is the page's no command line tells.
    kill(processes(profile) if whole else processes(profile, "--type=renderer"))
    killed = time.monotonic()
    with suppress(Exception):
        context.close()
    eventually_gone(profile)

    context = opened(playwright, profile, extrophi)
    try:
        page = context.pages[0]
        page.goto(address)
        expect(editor(page)).to_be_visible()
        first = text[: max(1, len(text) // 4)]
        expect(editor(page)).to_have_text(re.compile("^" + re.escape(first)))
        found = "".join(editor(page).locator(".cm-line").all_text_contents())
    finally:
        context.close()
    assert text.startswith(found), (text, found)
    lost_from = next((at for at, so_far in typed if len(so_far) > len(found)), killed)
    return killed - lost_from


def eventually_gone(profile: Path) -> None:
    deadline = time.monotonic() + 20
    while (left := processes(profile)) and time.monotonic() < deadline:
        for one in left:
            with suppress(psutil.Error):
                one.kill()
        time.sleep(0.1)
    for lock in profile.glob("Singleton*"):
        lock.unlink(missing_ok=True)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("whole", [False, True], ids=["the page", "the browser"])
def test_at_most_a_second_of_typing_is_lost(
    playwright: Playwright, extrophi: Running, profile: Path, *, whole: bool
) -> None:
    assert a_round(playwright, extrophi, profile, random.Random(int(whole)), whole=whole) <= MOST_LOST


@pytest.mark.soak
@pytest.mark.parametrize("whole", [False, True], ids=["the page", "the browser"])
def test_twenty_kills_lose_at_most_a_second_each(
    playwright: Playwright, extrophi: Running, profile: Path, *, whole: bool
) -> None:
    seed = int(os.environ.get("SEED", time.time()))
    print(f"SEED={seed}")
    rng = random.Random(seed)
    lost = [a_round(playwright, extrophi, profile, rng, whole=whole) for _ in range(20)]
    print(" ".join(f"{one:.2f}" for one in lost))
    assert max(lost) <= MOST_LOST
