"""Asking YouTube: by the guarded way out, in one pace, with the person's cookies, wherever YouTube is taken to be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from extrophi_backend.accounts import cookies as jar
from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.youtube.target import HOME
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.addresses import linked, parse
from extrophi_backend.fetch.client import Budget, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.exchange import MOVED

NAME = "youtube"
SPACING = 1.0
"""Seconds between two requests."""

_OURS = frozenset(
    "youtube.com www.youtube.com m.youtube.com music.youtube.com gaming.youtube.com youtubei.googleapis.com "
    "www.youtube-nocookie.com youtube-nocookie.com video.google.com".split()
)
"""Hosts that the base address stands for."""
_CONSENT = re.compile(r"consent\.(?:youtube|google)\.[a-z.]+")
_LOGIN = "accounts.google.com"
_CAPTCHA = b'class="g-recaptcha"'
_MOST_OF_CAPTCHA = 100_000
"""Bytes. A page about a captcha may well be longer."""
_LEFT_ALONE_SECONDS = 3600.0
"""After a captcha, which names no time."""
_MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it would go to YouTube itself. Its headers may hold credentials."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    method: str = "GET"
    content: bytes | None = None
    most: int | None = None
    """Bytes of the answer, if other than of a page."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the address at YouTube that gave it, after redirects."""

    url: str
    response: httpx.Response


class YouTube:
    """Where YouTube is. One for all jobs.

    Args:
        fetcher: The way out.
        url: What stands for www.youtube.com and the hosts beside it, without a slash at its end.
    """

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self._fetcher = fetcher
        self._base = url.rstrip("/")

    async def ask(self, asked: Asked, cookies: Sequence[Cookie] = ()) -> Answered:
        """The answer to a request, after redirects.

        Args:
            asked: What is asked for. Its own header `Cookie` goes before `cookies`.
            cookies: The person's. Those are sent that belong to the host, also where another stands for it.

        Raises:
            FetchFailed: no answer was to be had.
            Wait: YouTube is to be asked later than a worker should wait.
            Refused: consent_page, login_needed: it leads there, whatever is asked for.
        """
        url, method, content = asked.url, asked.method, asked.content
        headers = {"Accept-Language": "en"} | dict(asked.headers)  # its refusals are read
        for _ in range(_MOST_REDIRECTS + 1):
            if "Cookie" not in headers and (own := _cookies_for(url, cookies)):
                headers["Cookie"] = own
            budget = Budget(NAME, SPACING, _told)
            answer = await self._fetcher.ask(
                self._stand_in(url), headers, budget, method=method, content=content, most=asked.most
            )
            if _is_captcha(answer):
                raise captcha()
            location = answer.headers.get("location")
            if answer.status_code not in MOVED or not location:
                return Answered(url, answer)
            before, url = url, self._real(linked(self._stand_in(url), location))
            _refuse(url)
            if answer.status_code not in {307, 308}:
                method, content = "GET", None
            if urlsplit(before).hostname != urlsplit(url).hostname:
                headers = {"Accept-Language": "en"}  # what they held was meant for that host
        raise FetchFailed("too_many_redirects", f"It redirects more than {_MOST_REDIRECTS} times.")

    def _stand_in(self, url: str) -> str:
        """The address to ask, for one at YouTube."""
        parts = urlsplit(url)
        if parts.hostname not in _OURS or self._base == HOME:
            return url
        return f"{self._base}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    def _real(self, url: str) -> str:
        """The address at YouTube, for one that was asked in its place."""
        return f"{HOME}{url.removeprefix(self._base)}" if url.startswith(f"{self._base}/") else url


def captcha() -> Wait:
    """YouTube holds us for a robot that asks too much."""
    failure = FetchFailed("rate_limited", "YouTube shows a captcha instead: it was asked too often from this address.")
    return Wait(NAME, _LEFT_ALONE_SECONDS, failure)


def _told(answer: httpx.Response) -> float | None:
    return _LEFT_ALONE_SECONDS if _is_captcha(answer) else None


def _is_captcha(answer: httpx.Response) -> bool:
    if "/sorry/" in answer.headers.get("location", "") and answer.status_code in MOVED:
        return True
    return len(answer.content) < _MOST_OF_CAPTCHA and _CAPTCHA in answer.content


def _refuse(url: str) -> None:
    host = urlsplit(url).hostname or ""
    if _CONSENT.fullmatch(host):
        raise Refused("consent_page", "YouTube asks to consent to its cookies first, whatever it is asked for.")
    if host == _LOGIN:
        raise Refused("login_needed", "YouTube asks to sign in first.")


def _cookies_for(url: str, cookies: Sequence[Cookie]) -> str:
    parsed, now = parse(url), datetime.now(UTC)
    return jar.header(one for one in cookies if one.belongs_to(parsed, now))
