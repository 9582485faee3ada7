"""Chromium's own sandbox: on where it can be had, else one line that says why. Its words are as Chromium wrote them."""

import logging
from dataclasses import dataclass, field

import pytest

from extrophi_backend.fetch.chromium import Chromium

NO_CHROOT = """BrowserType.launch: Target page, context or browser has been closed
Browser logs:

<launched> pid=47
[pid=47][err] [1127/002635.300016:ERROR:dbus/bus.cc:405] Failed to connect to the bus
[pid=47][err] Check failed: sys_chroot("/proc/self/fdinfo/") == 0
[pid=47][err] [1127/002636.300016:FATAL:content/browser/zygote_host/zygote_host_impl_linux.cc:254] Failed to receive
"""
NO_NAMESPACES = """BrowserType.launch: Target page, context or browser has been closed
[pid=49][err] [1127/014736.749089:ERROR:content/browser/zygote_host/zygote_host_impl_linux.cc:130] No usable sandbox! If
"""


@dataclass
class Playwright:
    """Stands for Playwright's BrowserType."""

    refuses: str = ""
    launched: list[bool] = field(default_factory=list[bool])

    async def launch(self, *, executable_path: str, chromium_sandbox: bool) -> str:
        self.launched.append(chromium_sandbox)
        if self.refuses and chromium_sandbox:
            raise RuntimeError(self.refuses)
        return executable_path


async def test_it_is_on_where_it_can_be_had(caplog: pytest.LogCaptureFixture) -> None:
    playwright = Playwright()
    assert await Chromium().launch(playwright.launch) == "/app/bin/chromium"
    assert playwright.launched == [True]
    assert not caplog.records


@pytest.mark.parametrize(
    ("refuses", "words"),
    [(NO_CHROOT, 'Check failed: sys_chroot(\\"/proc/self/fdinfo/\\") == 0"'), (NO_NAMESPACES, 'No usable sandbox"')],
)
async def test_where_it_is_refused_one_line_says_why(
    caplog: pytest.LogCaptureFixture, refuses: str, words: str
) -> None:
    playwright, chromium = Playwright(refuses), Chromium()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await chromium.launch(playwright.launch)
    assert playwright.launched == [True, False, False, False]
    assert len(caplog.records) == 1
    assert words in caplog.text


@pytest.mark.parametrize(
    "failure",
    ["Executable doesn't exist at /app/bin/chromium", "zygote_host_impl_linux.cc:254] Failed to receive hello"],
)
async def test_another_failure_is_no_reason_to_go_without(failure: str) -> None:
    playwright = Playwright(failure)
    with pytest.raises(RuntimeError, match=failure[:20]):
        await Chromium().launch(playwright.launch)
    assert playwright.launched == [True]
