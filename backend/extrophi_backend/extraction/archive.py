"""ZIP archives from strangers (DOCX, EPUB), read within bounds."""

import io
import zipfile
import zlib

from extrophi_backend.extraction.errors import ExtractionFailed

MAX_MEMBERS = 20_000
MAX_UNPACKED = 512 * 2**20
MAX_MEMBER = 64 * 2**20
"""Bytes of one part as unpacked. The text of the longest novels is below 10 MB."""


class Archive:
    """The members of a ZIP file. Nothing is ever written to a disk, so their names can do no harm."""

    def __init__(self, body: bytes) -> None:
        """Open it.

        Raises:
            ExtractionFailed: broken_archive, too_large.
        """
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(body))
            members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, IndexError) as error:
            raise ExtractionFailed("broken_archive", f"The archive cannot be opened: {error}.") from error
        if len(members) > MAX_MEMBERS:
            raise ExtractionFailed("too_large", f"The archive has {len(members):,} members; we open {MAX_MEMBERS:,}.")
        # The directory may lie about sizes; `read` believes no size, it counts.
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise ExtractionFailed("too_large", f"The archive unpacks to more than {MAX_UNPACKED // 2**20} MB.")
        self._members = {member.filename: member for member in members}
        self._unpacked = 0

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes | None:
        """The bytes of a member; None if there is none of that name.

        Raises:
            ExtractionFailed: broken_archive, too_large, encrypted.
        """
        member = self._members.get(name)
        if member is None:
            return None
        if member.flag_bits & 1:
            raise ExtractionFailed("encrypted", "The archive is locked with a password.")
        try:
            with self._zip.open(member) as stream:
                data = stream.read(MAX_MEMBER + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise ExtractionFailed("broken_archive", f"A part of the archive cannot be unpacked: {error}.") from error
        self._unpacked += len(data)
        if len(data) > MAX_MEMBER or self._unpacked > MAX_UNPACKED:
            raise ExtractionFailed("too_large", "The archive unpacks to more than we read.")
        return data
