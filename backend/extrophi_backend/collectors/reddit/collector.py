"""Collecting from Reddit: by its API where an app's credentials are there, by its feeds otherwise.

A post with its comments is one document. Its external id is the post's fullname (`t3_…`), whatever the way.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime

from extrophi_backend.accounts.models import Credentials
from extrophi_backend.archives.models import TARGET, Archives
from extrophi_backend.collectors.models import Page, Run
from extrophi_backend.collectors.reddit.api import API, APP, USER
from extrophi_backend.collectors.reddit.by_api import ByAPI
from extrophi_backend.collectors.reddit.by_archive import ByArchive
from extrophi_backend.collectors.reddit.by_feed import ByFeed
from extrophi_backend.collectors.reddit.feeds import TOKEN, Feeds, Own
from extrophi_backend.collectors.reddit.gathering import Gatherer, Limits
from extrophi_backend.collectors.reddit.models import Keys
from extrophi_backend.collectors.reddit.places import Place, place_of
from extrophi_backend.collectors.reddit.progress import Draft
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import Wait, put_off

_LIMITS = Limits()


def make_collector(
    fetcher: Fetcher,
    accounts: Keys,
    *,
    reddit_url: str,
    oauth_url: str,
    archives: Archives | None = None,
    limits: Limits = _LIMITS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> "RedditCollector":
    """The collector for `reddit`.

    Args:
        fetcher: The way out.
        accounts: The person's credentials; told when Reddit does not take them.
        reddit_url: Where tokens and feeds are (EXTROPHI_REDDIT_URL).
        oauth_url: Where the API is (EXTROPHI_REDDIT_OAUTH_URL).
        archives: Has the data exports that people gave.
        limits: How many comments of one post are collected, and by how many requests.
        now: The present.
    """
    return RedditCollector(
        fetcher, accounts, reddit_url=reddit_url, oauth_url=oauth_url, archives=archives, limits=limits, now=now
    )


class RedditCollector:
    """Asks Reddit in the way that the person's credentials open. What it asks as one app is shared by all jobs."""

    def __init__(
        self,
        fetcher: Fetcher,
        accounts: Keys,
        *,
        reddit_url: str,
        oauth_url: str,
        archives: Archives | None,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._fetcher = fetcher
        self._accounts = accounts
        self._reddit_url = reddit_url
        self._oauth_url = oauth_url
        self._archives = archives
        self._limits = limits
        self._now = now
        self._feeds = Feeds(fetcher, accounts, reddit_url=reddit_url)
        self._api: tuple[tuple[str | None, ...], API] | None = None

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The posts of a list, one post, or what a data export names, each post with its comments.

        The cursor says which page of the list it is, and which post was handled last. What Reddit had answered about
        a post when it asked to wait is in a memo.

        Raises:
            PlatformUnavailable: Reddit asked us to come back later. Paced, if that is only our own pace.
            Refused: Reddit does not give it, and why.
        """
        if run.cursor is not None and run.cursor.get("done"):
            return
        if run.target.canonical.startswith(TARGET):
            async with aclosing(ByArchive(run, self._archives, self.collect, self._now).pages()) as pages:
                async for page in pages:
                    yield page
            return
        collecting = self._collecting(run, await self._accounts.credentials("reddit"))
        saved = run.cursor
        try:
            async for _ in collecting.steps():
                if collecting.draft.is_full():
                    saved = collecting.at.cursor
                    yield collecting.draft.page(saved)
                    collecting.draft = Draft()
        except (Wait, Refused) as end:
            for page in collecting.draft.last_pages(collecting.at.cursor, saved):
                yield page
            if isinstance(end, Wait):
                raise put_off(end) from end
            raise
        yield collecting.draft.page({"done": True})

    async def close(self) -> None:
        """Let go of what the client of the API holds."""
        if self._api is not None:
            await self._api[1].close()
            self._api = None

    def _collecting(self, run: Run, credentials: Credentials) -> ByAPI | ByFeed:
        """The way that opens a run's place. Raises Refused: none does."""
        place = place_of(run.target.canonical)
        have = credentials.values.keys()
        own = Own(credentials) if have >= {*TOKEN} and _is_of(place, credentials.values["feed_user"]) else None
        # An app without a user sees nobody's own lists.
        if have >= {*APP} and (USER in have or (own is None and place.kind != "own")):
            api = self._asking_as(credentials)
            return ByAPI(api, Gatherer(api, self._limits, self._now), run, place)
        if own is None and place.kind == "own":
            raise Refused("credentials_missing", _lacking(place, has_feeds=have >= {*TOKEN}))
        return ByFeed(self._feeds, run, place, own, self._now)

    def _asking_as(self, credentials: Credentials) -> API:
        """The client for these credentials: its access token is good for jobs to come."""
        key = tuple(credentials.values.get(name) for name in (*APP, USER))
        if self._api is None or self._api[0] != key:
            api = API(
                self._fetcher, self._accounts, credentials, reddit_url=self._reddit_url, oauth_url=self._oauth_url
            )
            self._api = key, api
        return self._api[1]


def _is_of(place: Place, user: str) -> bool:
    """Whether a place is one that a user sees in their own way."""
    return place.kind == "front" or (place.kind in {"own", "multi"} and place.owner in {"me", user.lower()})


def _lacking(place: Place, *, has_feeds: bool) -> str:
    if has_feeds:
        return f"Nobody but their user sees {place.name}, and the feed token that is set is another user's."
    return (
        f"Nobody but their user sees {place.name}: that takes the token of their feeds, or a refresh token of theirs."
    )
