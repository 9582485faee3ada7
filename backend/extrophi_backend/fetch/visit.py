"""One page in the browser: gone to, waited for, read out, and left, whatever it does meanwhile."""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page
from playwright.async_api import TimeoutError as NotYet

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.passes import Pass
from extrophi_backend.fetch.proxy import Proxy
from extrophi_backend.fetch.rendered import Limits, MayVisit, OwnCookies, Rendered

MAX_NAVIGATIONS = 10
"""Redirects, by whatever means, of the page itself."""
_WIDTH, _HEIGHT = 1280, 1024
_ENOUGH = 2_000
"""Characters. A page that shows so much once it is loaded is not waited for: it has its text."""
_QUIET, _LONG_QUIET = 0.15, 0.5
"""Seconds without a change, after which a page that has less is taken to be finished: if nothing is on its way, and if
something was."""
_RESERVE = 0.25
"""Of a page's time, for reading it out and its screenshot."""
_CLOSE_SECONDS = 5.0
_SCREENSHOT_QUALITY = 60
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_REFUSED = re.compile(r"net::ERR_|Download is starting")
_SCRIPTS = files("extrophi_backend.fetch") / "page"


class Visit:
    """Of one page, in a context of its own. `readable`: names of own cookies that the page's scripts may read."""

    intercepted: ClassVar[tuple[str, ...]] = ("Document", "Media", "Ping", "CSPViolationReport")
    """Kinds of requests that are asked about before they are sent."""

    def __init__(
        self,
        browser: Browser,
        proxy: Proxy,
        limits: Limits,
        agent: str,
        may_visit: MayVisit,
        own_cookies: OwnCookies,
        readable: frozenset[str] = frozenset(),
    ) -> None:
        self.browser_hangs = False
        self._browser = browser
        self._proxy = proxy
        self._limits = limits
        self._agent = agent
        self._may_visit = may_visit
        self._jar = _Jar(own_cookies, readable)
        self._asked = ""
        self._navigations = 0
        self._failure: BaseException | None = None
        self._frame = ""
        """Chromium's name for the page's own frame."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def render(self, url: str) -> Rendered:
        """Go there, wait until it is finished, and read it. Raises as `Browser.render`, and playwright's Error."""
        limits = self._limits
        leave = self._proxy.admit(max_bytes=limits.traffic_bytes, max_connections=limits.connections)
        context: BrowserContext | None = None
        started = _now()
        limit = asyncio.timeout(limits.seconds)
        try:
            async with limit:
                context = await self._new_context()
                working = asyncio.ensure_future(self._work(context, leave, url, started))
                ended = asyncio.ensure_future(self._ended.wait())
                try:
                    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
                    if self._failure is not None:
                        raise self._failure
                    return await working
                finally:
                    for task in (working, ended):
                        task.cancel()
                    await asyncio.gather(working, ended, return_exceptions=True)
        except TimeoutError as error:
            if not limit.expired():
                raise
            self.browser_hangs = context is None
            raise FetchFailed("timeout", f"The page was not finished within {limits.seconds:g} s.") from error
        finally:
            self._proxy.leave(leave)
            if context is not None:
                await asyncio.shield(self._leave(context))

    async def _new_context(self) -> BrowserContext:
        return await self._browser.new_context(
            accept_downloads=False,
            service_workers="block",
            user_agent=self._user_agent(),
            viewport={"width": _WIDTH, "height": _HEIGHT},
            reduced_motion="reduce",
        )

    async def _new_page(self, context: BrowserContext, leave: Pass) -> tuple[Page, CDPSession]:
        # Sent one after the other: the page is made after its context has the script.
        _, page = await asyncio.gather(context.add_init_script(_script("hardening.js")), context.new_page())
        page.on("crash", self._crashed)
        session = await context.new_cdp_session(page)
        await self._attend(context, session, leave)
        return page, session

    async def _work(self, context: BrowserContext, leave: Pass, url: str, started: float) -> Rendered:
        page, session = await self._new_page(context, leave)
        end = started + self._limits.seconds * (1 - _RESERVE)
        await self._go(page, leave, url, max(0.1, end - _now()))
        found = await self._settled(page, session, end)
        return await self._read(session, leave, found)

    async def _go(
        self, page: Page, leave: Pass, url: str, seconds: float, until: Literal["load", "domcontentloaded"] = "load"
    ) -> None:
        """Go there, and wait as long as that for it to be there."""
        self._asked = url
        try:
            await page.goto(url, wait_until=until, timeout=1000 * seconds)
        except NotYet as error:
            if not _has_come(page):  # else what there is may be enough
                raise FetchFailed("timeout", "The page did not come in time.") from error
        except Error as error:
            if self._failure is not None:
                raise self._failure from error
            if not _has_come(page):  # else it is on its way to another document
                if not _REFUSED.search(str(error)):
                    raise  # the page or the browser ended
                raise _refused(error, url, leave) from error

    async def _attend(self, context: BrowserContext, session: CDPSession, leave: Pass) -> None:
        """Be told of what the page asks for."""

        def paused(told: dict[str, Any]) -> None:
            self._spawn(self._judge(context, session, told))

        def asked(told: dict[str, Any]) -> None:
            answer = {"response": "CancelAuth"}
            if told["authChallenge"].get("source") == "Proxy":
                answer = {"response": "ProvideCredentials", "username": leave.name, "password": leave.password}
            self._spawn(
                _send(session, "Fetch.continueWithAuth", requestId=told["requestId"], authChallengeResponse=answer)
            )

        session.on("Fetch.requestPaused", paused)
        session.on("Fetch.authRequired", asked)
        patterns = [{"resourceType": kind} for kind in self.intercepted]
        await session.send("Fetch.enable", {"handleAuthRequests": True, "patterns": patterns})

    async def _judge(self, context: BrowserContext, session: CDPSession, told: dict[str, Any]) -> None:
        """Let a request go, or not: documents, if they may be visited; nothing else that is asked about."""
        may = told["resourceType"] == "Document"
        self._frame = self._frame or str(told["frameId"])  # the first that asks for a document
        if may and told["frameId"] == self._frame:
            url = str(told["request"]["url"])
            may = await self._may_go(url)
            if may:
                await self._jar.fill(context, session, url)
        if may:
            await _send(session, "Fetch.continueRequest", requestId=told["requestId"])
        else:
            await _send(session, "Fetch.failRequest", requestId=told["requestId"], errorReason="BlockedByClient")

    async def _may_go(self, url: str) -> bool:
        self._navigations += 1
        if self._navigations > MAX_NAVIGATIONS + 1:
            self._fail(FetchFailed("too_many_redirects", f"It leads on more than {MAX_NAVIGATIONS} times."))
            return False
        try:
            if self._navigations > 1 and url != self._asked:  # the first is what we asked for, however it is written
                await self._may_visit(url)
                self._asked = url
        except (FetchFailed, Wait) as failure:
            self._fail(failure)
            return False
        return True

    async def _settled(self, page: Page, session: CDPSession, end: float) -> dict[str, Any]:
        """What is read of the page when it has stopped changing.

        One that says little is waited for longer, since something may still be on its way.
        """
        quiet = _QUIET
        while (left := end - _now()) > 0:
            try:
                found = await self._look(session, quiet, min(left, 5.0), at_once=quiet == _LONG_QUIET)
                if found is not None:
                    return found
                quiet = _LONG_QUIET
                await page.wait_for_load_state("networkidle", timeout=1000 * max(0.05, end - _now()))
            except NotYet:
                break
            except Error:
                if page.is_closed() or not self._browser.is_connected():
                    raise
                await asyncio.sleep(0.05)  # it is on its way to another document
        found = await self._look(session, 0.0, 0.0, at_once=True)
        assert found is not None
        return found

    async def _look(self, session: CDPSession, quiet: float, most: float, *, at_once: bool) -> dict[str, Any] | None:
        """What scripts of ours give, in a world of their own: what the page made of JavaScript's words is not there.

        None where the page shows less than enough, unless it is to be read at once.
        """
        limits = self._limits
        settled = f"({_script('settled.js')})({quiet}, {most}, {_ENOUGH})"
        read = f"({_script('read.js')})({limits.html_bytes}, {limits.nodes})"
        enough = str(at_once).lower()
        world = await session.send("Page.createIsolatedWorld", {"frameId": self._frame, "worldName": "extrophi"})
        answer = await session.send(
            "Runtime.evaluate",
            {
                "expression": f"{settled}.then((shown) => ({enough} || shown >= {_ENOUGH} ? {read} : null))",
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        if "exceptionDetails" in answer:
            raise FetchFailed("render_failed", "The page could not be read out.")
        return answer["result"].get("value")

    async def _read(self, session: CDPSession, leave: Pass, found: dict[str, Any]) -> Rendered:
        url = str(found["url"]).partition("#")[0]
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host in leave.refused:
            detail = f"The page leads on to {host[:200]}, which is not on the public internet."
            raise FetchFailed("forbidden_address", detail)
        if not found["came"]:
            raise FetchFailed("connection_failed", "The page leads on to an address that does not answer.")
        if urlsplit(url).scheme not in {"http", "https"}:
            raise FetchFailed("unsupported_scheme", "The page leads on to something that is no web address.")
        limits = self._limits
        status = int(found["status"]) or 200
        if status == 200 and found["type"] not in _HTML:
            raise FetchFailed("unsupported_type", f"The browser was led to a file ({str(found['type'])[:100]}).")
        html = found.get("html")
        if html is None:
            raise FetchFailed("too_large", f"The page's scripts made more of it than {limits.html_bytes:,} bytes.")
        body = str(html).encode("utf-8", "replace")
        if len(body) > limits.html_bytes:
            raise FetchFailed("too_large", f"The page's scripts made more of it than {limits.html_bytes:,} bytes.")
        height = min(max(1, int(found["height"])), limits.screenshot_height)
        screenshot = await self._screenshot(session, height) if status == 200 and height else None
        return Rendered(url, status, body, screenshot)

    async def _screenshot(self, session: CDPSession, height: int) -> bytes | None:
        clip = {"x": 0, "y": 0, "width": _WIDTH, "height": height, "scale": 1}
        asked = {
            "format": "webp", "quality": _SCREENSHOT_QUALITY, "clip": clip, "captureBeyondViewport": height > _HEIGHT,
            "optimizeForSpeed": True,
        }  # fmt: skip
        try:
            async with asyncio.timeout(self._limits.seconds * _RESERVE / 2):
                image = base64.b64decode((await session.send("Page.captureScreenshot", asked))["data"])
        except (Error, TimeoutError, binascii.Error):
            return None
        return image if image.startswith(b"RIFF") and len(image) <= self._limits.screenshot_bytes else None

    def _crashed(self, _: object) -> None:
        self._fail(FetchFailed("render_failed", "The page crashed its process, or took more memory than it may."))

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._ended.set()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:  # a request waits for it in vain
            self._fail(failure)

    async def _leave(self, context: BrowserContext) -> None:
        """Close all that the page opened. A browser that does not manage to is no more to be used."""
        for task in self._tasks:
            task.cancel()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await context.close()
        except TimeoutError:
            self.browser_hangs = True
        except Error:
            pass  # with the browser

    def _user_agent(self) -> str:
        """The browser's, without saying that nobody looks at it, and ours after it: sites shall know who asks."""
        version = self._browser.version.partition(".")[0]
        chrome = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
        return f"{chrome} Safari/537.36 {self._agent}".strip()


class _Jar:
    """The person's own cookies in a page's context: of the site that the page itself is at, and of no other.

    What else the page asks of other sites must not carry theirs. Two fences: those of a site that is left are taken
    out, and all are `SameSite=Lax`, so that even while the page is on its way from one site to the next, only what it
    goes to itself has them. All but those that it is said to need are `HttpOnly`, whatever the export says of them: a
    page's scripts are not all of its site.
    """

    def __init__(self, own: OwnCookies, readable: frozenset[str]) -> None:
        self._own = own
        self._readable = readable
        self._given: dict[_Key, Cookie] = {}
        self._filling = asyncio.Lock()

    async def fill(self, context: BrowserContext, session: CDPSession, url: str) -> None:
        """As `url` wants it. What a site has set meanwhile in the place of one's own stays."""
        async with self._filling:
            own = {_key(one): one for one in await self._own(url)}
            if own == self._given:
                return
            held = {
                (one.get("name", ""), one.get("domain", ""), one.get("path", "")): one.get("value")
                for one in await context.cookies()
            }
            left = [key for key, one in self._given.items() if key not in own and held.get(key) == one.value]
            fresh = [one for key, one in own.items() if key not in held and key not in self._given]
            self._given = own
            await asyncio.gather(
                *(_send(session, "Network.deleteCookies", name=name, domain=domain, path=path)
                  for name, domain, path in left),
                # One by one: Chromium refuses those that it would not take from a site, and those alone.
                *(_send(session, "Network.setCookie", **self._as_told(one, url)) for one in fresh),
            )  # fmt: skip

    def _as_told(self, cookie: Cookie, url: str) -> dict[str, Any]:
        """For Network.setCookie: without a domain, it belongs to the host of `url` alone."""
        told: dict[str, Any] = {
            "name": cookie.name, "value": cookie.value, "path": cookie.path, "secure": cookie.secure,
            "httpOnly": cookie.name not in self._readable, "sameSite": "Lax", "url": url,
        }  # fmt: skip
        if not cookie.host_only:
            told["domain"] = f".{cookie.domain}"
        if cookie.expires is not None:
            told["expires"] = cookie.expires
        return told


_Key = tuple[str, str, str]
"""Name, domain and path, as Chromium has them."""


def _key(cookie: Cookie) -> _Key:
    return cookie.name, cookie.domain if cookie.host_only else f".{cookie.domain}", cookie.path


def _has_come(page: Page) -> bool:
    """Whether there is a document, and not only the browser's own, of an error or of nothing."""
    return page.url != "about:blank" and not page.url.startswith("chrome-error:")


def _refused(error: Exception, url: str, leave: Pass) -> FetchFailed:
    """Why the page could not be gone to, in the words of a fetch."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    said = str(error)
    if host in leave.refused:
        return FetchFailed("forbidden_address", f"{host[:200]} is not on the public internet.")
    if leave.spent is not None:
        return FetchFailed("too_large", "The page wants more than it may load.")
    if "ERR_ABORTED" in said or "Download is starting" in said:
        return FetchFailed("unsupported_type", "The browser was led to a file, or to nothing.")
    if "ERR_TOO_MANY_REDIRECTS" in said:
        return FetchFailed("too_many_redirects", "It redirects too often.")
    if "ERR_CERT" in said or "ERR_SSL" in said:
        return FetchFailed("tls_failed", "Its certificate or encryption is not in order.")
    return FetchFailed("connection_failed", f"The browser got no page: {said.splitlines()[0][:200]}")


async def _send(session: CDPSession, method: str, **parameters: Any) -> None:
    """As far as there is still somebody to hear it."""
    with suppress(Error):
        await session.send(method, parameters)


def _now() -> float:
    return asyncio.get_running_loop().time()


@cache
def _script(name: str) -> str:
    return (_SCRIPTS / name).read_text(encoding="utf-8")
