"""What a page must not do, noted as it happens."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request


class Watch:
    """The faults of all pages of a browser context: errors in scripts, policy violations, requests to other hosts."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        self.expects_failures = False
        """Whether answers of 400 and above, and none at all, are part of the test: Chromium logs each as an error."""
        context.on("page", self._see)
        context.on("request", self._asked)

    def _see(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._said)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        # Of frames within it no address is told; our own policy sets `frame-src`.
        if "/capture?" in message.location["url"] or "'frame-src' was not explicitly set" in message.text:
            return  # what a page wanted in its frame, and was refused: that is what the frame is for
        if "Service Worker registration blocked by Playwright" in message.text:
            return  # conftest.py says why
        if self.expects_failures and message.text.startswith("Failed to load resource"):
            return
        self.faults.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and not _is_here(parts.hostname or ""):
            self.faults.append(f"asked elsewhere: {request.url}")


def _is_here(host: str) -> bool:
    return host in {"127.0.0.1", "localhost"} or host.endswith(".localhost")
