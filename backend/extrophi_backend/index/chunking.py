"""Cut a document's text into chunks along its own structure.

A chunk is a span of the text by code-point offsets. A heading starts a chunk; a chunk never goes past the next
heading, nor into the words of somebody else. Within a section, blocks (paragraphs, comments) are packed up to about 200
tokens; a longer block is cut into parts of about one size, at the end of a sentence, or else of a word.
"""

import math
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from extrophi_backend.collectors.models import Block

MAX_TOKENS = 200  # all-MiniLM-L6-v2 cuts its input at 256 word pieces (model card); estimates err
_EIGHTHS = 8  # costs are counted in eighths of a token: of English, a word piece has about four characters
_BUDGET = MAX_TOKENS * _EIGHTHS
_ENGLISH = frozenset("the and of to that with for this from are by was which at".split())
_SAMPLE = 2_000
_LONGEST_CLUSTER = 64
_JOINING = frozenset(("\u200d", *map(chr, range(0x1F3FB, 0x1F400))))  # the joiner itself, and tones of skin

_SENTENCE_END = re.compile(r"[.!?…]['\"”’)\]]*\s|[。！？｡]|\n")
_SPACE = re.compile(r"\s")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_MARKDOWN_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_FENCE = re.compile(r" {0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """`text[start:end]` is the chunk; `heading` the headings above it, joined by " > "."""

    start: int
    end: int
    heading: str


def chunk_spans(text: str, blocks: Sequence[Block]) -> Iterator[ChunkSpan]:
    """The chunks of a text, ascending; every character of a block that is no space is in exactly one.

    Args:
        text: The document's text as stored.
        blocks: Its headings and paragraphs: ascending, apart, none empty.
    """
    costs = _costs(text, blocks)
    path: list[tuple[int, str]] = []
    start = end = 0  # the chunk being filled, empty at first
    heading = ""
    after_heading = False  # the chunk holds nothing but headings yet: its first paragraph belongs to it
    for block in blocks:
        begins, ends = _trimmed(text, block.start, block.end)
        if begins == ends:
            continue
        full = _cost(costs, start, ends) > _BUDGET
        if start < end and (block.begins or (not after_heading and (block.kind == "heading" or full))):
            yield ChunkSpan(start, end, heading)
            start = end = begins
        if block.begins:
            path = []
        if block.kind == "heading":
            path = [(level, title) for level, title in path if level < block.level]
            path.append((block.level, " ".join(text[begins:ends].lstrip("#").split())[:200]))
        if start == end:
            start = begins
            heading = " > ".join(title for _, title in path)
        elif block.kind == "heading":
            heading = " > ".join(title for _, title in path)
        after_heading = block.kind == "heading"
        end = ends
        while _cost(costs, start, end) > _BUDGET:
            cut = _cut(text, costs, start, end)
            yield ChunkSpan(start, _trimmed(text, start, cut)[1], heading)
            start = _trimmed(text, cut, end)[0]
            after_heading = False
    if start < end:
        yield ChunkSpan(start, end, heading)


def blocks_of(text: str, *, markdown: bool) -> Iterator[Block]:
    """The blocks of a text that came without any: parted by blank lines, and by Markdown's headings."""
    position = 0
    fenced = False
    for part in [*(match.span() for match in _BLANK_LINE.finditer(text)), (len(text), len(text))]:
        lines_start = position
        for line in text[position : part[0]].splitlines(keepends=True) if markdown else ():
            after = lines_start + len(line)
            if _FENCE.match(line):
                fenced = not fenced
            found = None if fenced else _MARKDOWN_HEADING.match(line)
            if found and line.strip("# \t\r\n"):
                if text[position:lines_start].strip():
                    yield Block(*_trimmed(text, position, lines_start))
                yield Block(*_trimmed(text, lines_start, after), kind="heading", level=len(found[1]))
                position = after
            lines_start = after
        if text[position : part[0]].strip():
            yield Block(*_trimmed(text, position, part[0]))
        position = part[1]


def _costs(text: str, blocks: Sequence[Block]) -> Sequence[int]:
    """Running cost before each character."""
    whole = _is_prose(text, otherwise=True)
    # Texts of one block are many: notes, posts, abstracts.
    alone = len(blocks) == 1 and blocks[0].start == 0 and blocks[0].end == len(text)
    are_prose = [whole if alone else _is_prose(text[one.start : one.end], otherwise=whole) for one in blocks]
    if all(are_prose) and text.isascii():
        each = _character_cost(0, prose=True)
        return range(0, each * len(text) + 1, each)
    # Four bytes a character, not the forty of a list of numbers: texts have 60 million.
    costs = array("I", (0,))
    at = 0
    for block, is_prose in zip(blocks, are_prose, strict=True):
        _add_costs(costs, text[at : block.start], _PROSE)
        _add_costs(costs, text[block.start : block.end], _PROSE if is_prose else _OTHER)
        at = block.end
    _add_costs(costs, text[at:], _PROSE)
    return costs


def _add_costs(costs: "array[int]", part: str, table: "_CharacterCosts") -> None:
    before = costs.pop()
    each = part.encode().translate(table.ascii) if part.isascii() else map(table.__getitem__, part)
    costs.extend(accumulate(each, initial=before))


def _is_prose(text: str, *, otherwise: bool) -> bool:
    """English, whose words the model knows as wholes. Other languages in Latin letters, code and numbers are not.

    Args:
        text: Its beginning is looked at.
        otherwise: What is so when it has too few words to tell.
    """
    sample = text[:_SAMPLE].lower()
    words = sample.split()
    if len(words) < 12:
        return otherwise and len(sample) <= 20 * len(words)
    return sum(map(_ENGLISH.__contains__, words)) >= 0.07 * len(words)


class _CharacterCosts(dict[str, int]):
    """What a character costs, looked at once each."""

    def __init__(self, *, prose: bool) -> None:
        super().__init__()
        self._prose = prose
        self.ascii = bytes(_character_cost(code, prose=prose) for code in range(256))

    def __missing__(self, character: str) -> int:
        cost = _character_cost(ord(character), prose=self._prose)
        if len(self) < 10_000:
            self[character] = cost
        return cost


def _character_cost(code: int, *, prose: bool) -> int:
    """In eighths of a token, as all-MiniLM-L6-v2 counts (tests/index measures it)."""
    if code < 0x250:
        if prose or chr(code).isspace():
            return 2
        # Numbers are cut into pieces of one or two digits; a sign is a piece; ł begins a new one as often as not.
        return 6 if 0x30 <= code <= 0x39 else 3 if code < 0x100 and chr(code).isalpha() else 5
    if 0x1100 <= code <= 0x11FF or 0xAC00 <= code <= 0xD7FF:
        return 12  # Hangul: a syllable is two or three pieces
    if 0x2E80 <= code <= 0xABFF or 0xF900 <= code <= 0xFAFF or code >= 0xFF00:
        return 8  # Chinese, Japanese, emoji: a piece a character
    if code <= 0x6FF or 0x0E00 <= code <= 0x109F:
        return 6  # Greek, Cyrillic, Hebrew, Arabic; Thai, Lao, Tibetan, Burmese
    return 4


_PROSE = _CharacterCosts(prose=True)
_OTHER = _CharacterCosts(prose=False)


def _cost(costs: Sequence[int], start: int, end: int) -> int:
    return costs[end] - costs[start]


def _cut(text: str, costs: Sequence[int], start: int, end: int) -> int:
    """Where to cut a span over the budget into parts of about one size: at the end of a sentence, or else of a word.

    A full part and a rest of one sentence would be found worse than two halves: the rest says too little by itself.
    """
    whole = _cost(costs, start, end)
    parts = math.ceil(whole / _BUDGET)
    most = _reach(costs, start, end, _BUDGET)
    aim = _reach(costs, start, end, whole // parts)
    # Cut earlier than here, the rest would need one part more.
    least = _reach(costs, start, end, whole - (parts - 1) * _BUDGET)
    for pattern, low in ((_SENTENCE_END, least), (_SENTENCE_END, start + (aim - start) // 2), (_SPACE, least)):
        cuts = [match.end() for match in pattern.finditer(text, low, most)]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - aim))
    return _before_cluster(text, start, most)


def _before_cluster(text: str, start: int, cut: int) -> int:
    """The nearest position before `cut` where no letter loses its marks, and no emoji its parts."""
    for at in range(cut, max(start, cut - _LONGEST_CLUSTER), -1):
        joined = text[at - 1] == "\u200d" or text[at : at + 1] in _JOINING
        if not joined and not unicodedata.category(text[at]).startswith("M"):
            return at
    return cut


def _reach(costs: Sequence[int], start: int, end: int, budget: int) -> int:
    """The last position up to which the text costs no more than `budget`, at least one character on."""
    low, high = start + 1, end
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _cost(costs, start, middle) <= budget else (low, middle - 1)
    return low


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space around it; `(end, end)` where there is nothing else.

    Nothing is copied: it is asked for what is left of a block after each chunk, and a block may be the whole text.
    """
    while start < end and text[start].isspace():
        start += 1
    last = end
    while start < last and text[last - 1].isspace():
        last -= 1
    return (start, last) if start < last else (end, end)
