"""Chromium: which one, started how, and with its own sandbox where the kernel lets it have one."""

import logging
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.log import event

_log = logging.getLogger(__name__)
BrowserT = TypeVar("BrowserT")
_REFUSED = re.compile(
    r"(No usable sandbox|Failed to move to new namespace|Check failed: sys_chroot.*"
    r"|Running as root without --no-sandbox)"
)
"""How Chromium says so (content/browser/zygote_host and sandbox/linux/services in its sources)."""
_IMAGE = Path("/app/bin/chromium")
_NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
    "microsoft-edge", "brave-browser",
)  # fmt: skip
_APPLICATIONS = tuple(
    Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
    for name in ("Chromium", "Google Chrome", "Microsoft Edge", "Brave Browser")
)
PROXY_NAME = "extrophi-proxy"
"""The one name that the browser resolves."""


@dataclass(slots=True)
class Chromium:
    """One for each process: what the kernel refused once, it is not asked for again."""

    executable: str = str(_IMAGE)
    sandboxed: bool = True

    async def launch(self, launch: Callable[..., Awaitable[BrowserT]], **options: Any) -> BrowserT:
        """Start one. Whether it has a sandbox of its own is tried, not guessed: kernels and engines differ in too much.

        Args:
            launch: Playwright's (https://playwright.dev/python/docs/api/class-browsertype).
            options: Further ones of it.

        Raises:
            playwright.async_api.Error: it does not start.
        """
        if self.sandboxed:
            try:
                return await launch(executable_path=self.executable, chromium_sandbox=True, **options)
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
        return await launch(executable_path=self.executable, chromium_sandbox=False, **options)


def find_chromium(named: Path | None) -> str:
    """The executable that renders pages.

    Args:
        named: By EXTROPHI_CHROMIUM.

    Raises:
        FetchFailed: browser_missing.
    """
    if named is not None:
        found = shutil.which(str(named))
        if found is None:
            raise FetchFailed("browser_missing", f"EXTROPHI_CHROMIUM names {named}, which is no program.")
        return found
    for candidate in (str(_IMAGE), *_NAMES, *map(str, _APPLICATIONS)):
        if found := shutil.which(candidate):
            return found
    raise FetchFailed(
        "browser_missing",
        "The page is made by JavaScript, and there is no browser to run it. Install Chromium"
        " (chromium-headless-shell is enough), or name one in EXTROPHI_CHROMIUM.",
    )


def flags(port: int, heap_megabytes: int) -> Sequence[str]:
    """What Chromium is started with, besides Playwright's own.

    Args:
        port: The proxy's: the only way out.
        heap_megabytes: Of a page's scripts.
    """
    return (
        f"--proxy-server=http://{PROXY_NAME}:{port}",
        # Playwright's own option would leave out nothing of loopback either; here it is in sight.
        "--proxy-bypass-list=<-loopback>",
        # Nothing is resolved, addresses in figures included: what does not go by the proxy (QUIC, WebTransport, WebRTC)
        # goes nowhere.
        f"--host-resolver-rules=MAP {PROXY_NAME} 127.0.0.1:{port}, MAP * ~NOTFOUND",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--dns-prefetch-disable",
        "--no-pings",
        "--disable-domain-reliability",
        # One process a page: fewer to start, and one to kill. A page has nothing that another of its frames could
        # steal, unless it is behind a login of the person's (decision 0023).
        "--disable-site-isolation-trials",
        "--block-new-web-contents",
        "--disable-remote-fonts",
        "--autoplay-policy=user-gesture-required",
        "--disable-notifications",
        "--disable-speech-api",
        "--disable-webgl",
        "--disable-3d-apis",
        "--disk-cache-size=1048576",
        "--media-cache-size=1",
        "--deny-permission-prompts",
        "--disable-blink-features=WebTransport,WebBluetooth,WebUSB,WebHID,Serial,DirectSockets,FedCm,WebOTP,Prerender2",
        f"--js-flags=--max-old-space-size={heap_megabytes}",
    )


def environment(folder: Path) -> Mapping[str, str]:
    """What the browser sees of ours: nothing secret, and a home that is thrown away."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "EXTROPHI_DATA") if name in os.environ
    }
    own = {name: str(folder) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR")}
    return {**kept, **own, "TZ": "UTC"}
