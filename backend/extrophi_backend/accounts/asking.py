"""Asking a platform whether it takes its credentials, at the price of one request for each way in.

What a platform answers is never repeated, since it may repeat what it was sent: `detail` is in our words.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode

import httpx

from extrophi_backend.accounts import cookies as jar
from extrophi_backend.accounts.models import Credentials, Outcome
from extrophi_backend.fetch import addresses
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.exchange import MOVED
from extrophi_backend.settings import Settings

_LOGIN = re.compile(r"log-?in|sign-?in|account/access|logout", re.IGNORECASE)
_SIGNED_IN = re.compile(r'"LOGGED_IN"\s*:\s*(true|false)')
_SESSION = re.compile(r'"session"\s*:\s*')
_SECONDS = 15.0
"""For an answer: somebody waits for it."""
Said = tuple[Literal["ok", "refused", "unknown"], str]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and where the platforms are."""

    fetcher: Fetcher
    x_api: str
    x_web: str
    reddit: str
    youtube: str

    @classmethod
    def by(cls, settings: Settings, fetcher: Fetcher) -> Self:
        return cls(
            fetcher,
            *(
                str(url).rstrip("/")
                for url in (settings.x_api_url, settings.x_web_url, settings.reddit_url, settings.youtube_url)
            ),
        )

    async def outcomes(self, credentials: Credentials) -> AsyncIterator[Outcome]:
        """What the platform says of each way in; nothing for one that is not whole."""
        for names, ask in self._ways(credentials):
            try:
                async with asyncio.timeout(_SECONDS):
                    state, detail = await ask()
            except TimeoutError:
                state, detail = "unknown", f"There was no answer within {_SECONDS:g} s."
            except FetchFailed as failure:
                state, detail = "unknown", f"It could not be asked. {failure.detail}"
            except Wait as wait:
                state, detail = "unknown", f"It is not asked again for {wait.seconds:.0f} s."
            yield Outcome(names, state, detail)

    def _ways(self, credentials: Credentials) -> list[tuple[tuple[str, ...], Callable[[], Awaitable[Said]]]]:
        """Which credentials are tried together, and how. No two platforms have a name in common but `cookies`."""
        app = ("client_id", "client_secret")
        ways = (
            (("bearer_token",), (), self._x_api),
            (("auth_token", "ct0"), (), self._x_session),
            (app, (), self._reddit_app),
            (("refresh_token",), app, self._reddit_app),
            (("feed_token", "feed_user"), (), self._reddit_feed),
        )
        have = credentials.values
        found: list[tuple[tuple[str, ...], Callable[[], Awaitable[Said]]]] = [
            (names, partial(ask, *(have[name] for name in (*beside, *names))))
            for names, beside, ask in ways
            if {*beside, *names} <= have.keys()
        ]
        if credentials.cookies:
            found.append((("cookies",), partial(self._cookies, credentials)))
        return found

    async def _x_api(self, token: str) -> Said:
        # Costs nothing of the monthly cap, and tells of it (docs.x.com/x-api/usage).
        answer = await self.fetcher.call(f"{self.x_api}/2/usage/tweets", {"Authorization": f"Bearer {token}"})
        if answer.status_code in {401, 403}:
            return "refused", f"X's API answers {answer.status_code} to the bearer token."
        if answer.status_code != 200:
            return "unknown", _unhelpful("X's API", answer)
        data = _object(_object(_json(answer)).get("data"))
        used, cap = _digits(data.get("project_usage")), _digits(data.get("project_cap"))
        return "ok", f"{used} of {cap} posts of this month's cap are used." if used and cap else "X's API takes it."

    async def _x_session(self, auth_token: str, ct0: str) -> Said:
        headers = {"Cookie": f"auth_token={auth_token}; ct0={ct0}", "Accept": "text/html"}
        answer = await self.fetcher.call(f"{self.x_web}/home", headers)
        leads_to_login = answer.status_code in MOVED and _LOGIN.search(answer.headers.get("location", ""))
        ended = any(_takes_back(line) for line in answer.headers.get_list("set-cookie"))
        if leads_to_login or ended or answer.status_code == 401:
            return "refused", "X takes the session for signed out."
        if answer.status_code == 200 and (user := _session_user(answer.text)) is not None:
            return ("ok", "The session is signed in.") if user else ("refused", "X takes the session for signed out.")
        return "unknown", _unhelpful("x.com", answer)

    async def _reddit_app(self, client_id: str, client_secret: str, refresh_token: str | None = None) -> Said:
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        asked = {"grant_type": "client_credentials"}
        if refresh_token:
            asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = await self.fetcher.call(
            f"{self.reddit}/api/v1/access_token",
            {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
            method="POST",
            content=urlencode(asked).encode(),
        )
        what = "refresh token" if refresh_token else "client id and secret"
        told = _object(_json(answer))
        # RFC 6749, 5.2; Reddit answers some errors with 200.
        if answer.status_code in {401, 403} or told.get("error") in {"invalid_grant", "unauthorized_client"}:
            return "refused", f"Reddit does not take the {what}."
        if answer.status_code == 400 and refresh_token:
            return "refused", f"Reddit does not take the {what}."
        if answer.status_code == 200 and told.get("access_token"):
            return "ok", f"Reddit takes the {what}."
        return "unknown", _unhelpful("Reddit", answer)

    async def _reddit_feed(self, token: str, user: str) -> Said:
        # A feed that nobody may read without the token, whoever else's are open.
        address = f"{self.reddit}/user/{quote(user)}/saved.rss?{urlencode({'limit': 1, 'feed': token, 'user': user})}"
        answer = await self.fetcher.call(address, {"Accept": "application/atom+xml"})
        if answer.status_code in {401, 403, 404} or answer.status_code in MOVED:
            return "refused", f"Reddit answers {answer.status_code} to the token and the user of the private feed."
        if answer.status_code == 200 and "<feed" in answer.text[:2000]:
            return "ok", "Reddit gives the private feed."
        return "unknown", _unhelpful("Reddit", answer)

    async def _cookies(self, credentials: Credentials) -> Said:
        if credentials.platform != "youtube":
            return "unknown", "Which page asks for a login, only you know: collect one, and see whether it is whole."
        address, now = addresses.parse(f"{self.youtube}/"), datetime.now(UTC)
        # An address that is not YouTube's own stands in for it: its cookies go there as they would to the real one.
        home = addresses.parse("https://www.youtube.com/")
        cookies = jar.header(one for one in credentials.cookies if one.belongs_to(home, now))
        answer = await self.fetcher.call(str(address), {"Cookie": cookies, "Accept": "text/html"})
        found = _SIGNED_IN.search(answer.text) if answer.status_code == 200 else None
        if found is None:
            return "unknown", _unhelpful("YouTube", answer)
        if found[1] == "true":
            return "ok", "The cookies are signed in."
        return "refused", "YouTube takes the cookies for signed out: the browser may have replaced them since."


def _unhelpful(who: str, answer: httpx.Response) -> str:
    if answer.status_code == 429:
        return f"{who} was asked too often (429): try again later."
    return f"{who} answers {answer.status_code}, which tells nothing of the credentials."


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _digits(value: Any) -> str | None:
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) < 19 else None


def _takes_back(set_cookie: str) -> bool:
    name, _, rest = set_cookie.partition("=")
    return name.strip() == "auth_token" and rest.partition(";")[0].strip().strip('"') == ""


def _session_user(page: str) -> str | None:
    """The user whom the state in X's page names; empty where it names none, None where there is no such state."""
    found = _SESSION.search(page)
    if found is None:
        return None
    try:
        session, _ = json.JSONDecoder().raw_decode(page, found.end())
    except (ValueError, RecursionError):
        return None
    return str(session.get("user_id") or "") if isinstance(session, dict) else None
