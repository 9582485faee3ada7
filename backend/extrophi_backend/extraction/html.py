"""Article text out of HTML, by trafilatura, with its headings kept as structure."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from extrophi_backend.collectors.models import Block
from extrophi_backend.extraction.assembling import clean
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted

_BLOCKS = frozenset({"p", "head", "item", "quote", "code", "row", "lb"})


def extract_html(html: str | bytes, *, url: str | None, content_type: str | None = None) -> Extracted:
    """The main text of a page, a block per paragraph, and what its head tells.

    Args:
        html: Bytes are decoded as `content_type` or the page itself says.
        url: Where the page came from.
        content_type: The header's value; its charset goes before the page's own word.

    Raises:
        ExtractionFailed: There is no text in it.
    """
    import trafilatura  # noqa: PLC0415  half a second, for those who read no page

    charset = (content_type or "").partition("charset=")[2].strip("\"' ;")
    if isinstance(html, bytes) and charset:
        with suppress(LookupError):  # a charset that nobody knows; the page may say better
            html = html.decode(charset, "replace")
    found: Any = trafilatura.bare_extraction(
        html, url=url, favor_precision=True, include_comments=False, include_tables=True, with_metadata=True
    )
    text, blocks = _assembled(found.body) if found is not None and found.body is not None else ("", [])
    if found is None or not text:
        raise ExtractionFailed("no_text", "There is no text in this page.")
    return Extracted(
        text=text,
        blocks=blocks,
        title=clean(found.title or ""),
        author=clean(found.author) if found.author else None,
        published_at=_date(found.date),
        language=found.language or None,
        canonical_url=found.url if found.url and found.url != url else None,
        format="html",
    )


def _assembled(body: Any) -> tuple[str, list[Block]]:
    """The text of trafilatura's tree, its parts parted by a blank line."""
    parts: list[str] = []
    blocks: list[Block] = []
    at = 0
    for element in body.iter():
        if element.tag not in _BLOCKS or any(above.tag in _BLOCKS for above in element.iterancestors()):
            continue
        raw = "".join(element.itertext()) if element.tag != "row" else "\t".join(_cells(element))
        text = clean(raw).strip() if element.tag == "code" else " ".join(clean(raw).split())
        if not text:
            continue
        if parts:
            at += 2
        level = _level(element.get("rend")) if element.tag == "head" else 0
        blocks.append(Block(at, at + len(text), "heading" if level else "paragraph", level))
        parts.append(text)
        at += len(text)
    return "\n\n".join(parts), blocks


def _cells(row: Any) -> list[str]:
    return [" ".join("".join(cell.itertext()).split()) for cell in row]


def _level(rend: str | None) -> int:
    return int(rend[1]) if rend and rend[0] == "h" and rend[1:].isdigit() and 1 <= int(rend[1]) <= 6 else 2


def _date(written: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(written).replace(tzinfo=UTC) if written else None
    except ValueError:
        return None
