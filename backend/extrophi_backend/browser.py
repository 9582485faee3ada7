"""Chromium as the image holds it: with its own sandbox where the kernel lets it have one."""

import logging
import re
from dataclasses import dataclass
from typing import Protocol, TypeVar

from extrophi_backend.log import event

_log = logging.getLogger(__name__)
BrowserT = TypeVar("BrowserT")
BrowserT_co = TypeVar("BrowserT_co", covariant=True)
_REFUSED = re.compile(r"(No usable sandbox|Failed to move to new namespace|Check failed: sys_chroot.*)")
"""How Chromium says so (content/browser/zygote_host and sandbox/linux/services in its sources)."""


class BrowserType(Protocol[BrowserT_co]):
    """Playwright's, as far as it is used here (https://playwright.dev/python/docs/api/class-browsertype)."""

    async def launch(self, *, executable_path: str, chromium_sandbox: bool) -> BrowserT_co: ...


@dataclass(slots=True)
class Chromium:
    """One for each process: what the kernel refused once, it is not asked for again."""

    executable: str = "/app/bin/chromium"
    sandboxed: bool = True

    async def launch(self, chromium: BrowserType[BrowserT]) -> BrowserT:
        """Start one. Whether it has a sandbox of its own is tried, not guessed: kernels and engines differ in too much.

        Raises:
            playwright.async_api.Error: it does not start.
        """
        if self.sandboxed:
            try:
                return await chromium.launch(executable_path=self.executable, chromium_sandbox=True)
            except Exception as error:
                refused = _REFUSED.search(str(error))
                if refused is None:
                    raise
                self.sandboxed = False
                _log.warning(
                    event(
                        "browser.unsandboxed",
                        why=f"the kernel or the engine's seccomp profile does not allow it: {refused[1]}",
                        isolates="the container: a user without privileges, capabilities, seccomp, its own root",
                    )
                )
        return await chromium.launch(executable_path=self.executable, chromium_sandbox=False)
