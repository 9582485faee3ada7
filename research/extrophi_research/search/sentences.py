"""Where sentences begin and end."""

import re
from collections.abc import Iterator

# Quotation marks, brackets and emphasis close with a sentence; then the numbers of its sources ("family.[1] It").
CLOSERS = r"(?:['\"”’“»)\]*_`]|[\u00a0\u202f ]»)*(?:\\?\[[\d\s,–-]+\\?\])*"
"""What stands between a stop and the end of its sentence."""
_STOPS = ".!?…؟۔।॥"
_FULL = "。！？｡"
# It begins with a set of characters, and looks back at which it was: so `re` passes over all others quickly.
_BREAK = rf"""[{_STOPS}{_FULL}\n](?:
       (?<=[{_STOPS}])(?<![{_STOPS}]{{2}})[{_STOPS}]*{CLOSERS}(?=\s|$)
       |(?<=[{_FULL}])[」』）]*{CLOSERS}
       |(?<=\n)(?:[ \t]*\n\s*|(?=[ \t]*(?:[-*+•>|]|\#{{1,6}}|\d+[.)])[ \t])))"""
_END = re.compile(_BREAK, re.VERBOSE)
_HEADING_OR_END = re.compile(rf"(?m:^[ \t]*\#{{1,6}}[ \t].*(?:\n|\Z))|{_BREAK}", re.VERBOSE)
"""A heading is a line, whatever stops it holds."""
_NO_END = re.compile(r"(?:^|[\s(\[“„\"'])(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Gov|Sen|Rep|vs|e\.g|i\.e|cf|ca|approx|bzw|vgl)\.$")
_BEFORE_A_NUMBER = re.compile(
    r"(?:^|[\s(\[“„\"'])(?:Figs?|Eqs?|Secs?|Nos?|Nr|Vol|pp?|Abb|Art|Ch|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\.$"
)
_RARELY_AN_END = re.compile(r"(?:^|[\s(\[“„\"'.])(?:[^\W\d_](?:\.[^\W\d_])*|Ph\.D|etc|Inc|Ltd|Co|Corp|Jr|Sr|al)\.$")
"""Initials, and what is written with a stop wherever it stands."""
_OPENING = re.compile(
    r"\s*(?:$|\n|(?:A|An|And|As|At|But|For|He|How|If|In|It|Its|On|She|So|That|The|Then|There|These|They|This|Those|Though"
    r"|We|What|When|Which|While|Who|Why|You|Das|Der|Die|Ein|Eine|Er|Es|Sie|Le|La|Les|Il|Elle|El|Los)\s)"
)
"""What most sentences begin with: after it, even such a stop was an end."""
_NUMBER_FOLLOWS = re.compile(r"\s+\d")
_NUMBERED = re.compile(r"(?:^|\n)[ \t]*\d+\.$")
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}\.$")
_AFTER_ORDINAL = re.compile(
    r"\s+(?:[^\W\d_A-Z]|(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert)\b)"
)
_LOOK_BACK = 14
_LONGEST_SHORTENED = 6
"""Letters: of what is written short with a stop, and in one piece."""


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text, without the white space around them. A heading or a list's item is one, too."""
    start = 0
    for match in (_HEADING_OR_END if "#" in text else _END).finditer(text):
        if match[0] == "." and not _ends(text, match.end()):
            continue
        yield from _trimmed(text, start, match.end())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends(text: str, at: int) -> bool:
    """Whether a lone full stop before `at` ends a sentence."""
    word = text[max(0, at - 2 - _LONGEST_SHORTENED) : at - 1]
    if not word[-1:].isalnum() or (len(word) > _LONGEST_SHORTENED and word.isalpha()):
        return True  # as most do: apart, or after a longer word
    before = text[max(0, at - _LOOK_BACK) : at]
    if _NO_END.search(before) or _NUMBERED.search(before):
        return False
    if _BEFORE_A_NUMBER.search(before) and _NUMBER_FOLLOWS.match(text, at):
        return False
    if _ORDINAL.search(before):
        return _AFTER_ORDINAL.match(text, at) is None
    return _RARELY_AN_END.search(before) is None or _OPENING.match(text, at) is not None


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    span = text[start:end]
    if span.strip():
        left = len(span) - len(span.lstrip())
        yield start + left, start + len(span.rstrip())
