"""Reddit's API, as one app may use it: OAuth by asyncpraw, over our own way out (www.reddit.com/dev/api)."""

import asyncio
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.collectors.reddit.models import Declined, Keys, Unreadable
from extrophi_backend.collectors.reddit.parse import as_object
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.client import Budget, Fetcher, agent
from extrophi_backend.fetch.pace import pace_name

if TYPE_CHECKING:
    from asyncpraw import Reddit

APP = ("client_id", "client_secret")
USER = "refresh_token"
_SPACING = 0.6
"""Seconds: 100 requests a minute (Reddit's Data API terms, free of charge)."""
_MOST_BYTES = 64 * 2**20
_TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  an address
_REFUSALS = frozenset({"invalid_grant", "unauthorized_client", "invalid_client", "access_denied"})  # RFC 6749, 5.2
_OF_TOKENS = frozenset({"invalid_token", "insufficient_scope"})  # RFC 6750, 3.1
_BEARER_ERROR = re.compile(r'error="?(\w+)')


class API:
    """Asks as one app, or as one of its users. Its access token is shared by all jobs, and got anew when it runs out.

    Args:
        fetcher: The way out.
        keys: Told when Reddit does not take the credentials.
        credentials: With client_id and client_secret; with a refresh_token it is that user who asks.
        reddit_url: Where tokens are given.
        oauth_url: Where the API is.
    """

    def __init__(
        self, fetcher: Fetcher, keys: Keys, credentials: Credentials, *, reddit_url: str, oauth_url: str
    ) -> None:
        self._fetcher = fetcher
        self._keys = keys
        self._credentials = credentials
        self._reddit_url = reddit_url.rstrip("/")
        # With a slash: an address is joined to it, and whatever path it has stays.
        self._oauth_url = oauth_url.rstrip("/") + "/"
        self._budget = Budget(pace_name(parse(oauth_url)), _SPACING, told=told)
        self._reddit: Reddit | None = None

    @property
    def has_user(self) -> bool:
        """Whether a user asks, and not the app alone."""
        return USER in self._credentials.values

    async def get(self, path: str, params: Mapping[str, str | int]) -> Any:
        """The JSON at a path.

        Raises:
            Declined: Reddit answered, and gave nothing.
            Unreadable: what it answered is no JSON.
            Refused: credentials_refused.
            FetchFailed: no answer was to be had.
            Wait: it is to be asked later.
        """
        try:
            return await self._get(path, params)
        except Declined as declined:
            if declined.status != 401:
                raise
        self._reddit = None  # the token may have run out before its time: once more with a fresh one
        try:
            return await self._get(path, params)
        except Declined as declined:
            if declined.status != 401:
                raise
            raise await self._refused(APP, "Reddit takes the app's credentials, and not its access token.") from None

    async def _get(self, path: str, params: Mapping[str, str | int]) -> Any:
        """As `get`, with the token that is there."""
        try:
            return await self._asked(path, params)
        except Declined as declined:
            if declined.status != 403 or declined.oauth_error not in _OF_TOKENS:
                raise
            names = (USER,) if self.has_user else APP
            raise await self._refused(
                names, f"Reddit's access token is not for this ({declined.oauth_error})."
            ) from None

    async def close(self) -> None:
        """Let go of what asyncpraw holds."""
        if self._reddit is not None:
            await self._reddit.close()
            self._reddit = None

    async def _asked(self, path: str, params: Mapping[str, str | int]) -> Any:
        if self._reddit is None:
            self._reddit = self._connected()
        return await self._reddit.request(method="GET", path=path.lstrip("/"), params=dict(params))

    def _connected(self) -> "Reddit":
        # Half a second, for those who collect nothing of Reddit.
        from asyncpraw import Reddit  # noqa: PLC0415

        from extrophi_backend.collectors.reddit.requestor import GuardedRequestor  # noqa: PLC0415

        # All that asyncpraw would otherwise look for in the environment and in files called praw.ini is said here.
        values = self._credentials.values
        return Reddit(
            "DEFAULT",
            requestor_class=GuardedRequestor,
            requestor_kwargs={"ask": self._ask},
            client_id=values["client_id"],
            client_secret=values["client_secret"],
            refresh_token=values.get(USER),
            redirect_uri=None,
            username=None,
            password=None,
            user_agent=agent(),
            reddit_url=self._reddit_url,
            oauth_url=self._oauth_url,
            check_for_updates=False,
        )

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        """What asyncprawcore asks, and an answer that it can rely on. Raises as `get`."""
        answer = await self._fetcher.ask(url, headers, self._budget, method=method, content=body, most=_MOST_BYTES)
        if httpx.URL(url).path.endswith(_TOKEN_PATH):
            return await self._token(answer)
        if answer.status_code != 200:
            raise declined_by(answer)
        return await asyncio.to_thread(json_of, answer)  # some megabytes, of a large tree

    async def _token(self, answer: httpx.Response) -> Any:
        """What the token's address answered. Raises Refused, Declined, Unreadable."""
        status, is_user = answer.status_code, self.has_user
        said: dict[str, Any] = {}
        try:
            said = as_object(json_of(answer))
        except Unreadable:
            if status == 200:
                raise
        error = said.get("error")  # some errors come with 200
        if status == 401:  # a 403 without an error of OAuth's is Reddit's page for robots, and no word on the secret
            raise await self._refused(APP, "Reddit does not take the client id and secret.")
        if (isinstance(error, str) and error in _REFUSALS) or (status == 400 and is_user):
            names, what = ((USER,), "refresh token") if is_user else (APP, "client id and secret")
            raise await self._refused(names, f"Reddit does not take the {what}.")
        if status != 200:
            raise declined_by(answer)
        expires_in = said.get("expires_in")
        lasts = isinstance(expires_in, int | float) and math.isfinite(expires_in)
        if not lasts or not isinstance(said.get("access_token"), str) or not isinstance(said.get("scope"), str):
            raise Unreadable("Reddit's answer holds no access token.")
        return said

    async def _refused(self, names: tuple[str, ...], detail: str) -> Refused:
        await self._keys.note_refused(self._credentials, names, detail)
        return Refused("credentials_refused", detail)


def told(answer: httpx.Response) -> float | None:
    """Seconds that Reddit wants to be left alone for; None while there are requests left in its window."""
    remaining, reset = (_number(answer.headers.get(f"x-ratelimit-{name}")) for name in ("remaining", "reset"))
    return max(1.0, reset) if remaining is not None and reset is not None and remaining <= 0 else None


def declined_by(answer: httpx.Response) -> Declined:
    """What an answer other than 200 comes to."""
    try:
        said = as_object(json_of(answer))
    except Unreadable:  # a page for people
        said = {}
    reason, error = said.get("reason"), said.get("error")
    if not isinstance(error, str):
        found = _BEARER_ERROR.search(answer.headers.get("www-authenticate", ""))
        error = found[1] if found else ""
    return Declined(
        answer.status_code,
        reason=reason if isinstance(reason, str) else "",
        location=answer.headers.get("location", "")[:200],
        oauth_error=error,
    )


def json_of(answer: httpx.Response) -> Any:
    """An answer's JSON. Raises Unreadable."""
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        raise Unreadable("Reddit's answer is no JSON.") from None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
