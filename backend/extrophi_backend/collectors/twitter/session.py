"""X's pages, opened in a browser by a signed-in session, and what they are answered while they are scrolled down.

A page asks for much: whom to follow, what is talked of, whether there is a message. What counts are the answers of X's
own hosts to the operation that the place is about, and no others, whatever they say.
"""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.accounts.models import Credentials
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter.graphql import read_timeline, unavailable_user
from extrophi_backend.collectors.twitter.models import Batch
from extrophi_backend.collectors.twitter.reading import Unreadable, objects, parsed
from extrophi_backend.collectors.twitter.reasons import explained
from extrophi_backend.collectors.twitter.target import SITE, Kind, Place
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.rendered import Heard

if TYPE_CHECKING:
    from extrophi_backend.fetch.listening import Listening

_COOKIES = ("auth_token", "ct0")
_READABLE = frozenset({"ct0"})
"""X's scripts send it along as a header, too: that is how they prove to be its own."""
_HOSTS = frozenset({"x.com", "twitter.com", "api.x.com", "api.twitter.com"})
_OPERATIONS: dict[Kind, re.Pattern[str]] = {
    "user": re.compile(r"UserTweets\w*|UserByScreenName"),
    "post": re.compile(r"TweetDetail|TweetResultByRestId"),
    "list": re.compile(r"ListLatestTweetsTimeline"),
    "search": re.compile(r"SearchTimeline"),
}
"""What a place's page asks for its posts by."""
_SIGNED_OUT = 2
"""Other operations that answer 401, until the session is taken for ended: one alone may be no feature of it."""
_LOGIN = re.compile(r"/(?:login|logout|i/flow/(?:login|signup|single_sign_on))(?:/|$)")
_LOCKED = re.compile(r"/(?:account/(?:access|suspended|begin_password_reset)|i/flow/consent_flow)(?:/|$)")
_COMING_SECONDS = 30.0
"""For the page's scripts to come and to ask for something: they are megabytes."""
_MOST_QUIET = 3
"""Times that it is scrolled in vain."""
_WAIT_UNSAID = 900.0
"""X's windows of rate limits are 15 minutes long."""
_BUDGET = "x-session"
_CODES = {32: "session_ended", 89: "session_ended", 215: "session_ended", 353: "session_ended", 326: "account_locked",
          64: "account_locked", 34: "not_found", 144: "not_found", 50: "not_found", 63: "suspended",
          179: "protected"}  # fmt: skip
"""Those of errors that X's web still has from its API v1.1 (developer.x.com, error codes)."""
_RATE_LIMITED = 88


