"""A document as it is pushed in, checked and understood."""

from datetime import UTC, datetime, timedelta

from extrophi_backend.collectors.models import Anchor, Block, Collected
from extrophi_backend.documents.models import Kept, Pushed
from extrophi_backend.documents.schemas import PushedDocument
from extrophi_backend.errors import InvalidInput
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import extract

_CLOCKS_DIFFER_BY = timedelta(days=1)


async def read_pushed(one: PushedDocument, index: int) -> Pushed:
    """The document that was sent at `index`; html is extracted, unless its blocks say that it was.

    Raises:
        InvalidInput: It names the index and the field at fault.
    """
    if not one.external_id.strip():
        raise InvalidInput("external_id is blank.", field=f"documents.{index}.external_id")
    return Pushed(
        collected=await _extracted(one, index) if one.format == "html" and one.blocks is None else _as_sent(one, index),
        collections=one.collections or [one.collection],
        kept=_kept(one, index),
    )


async def _extracted(one: PushedDocument, index: int) -> Collected:
    if one.anchors:
        raise _wrong(index, "anchors", "html that is still to be extracted has no offsets yet", "Send `blocks`, too.")
    try:
        extracted = await extract(one.text.encode(), media_type="text/html; charset=utf-8", name=None, url=one.url)
    except ExtractionFailed as refusal:
        raise InvalidInput(refusal.detail, field=f"documents.{index}.text", hint="Send its text instead.") from None
    return Collected(
        platform=one.platform,
        external_id=one.external_id,
        text=extracted.text,
        format=extracted.format,
        blocks=extracted.blocks,
        anchors=extracted.anchors,
        title=one.title or extracted.title,
        author=one.author or extracted.author,
        url=one.url,
        canonical_url=one.canonical_url or extracted.canonical_url,
        published_at=one.published_at or extracted.published_at,
        language=one.language or extracted.language,
    )


def _as_sent(one: PushedDocument, index: int) -> Collected:
    return Collected(
        platform=one.platform,
        external_id=one.external_id,
        text=one.text,
        format=one.format,
        blocks=_blocks(one, index),
        anchors=_anchors(one, index),
        title=one.title,
        author=one.author,
        url=one.url,
        canonical_url=one.canonical_url,
        published_at=one.published_at,
        language=one.language,
    )


def _blocks(one: PushedDocument, index: int) -> list[Block]:
    position = 0
    for start, end, _ in one.blocks or ():
        if not position <= start < end <= len(one.text):
            raise _wrong(
                index,
                "blocks",
                f"[{start}, {end}] is empty, not after the block before it, or past the end of the text",
                "Offsets count Unicode code points of `text`.",
            )
        position = end
    begun = _speakers(one)
    return [
        Block(start, end, "heading" if level else "paragraph", level, begins=start in begun)
        for start, end, level in one.blocks or ()
    ]


def _speakers(one: PushedDocument) -> set[int]:
    """Offsets from which on the words are somebody else's than before, or another comment's."""
    found: set[int] = set()
    before: str | None = None
    for offset, at in one.anchors:
        if at.author != before or at.depth is not None:
            found.add(offset)
        before = at.author
    return found


def _anchors(one: PushedDocument, index: int) -> list[Anchor]:
    position = 0
    for offset, _ in one.anchors:
        if not position <= offset <= len(one.text):
            raise _wrong(
                index,
                "anchors",
                f"offset {offset} is before the one before it, or past the end of the text",
                "Offsets count Unicode code points of `text`.",
            )
        position = offset
    return [Anchor(offset, **at.model_dump()) for offset, at in one.anchors]


def _kept(one: PushedDocument, index: int) -> Kept | None:
    if (one.state == "gone") != (one.gone_at is not None):
        raise _wrong(index, "gone_at", "it belongs to the state `gone`, and to no other", "Send both or neither.")
    if one.collected_at is None:
        if one.gone_at is not None:
            raise _wrong(index, "gone_at", "what is gone was collected at some time", "Send `collected_at`, too.")
        return None
    # A moment in the future would stand above all that is collected until then.
    for field, moment in (("collected_at", one.collected_at), ("gone_at", one.gone_at)):
        if moment is not None and moment > datetime.now(UTC) + _CLOCKS_DIFFER_BY:
            raise _wrong(index, field, "it is in the future", "Check the clock of the machine it comes from.")
    return Kept(one.collected_at, one.gone_at)


def _wrong(index: int, field: str, what: str, hint: str) -> InvalidInput:
    name = f"documents.{index}.{field}"
    return InvalidInput(f"{name}: {what}.", field=name, hint=hint)
