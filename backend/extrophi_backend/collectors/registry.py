"""Which collector takes what a person typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extrophi_backend.collectors.files import target as files_target
from extrophi_backend.collectors.files.collector import make_collector as make_files_collector
from extrophi_backend.collectors.models import MAX_ID_BYTES, Collector, Platform, Target
from extrophi_backend.collectors.web import target as web_target
from extrophi_backend.collectors.web.collector import WebCollector
from extrophi_backend.collectors.web.rendering import Renderer
from extrophi_backend.errors import InvalidTarget
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


@dataclass(frozen=True, slots=True)
class Registry:
    """`recognisers` are asked in order; the first that knows a target has it."""

    recognisers: Sequence[Recogniser]
    collectors: Mapping[Platform, Collector]
    fetcher: Fetcher | None = None
    """What the collectors go out by; closed with them."""
    browser: Browser | None = None
    """The same, for pages that are made by their scripts."""

    async def close(self) -> None:
        if self.browser is not None:
            await self.browser.close()
        if self.fetcher is not None:
            await self.fetcher.close()

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


def make_registry(settings: Settings) -> Registry:
    """All collectors there are, ready to run."""
    roots, allow = settings.files_roots, settings.fetch_allow
    fetcher = Fetcher(allow=allow, max_bytes=settings.fetch_max_bytes, seconds=settings.fetch_seconds)
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
    return Registry(
        recognisers=[
            lambda typed: files_target.recognise(typed, roots, Path.home()),
            lambda typed: web_target.recognise(typed, allow),
        ],
        collectors={
            "files": make_files_collector(roots=roots, max_bytes=settings.file_max_bytes),
            "web": WebCollector(fetcher, max_bytes=settings.fetch_max_bytes, renderer=Renderer(browser, fetcher)),
        },
        fetcher=fetcher,
        browser=browser,
    )
