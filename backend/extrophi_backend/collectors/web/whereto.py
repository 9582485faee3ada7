"""Where an address leads that is a spelling of another: a short link, a page for telephones, an AMP page.

Nothing is guessed: a short link says where it leads, and a page for telephones that it is another of the same site, by
a redirect or by its canonical address.
"""

import asyncio
import re

from extrophi_backend.collectors.web.refreshing import refresh_of
from extrophi_backend.collectors.web.spelling import plain
from extrophi_backend.errors import ForbiddenAddress, InvalidTarget, PlatformUnavailable
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import canonical_of
from extrophi_backend.extraction.service import in_child
from extrophi_backend.fetch.addresses import host_of, join, parse
from extrophi_backend.fetch.client import Fetched, Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait

_SECONDS = 8.0
"""For all of it: a person waits for the answer."""
_MOST_LINKS = 5
"""Short links that lead to short links."""
_SHORTENERS = frozenset({
    "aka.ms", "amzn.to", "apple.news", "bbc.in", "bit.ly", "bitly.com", "bl.ink", "buff.ly", "cnn.it", "cutt.ly",
    "dlvr.it", "econ.st", "eepurl.com", "fb.me", "flip.it", "g.co", "git.io", "goo.gl", "gu.com", "hubs.li", "hubs.ly",
    "ift.tt", "is.gd", "j.mp", "kutt.it", "lnkd.in", "mailchi.mp", "nyti.ms", "on.ft.com", "ow.ly", "po.st", "rb.gy",
    "rebrand.ly", "redd.it", "reut.rs", "s.id", "shorturl.at", "snip.ly", "soo.gd", "spr.ly", "t.co", "t.ly", "tcrn.ch",
    "tiny.cc", "tinyurl.com", "trib.al", "v.gd", "wapo.st", "wp.me", "zpr.io",
})  # fmt: skip
_FOR_TELEPHONES = re.compile(r"(?:m|mobile|amp|wap)\.(?=[^.]+\.)", re.IGNORECASE)
_AMP = re.compile(
    r"(?:/amp/?|\.amp(?:\.html?)?)\Z|\A/amp/|[?&](?:amp(?:=1|=true)?|outputtype=amp)(?:&|\Z)", re.IGNORECASE
)


async def whereto(fetcher: Fetcher, address: str) -> str:
    """What a source of `address` should be a source of; `address` itself, mostly without asking anybody.

    Raises:
        InvalidTarget, ForbiddenAddress: a short link leads nowhere that can be collected.
        PlatformUnavailable: who would know where it leads does not answer.
    """
    host = host_of(parse(address)).lower()
    if host in _SHORTENERS:
        return await _lengthened(fetcher, address)
    path = parse(address).raw_path.decode("ascii")
    if _FOR_TELEPHONES.match(host) or _AMP.search(path):
        return await _for_desks(fetcher, address)
    return address


async def _lengthened(fetcher: Fetcher, address: str) -> str:
    url = address
    try:
        async with asyncio.timeout(_SECONDS):
            for _ in range(_MOST_LINKS):
                onward = await fetcher.next_hop(url)
                if isinstance(onward, Fetched):
                    onward = await _refreshed(onward)
                if onward is None:
                    raise _leads_nowhere(address, "It does not say where it leads")
                url = onward
                if host_of(parse(url)).lower() not in _SHORTENERS:
                    return plain(url)
    except (TimeoutError, Wait) as error:
        raise _silent(address, "it did not answer in time") from error
    except FetchFailed as failure:
        if failure.code == "forbidden_address":
            raise ForbiddenAddress(
                failure.detail, hint="Give the address that it leads to.", field="target"
            ) from failure
        if failure.code in {"malformed_url", "unsupported_scheme"}:
            raise _leads_nowhere(address, failure.detail.rstrip(".")) from failure
        raise _silent(address, failure.detail.rstrip(".")) from failure
    raise _leads_nowhere(address, "It leads from one short link to the next")


async def _refreshed(page: Fetched) -> str | None:
    """Where a short link's page leads at once, if it is one that does."""
    if page.status >= 500:
        raise FetchFailed("broken_answer", f"The server answered {page.status}.")
    try:
        onward = await in_child(refresh_of, page.body, page.media_type, page.url)
    except ExtractionFailed:
        return None
    return join(page.url, onward) if onward is not None else None


async def _for_desks(fetcher: Fetcher, address: str) -> str:
    """The page's own address, if it is asked and says so; the one it was given, if it does not answer."""
    try:
        async with asyncio.timeout(_SECONDS):
            page = await fetcher.fetch(address, typed=True)
            said = None
            if page.status == 200:
                said = await in_child(canonical_of, page.body, page.media_type, page.url)
            return plain(said or page.url) if page.status == 200 else address
    except (TimeoutError, Wait, FetchFailed, ExtractionFailed):
        return address


def _leads_nowhere(address: str, why: str) -> InvalidTarget:
    hint = "Open it in a browser, and give the address that it leads to."
    return InvalidTarget(f"{address[:200]} is a short link. {why}.", hint=hint, field="target")


def _silent(address: str, why: str) -> PlatformUnavailable:
    hint = "Try again later, or give the address that it leads to."
    detail = f"{address[:200]} is a short link, and where it leads could not be learned: {why}."
    return PlatformUnavailable(detail, hint=hint, field="target", retry_after=30)
