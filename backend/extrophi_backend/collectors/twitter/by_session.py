"""Collecting by a signed-in session of the person's own: a browser opens X's page, and its answers are read.

Nothing of X's private protocol is made up here: which requests there are, and how they are signed, is the page's own
business. It is scrolled down as a reader does, until no more comes.
"""

import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.accounts.models import Credentials
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.graphql import read_timeline, unavailable_user
from extrophi_backend.collectors.twitter.models import Batch, Listed
from extrophi_backend.collectors.twitter.reading import Unreadable, as_object, id_of, objects, parsed
from extrophi_backend.collectors.twitter.reasons import explained
from extrophi_backend.collectors.twitter.target import Place
from extrophi_backend.collectors.twitter.ways import Wanted
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
_BESIDE = ("Home", "Explore", "Sidebar", "Notification", "Recommend", "Viewer", "Trend", "Badge", "DataSaver")
"""In names of operations whose answers are not of the page's own content."""
_LOGIN = re.compile(r"/(?:login|logout|i/flow/(?:login|signup|single_sign_on))(?:/|$)")
_LOCKED = re.compile(r"/(?:account/(?:access|suspended|begin_password_reset)|i/flow/consent_flow)(?:/|$)")
_COMING_SECONDS = 30.0
"""For the page's scripts to come and to ask for something: they are megabytes."""
_MOST_QUIET = 3
"""Times that it is scrolled in vain."""
_WAIT_UNSAID = 900.0
"""X's windows of rate limits are 15 minutes long."""
_AT_ONCE = 10
_CODES = {32: "session_ended", 89: "session_ended", 215: "session_ended", 353: "session_ended", 326: "account_locked",
          64: "account_locked", 34: "not_found", 144: "not_found", 50: "not_found", 63: "suspended",
          179: "protected"}  # fmt: skip
"""Those of errors that X's web still has from its API v1.1 (developer.x.com, error codes)."""
_RATE_LIMITED = 88


