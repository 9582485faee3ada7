"""Collecting a single public post without credentials, as a page does that shows it as an embed."""

from collections.abc import AsyncGenerator, Sequence
from urllib.parse import urlencode

import httpx

from extrophi_backend.collectors.models import Failure
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.embed import read_embed, read_oembed
from extrophi_backend.collectors.twitter.models import Batch, Listed
from extrophi_backend.collectors.twitter.reading import Unreadable, parsed
from extrophi_backend.collectors.twitter.reasons import explained, reason_code
from extrophi_backend.collectors.twitter.target import SITE, Place, post_address
from extrophi_backend.collectors.twitter.tweets import Unavailable
from extrophi_backend.collectors.twitter.ways import Wanted
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Budget, Fetcher

_SYNDICATION = "https://cdn.syndication.twimg.com"
_PUBLISH = "https://publish.x.com"
_SPACING = 1.0
"""Seconds: as one asks a page."""


class ByEmbed:
    """One post at a time.

    Args:
        fetcher: The worker's way out.
        web_url: Where X's pages are. What is not the real one has both endpoints itself.
    """

    name: models.Way = "embed"
    at_once = 10

    def __init__(self, fetcher: Fetcher, web_url: str) -> None:
        is_real = web_url == SITE
        self._fetcher = fetcher
        self._syndication = _SYNDICATION if is_real else web_url
        self._publish = _PUBLISH if is_real else web_url

    def can_go_below(self, _: Place, /) -> bool:
        """As `Way.can_go_below`."""
        return False

    async def batches(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """As `Way.batches`; of a single post's place alone."""
        if wanted.place.kind != "post":
            detail = f"Without credentials X gives single posts alone, and not {wanted.place.address}."
            raise Refused("credentials_missing", detail)
        yield await self._post(wanted.place.name)

    async def ask(self, posts: Sequence[str]) -> Batch:
        """As `Way.ask`: one after the other."""
        listed: list[Listed] = []
        failures: list[Failure] = []
        missing: dict[str, str] = {}
        for post in posts:
            try:
                listed += (await self._post(post)).listed
            except Refused as refusal:
                missing[post] = refusal.code
                failures.append(Failure(post_address(post), refusal.code, refusal.detail))
        return Batch(listed, failures=failures, missing=missing)

    async def _post(self, post: str) -> Batch:
        answer = await self._ask(f"{self._syndication}/tweet-result", {"id": post, "lang": "en", "token": _token(post)})
        if answer.status_code == 200:
            try:
                return read_embed(parsed(answer.content))
            except Unavailable as gone:
                if (code := reason_code(gone.said)) != "not_found":
                    raise Refused(code, explained(code, "The post")) from gone
            except Unreadable:
                pass  # the official endpoint says less, and has not changed in years
        return await self._official(post)

    async def _official(self, post: str) -> Batch:
        asked = {"url": f"https://twitter.com/i/status/{post}", "omit_script": "1", "dnt": "1"}
        answer = await self._ask(f"{self._publish}/oembed", asked)
        match answer.status_code:
            case 200:
                return read_oembed(parsed(answer.content))
            case 403:
                raise Refused("protected", explained("protected", "The post"))
            case 404 | 410:
                raise Refused("not_found", "X gives no public post of that number: it may be deleted, or not public.")
            case status:
                raise Refused(f"http_{status}", f"X answers {status} to who asks for the post's embed.")

    async def _ask(self, address: str, query: dict[str, str]) -> httpx.Response:
        budget = Budget("x-embed", _SPACING, lambda _: None)
        return await self._fetcher.ask(f"{address}?{urlencode(query)}", {"Accept": "application/json"}, budget)


def _token(post: str) -> str:
    """What the embed's own script sends along with an id, made of nothing but that: some thirds of π, in base 36."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    whole, rest = divmod(int(post) / 1e15 * 3.141592653589793, 1)
    text = ""
    number = int(whole)
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    for _ in range(10):
        rest *= 36
        text += digits[int(rest)]
        rest %= 1
    return text.replace("0", "") or "1"
