"""From lines on pages back to paragraphs and headings: what a PDF has forgotten."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_ENDS = (".", "!", "?", ":", ";", "”", '"', "。", "\uff01", "\uff1f")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")
_BULLET = re.compile(r"[•◦▪‣●\u2013—*-]\s|\(?\d{1,3}[.)]\s|\[\d{1,4}\]\s?")
_HEADING_RATIO = 1.15
"""Letters this much higher than the body's are a heading's; smaller differences are another font's measure."""
_LONGEST_HEADING = 250


@dataclass(frozen=True, slots=True)
class Line:
    """Points, from the page's lower left corner. A hyphenated line's text is without its last hyphen."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    height: float
    hyphenated: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    level: int
    """A heading's, 1 to 6; 0 for text."""
    pages: Sequence[tuple[int, int]]
    """(offset into `text`, page that begins there), ascending; the first at 0."""


def without_running_heads(pages: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """The pages without the first and last lines that most of them share but for a number."""
    written = [page for page in pages if page]
    if len(written) < 4:
        return list(pages)
    firsts = Counter(_shape(page[0]) for page in written)
    lasts = Counter(_shape(page[-1]) for page in written)
    heads = {shape for shape, count in firsts.items() if count * 2 > len(written)}
    feet = {shape for shape, count in lasts.items() if count * 2 > len(written)}
    kept: list[Sequence[Line]] = []
    for page in pages:
        lines = page[1:] if page and _shape(page[0]) in heads else page
        kept.append(lines[:-1] if lines and _shape(lines[-1]) in feet else lines)
    return kept


def _shape(line: Line) -> str:
    return _DIGITS.sub("#", line.text)


def paragraphs_of(pages: Sequence[Sequence[Line]]) -> list[Paragraph]:
    """The paragraphs and headings of the pages, in reading order as PDFium has it."""
    lines = [line for page in pages for line in page if line.text]
    if not lines:
        return []
    heights = Counter[float]()
    for line in lines:
        heights[round(line.height, 1)] += len(line.text)
    body = heights.most_common(1)[0][0]
    larger = sorted({round(line.height) for line in lines if line.height >= body * _HEADING_RATIO}, reverse=True)
    ranks = {height: min(rank, 6) for rank, height in enumerate(larger, 1)}
    vocabulary = Counter(word.lower() for line in lines for word in _WORD.findall(line.text))
    groups = _grouped(lines)
    found: list[Paragraph] = []
    for group in groups:
        text, marks = _joined(group, vocabulary)
        heading = group[0].height >= body * _HEADING_RATIO and len(text) <= _LONGEST_HEADING
        level = ranks.get(round(group[0].height), 6) if heading and any(map(str.isalpha, text)) else 0
        found.append(Paragraph(text, level, marks))
    return found


def _grouped(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each paragraph together."""
    steps = [
        above.bottom - below.bottom
        for above, below in pairwise(lines)
        if above.page == below.page and 0 < above.bottom - below.bottom < 4 * above.height
    ]
    step = median(steps) if steps else lines[0].height
    width = max((line.right - line.left for line in lines), default=0.0)
    groups = [[lines[0]]]
    for above, below in pairwise(lines):
        if _continues(above, below, step, width):
            groups[-1].append(below)
        else:
            groups.append([below])
    return groups


def _continues(above: Line, below: Line, step: float, width: float) -> bool:
    """Whether `below` goes on with the paragraph that `above` stands in."""
    if abs(above.height - below.height) > 0.1 * above.height or (_BULLET.match(below.text) and not above.hyphenated):
        return False
    if above.hyphenated:
        return True
    drop = above.bottom - below.bottom
    if above.page != below.page or drop < -above.height:
        # Over a page or to the next column: only a sentence that is not over goes on.
        return not above.text.endswith(_ENDS) and below.text[:1].islower()
    if drop > 1.35 * max(step, above.height):
        return False
    indented = below.left > above.left + 0.8 * below.height
    short = above.right - above.left < 0.75 * width and above.text.endswith(_ENDS)
    return not (short or (indented and above.text.endswith(_ENDS)))


def _joined(group: Sequence[Line], vocabulary: Counter[str]) -> tuple[str, list[tuple[int, int]]]:
    text, marks = "", [(0, group[0].page)]
    for above, line in zip((None, *group), group, strict=False):
        if above is not None:
            text += _seam(above, line, text, vocabulary)
            if line.page != above.page:
                marks.append((len(text), line.page))
        text += line.text
    if group[-1].hyphenated:
        text += "-"
    return text, marks


def _seam(above: Line, below: Line, text: str, vocabulary: Counter[str]) -> str:
    """What stands between two lines of a paragraph: nothing, a hyphen or a space."""
    if not above.hyphenated:
        # A line that ends in a visible hyphen PDFium took for none ("1990-", "pre-" before a capital) keeps it.
        spaced = not above.text.endswith("-") and not (_wide(above.text[-1:]) and _wide(below.text[:1]))
        return " " if spaced else ""
    before, after = _WORD.findall(text[-80:]), _WORD.match(below.text)
    if not before or after is None:
        return "-"
    head, tail = before[-1].lower(), after[0].lower()
    if not below.text[0].islower():
        return "-"
    # "well-known" was written with its hyphen if it is elsewhere; a word merely broken is whole elsewhere, or nowhere.
    return "-" if vocabulary[f"{head}-{tail}"] > vocabulary[head + tail] else ""


def _wide(character: str) -> bool:
    """Chinese and Japanese put no spaces between words."""
    return bool(character) and "\u2e80" <= character <= "\uffef" and not "\uac00" <= character <= "\ud7af"
