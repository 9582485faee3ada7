"""Pages that do nothing but lead to another: `<meta http-equiv="refresh">`, a redirect in HTML."""

import re

from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import parse_page
from extrophi_backend.fetch.addresses import join

_AT_ONCE = 5.0
"""Seconds. Who waits longer has something to show; news sites load themselves anew every few minutes."""
_CONTENT = re.compile(r"\s*(\d{1,9})(?:\.\d*)?\s*[;,\s]\s*(?:url\s*=)?\s*(['\"]?)(.+?)\2\s*", re.IGNORECASE | re.DOTALL)


def refresh_of(body: bytes, media_type: str, url: str) -> str | None:
    """Where the page leads at once, as it says it (relative to `url`); None if nowhere, or only to itself."""
    if b"refresh" not in body.lower():
        return None
    try:
        root = parse_page(body, media_type)
    except ExtractionFailed:
        return None
    for meta in root.iter("meta") if root is not None else ():
        said = _CONTENT.fullmatch(meta.get("content", "")[:4000])
        if meta.get("http-equiv", "").strip().lower() == "refresh" and said and float(said[1]) <= _AT_ONCE:
            return said[3] if join(url, said[3]) != join(url, url) else None
    return None
