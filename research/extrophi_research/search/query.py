"""What a person may write in a query: words, "quoted phrases", -excluded words."""

import re
from dataclasses import dataclass

from extrophi_research.search import analysis
from extrophi_research.search.begun import Begun, begun

_OPENS, _CLOSES = '"“„«', '"”“»'
_PART = re.compile(
    rf"(?P<minus>(?<!\S)-(?!-))?(?:[{_OPENS}](?P<phrase>[^{_OPENS}{_CLOSES}]*)[{_CLOSES}]|(?P<word>\S+))"
)


@dataclass(frozen=True, slots=True)
class Query:
    """`text` is all of it that is asked for, without marks: what is embedded."""

    text: str
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    languages: tuple[str, ...] = ()
    """Those that it is known to be in."""
    begun: Begun | None = None
    """Its last word, if that is still being typed."""


def parse(query: str, languages: tuple[str, ...] = (), *, as_typed: bool = False) -> Query:
    """`as_typed`: whoever types it may not be at the end of its last word."""
    last: Begun | None = None
    asked: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    for part in _PART.finditer(query):
        phrase, word = part["phrase"], part["word"]
        content = (phrase if phrase is not None else word).strip().strip(_OPENS + _CLOSES)
        if not content:
            continue
        # A number or a stop word with a dash before it is prose: "at -40 degrees", "this -and that".
        if part["minus"] and (phrase is not None or not analysis.says_nothing(content)):
            excluded.append(content)
            last = None
            continue
        asked.append(content)
        last = begun(word) if as_typed and phrase is None and part.end() == len(query) else None
        if phrase is not None:
            phrases.append(content)
    return Query(" ".join(asked), tuple(phrases), tuple(excluded), languages, last)
