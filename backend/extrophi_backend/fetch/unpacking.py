"""Bodies of answers, unpacked, and never larger than asked for."""

import zlib
from typing import Any

import httpcore

from extrophi_backend.fetch.errors import FetchFailed

_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_NOT_ASKED_FOR = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
_SKIMMED = 64 * 1024


async def read_body(received: httpcore.Response, encoding: str, most: int, *, cut: bool = False) -> bytes:
    """The body, as long as it keeps within `most` bytes: packed, and unpacked. With `cut`, so much of it as does.

    Raises:
        FetchFailed: too_large, broken_answer.
    """
    # What no standard knows (“none”, “utf-8”) packs nothing.
    kinds = [kind for part in encoding.lower().split(",") if (kind := part.strip()) in _PACKED | _NOT_ASKED_FOR]
    too_large = FetchFailed("too_large", f"The answer is larger than {most:,} bytes.")
    if declared_length(received) > most and not cut:
        raise too_large
    unpacker = Unpacker() if kinds else None
    parts: list[bytes] = []
    travelled = size = 0
    async for chunk in received.aiter_stream():
        if chunk and (len(kinds) > 1 or _NOT_ASKED_FOR.intersection(kinds)):
            raise FetchFailed("broken_answer", "The server packed its answer in a way that was not asked for.")
        travelled += len(chunk)
        # No more is unpacked at once than may still come: a few bytes can hold gigabytes.
        part = unpacker.feed(chunk, most - size + 1) if unpacker else chunk
        size += len(part)
        parts.append(part)
        if size > most or travelled > most:
            if cut:
                return b"".join(parts)[:most]
            raise too_large
    if unpacker and not unpacker.whole:
        raise FetchFailed("broken_answer", "The server's answer was cut off.")
    return b"".join(parts)


async def skim(received: httpcore.Response) -> None:
    """Read past a body that nobody wants, so that the connection can be used again; not if that takes long."""
    size = 0
    try:
        if declared_length(received) <= _SKIMMED:
            async for chunk in received.aiter_stream():
                size += len(chunk)
                if size > _SKIMMED:
                    return
    except (httpcore.ProtocolError, httpcore.ReadError, httpcore.TimeoutException):
        return


def declared_length(received: httpcore.Response) -> int:
    declared = next((value for name, value in received.headers if name.lower() == b"content-length"), b"0")
    return int(declared[:20]) if declared.isdigit() else 0


class Unpacker:
    """gzip, of one member or several, or zlib: the first bytes tell."""

    def __init__(self) -> None:
        self._member: Any = None
        self.whole = True
        """Nothing is missing: true as well where nothing came at all, as in a 301 that says it is packed."""

    def feed(self, chunk: bytes, most: int) -> bytes:
        """What `chunk` unpacks to, cut at `most` bytes.

        Raises:
            FetchFailed: broken_answer.
        """
        parts: list[bytes] = []
        size = 0
        while chunk and size < most:
            if self._member is None:
                self._member, self.whole = zlib.decompressobj(zlib.MAX_WBITS | 32), False
            elif self._member.eof:
                if not chunk.startswith(b"\x1f"):  # padding after the last member, as `gzip` itself passes over
                    break
                self._member, self.whole = zlib.decompressobj(zlib.MAX_WBITS | 16), False
            try:
                part = self._member.decompress(chunk, most - size)
            except zlib.error as error:
                raise FetchFailed("broken_answer", "The server's answer cannot be unpacked.") from error
            self.whole = self._member.eof
            chunk = self._member.unused_data
            parts.append(part)
            size += len(part)
        return b"".join(parts)


def unpacked(body: bytes, most: int) -> bytes:
    """What a gzip file holds, cut at `most` bytes; as far as it can be read."""
    unpacker = Unpacker()
    parts: list[bytes] = []
    size = 0
    try:
        for at in range(0, len(body), 65_536):
            parts.append(unpacker.feed(body[at : at + 65_536], most - size))
            size += len(parts[-1])
            if size >= most:
                break
    except FetchFailed:
        pass
    return b"".join(parts)
