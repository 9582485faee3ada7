"""What the library knows of addresses already, for runs that look only for what is new."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from extrophi_backend.collectors.models import Known
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.spelling import REMEMBERED
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
    """The name of the memo that says what was found at an address that is no document's own.

    `{"to": external_id}` if it led to a document, `{"no": why}` if there is none to be had.
    """
    return f"at {url}"


async def known_already(known: Known, entries: Sequence[Entry]) -> Collection[str]:
    """Addresses of entries that need no looking at: what they lead to is known, or they failed and are not due.

    An entry that its listing says to have changed since its page was collected is looked at.
    """
    urls = [entry.url for entry in entries]
    memos = await known.memos([whereabouts(url) for url in urls])
    led = {url: memos.get(whereabouts(url)) or {} for url in urls}
    ids = {url: led[url].get("to") or external_id_of(url) for url in urls}
    held = await known.validators(sorted(set(ids.values())))
    done = {
        entry.url
        for entry in entries
        if ("no" in led[entry.url] and ids[entry.url] not in held)
        or (ids[entry.url] in held and entry.changed in {None, held[ids[entry.url]].get(LISTED)})
    }
    return done | set(await known.not_due([url for url in urls if url not in done]))
