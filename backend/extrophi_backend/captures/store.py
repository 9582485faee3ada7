"""Captures: the bytes as fetched, in any object store, named by their own hash."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_backend.collectors.models import Capture
from extrophi_backend.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Captures:
    """`put` is idempotent: equal bytes have one key, whoever stores them. All raise Unavailable.

    The store is opened when it is first used, so that a folder that cannot be written ends no start, and is taken into
    use as soon as it can.
    """

    def __init__(self, url: str | None, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._store: ObjectStore | None = None

    async def put(self, capture: Capture) -> str:
        """Keep the bytes, and say under which key. Written whole or not at all."""
        key = capture_key(capture.body)
        with self._opened() as store:
            await store.put_async(key, capture.body)
        return key

    async def get(self, key: str) -> bytes | None:
        """The bytes; None if the store has lost them."""
        with self._opened() as store:
            try:
                found = await store.get_async(key)
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

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
        return None if os.access(self._folder, os.W_OK | os.X_OK) else _unwritable(self._folder, "Permission denied")

    @contextmanager
    def _opened(self) -> Generator["ObjectStore"]:
        from obstore.exceptions import BaseError  # noqa: PLC0415  60 ms of import that an API's start need not pay

        try:
            if self._store is None:
                self._store = self._open()
            yield self._store
        except (BaseError, OSError) as error:
            detail = self.problem() or f"The store of captures is out of reach ({type(error).__name__})."
            raise Unavailable(detail, hint="Try again later.") from error

    def _open(self) -> "ObjectStore":
        from obstore.store import LocalStore, from_url  # noqa: PLC0415  as above

        if self._url:
            return from_url(self._url)
        self._folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(self._folder)


def _unwritable(folder: Path, why: str) -> str:
    found = folder
    while not found.exists():
        found = found.parent
    return (
        f"{folder} cannot be written ({why}): {found} belongs to user {found.stat().st_uid}, this is user"
        f" {os.getuid()} of group {os.getgid()}. On the machine that it is mounted from: chown {os.getuid()} it, or"
        " chgrp 0 and chmod g+rwx."
    )


def capture_key(body: bytes) -> str:
    digest = sha256(body).hexdigest()
    return f"captures/{digest[:2]}/{digest}"
