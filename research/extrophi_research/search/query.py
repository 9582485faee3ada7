"""What a person may write in a query: words, "quoted phrases", -excluded words."""

import re
from dataclasses import dataclass

from extrophi_research.search import analysis

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


def parse(query: str, languages: tuple[str, ...] = ()) -> Query:
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
            continue
        asked.append(content)
        if phrase is not None:
            phrases.append(content)
    return Query(" ".join(asked), tuple(phrases), tuple(excluded), languages)
