"""Captures: the bytes as fetched, in any object store, named by their own hash."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from extrophi_backend.collectors.models import Capture
from extrophi_backend.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Captures:
    """`put` is idempotent: equal bytes have one key, whoever stores them. All raise Unavailable."""

    store: "ObjectStore"

    async def put(self, capture: Capture) -> str:
        """Keep the bytes, and say under which key. Written whole or not at all."""
        key = capture_key(capture.body)
        with _in_reach():
            await self.store.put_async(key, capture.body)
        return key

    async def get(self, key: str) -> bytes | None:
        """The bytes; None if the store has lost them."""
        with _in_reach():
            try:
                found = await self.store.get_async(key)
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget captures; those that are not there are no error."""
        for key in keys:
            with _in_reach(), suppress(FileNotFoundError):
                await self.store.delete_async(key)


@contextmanager
def _in_reach() -> Generator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415  as below

    try:
        yield
    except BaseError as error:
        raise Unavailable("The store of captures is out of reach.", hint="Try again later.") from error


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
