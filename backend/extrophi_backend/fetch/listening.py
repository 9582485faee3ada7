"""A page that stays open, for what its own scripts are answered while somebody scrolls down in it."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from playwright.async_api import Browser, BrowserContext, Error, Page, Response
from playwright.async_api import TimeoutError as NotYet

from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.passes import Pass
from extrophi_backend.fetch.proxy import Proxy
from extrophi_backend.fetch.rendered import Heard, Limits, OwnCookies, Wanted, anywhere
from extrophi_backend.fetch.visit import Visit

_TIMES = 20
"""A page that is scrolled for an hour may load so many times what one may that is looked at once."""
_LONGEST_SECONDS = 3600.0
_MOST_WAITING = 100
"""Answers that nobody has taken yet."""


class Listening(Visit):
    """Of one page. Pictures are not loaded.

    Args:
        browser: That has it.
        proxy: The browser's.
        limits: Of a page that is looked at once: time is for its coming, and for each scrolling.
        agent: Who we say that we are.
        own_cookies: The person's.
        readable: Names of cookies that the page's scripts may read.
    """

    intercepted: ClassVar[tuple[str, ...]] = (*Visit.intercepted, "Image")

    def __init__(
        self,
        browser: Browser,
        proxy: Proxy,
        limits: Limits,
        agent: str,
        own_cookies: OwnCookies,
        readable: frozenset[str],
    ) -> None:
        most = replace(limits, traffic_bytes=_TIMES * limits.traffic_bytes, connections=_TIMES * limits.connections)
        super().__init__(browser, proxy, most, agent, anywhere, own_cookies, readable)
        self._heard: asyncio.Queue[asyncio.Task[Heard]] = asyncio.Queue()
        self._pass: Pass | None = None
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._until = 0.0

    @property
    def url(self) -> str:
        """Where the page is by now: its scripts may have led it elsewhere."""
        return self._page.url if self._page is not None else ""

    async def open(self, url: str, wanted: Wanted) -> None:
        """Go there, and listen from its first request on. Raises as `Visit.render`."""
        limits = self._limits
        self._until = asyncio.get_running_loop().time() + _LONGEST_SECONDS
        self._pass = self._proxy.admit(max_bytes=limits.traffic_bytes, max_connections=limits.connections)

        def answered(response: Response) -> None:
            if wanted(response.url) and response.request.method != "OPTIONS":
                self._take(response)

        try:
            async with asyncio.timeout(limits.seconds):
                self._context = await self._new_context()
                self._page, _ = await self._new_page(self._context, self._pass)
                self._page.on("response", answered)
                await self._go(self._page, self._pass, url, limits.seconds, "domcontentloaded")
        except TimeoutError as error:
            self.browser_hangs = self._context is None
            raise FetchFailed("timeout", f"The page did not come within {limits.seconds:g} s.") from error

    async def next(self, seconds: float) -> Heard | None:
        """The next answer, in their order; None if there is none within `seconds`.

        Raises:
            FetchFailed: the page has ended, or has had all that it may have, however many answers it still gets.
        """
        self._check()
        getting = asyncio.ensure_future(self._heard.get())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({getting, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return await getting.result()
        finally:
            getting.cancel()
            ended.cancel()
            await asyncio.gather(getting, ended, return_exceptions=True)
        self._check()
        return None

    def _check(self) -> None:
        """Raises FetchFailed: it is over."""
        if self._failure is not None:
            raise self._failure
        if self._pass is not None and self._pass.spent is not None:
            raise FetchFailed("too_large", "The page wants more than it may load.")
        if asyncio.get_running_loop().time() > self._until:
            raise FetchFailed(
                "timeout", f"The page was scrolled for {_LONGEST_SECONDS:g} s, and has not come to its end."
            )

    async def scroll(self) -> None:
        """Go down to its end, as it is now. Raises FetchFailed: it does not answer."""
        assert self._page is not None
        height = (self._page.viewport_size or {"height": 0})["height"]
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._page.mouse.wheel(0, 10 * height)
                await self._page.keyboard.press("End")
        except (TimeoutError, NotYet) as error:
            raise FetchFailed("timeout", "The page does not answer any more.") from error

    async def close(self) -> None:
        """End it, with all that it has open."""
        while not self._heard.empty():
            self._heard.get_nowait().cancel()
        if self._pass is not None:
            self._proxy.leave(self._pass)
        if self._context is not None:
            await asyncio.shield(self._leave(self._context))

    def _take(self, response: Response) -> None:
        if self._heard.qsize() >= _MOST_WAITING:
            self._fail(FetchFailed("too_large", "The page asks for more than anybody can read."))
            return
        self._heard.put_nowait(asyncio.ensure_future(self._read_answer(response)))

    async def _read_answer(self, response: Response) -> Heard:
        body = b""
        with suppress(Error, TimeoutError):  # what does not come whole is empty, and says so by that
            async with asyncio.timeout(self._limits.seconds):
                body = await response.body()
        return Heard(
            response.url, response.status, response.headers, body if len(body) <= self._limits.html_bytes else b""
        )
