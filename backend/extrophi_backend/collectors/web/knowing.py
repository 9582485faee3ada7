"""What the library knows of addresses already, for runs that look only for what is new."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from extrophi_backend.collectors.models import Known
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.spelling import REMEMBERED, digest
from extrophi_backend.fetch.addresses import canonical
from extrophi_backend.fetch.errors import FetchFailed

LISTED = "listed"
"""Of a document's validators: when its page last changed, as the listing wrote that it was collected by."""


@lru_cache(REMEMBERED)
def external_id_of(url: str) -> str:
    """Of the document at an address: what all its spellings share."""
    try:
        return canonical(url)
    except FetchFailed:
        return url


def whereabouts(url: str) -> str:
    """The name of the memo that says which document (`to`) an address led to that is not the document's own."""
    return f"at {url}"


def nothing_for(site: str, url: str) -> str:
    """The name of the memo that says why an address holds no document of a site; for others it may."""
    return f"no {digest('site', site).hex()} {url}"


async def known_already(known: Known, entries: Sequence[Entry], site: str | None = None) -> Mapping[str, bool]:
    """Addresses of entries that need no looking at: what they lead to is known (true), or they failed and are not due.

    An entry that its listing says to have changed since its page was collected is looked at.

    Args:
        known: What to ask.
        entries: What is listed, or linked.
        site: The front of the site that is collected, if it is one.
    """
    urls = [entry.url for entry in entries]
    names = [whereabouts(url) for url in urls]
    names += [nothing_for(site, url) for url in urls] if site is not None else []
    memos = await known.memos(names)
    ids = {url: (memos.get(whereabouts(url)) or {}).get("to") or external_id_of(url) for url in urls}
    held = await known.collected(sorted(set(ids.values())))
    done = {
        entry.url
        for entry in entries
        if (ids[entry.url] in held and not changed_since(entry.changed, held[ids[entry.url]].get(LISTED)))
        or (site is not None and ids[entry.url] not in held and nothing_for(site, entry.url) in memos)
    }
    passed = {url: ids[url] in held for url in done}
    return passed | dict.fromkeys(await known.not_due([url for url in urls if url not in done]), False)


def changed_since(told: str | None, noted: str | None) -> bool:
    """Whether a listing tells of a change that was not noted: two listings of one page write its moment in two ways."""
    if told is None or told == noted:
        return False
    if noted is None:
        return True
    now, before = _moment(told), _moment(noted)
    return now is None or before is None or now > before


def _moment(written: str) -> datetime | None:
    """As sitemaps and Atom write it, or as RSS does; None for anything else, which a guess would cost too much."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, TypeError, OverflowError):
            moment = read(written)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
