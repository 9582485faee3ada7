"""Which collector takes what a person typed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from extrophi_backend.accounts.service import Accounts
from extrophi_backend.archives.store import KeptArchives
from extrophi_backend.budgets.service import SharedPace
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.ambiguous import choices_for
from extrophi_backend.collectors.files import target as files_target
from extrophi_backend.collectors.files.collector import make_collector as make_files_collector
from extrophi_backend.collectors.models import MAX_ID_BYTES, Collector, Platform, Target
from extrophi_backend.collectors.reddit import target as reddit_target
from extrophi_backend.collectors.reddit.collector import make_collector as make_reddit_collector
from extrophi_backend.collectors.twitter import target as twitter_target
from extrophi_backend.collectors.twitter.collector import make_collector as make_twitter_collector
from extrophi_backend.collectors.web import target as web_target
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.rendering import Renderer
from extrophi_backend.collectors.web.whereto import whereto
from extrophi_backend.collectors.youtube import target as youtube_target
from extrophi_backend.collectors.youtube.collector import make_collector as make_youtube_collector
from extrophi_backend.collectors.youtube.transcribing import make_transcriber
from extrophi_backend.db import Pool
from extrophi_backend.errors import AmbiguousTarget, ForbiddenAddress, InvalidTarget
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher, agent
from extrophi_backend.fetch.rendered import Limits
from extrophi_backend.settings import Settings

_MOST_HTML = 16 * 2**20
_TRAFFIC = 2
"""A page with all that it loads may have so many times what one fetch may have."""
_PAGES = 3
"""Rendered at once: each takes about a core and 150 MB."""
Recogniser = Callable[[str], Target | None]
Resolver = Callable[[Target], Awaitable[Target]]
"""Asks a platform what a name of it stands for, where it has several for one thing."""


@dataclass(frozen=True, slots=True)
class Registry:
    """`recognisers` are asked in order; the first that knows a target has it."""

    recognisers: Sequence[Recogniser]
    collectors: Mapping[Platform, Collector]
    roots: Sequence[Path] = ()
    """Folders that files may be read below."""
    fetcher: Fetcher | None = None
    """What the collectors go out by; closed with them."""
    browser: Browser | None = None
    """The same, for pages that are made by their scripts."""
    resolvers: Mapping[Platform, Resolver] = field(default_factory=dict[Platform, Resolver])
    closes: Sequence[Callable[[], Awaitable[None]]] = ()
    """Beside these two, what collectors hold."""

    async def close(self) -> None:
        for close in self.closes:
            await close()
        if self.browser is not None:
            await self.browser.close()
        if self.fetcher is not None:
            await self.fetcher.close()

    async def find(self, typed: str) -> Target:
        """The target that a person means. A link that only leads elsewhere is followed, for some seconds.

        Raises:
            AmbiguousTarget: it may mean several things.
            InvalidTarget: nobody knows it.
            ForbiddenAddress: it is, or leads to, an address that is not on the public internet.
            PlatformUnavailable: what knows where it leads does not answer.
        """
        target = await self.look(typed)
        if target.platform == "web" and self.fetcher is not None:
            leads_to = await whereto(self.fetcher, target.canonical)
            if leads_to != target.canonical:
                target = replace(self.recognise(leads_to), typed=target.typed)
        resolve = self.resolvers.get(target.platform)
        return await resolve(target) if resolve else target

    async def look(self, typed: str) -> Target:
        """What `find` gives, as far as it can be told without asking anybody: nothing is fetched.

        Raises AmbiguousTarget, InvalidTarget, ForbiddenAddress, as `find` does.
        """
        choices = [one for one in await asyncio.to_thread(choices_for, typed, self.roots) if self._knows(one.target)]
        if len(choices) > 1:
            raise AmbiguousTarget(f"“{typed.strip()[:200]}” may mean several things.", choices)
        is_named = bool(choices) and typed.strip().startswith("@")  # of the one platform that has such names
        return replace(self.recognise(choices[0].target), typed=typed) if is_named else self.recognise(typed)

    def _knows(self, typed: str) -> bool:
        try:
            return bool(self.recognise(typed))
        except (InvalidTarget, ForbiddenAddress):
            return False

    def recognise(self, typed: str) -> Target:
        """The target in its canonical form. Raises InvalidTarget for what nobody knows."""
        for recogniser in self.recognisers:
            target = recogniser(typed)
            if target is not None:
                return _kept(target)
        raise InvalidTarget(
            f"“{typed[:200]}” is nothing that Extrophi can collect.",
            field="target",
            hint="Give a web address (https://…), or the absolute path of a file or folder.",
        )


def _kept(target: Target) -> Target:
    if len(target.canonical.encode()) > MAX_ID_BYTES:
        raise InvalidTarget(
            f"“{target.typed[:200]}…” is longer than the {MAX_ID_BYTES} bytes that Extrophi keeps.",
            field="target",
            hint="Give a shorter address, if the site has one.",
        )
    return target


def make_registry(settings: Settings, pool: Pool, accounts: Accounts, captures: Captures) -> Registry:
    """All collectors there are, ready to run. Hosts are paced together with all other workers."""
    roots, allow = settings.files_roots, settings.fetch_allow
    fetcher = Fetcher(
        allow=allow,
        max_bytes=settings.fetch_max_bytes,
        seconds=settings.fetch_seconds,
        pace=SharedPace(pool),
    )
    browser = Browser(
        named=settings.chromium,
        allow=allow,
        limits=Limits(
            seconds=settings.render_seconds,
            html_bytes=min(settings.fetch_max_bytes, _MOST_HTML),
            traffic_bytes=_TRAFFIC * settings.fetch_max_bytes,
            memory=settings.render_max_memory,
        ),
        agent=agent(),
        pages=min(_PAGES, settings.worker_slots),
    )
    archives = KeptArchives(pool, captures)
    key = settings.transcribe_api_key.get_secret_value() if settings.transcribe_api_key else None
    youtube = make_youtube_collector(
        fetcher,
        accounts,
        youtube_url=str(settings.youtube_url),
        languages=settings.youtube_languages,
        transcriber=make_transcriber(str(settings.transcribe_url), key=key, model=settings.transcribe_model)
        if settings.transcribe_url
        else None,
        archives=archives,
    )
    reddit = make_reddit_collector(
        fetcher,
        accounts,
        reddit_url=str(settings.reddit_url),
        oauth_url=str(settings.reddit_oauth_url),
        archives=archives,
    )
    return Registry(
        # Each takes what is its own: the web what nobody else knows.
        recognisers=[
            twitter_target.recognise,
            youtube_target.recognise,
            reddit_target.recognise,
            lambda typed: files_target.recognise(typed, roots, Path.home()),
            lambda typed: web_target.recognise(typed, allow),
        ],
        collectors={
            "files": make_files_collector(roots=roots, max_bytes=settings.file_max_bytes),
            "twitter": make_twitter_collector(
                fetcher,
                accounts,
                browser,
                api_url=str(settings.x_api_url),
                web_url=str(settings.x_web_url),
                archives=archives,
            ),
            "youtube": youtube,
            "reddit": reddit,
            "web": WebCollector(fetcher, max_bytes=settings.fetch_max_bytes, renderer=Renderer(browser, fetcher)),
        },
        roots=roots,
        fetcher=fetcher,
        browser=browser,
        resolvers={"youtube": youtube.resolve},
        closes=[reddit.close],
    )
