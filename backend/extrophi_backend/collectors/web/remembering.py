"""What a feed or sitemap listed, kept to ask for it conditionally and to go on in it without asking again."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from extrophi_backend.collectors.web.models import Entry, Listing
from extrophi_backend.fetch.client import Fetched

_MOST = 8 * 2**20
"""Characters. A larger listing is read anew each time."""


def remembered(fetched: Fetched, listing: Listing) -> Mapping[str, Any]:
    """JSON to make the listing from again; empty when it is too large."""
    size = sum(len(e.url) + len(e.title) + len(e.content or "") for e in listing.entries)
    if size + sum(map(len, listing.sitemaps)) > _MOST:
        return {}
    return {
        "url": fetched.url,
        "validators": fetched.validators,
        "kind": listing.kind,
        "entries": [brief_of(entry) for entry in listing.entries],
        "sitemaps": list(listing.sitemaps),
        "changed": dict(listing.changed),
    }


def recalled(memo: Mapping[str, Any]) -> Listing:
    return Listing(
        memo["kind"],
        tuple(entry_of(brief) for brief in memo["entries"]),
        tuple(memo["sitemaps"]),
        memo.get("changed", {}),  # a memo may be from before this was kept
    )


def brief_of(entry: Entry) -> Any:
    """JSON. Its address alone, or with when it changed, where there is no more to it, as in every sitemap."""
    if entry == Entry(entry.url):
        return entry.url
    if entry == Entry(entry.url, changed=entry.changed):
        return [entry.url, entry.changed]
    return asdict(entry) | {"published_at": entry.published_at.isoformat() if entry.published_at else None}


def entry_of(brief: Any) -> Entry:
    if isinstance(brief, str):
        return Entry(brief)
    if isinstance(brief, list):
        url, changed = cast("list[str]", brief)
        return Entry(url, changed=changed)
    return Entry(**(brief | {"published_at": datetime.fromisoformat(at) if (at := brief["published_at"]) else None}))
