"""Headless Chromium, for pages that are made by their scripts.

One per worker process: started when it is first needed, restarted after a number of pages and whenever it fails, closed
when nobody has needed it for a while. It goes out by a proxy of ours alone (proxy.py), and ends with this process: it
and Playwright's driver hang on pipes that the kernel closes, however the process ends.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.fetch import addresses, guard
from extrophi_backend.fetch.chromium import Chromium, find_chromium
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.proxy import Proxy
from extrophi_backend.fetch.rendered import (
    BrowserFailed,
    Limits,
    MayVisit,
    OwnCookies,
    Rendered,
    Wanted,
    anywhere,
    no_cookies,
)
from extrophi_backend.log import event

if TYPE_CHECKING:
    from extrophi_backend.fetch.listening import Listening
    from extrophi_backend.fetch.running import RunningBrowser

_log = logging.getLogger(__name__)

_LISTENING_SECONDS = 60.0
"""After which it is looked again whether the page that is listened to is still open."""


class Browser:
    """Gives pages as they look once their scripts have run.

    Nothing happens before the first page: no process, no import of Playwright.

    Args:
        named: The executable, if it is not to be looked for.
        allow: Private networks that may be reached all the same.
        limits: Of each page.
        agent: Who we say that we are, after what the browser says.
        pages: So many are rendered at once.
        restart_after: Pages.
        idle_seconds: Not needed for so long, it is closed.
        resolve: Gives a name's addresses; by default the system.
    """

    def __init__(
        self,
        *,
        named: Path | None = None,
        allow: Sequence[guard.Network] = (),
        limits: Limits,
        agent: str = "",
        pages: int = 3,
        restart_after: int = 100,
        idle_seconds: float = 120.0,
        resolve: guard.Resolve | None = None,
    ) -> None:
        self._named = named
        self._allow = allow
        self._limits = limits
        self._agent = agent
        self._pages = pages
        self._restart_after = restart_after
        self._idle_seconds = idle_seconds
        self._resolve = resolve
        self._own_cookies: OwnCookies = no_cookies
        self._chromium: Chromium | None = None
        self._running: RunningBrowser | None = None
        self._active = 0
        self._is_listening = False
        self._free = asyncio.Condition()
        self._again = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def use_cookies(self, own: OwnCookies) -> None:
        """Give pages that are opened from now on the person's own cookies of their site."""
        self._own_cookies = own

    async def render(self, url: str, *, may_visit: MayVisit = anywhere) -> Rendered:
        """The page at `url`, once its scripts have run.

        Raises:
            FetchFailed: browser_missing, forbidden_address, connection_failed, timeout, too_large, too_many_redirects,
                unsupported_scheme, unsupported_type, render_failed.
            Wait, and any of FetchFailed: by `may_visit`.
        """
        try:
            return await self._render(url, may_visit)
        except BrowserFailed:
            # Whose page it was that took the browser along cannot be told: those that were open are tried again, one
            # at a time, so that one of them takes no other along twice.
            async with self._again:
                try:
                    return await self._render(url, may_visit)
                except BrowserFailed as failure:
                    raise FetchFailed("render_failed", f"The browser ended over it, twice ({failure}).") from failure

    @asynccontextmanager
    async def listen(
        self, url: str, wanted: Wanted, *, cookies: Sequence[Cookie], readable: frozenset[str] = frozenset()
    ) -> "AsyncGenerator[Listening]":
        """The page at `url`, open, for what its own scripts are answered meanwhile.

        It takes the place of one that is rendered, for as long as it is open: one at a time, so that others are left.

        Args:
            url: Where to go.
            wanted: Which addresses' answers are of interest.
            cookies: The person's own, which it has where they belong, and no others.
            readable: Names of those that its scripts may read: they send them along.

        Raises:
            FetchFailed: as `render`; also later, of what is done with the page.
            Wait: another is open.
        """
        if self._is_listening:
            raise Wait("the browser", _LISTENING_SECONDS)

        async def own(address: str) -> Sequence[Cookie]:
            parsed, now = addresses.parse(address), datetime.now(UTC)
            return [one for one in cookies if one.belongs_to_host(parsed, now)]

        self._is_listening = True
        try:
            async with (
                self._slot() as running,
                running.listen(url, wanted, self._limits, self._agent, own, readable) as listening,
            ):
                yield listening
        except BrowserFailed as failure:
            raise FetchFailed("render_failed", f"The browser ended over it ({failure}).") from failure
        finally:
            self._is_listening = False

    async def close(self) -> None:
        """End it, and what it started. It may be used again."""
        async with self._free:
            running, self._running = self._running, None
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
        if running is not None:
            await running.end()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _render(self, url: str, may_visit: MayVisit) -> Rendered:
        async with self._slot() as running:
            return await running.render(url, self._limits, self._agent, may_visit, self._own_cookies)

    @asynccontextmanager
    async def _slot(self) -> "AsyncGenerator[RunningBrowser]":
        """One of the pages that may be open at once, in a browser that runs."""
        async with self._free:
            await self._free.wait_for(self._has_room)
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            running = self._running
            if running is not None and self._is_worn(running):
                self._running = None
                await running.end()
            if self._running is None:
                self._running = await self._start()
            running = self._running
            running.visits += 1
            self._active += 1
        try:
            yield running
        finally:
            self._active -= 1
            if self._active == 0:
                self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._close_idle)
            await asyncio.shield(self._wake())

    def _has_room(self) -> bool:
        if self._active >= self._pages:
            return False
        # A browser that is to be restarted first comes to rest: two at once would take twice the memory.
        running = self._running
        return running is None or self._active == 0 or not self._is_worn(running)

    def _is_worn(self, running: "RunningBrowser") -> bool:
        # A page that is listened to may be open for an hour: nobody waits so long for a fresh browser.
        return running.has_failed or (running.visits >= self._restart_after and not self._is_listening)

    async def _wake(self) -> None:
        async with self._free:
            self._free.notify_all()

    def _close_idle(self) -> None:
        running, self._running, self._idle = self._running, None, None
        if running is not None:
            _log.info(event("browser.idle", pages=running.visits))
            task = asyncio.get_running_loop().create_task(running.end())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _start(self) -> "RunningBrowser":
        executable = await asyncio.to_thread(find_chromium, self._named)
        try:
            from extrophi_backend.fetch import running  # noqa: PLC0415  a worker that renders nothing does without
        except ImportError as error:
            raise FetchFailed(
                "browser_missing", "The library that drives a browser (playwright) is missing."
            ) from error
        if self._chromium is None or self._chromium.executable != executable:
            self._chromium = Chromium(executable)
        proxy = Proxy(allow=self._allow, resolve=self._resolve)
        return await running.start(self._chromium, proxy, self._limits.memory)
