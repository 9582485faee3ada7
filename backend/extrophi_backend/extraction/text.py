"""Plain text: kept as it is, paragraphs between empty lines."""

import re

from extrophi_backend.collectors.models import Block
from extrophi_backend.extraction.assembling import one_line
from extrophi_backend.extraction.decoding import decode
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted

_BLANK = re.compile(r"\n[^\S\n]*(?=\n|\Z)")


def paragraphs(text: str) -> tuple[Block, ...]:
    """The parts of `text` between empty lines, without white space around them."""
    blocks: list[Block] = []
    start = 0
    for end in (*(match.start() for match in _BLANK.finditer(text)), len(text)):
        part = text[start:end]
        if words := part.strip():
            begin = start + len(part) - len(part.lstrip())
            blocks.append(Block(begin, begin + len(words)))
        start = end
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
