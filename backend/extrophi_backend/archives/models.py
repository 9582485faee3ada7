"""The words that archives are spoken of in."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from extrophi_backend.archives.reading import Archive
from extrophi_backend.collectors.models import Platform

TARGET = "archive:"
"""What the target of an archive's job begins with; its id follows."""

ANEW = "Download it anew, and import that."
"""What helps where an archive is broken."""

KEPT = timedelta(days=1)
"""For so long an archive is kept after it came, and as long as a job of it has not ended."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that an archive holds. `becomes`: what is made of it, in words; nothing, where that is blank.

    `external_ids` are those of the documents that it has something of, where the archive itself tells.
    """

    name: str
    count: int
    becomes: str
    external_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds."""

    platform: Platform
    title: str
    parts: Sequence[Part]


class Archives(Protocol):
    """Those that are kept, for the collectors of their platforms."""

    async def open(self, target: str) -> Archive:
        """The archive that a job's target names. Raises Refused: archive_gone, or what is wrong with it."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A platform's archives: which members they are told by and read from, and what they hold."""

    platform: Platform
    members: re.Pattern[str]
    """Matches (`search`) the paths of the members that are read, wherever in the archive the export's folder is."""
    look: Callable[[Archive], Contents | None]
    """What is in it; None if it is another platform's after all. Raises BadArchive."""
    sent: Callable[[Archive, str], Iterator[str] | None]
    """What of a member is sent to who collects from it, as text; None: nothing. The rest stays with the person."""
