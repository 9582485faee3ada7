"""Captures: the bytes as fetched, in any object store. Its objects are named by a hash of what was put."""

import logging
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_backend.errors import Unavailable
from extrophi_backend.log import event

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_log = logging.getLogger(__name__)
_SPARE = 1_000_000  # bytes; less is taken for a full disk
_SMALL = 64 * 1024  # bytes; a capture up to here shares an object with others of its page
_LARGEST_PACK = 1024 * 1024  # bytes; who forgets one of its captures reads and writes all of it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a capture's bytes lie: all of an object, or a part of one."""

    key: str
    start: int | None = None
    length: int | None = None


class Captures:
    """`put` is idempotent: equal bytes have one key, whoever stores them. All raise Unavailable.

    A folder is opened when it is first used, so that one that cannot be written ends no start, and is taken into use as
    soon as it can.
    """

    def __init__(self, url: str | None, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._store: ObjectStore | None = self._open() if url else None  # a wrong address stops the start

    async def put(self, key: str, body: bytes) -> None:
        """Keep an object under its `capture_key`. Written whole or not at all."""
        with self._opened() as store:
            await store.put_async(key, body)

    async def get(self, place: Place) -> bytes | None:
        """The bytes; None if the store has lost them, or overwritten them as a deleted document's."""
        with self._opened() as store:
            try:
                if place.start is not None:
                    part = bytes(await store.get_range_async(place.key, start=place.start, length=place.length))
                    return part if any(part) else None
                found = await store.get_async(place.key)
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

    async def keep_only(self, key: str, parts: Iterable[tuple[int, int]]) -> None:
        """Overwrite with zeros what of an object is in none of these parts, each its start and length in bytes.

        The parts stay where they are; any two are the same or apart. Whoever calls has the object for itself.
        """
        kept = set(parts)
        with self._opened() as store, suppress(FileNotFoundError):
            if sum(length for _, length in kept) == (await store.head_async(key))["size"]:
                return
            body = bytes(await (await store.get_async(key)).bytes_async())
            left = bytearray(len(body))
            for start, length in kept:
                left[start : start + length] = body[start : start + length]
            await store.put_async(key, bytes(left))

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget captures; those that are not there are no error."""
        for key in keys:
            with self._opened() as store, suppress(FileNotFoundError):
                await store.delete_async(key)

    def problem(self) -> str | None:
        """Why nothing can be kept, as far as can be told without trying."""
        if self._url:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return _unwritable(self._folder, error.strerror or "")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            return _unwritable(self._folder, "Permission denied")
        left = shutil.disk_usage(self._folder).free
        return _full(self._folder) if left < _SPARE else None

    @contextmanager
    def _opened(self) -> Generator["ObjectStore"]:
        from obstore.exceptions import BaseError  # noqa: PLC0415  60 ms of import that an API's start need not pay

        try:
            if self._store is None:
                self._store = self._open()
            yield self._store
        except (BaseError, OSError) as error:
            _log.warning(event("captures.failed", error=str(error)))
            full = _full(self._folder) if not self._url and "No space left" in str(error) else None
            detail = full or self.problem() or f"The store of captures is out of reach ({type(error).__name__})."
            raise Unavailable(detail, hint="The log has why. Try again later.") from error

    def _open(self) -> "ObjectStore":
        from obstore.store import LocalStore, from_url  # noqa: PLC0415  as above

        if self._url:
            return from_url(self._url)
        self._folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(self._folder)


def _full(folder: Path) -> str:
    return f"No space left in {folder}: free some, or enlarge the volume. What was to be kept waits, and is not lost."


def _unwritable(folder: Path, why: str) -> str:
    found = folder
    while not os.path.exists(found):  # noqa: PTH110  Path.exists raises where it may not look
        found = found.parent
    owner = found.stat()
    return (
        f"{folder} cannot be written ({why}): {found} belongs to user {owner.st_uid} and group {owner.st_gid}, this is"
        f" user {os.getuid()} of group {os.getgid()}. Where it is mounted from, give it to one of the two (`chown"
        f" {os.getuid()}`, or `chgrp {os.getgid()}` and `chmod g+rwx`; with Podman, mount it with :U)."
    )


def pack(bodies: Iterable[bytes]) -> tuple[dict[str, bytes], dict[bytes, Place]]:
    """Where captures are to lie: the objects to be put, by their keys, and each capture's place in them.

    A platform answers with a hundred posts at once: an object for each would take a fifth of a job's time or more
    (`bench.platforms`), and providers charge for each.
    """
    different = dict.fromkeys(bodies)
    small = [body for body in different if 0 < len(body) <= _SMALL]
    if len(small) < 2:
        small = []
    places = {body: Place(capture_key(body)) for body in different.keys() - set(small)}
    objects = {place.key: body for body, place in places.items()}
    for together in _packs(small):
        # Of their hashes, not of their bytes: those might be the same with the cuts at other places.
        key = capture_key(b"".join(sha256(body).digest() for body in together))
        objects[key] = b"".join(together)
        ends = accumulate(map(len, together))
        places |= {body: Place(key, end - len(body), len(body)) for body, end in zip(together, ends, strict=True)}
    return objects, places


def _packs(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    """In their order, as many together as one object may hold."""
    together: list[bytes] = []
    size = 0
    for body in bodies:
        if together and size + len(body) > _LARGEST_PACK:
            yield together
            together, size = [], 0
        together.append(body)
        size += len(body)
    if together:
        yield together


def capture_key(body: bytes) -> str:
    digest = sha256(body).hexdigest()
    return f"captures/{digest[:2]}/{digest}"
