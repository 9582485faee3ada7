"""Plain text: kept as it is, paragraphs between empty lines."""

import re

from extrophi_backend.collectors.models import Block
from extrophi_backend.extraction.assembling import one_line
from extrophi_backend.extraction.decoding import decode
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted

_PARAGRAPH = re.compile(r"\S(?:[^\n]|\n(?![^\S\n]*(?:\n|\Z)))*")


def paragraphs(text: str) -> tuple[Block, ...]:
    """The parts of `text` between empty lines, without white space around them."""
    blocks: list[Block] = []
    for match in _PARAGRAPH.finditer(text):
        end = match.start() + len(match[0].rstrip())
        blocks.append(Block(match.start(), end))
    return tuple(blocks)


def extract_text(body: bytes, *, charset: str | None = None) -> Extracted:
    """The text of a plain text file, verbatim but for its encoding and line ends.

    Raises:
        ExtractionFailed: no_text, unsupported_type.
    """
    text = decode(body, charset).strip("\n")
    blocks = paragraphs(text)
    if not blocks:
        raise ExtractionFailed("no_text", "It is empty.")
    return Extracted(text=text, blocks=blocks, title=_title(text[blocks[0].start : blocks[0].end]), format="text")


def _title(first: str) -> str:
    """A short first line that stands alone and is no sentence, as people head their notes; else nothing."""
    is_title = "\n" not in first and len(first) <= 100 and not first.endswith((".", ",", ";", ":", "…"))
    return one_line(first) if is_title and any(map(str.isalpha, first)) else ""