class Session:
    """Of one run.

    Args:
        browser: The worker's.
        fetcher: For turns at X's host, which all jobs of the session share.
        accounts: Told of a session that has ended.
        credentials: With the two cookies.
        web_url: Where X's pages are, without a slash at the end.
        quiet_seconds: For which a page that was scrolled gets nothing, if there is no more.
    """

    def __init__(
        self,
        browser: Browser,
        fetcher: Fetcher,
        accounts: Accounts,
        credentials: Credentials,
        *,
        web_url: str,
        quiet_seconds: float,
    ) -> None:
        self._browser = browser
        self._fetcher = fetcher
        self._accounts = accounts
        self._credentials = credentials
        self._host = urlsplit(web_url).hostname or ""
        self._hosts = _HOSTS if web_url == SITE else frozenset({self._host})
        self._quiet_seconds = quiet_seconds

    async def timelines(self, address: str, place: Place) -> AsyncGenerator[Batch, None]:
        """The timelines of a page, as it is scrolled down. Whoever has enough closes this, and the page with it.

        Raises:
            Refused: why X shows nothing.
            FetchFailed: the page failed, or had all that it may have.
            Wait: X asks to be left alone.
        """
        has_come, quiet, since = False, 0, time.monotonic()
        signed_out: set[str] = set()
        async with self._page(address) as page:
            await self._check_place(page.url)  # led to the login, it asks for nothing
            while quiet <= _MOST_QUIET:
                heard = await page.next(self._quiet_seconds)
                await self._check_place(page.url)
                batch = await self._read(heard, place, signed_out) if heard is not None else None
                # What else the page is answered is no sign of more: only the clock tells.
                for_seconds = time.monotonic() - since
                if batch is not None:
                    has_come, since = True, time.monotonic()
                    quiet = 0 if batch.listed else quiet + 1
                    signed_out.clear()
                    yield batch
                    if batch.more is None or not (batch.listed or batch.failures):
                        return
                    await page.scroll()
                elif not has_come and for_seconds > _COMING_SECONDS:
                    raise Refused("unreadable_answer", "X's page has shown nothing of what it is about.")
                elif has_come and for_seconds >= self._quiet_seconds:
                    quiet, since = quiet + 1, time.monotonic()
                    await page.scroll()

    @asynccontextmanager
    async def _page(self, address: str) -> "AsyncGenerator[Listening]":
        await self._fetcher.turn(address, typed=True, budget=_BUDGET)
        is_secure = address.startswith("https:")
        # The real one's belong to all of x.com; those of an address in figures to nobody else.
        cookies = [
            Cookie(name, self._credentials.values[name], self._host, host_only=not is_secure, secure=is_secure)
            for name in _COOKIES
        ]
        async with self._browser.listen(address, self._is_wanted, cookies=cookies, readable=_READABLE) as page:
            yield page

    def _is_wanted(self, url: str) -> bool:
        """Whether an address is one of the page's own questions to X."""
        parts = urlsplit(url)
        return parts.hostname in self._hosts and "/graphql/" in parts.path

    async def _read(self, heard: Heard, place: Place, signed_out: set[str]) -> Batch | None:
        """The timeline in an answer; None where there is none of the place.

        Raises:
            Refused, Wait: what the answer says instead.
        """
        operation = urlsplit(heard.url).path.rpartition("/")[2]
        if not self._is_wanted(heard.url):
            return None
        if _OPERATIONS[place.kind].fullmatch(operation) is None:
            signed_out |= {operation} if heard.status == 401 else set()
            if len(signed_out) < _SIGNED_OUT:
                return None
            raise await self._ended("session_ended", heard.status)
        return await self._read_own(heard, place, operation)

    async def _read_own(self, heard: Heard, place: Place, operation: str) -> Batch | None:
        """As `_read`, of the place's own operation."""
        if heard.status == 429:
            raise await self._limited(heard)
        try:
            answer = parsed(heard.body)
        except Unreadable as error:
            if heard.status in {401, 403}:
                raise await self._ended("session_ended", heard.status) from error
            if heard.status >= 400:
                return None  # the page asks again, or nothing comes of it
            detail = f"An answer of {operation} is no JSON, or did not come whole."
            return Batch(failures=[Failure(place.address, "unreadable_answer", detail)], more={})
        batch = read_timeline(answer, place.address)
        if batch is not None:
            return _with_focal(batch, place)
        await self._check_errors(answer, heard, place)
        gone = unavailable_user(answer) if place.kind == "user" else None
        if gone is not None:
            raise Refused(*gone)
        return None

    async def _check_errors(self, answer: dict[str, Any], heard: Heard, place: Place) -> None:
        """Raises Refused or Wait, where an answer is nothing but errors that say why."""
        codes = [one.get("code") for one in objects(answer.get("errors"))]
        if _RATE_LIMITED in codes:
            raise await self._limited(heard)
        code = next((_CODES[one] for one in codes if isinstance(one, int) and one in _CODES), "")
        if not code and heard.status in {401, 403}:
            code = "session_ended"
        if code in {"session_ended", "account_locked"}:
            raise await self._ended(code, heard.status)
        if code:
            raise Refused(code, explained(code, "The user" if place.kind == "user" else "The post"))

    async def _check_place(self, url: str) -> None:
        path = urlsplit(url).path
        if _LOCKED.match(path):
            raise await self._ended("account_locked", 200)
        if _LOGIN.match(path):
            raise await self._ended("session_ended", 200)

    async def _ended(self, code: str, status: int) -> Refused:
        if code == "account_locked":
            detail = "X has locked the account of the session, and wants its owner to do something first."
        else:
            detail = "X takes the session for signed out" + (f" ({status})." if status != 200 else ".")
        await self._accounts.note_refused(self._credentials, _COOKIES, detail)
        return Refused(code, detail)

    async def _limited(self, heard: Heard) -> Wait:
        """What an answer of 429 asks for: of all jobs of the session."""
        reset = heard.headers.get("x-rate-limit-reset", "")
        seconds = max(1.0, int(reset) - time.time()) if reset.isascii() and reset.isdigit() else _WAIT_UNSAID
        seconds = min(seconds, 86_400.0)
        await self._fetcher.hold(_BUDGET, seconds)
        detail = "X answers 429 to the page's own requests, and to come back later."
        return Wait(urlsplit(heard.url).netloc, seconds, FetchFailed("rate_limited", detail))


def _with_focal(batch: Batch, place: Place) -> Batch:
    """Raises Refused: the very post that was asked for is not to be had."""
    if place.kind == "post" and (code := batch.missing.get(place.name)):
        raise Refused(code, explained(code, "The post"))
    return batch
