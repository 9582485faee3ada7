"""The commands of docs/guide.md, as a person would type them, in the guide's order."""

import re
from dataclasses import dataclass

from tests.containers.podman import ROOT

_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{2,5} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """`text` as printed, its continued lines joined; `heading` is the last one above it."""

    heading: str
    text: str


def commands() -> list[Command]:
    guide = (ROOT / "docs" / "guide.md").read_text()
    found: list[Command] = []
    for block in _BLOCK.finditer(guide):
        heading = [one[1] for one in _HEADING.finditer(guide, 0, block.start())][-1]
        lines = re.sub(r" *\\\n +", " ", block[1]).splitlines()
        found += [Command(heading, line) for line in lines if line and not line.startswith("#")]
    return found
