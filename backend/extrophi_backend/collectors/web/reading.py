"""What an answer of a web server holds: a document, the way to it, or a page that stands in its place."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from extrophi_backend.collectors.models import Capture, Collected, Failure
from extrophi_backend.collectors.web.blocked import Block, blocked
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.refreshing import refresh_of
from extrophi_backend.collectors.web.rendering import wants_browser
from extrophi_backend.extraction.detecting import MEDIA_TYPES, Format, detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.extraction.service import extract, extract_now, in_child
from extrophi_backend.fetch.addresses import canonical, linked
from extrophi_backend.fetch.client import Fetched
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.rendered import Rendered

EXTRACTION = 2
"""Raised when extraction gets better: pages are then fetched again although they did not change."""
FROM_FEED = "from_feed"
"""Of a document's validators: its text is what a feed holds of it, since its page could not be had."""
_STANDING_IN = 280
"""Characters. Less than this of a page is a teaser, and no document."""
_GONE = frozenset({"http_404", "http_410", "soft_404", "poisonous"})
_STUB = 500
"""Characters. A page that leads on at once and says no more than this is no page of its own."""
SHOWN_AS = "text/html; charset=utf-8"
_REASONS = {
    400: "Bad request", 401: "Unauthorized", 402: "Payment required", 403: "Forbidden", 404: "Not found", 410: "Gone",
    429: "Too many requests", 451: "Unavailable for legal reasons", 500: "Server error", 502: "Bad gateway",
    503: "Unavailable", 504: "Gateway timeout",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """The page only leads to another one, as a redirect does."""

    url: str


Render = Callable[[str], Awaitable[Rendered]]
"""What a browser shows at an address. Raises FetchFailed, Wait."""


async def read(
    fetched: Fetched, entry: Entry, external_id: str, asked: str, max_bytes: int, render: Render | None = None
) -> Collected | Failure | Moved:
    """The document in an answer, where it is, or why there is none.

    Args:
        fetched: The answer.
        entry: What listed it: tells what the page itself leaves open.
        external_id: The document's.
        asked: The address that was asked for, before redirects.
        max_bytes: A longer body is refused.
        render: Asked where the page says next to nothing without its scripts.

    Raises:
        Wait: by `render`.
    """
    if fetched.status != 200:
        return await _error(fetched, asked)
    try:
        format_ = detect(fetched.body, media_type=fetched.media_type, name=None, url=fetched.url)
        if format_ == "html":
            found, wants = await _examine(fetched, asked)
            if wants and render is not None:
                return await _rendered(fetched, found, entry, external_id, asked, render)
        else:
            found = await extract(
                fetched.body, media_type=fetched.media_type, name=None, url=fetched.url, max_bytes=max_bytes
            )
    except ExtractionFailed as refusal:
        found, format_ = refusal, "html"
    return _taken(fetched, entry, external_id, asked, found, format_)


async def _rendered(
    fetched: Fetched,
    plain: Extracted | Block | Moved | ExtractionFailed,
    entry: Entry,
    external_id: str,
    asked: str,
    render: Render,
) -> Collected | Failure | Moved:
    """As `read`, of the page as a browser shows it. What little was sent is taken where a browser finds no more."""
    sent = _document(fetched, entry, external_id, plain, "html") if isinstance(plain, Extracted) else None
    try:
        rendered = await render(fetched.url)
    except FetchFailed as failure:
        return sent or Failure(asked, failure.code, failure.detail)
    shown = Fetched(rendered.url, rendered.status, SHOWN_AS, rendered.html, None, None)
    if shown.status != 200:
        return await _error(shown, asked)
    try:
        found, _ = await _examine(shown, asked)
    except ExtractionFailed as refusal:
        found = refusal
    says_no_more = isinstance(found, ExtractionFailed) or (
        isinstance(found, Extracted) and sent is not None and len(found.text) <= len(sent.text)
    )
    if sent is not None and says_no_more:
        return sent
    if rendered.url != fetched.url:  # as after a redirect
        external_id = canonical(rendered.url)
    # Without validators: the page that was sent may stay the same for ever, whatever its scripts fetch.
    taken = _taken(shown, entry, external_id, asked, found, "html")
    if isinstance(taken, Collected) and rendered.screenshot is not None:
        return replace(taken, screenshot=Capture(rendered.screenshot, "image/webp"))
    return taken


async def _examine(fetched: Fetched, asked: str) -> tuple[Extracted | Block | Moved | ExtractionFailed, bool]:
    return await in_child(_examined, fetched.body, fetched.media_type, fetched.status, asked, fetched.url)


async def read_content(entry: Entry, external_id: str) -> Collected | Failure:
    """The document that a feed's entry holds itself: all of it, or of a page that cannot be had enough to stand in."""
    body = f"<html><body><article>{entry.content}</article></body></html>".encode()
    try:
        found = await extract(body, media_type="text/html; charset=utf-8", name=None, url=entry.url)
    except ExtractionFailed as refusal:
        return Failure(entry.url, refusal.code, refusal.detail)
    if entry.linked and len(found.text) < _STANDING_IN:
        return Failure(entry.url, "no_text", "The feed holds no more than a teaser of it.")
    answer = Fetched(entry.url, 200, "text/html; charset=utf-8", body, None, None)
    document = _document(answer, entry, external_id, found, "html")
    return replace(document, validators={**document.validators, FROM_FEED: True}) if entry.linked else document


def stands_in(code: str) -> bool:
    """Whether what a feed holds of a page may stand in for it, when the page failed with `code`."""
    return code not in _GONE


def _taken(
    fetched: Fetched,
    entry: Entry,
    external_id: str,
    asked: str,
    found: Extracted | Block | Moved | ExtractionFailed,
    format_: Format,
) -> Collected | Failure | Moved:
    if isinstance(found, Moved):
        return _resolved(found, fetched.url, asked)
    if isinstance(found, Extracted):
        return _document(fetched, entry, external_id, found, format_)
    return Failure(asked, found.code, found.detail)


def _resolved(moved: Moved, base: str, asked: str) -> Moved | Failure:
    try:
        return Moved(linked(base, moved.url))
    except FetchFailed as failure:
        return Failure(asked, failure.code, f"It only leads elsewhere. {failure.detail}")


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


async def _error(fetched: Fetched, asked: str) -> Failure:
    if fetched.status < 400:
        return Failure(asked, f"http_{fetched.status}", f"The server answered {fetched.status} and sent no page.")
    block = None
    if fetched.body:
        with suppress(ExtractionFailed):
            block = await in_child(_error_page, fetched.body, fetched.media_type, fetched.status, asked, fetched.url)
    if block is not None:
        return Failure(asked, block.code, block.detail)
    reason = _REASONS.get(fetched.status, "An error")
    return Failure(asked, f"http_{fetched.status}", f"The server answered {fetched.status}: {reason}.")


def _examined(
    body: bytes, media_type: str, status: int, asked: str, url: str
) -> tuple[Extracted | Block | Moved | ExtractionFailed, bool]:
    """What an HTML page holds, or why nothing; whether a browser may find more. For a process that may die."""
    try:
        found: Extracted | Block | Moved | ExtractionFailed = _page(body, media_type, status, asked, url)
    except ExtractionFailed as refusal:
        found = refusal
    return found, not isinstance(found, Moved) and wants_browser(found, body, media_type)


def _page(body: bytes, media_type: str, status: int, asked: str, url: str) -> Extracted | Block | Moved:
    """An HTML page's article, or what kind of page stands in its place. For a process that may die."""
    try:
        found: Extracted | ExtractionFailed = extract_now("html", body, media_type, url)
    except ExtractionFailed as refusal:
        found = refusal
    text = found.text if isinstance(found, Extracted) else ""
    block, onward = _judged(body, media_type, status, text, asked, url)
    if block is not None and (onward is None or block.code in _CERTAIN):
        return block
    if onward is not None:
        return Moved(onward)
    if isinstance(found, ExtractionFailed):
        raise found
    return found


_CERTAIN = frozenset({"captcha", "login_needed", "cookie_wall", "rate_limited"})
"""Kinds of pages that may lead on to themselves, or to more of their kind."""


def _judged(
    body: bytes, media_type: str, status: int, text: str, asked: str, url: str
) -> tuple[Block | None, str | None]:
    """What kind of page it is, and where it leads on to.

    Raises:
        ExtractionFailed: as `extract_now`, whatever it stumbles over.
    """
    try:
        block = blocked(status=status, body=body, media_type=media_type, text=text, asked=asked, final=url)
        onward = refresh_of(body, media_type, url) if status == 200 and len(text) < _STUB else None
    except (ExtractionFailed, MemoryError, ImportError):
        raise
    except Exception as error:
        raise ExtractionFailed("unreadable", f"Judging the page failed: {type(error).__name__}.") from error
    return block, onward


def _error_page(body: bytes, media_type: str, status: int, asked: str, url: str) -> Block | None:
    try:
        found = _page(body, media_type, status, asked, url)
    except ExtractionFailed:
        return None
    return found if isinstance(found, Block) else None
