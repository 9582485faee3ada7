"""A person's data archive, read as a stream: nothing of it is written to a disk, so its names can do no harm."""

import csv
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from typing_extensions import override

MAX_MEMBERS = 200_000
MAX_UNPACKED = 4 * 2**30
"""Bytes of a member, each time that it is read. A million posts are about 3 GB of X's JSON."""
MAX_ENTRY = 16 * 2**20
"""Characters of one post, or of one line of a table."""
LONGEST_MATCH = 500
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError)
"""What unpacking a damaged member raises, by whatever method it was packed."""
_READ = 2**18


class BadArchive(Exception):
    """`code` is for programs, `detail` a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Archive:
    """The members of a ZIP file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Open it.

        Args:
            file: Open for as long as this is used.

        Raises:
            BadArchive: broken_archive, too_large.
        """
        try:
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, IndexError) as error:
            raise BadArchive("broken_archive", f"The archive cannot be opened: {error}.") from error
        if len(members) > MAX_MEMBERS:
            raise BadArchive("too_large", f"The archive has {len(members):,} members; we open {MAX_MEMBERS:,}.")
        self._members = {member.filename: member for member in members if not member.is_dir()}

    @property
    def names(self) -> Sequence[str]:
        return list(self._members)

    def entries(self, name: str) -> Iterator[Any]:
        """The elements of the JSON array that a member holds; of X's scripts, what is assigned in them.

        Raises:
            BadArchive: broken_archive, too_large, encrypted, unreadable.
        """
        with self._text(name) as text:
            yield from _elements(text, name)

    def lines(self, name: str) -> Iterator[list[str]]:
        """The lines of the table (CSV) that a member holds, each a list of its cells.

        Raises:
            BadArchive: as `entries`.
        """
        with self._text(name) as text:
            try:
                yield from csv.reader(_bounded(text, name))
            except csv.Error as error:
                raise BadArchive("unreadable", f"{shown(name)} is no table: {error}.") from error

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        """The rows of a table by the names in its first line; what a short one lacks is empty.

        Raises:
            BadArchive: as `entries`.
        """
        lines = self.lines(name)
        names = next(lines, [])
        for line in lines:
            yield dict.fromkeys(names, "") | dict(zip(names, line, strict=False))

    def matches(self, name: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What matches in a member's text, however long that is; a match has at most LONGEST_MATCH characters.

        Raises:
            BadArchive: as `entries`.
        """
        with self._text(name) as text:
            rest = ""
            while more := text.read(_READ):
                part, done = rest + more, 0
                # One that may go on past this part is looked for again, with what follows.
                for match in pattern.finditer(part):
                    if match.end() > len(part) - LONGEST_MATCH:
                        break
                    yield match
                    done = match.end()
                rest = part[max(done, len(part) - 2 * LONGEST_MATCH) :]
            yield from pattern.finditer(rest)

    def text(self, name: str) -> str:
        """All that a member holds, of at most MAX_ENTRY characters.

        Raises:
            BadArchive: as `entries`.
        """
        with self._text(name) as text:
            found = text.read(MAX_ENTRY + 1)
            if len(found) > MAX_ENTRY:
                raise BadArchive("too_large", f"{shown(name)} is larger than we read at once.")
            return found

    @contextmanager
    def _text(self, name: str) -> Generator[IO[str]]:
        member = self._members[name]
        if member.flag_bits & 1:
            raise BadArchive("encrypted", "The archive is locked with a password.")
        try:
            with self._zip.open(member) as stream:
                # A mark of byte order comes before some of these tables.
                counted = io.BufferedReader(_Counted(stream))
                yield io.TextIOWrapper(counted, encoding="utf-8-sig", errors="replace", newline="")
        except BROKEN as error:
            raise BadArchive("broken_archive", f"{shown(name)} cannot be unpacked: {error}.") from error


class _Counted(io.RawIOBase):
    """What is unpacked of a member, within bounds: the directory of a ZIP file may lie about sizes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = MAX_UNPACKED

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise BadArchive("too_large", f"The archive unpacks to more than {MAX_UNPACKED // 2**30} GB.")
        buffer[: len(found)] = found
        return len(found)


def _bounded(text: IO[str], name: str) -> Iterator[str]:
    """The lines of a text, none of them longer than memory."""
    while line := text.readline(MAX_ENTRY):
        if len(line) == MAX_ENTRY:
            raise BadArchive("too_large", f"A line of {shown(name)} is larger than we read.")
        yield line


def _elements(text: IO[str], name: str) -> Iterator[Any]:
    """Element after element, each as soon as it is whole: the array may be larger than memory."""
    decoder = json.JSONDecoder()
    buffer = text.read(_READ)
    at = buffer.find("[") + 1
    if at == 0:
        raise BadArchive("unreadable", f"{shown(name)} holds no list.")
    ended = False
    while True:
        while at < len(buffer) and buffer[at] in " \t\r\n,":
            at += 1
        if buffer[at : at + 1] == "]":
            return
        try:
            element, after = decoder.raw_decode(buffer, at)
        except RecursionError as error:
            raise BadArchive("unreadable", f"{shown(name)} is nested too deeply.") from error
        except ValueError as error:
            more = "" if ended else text.read(_READ)
            ended = not more
            if ended:
                raise BadArchive("unreadable", f"{shown(name)} is cut off, or no JSON.") from error
            buffer, at = buffer[at:] + more, 0
            if len(buffer) > MAX_ENTRY:
                raise BadArchive("too_large", f"An entry of {shown(name)} is larger than we read.") from error
            continue
        yield element
        at = after


def shown(name: str) -> str:
    """A name from outside, fit for a line of text."""
    return name[:200].encode("ascii", "backslashreplace").decode()