class BySession:
    """What the person sees when signed in.

    Args:
        browser: The worker's.
        fetcher: For turns at X's host.
        accounts: Told of a session that has ended.
        credentials: With the two cookies.
        web_url: Where X's pages are, without a slash at the end.
        quiet_seconds: For which a page that was scrolled asks for nothing, if there is no more.
    """

    name: models.Way = "session"
    at_once = _AT_ONCE

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
        self._web_url = web_url
        self._quiet_seconds = quiet_seconds

    def can_go_below(self, _: Place, /) -> bool:
        """As `Way.can_go_below`."""
        return False

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`. A run that goes on scrolls from the top, and passes over what is done."""
        place, seen = wanted.place, id_of(as_object(wanted.more).get("seen"))
        marks: set[str] = set()
        reached = seen
        async with aclosing(self._timelines(self._address(place), place)) as timelines:
            async for found in timelines:
                batch = _of_place(found, place)
                fresh = [one for one in batch.listed if one.mark not in marks]
                marks |= {one.mark for one in fresh}
                if seen and place.kind != "post":
                    fresh = [one for one in fresh if one.order and int(one.order) < int(seen)]
                reached = min([one.order for one in fresh if one.order], key=int, default=reached)
                yield replace(batch, listed=fresh, more={"seen": reached})
                # What others answer to a post has no end. What goes on from it is shown before that.
                if place.kind == "post" and not any(one.piece.post.continues_own for one in fresh):
                    return

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`: each by its own page, which shows what stands above it, too."""
        listed: list[Listed] = []
        failures: list[Failure] = []
        missing: dict[str, str] = {}
        for post in posts:
            if any(post in one.piece.post.ids for one in listed):
                continue
            place = Place("post", post)
            try:
                async with aclosing(self._timelines(self._address(place), place)) as timelines:
                    async for batch in timelines:
                        listed += batch.listed
                        failures += [one for one in batch.failures if one.code == "unknown_part"]
                        break
            except Refused as refusal:
                if refusal.code in {"session_ended", "account_locked"}:
                    raise
                missing[post] = refusal.code
                failures.append(Failure(place.address, refusal.code, refusal.detail))
        return Batch(listed, failures=failures, missing=missing)

    def _address(self, place: Place) -> str:
        match place.kind:
            case "user":
                return f"{self._web_url}/{place.name}/with_replies"
            case "post":
                return f"{self._web_url}/i/status/{place.name}"
            case "list":
                return f"{self._web_url}/i/lists/{place.name}"
            case "search":
                return f"{self._web_url}/search?{urlencode({'q': place.name, 'f': 'live'}, quote_via=quote)}"

    async def _timelines(self, address: str, place: Place) -> AsyncGenerator[Batch, None]:
        """The timelines of a page, as it is scrolled down. Whoever has enough closes this, and the page with it."""
        has_come, quiet, waited = False, 0, 0.0
        async with self._page(address) as page:
            await self._check_place(page.url)  # led to the login, it asks for nothing
            while quiet <= _MOST_QUIET:
                heard = await page.next(self._quiet_seconds)
                await self._check_place(page.url)
                if heard is None and not has_come:
                    waited += self._quiet_seconds
                    if waited > _COMING_SECONDS:
                        raise Refused("unreadable_answer", "X's page has shown nothing, and asked for nothing.")
                    continue
                batch = await self._read(heard, place) if heard is not None else None
                if batch is None:
                    quiet += heard is None
                    if heard is None:
                        await page.scroll()
                    continue
                has_come = True
                quiet = 0 if batch.listed else quiet + 1
                yield batch
                if batch.more is None or not (batch.listed or batch.failures):
                    return
                await page.scroll()

    @asynccontextmanager
    async def _page(self, address: str) -> "AsyncGenerator[Listening]":
        await self._fetcher.turn(address, typed=True)
        host = urlsplit(self._web_url).hostname or ""
        is_secure = address.startswith("https:")
        # The real one's belong to all of x.com; those of an address in figures to nobody else.
        cookies = [
            Cookie(name, self._credentials.values[name], host, host_only=not is_secure, secure=is_secure)
            for name in _COOKIES
        ]
        async with self._browser.listen(address, _is_wanted, cookies=cookies, readable=_READABLE) as page:
            yield page

    async def _read(self, heard: Heard, place: Place) -> Batch | None:
        """The timeline in an answer; None where there is none.

        Raises:
            Refused, Wait: what the answer says instead.
        """
        if heard.status == 429:
            raise _limited(heard)
        try:
            answer = parsed(heard.body)
        except Unreadable as error:
            if heard.status in {401, 403}:
                raise await self._ended("session_ended", heard.status) from error
            if heard.status >= 400:
                return None  # the page asks again, or nothing comes of it
            detail = f"An answer of {_operation(heard.url)} is no JSON, or did not come whole."
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
            raise _limited(heard)
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


def _is_wanted(url: str) -> bool:
    """Whether an address is one of the page's own questions for content."""
    path = urlsplit(url).path
    return "/graphql/" in path and not any(name in _operation(url) for name in _BESIDE)


def _operation(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _limited(heard: Heard) -> Wait:
    reset = heard.headers.get("x-rate-limit-reset", "")
    seconds = max(1.0, int(reset) - time.time()) if reset.isascii() and reset.isdigit() else _WAIT_UNSAID
    detail = "X answers 429 to the page's own requests, and to come back later."
    return Wait(urlsplit(heard.url).netloc, min(seconds, 86_400.0), FetchFailed("rate_limited", detail))


def _of_place(batch: Batch, place: Place) -> Batch:
    """A user's page shows what they answer as well: posts of others, which are theirs, and stand beside."""
    if place.kind != "user":
        return batch
    own = [
        one
        for one in batch.listed
        if one.mark not in one.piece.post.ids or one.piece.post.author.handle.lower() == place.name
    ]
    others = [one.piece for one in batch.listed if one not in own]
    return replace(batch, listed=own, beside=[*batch.beside, *others])


def _with_focal(batch: Batch, place: Place) -> Batch:
    """Raises Refused: the very post that was asked for is not to be had."""
    if place.kind == "post" and (code := batch.missing.get(place.name)):
        raise Refused(code, explained(code, "The post"))
    return batch
