"""A text cut into pieces, so that revisions share those they have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

_LEAST = 1024
_MOST = 8192
_ONE_IN = 4
"""Characters, and of how many lines one ends a piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    hash: bytes
    body: str


def cut(text: str) -> list[Piece]:
    """Pieces of some thousand characters; joined, they are the text.

    A piece ends after a line that itself says so (by its checksum), not after so many characters: a change moves
    the ends near it, and leaves all other pieces as they are.
    """
    return [Piece(sha256(body.encode()).digest()[:16], body) for body in _bodies(text)]


def _bodies(text: str) -> Iterator[str]:
    start = end = 0
    while end < len(text):
        line_start, end = end, (text.find("\n", end) + 1) or len(text)
        while end - start > _MOST:
            stop = line_start if start < line_start <= start + _MOST else start + _MOST
            yield text[start:stop]
            start = stop
        if end - start >= _LEAST and crc32(text[line_start:end].encode()) % _ONE_IN == 0:
            yield text[start:end]
            start = end
    if start < end:
        yield text[start:end]
