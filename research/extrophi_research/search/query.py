"""What a person may write in a query: words, "quoted phrases", -excluded words."""

import re
from dataclasses import dataclass

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


def parse(query: str) -> Query:
    asked: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    for part in _PART.finditer(query):
        phrase, word = part["phrase"], part["word"]
        content = (phrase if phrase is not None else word).strip().strip(_OPENS + _CLOSES)
        if not content:
            continue
        if part["minus"]:
            excluded.append(content)
            continue
        asked.append(content)
        if phrase is not None:
            phrases.append(content)
    return Query(" ".join(asked), tuple(phrases), tuple(excluded))
