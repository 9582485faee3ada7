"""Reddit's Atom feeds, asked for: the open ones, or those that are a user's own (www.reddit.com/wiki/rss)."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import httpx

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.collectors.reddit.api import declined_by, told
from extrophi_backend.collectors.reddit.atom import Feed, read_atom
from extrophi_backend.collectors.reddit.models import Keys, Unreadable
from extrophi_backend.collectors.reddit.places import Place
from extrophi_backend.errors import Refused
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.client import Budget, Fetcher
from extrophi_backend.fetch.pace import pace_name

TOKEN = ("feed_token", "feed_user")
ENTRIES = 25
"""That a feed has at most."""
_SPACING = 6.0
"""Seconds: ten requests a minute, which is what Reddit lets strangers ask."""


_ROBOTS = re.compile(rb"(?i)network security|whoa there|captcha|\bblocked\b|\brobots?\b|too many requests")
"""On the page that Reddit shows to programs that it does not like: it says nothing of the token."""


@dataclass(frozen=True, slots=True)
class Own:
    """Who reads a feed that is their own."""

    credentials: Credentials = field(repr=False)

    @property
    def user(self) -> str:
        return self.credentials.values["feed_user"].lower()

    @property
    def token(self) -> str:
        return self.credentials.values["feed_token"]


class Feeds:
    """Asks for feeds.

    Args:
        fetcher: The way out.
        keys: Told when Reddit does not take a token.
        reddit_url: Where Reddit is.
    """

    def __init__(self, fetcher: Fetcher, keys: Keys, *, reddit_url: str) -> None:
        self._fetcher = fetcher
        self._keys = keys
        self._url = reddit_url.rstrip("/")
        self._budget = Budget(pace_name(parse(reddit_url)), _SPACING, told=told)

    async def get(self, place: Place, own: Own | None) -> Feed:
        """The feed of a place.

        Args:
            place: Which.
            own: Whose it is, where it is asked for with their token.

        Raises:
            Declined: Reddit answered, and gave none.
            Unreadable: it answered with something else.
            Refused: credentials_refused.
            FetchFailed: no answer was to be had.
            Wait: it is to be asked later.
        """
        params: dict[str, str | int] = {**place.asks, "limit": ENTRIES}
        if place.kind == "post":
            params["sort"] = "new"
        path = place.path
        if own is not None:
            params |= {"feed": own.token, "user": own.user}
            path = path.replace("/user/me/", f"/user/{own.user}/", 1)
        end = ".rss" if place.kind in {"search", "own"} else "/.rss"
        url = f"{self._url}{path}{end}?{urlencode(params, quote_via=quote)}"
        answer = await self._fetcher.ask(url, {"Accept": "application/atom+xml"}, self._budget)
        if own is not None and _is_of_token(answer):
            detail = f"Reddit answers {answer.status_code} to the token and the user of the private feed."
            await self._keys.note_refused(own.credentials, TOKEN, detail)
            raise Refused("credentials_refused", detail)
        if answer.status_code != 200:
            raise declined_by(answer)
        # The feed's own address stands in it: with the token, which goes no further than this.
        body = answer.content.replace(own.token.encode(), b"") if own is not None else answer.content
        try:
            feed = await in_child(read_atom, body)
        except ExtractionFailed as failure:
            raise Unreadable(f"Reddit's feed cannot be read. {failure.detail}") from failure
        if feed is None:
            raise Unreadable("Reddit's answer is no feed.")
        return feed


def _is_of_token(answer: httpx.Response) -> bool:
    """Whether Reddit refuses the token of a feed, and neither programs as such nor this list."""
    if answer.status_code != 403:
        return answer.status_code == 401
    return not declined_by(answer).reason and _ROBOTS.search(answer.content) is None
