"""The lines of an export in the order of the posts that they belong to, however many there are.

A person's comments on one post are scattered all over a table that can only be read from its beginning.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from tempfile import SpooledTemporaryFile

from extrophi_backend.archives.reading import BadArchive
from extrophi_backend.collectors.reddit.archive import Line
from extrophi_backend.collectors.reddit.exported import moment

_IN_MEMORY = 2**24
_MOST_BYTES = 2**30
"""Of all that a person wrote."""
_MOST_LINES = 20_000
_MOST_BYTES_OF_ONE = 8_000_000
"""Of one post's lines: as many as are collected of any post's comments."""


@dataclass(frozen=True, slots=True)
class Group:
    """What the person wrote in one post. `left` counts the lines beyond what one document takes."""

    post_id: str
    lines: Sequence[Line]
    size: int
    left: int = 0


class ByPost:
    """Takes lines in any order. In memory are two numbers for each; they themselves are in a file without a name."""

    def __init__(self) -> None:
        self.latest = ""
        """When the last of them was written."""
        self._file = SpooledTemporaryFile[bytes](_IN_MEMORY)
        self._posts = array("q")
        self._starts = array("Q")
        self._end = 0

    def add(self, lines: Iterable[Line]) -> int:
        """Take lines; how many these were. Raises BadArchive: too_large, or what is wrong with the lines."""
        number = 0
        for line in lines:
            number += 1
            written = moment(line.cells)
            self.latest = max(self.latest, written.isoformat() if written else "")
            kept = json.dumps([line.table, line.post_id, dict(line.cells)]).encode() + b"\n"
            self._posts.append(int(line.post_id, 36))
            self._starts.append(self._end)
            self._end += self._file.write(kept)
            if self._end > _MOST_BYTES:
                raise BadArchive("too_large", f"Its posts and comments are more than {_MOST_BYTES // 2**30} GB.")
        return number

    def groups(self, after: str | None) -> Iterator[Group]:
        """The lines by post, newest post first, each post's in the order in which they came.

        Args:
            after: The id of the post up to which all were had; None begins with the first.
        """
        end = int(after, 36) if after else None
        places = [at for at, post in enumerate(self._posts) if end is None or post < end]
        places.sort(key=self._posts.__getitem__, reverse=True)
        for _, group in groupby(places, key=self._posts.__getitem__):
            yield self._group([*group])

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _group(self, places: Sequence[int]) -> Group:
        lines: list[Line] = []
        size = 0
        for at in places[:_MOST_LINES]:
            self._file.seek(self._starts[at])
            kept = self._file.readline()
            if lines and size + len(kept) > _MOST_BYTES_OF_ONE:
                break
            lines.append(Line(*json.loads(kept)))
            size += len(kept)
        return Group(lines[0].post_id, lines, size, len(places) - len(lines))
