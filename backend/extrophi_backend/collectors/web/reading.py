"""What an answer of a web server holds: a document, or a page that stands in its place."""

from extrophi_backend.collectors.models import Capture, Collected, Failure
from extrophi_backend.collectors.web.blocked import Block, blocked
from extrophi_backend.collectors.web.listings import Entry
from extrophi_backend.extraction.detecting import MEDIA_TYPES, Format, detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.service import extract, extract_now, in_child
from extrophi_backend.fetch.client import Fetched

EXTRACTION = 1
"""Raised when extraction gets better: pages are then fetched again although they did not change."""
_REASONS = {
    400: "Bad request", 401: "Unauthorized", 402: "Payment required", 403: "Forbidden", 404: "Not found", 410: "Gone",
    429: "Too many requests", 451: "Unavailable for legal reasons", 500: "Server error", 502: "Bad gateway",
    503: "Unavailable", 504: "Gateway timeout",
}  # fmt: skip


async def read(fetched: Fetched, entry: Entry, external_id: str, asked: str, max_bytes: int) -> Collected | Failure:
    """The document in an answer, or why there is none.

    Args:
        fetched: The answer.
        entry: What listed it: tells what the page itself leaves open.
        external_id: The document's.
        asked: The address that was asked for, before redirects.
        max_bytes: A longer body is refused.
    """
    if fetched.status >= 400:
        block = await _block(fetched, asked) if fetched.body else None
        if block is not None:
            return Failure(asked, block.code, block.detail)
        reason = _REASONS.get(fetched.status, "An error")
        return Failure(asked, f"http_{fetched.status}", f"The server answered {fetched.status}: {reason}.")
    if fetched.status != 200:
        return Failure(asked, f"http_{fetched.status}", f"The server answered {fetched.status} and sent no page.")
    try:
        format_ = detect(fetched.body, media_type=fetched.media_type, name=None, url=fetched.url)
        if format_ == "html":
            found = await in_child(_page, fetched.body, fetched.media_type, fetched.status, asked, fetched.url)
        else:
            found = await extract(
                fetched.body, media_type=fetched.media_type, name=None, url=fetched.url, max_bytes=max_bytes
            )
    except ExtractionFailed as refusal:
        return Failure(asked, refusal.code, refusal.detail)
    if isinstance(found, Block):
        return Failure(asked, found.code, found.detail)
    return _document(fetched, entry, external_id, found, format_)


async def read_content(entry: Entry, external_id: str) -> Collected | Failure:
    """The document that a feed's entry holds itself."""
    body = f"<html><body><article>{entry.content}</article></body></html>".encode()
    try:
        found = await extract(body, media_type="text/html; charset=utf-8", name=None, url=entry.url)
    except ExtractionFailed as refusal:
        return Failure(entry.url, refusal.code, refusal.detail)
    answer = Fetched(entry.url, 200, "text/html; charset=utf-8", body, None, None)
    return _document(answer, entry, external_id, found, "html")


def _document(fetched: Fetched, entry: Entry, external_id: str, found: Extracted, format_: Format) -> Collected:
    charset = fetched.media_type.partition(";")[2]
    media_type = f"{MEDIA_TYPES[format_]};{charset}" if charset and charset.isascii() else MEDIA_TYPES[format_]
    return Collected(
        platform="web",
        external_id=external_id,
        text=found.text,
        format=found.format,
        blocks=found.blocks,
        anchors=found.anchors,
        title=found.title or entry.title,
        author=found.author or entry.author,
        url=external_id,
        canonical_url=found.canonical_url if found.canonical_url != external_id else None,
        published_at=found.published_at or entry.published_at,
        language=found.language,
        capture=Capture(fetched.body, media_type),
        validators=fetched.validators | {"extraction": EXTRACTION},
    )


async def _block(fetched: Fetched, asked: str) -> Block | None:
    try:
        return await in_child(_error_page, fetched.body, fetched.media_type, fetched.status, asked, fetched.url)
    except ExtractionFailed:
        return None


def _page(body: bytes, media_type: str, status: int, asked: str, url: str) -> Extracted | Block:
    """An HTML page's article, or what kind of page stands in its place. For a process that may die."""
    try:
        found: Extracted | ExtractionFailed = extract_now("html", body, media_type, url)
    except ExtractionFailed as refusal:
        found = refusal
    text = found.text if isinstance(found, Extracted) else ""
    block = blocked(status=status, body=body, media_type=media_type, text=text, asked=asked, final=url)
    if block is not None:
        return block
    if isinstance(found, ExtractionFailed):
        raise found
    return found


def _error_page(body: bytes, media_type: str, status: int, asked: str, url: str) -> Block | None:
    try:
        found = _page(body, media_type, status, asked, url)
    except ExtractionFailed:
        return None
    return found if isinstance(found, Block) else None
