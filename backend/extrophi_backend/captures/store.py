"""Captures: the bytes as fetched, in any object store, named by their own hash."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_backend.collectors.models import Capture

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Captures:
    """`put` is idempotent: equal bytes have one key, whoever stores them."""

    store: "ObjectStore"

    async def put(self, capture: Capture) -> str:
        """Keep the bytes, and say under which key. Written whole or not at all."""
        key = capture_key(capture.body)
        await self.store.put_async(key, capture.body)
        return key

    async def get(self, key: str) -> bytes | None:
        """The bytes; None if the store has lost them."""
        try:
            found = await self.store.get_async(key)
        except FileNotFoundError:
            return None
        return bytes(await found.bytes_async())

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget captures; those that are not there are no error."""
        for key in keys:
            with suppress(FileNotFoundError):
                await self.store.delete_async(key)


def capture_key(body: bytes) -> str:
    digest = sha256(body).hexdigest()
    return f"captures/{digest[:2]}/{digest}"


def open_captures(data: Path, url: str | None) -> Captures:
    """The store at `url` (s3://, gs://, az://, file://), or the folder `data`, which is made if need be."""
    from obstore.store import LocalStore, from_url  # noqa: PLC0415  60 ms of import that an API's start need not pay

    if url:
        return Captures(from_url(url))
    data.mkdir(parents=True, exist_ok=True)
    return Captures(LocalStore(data))
