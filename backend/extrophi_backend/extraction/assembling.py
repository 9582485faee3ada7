"""Putting a text together from parts, with blocks that index exactly into it."""

import re
from collections.abc import Sequence

from extrophi_backend.collectors.models import Anchor, Block
from extrophi_backend.extraction.errors import ExtractionFailed

MAX_TEXT = 32_000_000
"""Code points. A dictionary in thirty volumes is about this long; what is longer was made to hurt."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """`text` without what PostgreSQL cannot hold (NUL, lone surrogates), its line ends all line feeds."""
    return _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """`text` on one line, single spaces, without control characters."""
    return _SPACES.sub(" ", _CONTROLS.sub("", text)).strip()


class Assembly:
    """A text that grows by blocks, an empty line between two."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._anchors: list[Anchor] = []

    def add(self, text: str, *, level: int = 0, pages: Sequence[tuple[int, int]] = ()) -> None:
        """Append a block. Blank ones are left out.

        Args:
            text: Of one paragraph, or of a heading.
            level: A heading's, 1 to 6; 0 for a paragraph.
            pages: (offset into `text`, page that begins there), ascending.

        Raises:
            ExtractionFailed: too_large.
        """
        if not text.strip():
            return
        start = self._length + (2 if self._parts else 0)
        if self._parts:
            self._parts.append("\n\n")
        self._parts.append(text)
        self._length = start + len(text)
        if self._length > MAX_TEXT:
            raise ExtractionFailed("too_large", f"Its text is longer than {MAX_TEXT:,} characters.")
        self._blocks.append(Block(start, self._length, "heading" if level else "paragraph", level))
        self._anchors.extend(Anchor(start + offset, page=page) for offset, page in pages)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return tuple(self._anchors)

    def first_heading(self) -> str:
        """The first heading's text, on one line; empty if there is none."""
        heading = next((block for block in self._blocks if block.level), None)
        return one_line(self.text[heading.start : heading.end]) if heading else ""
