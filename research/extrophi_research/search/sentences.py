"""Where sentences begin and end."""

import re
from collections.abc import Iterator

_END = re.compile(
    r"[.!?…]+['\"”’)\]]*(?=\s|$)|[。！？｡]['\"”’）」』]*|\n[ \t]*\n\s*|\n(?=[ \t]*(?:[-*+•#>|]|\d+[.)])[ \t])"
)
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|cf|Fig|No|al)\.$")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text, without the white space around them."""
    start = 0
    for match in _END.finditer(text):
        if match[0] == "." and _ABBREVIATION.search(text[max(0, match.end() - 8) : match.end()]):
            continue
        yield from _trimmed(text, start, match.end())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    span = text[start:end]
    if span.strip():
        left = len(span) - len(span.lstrip())
        yield start + left, start + len(span.rstrip())
