"""A browser that runs: its processes, its driver, its proxy. Imports Playwright, so that nobody else has to."""

import asyncio
import fcntl
import logging
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from playwright.async_api import Browser, Error, Playwright, async_playwright

from extrophi_backend.fetch.chromium import Chromium, environment, flags
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.listening import Listening
from extrophi_backend.fetch.proxy import Proxy
from extrophi_backend.fetch.rendered import BrowserFailed, Limits, MayVisit, OwnCookies, Rendered, Wanted
from extrophi_backend.fetch.visit import Visit
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

_PREFIX = "extrophi-browser-"
_START_SECONDS = 30.0
"""Unpacking it, in the image, included."""
_CLOSE_SECONDS = 5.0
_WATCH_SECONDS = 0.2
_NEWS_SECONDS = 0.2
"""A page is told before its browser that both have ended."""
_STARTS_NOTHING = re.compile(rb"--type=(?:renderer|gpu-process|utility)")


class RunningBrowser:
    """From `start`."""

    def __init__(
        self, playwright: Playwright, browser: Browser, proxy: Proxy, folder: "_Folder", watch: "asyncio.Task[None]"
    ) -> None:
        self.visits = 0
        self._playwright = playwright
        self._browser = browser
        self._proxy = proxy
        self._folder = folder
        self._watch = watch
        self._hangs = False

    @property
    def has_failed(self) -> bool:
        return self._hangs or not self._browser.is_connected()

    async def render(
        self, url: str, limits: Limits, agent: str, may_visit: MayVisit, own_cookies: OwnCookies
    ) -> Rendered:
        """As `Browser.render`. Raises BrowserFailed, too."""
        visit = Visit(self._browser, self._proxy, limits, agent, may_visit, own_cookies)
        try:
            return await visit.render(url)
        except (Error, FetchFailed) as error:
            raise await self._named(error) from error
        finally:
            self._hangs = self._hangs or visit.browser_hangs

    @asynccontextmanager
    async def listen(
        self,
        url: str,
        wanted: Wanted,
        limits: Limits,
        agent: str,
        own_cookies: OwnCookies,
        readable: frozenset[str],
    ) -> AsyncGenerator[Listening]:
        """As `Browser.listen`. Raises BrowserFailed, too."""
        listening = Listening(self._browser, self._proxy, limits, agent, own_cookies, readable)
        try:
            await listening.open(url, wanted)
            yield listening
        except (Error, FetchFailed) as error:
            raise await self._named(error) from error
        finally:
            await listening.close()
            self._hangs = self._hangs or listening.browser_hangs

    async def _named(self, error: Error | FetchFailed) -> BrowserFailed | FetchFailed:
        """What is to be raised in an error's place: whose fault it was."""
        if isinstance(error, FetchFailed) and error.code != "render_failed":
            return error
        await asyncio.sleep(_NEWS_SECONDS)
        if not self._browser.is_connected():
            return BrowserFailed("it crashed")
        if isinstance(error, FetchFailed):
            return error
        return FetchFailed("render_failed", f"The browser cannot show it: {_first_line(error)}")

    async def end(self) -> None:
        """Close it; kill it, if it does not."""
        self._watch.cancel()
        await self._proxy.close()
        processes = await asyncio.to_thread(_below, os.getpid())
        closed = await _within(self._browser.close())
        stopped = await _within(self._playwright.stop())
        if not closed or not stopped:
            for pid in processes:
                if _is_browser(_read(f"/proc/{pid}/cmdline")):  # as it is now: numbers are given again
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(self._folder.remove)


async def start(chromium: Chromium, proxy: Proxy, memory: int) -> RunningBrowser:
    """Start a browser behind `proxy`, which is started and ended with it.

    Args:
        chromium: Which.
        proxy: Its only way out.
        memory: Bytes that one of its processes may take.

    Raises:
        FetchFailed: browser_missing.
    """
    folder = await asyncio.to_thread(_Folder)
    playwright: Playwright | None = None
    try:
        await proxy.start()
        async with asyncio.timeout(_START_SECONDS):
            playwright = await async_playwright().start()
            browser = await chromium.launch(
                playwright.chromium.launch,
                args=flags(proxy.port, memory // 2**21),
                env=environment(folder.path),
                # Whoever stops this process decides when its pages end.
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
    except BaseException as error:
        await proxy.close()
        if playwright is not None:
            await _within(playwright.stop())
        folder.remove()
        if isinstance(error, Error | TimeoutError):
            detail = f"{chromium.executable} does not start: {_first_line(error)}"
            raise FetchFailed("browser_missing", detail) from error
        raise
    _log.info(event("browser.started", executable=chromium.executable, version=browser.version))
    watch = asyncio.create_task(_watch_memory(memory))
    return RunningBrowser(playwright, browser, proxy, folder, watch)


class _Folder:
    """The browser's home while it runs: ours as long as we hold its lock. What killed workers left is removed."""

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):
                lock = _locked(left)
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            with suppress(OSError):  # somebody has just taken it for one that was left
                self._lock = _locked(self.path)
                if self.path.is_dir():
                    return
                os.close(self._lock)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _locked(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


async def _within(ending: Awaitable[object]) -> bool:
    """Whether it ended in time, and well."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await ending
    except (TimeoutError, Error):
        return False
    return True


async def _watch_memory(most: int) -> None:
    """Kill what grows beyond `most` bytes: a page's process, or one that works for all pages, which is started anew.

    So is the browser's own, which keeps what pages put into blobs.

    Where there is no /proc to look into, the limit of the scripts' heap still holds.
    """
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        await asyncio.to_thread(_kill_larger, most)


def _kill_larger(most: int) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    for pid, command in _below(os.getpid()).items():
        with suppress(OSError, ValueError):
            size = int((_read(f"/proc/{pid}/statm").split() or [b"0", b"0"])[1]) * page
            if size > most and _is_browser(command):
                _log.warning(event("browser.too_large", process=pid, bytes=size))
                os.kill(pid, signal.SIGKILL)


def _below(pid: int) -> Mapping[int, bytes]:
    """The processes that a process started, and those that they did (proc(5), children), with their command lines.

    Asked five times a second: no thread is looked at of those that start nothing.
    """
    found: dict[int, bytes] = {}
    waiting = [pid]
    while waiting:
        folder = f"/proc/{waiting.pop()}/task"
        with suppress(OSError):
            for task in os.listdir(folder):  # noqa: PTH208  Path's takes three times as long
                for child in map(int, _read(f"{folder}/{task}/children").split()):
                    command = found[child] = _read(f"/proc/{child}/cmdline")
                    if not _STARTS_NOTHING.search(command):
                        waiting.append(child)
    return found


def _is_browser(command: bytes) -> bool:
    """Whether a process below ours is the browser, or one that it started."""
    return b"--user-data-dir=" in command or b"--type=" in command


def _read(path: str) -> bytes:
    """What the kernel tells there; nothing, of what has ended meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 64 * 1024)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
