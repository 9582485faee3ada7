"""A Chroma server's HTTP API, version 2 (its own description: /openapi.json), as far as vectors need it."""

import base64
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from extrophi_backend.errors import Unavailable

_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
# As pgvector's index is made, and as far as `research` has it looked through.
_INDEX = {"hnsw": {"space": "cosine", "max_neighbors": 16, "ef_construction": 64, "ef_search": 60}}
_SECONDS = 30.0


class ChromaAway(Unavailable):
    """It does not answer, or not as it should."""


@dataclass(slots=True)
class Chroma:
    """The client. Collections are named; that they have ids of their own stays in here."""

    http: httpx.AsyncClient
    url: str
    _ids: dict[str, str] = field(default_factory=dict[str, str])

    async def check(self) -> None:
        """Whether it is there, and is Chroma. Raises ChromaAway."""
        try:
            answer = await self.http.get(f"{self.url.rstrip('/')}/api/v2/heartbeat", timeout=_SECONDS)
            if not (answer.is_success and "nanosecond heartbeat" in answer.json()):
                raise ChromaAway(f"At CHROMA_URL is no Chroma of version 1 ({answer.status_code}).", hint=_HINT)
        except httpx.HTTPError as error:
            raise ChromaAway(f"Chroma does not answer ({type(error).__name__}).", hint=_HINT) from error
        except (ValueError, TypeError) as error:
            raise ChromaAway("At CHROMA_URL is no Chroma: its answer is no JSON.", hint=_HINT) from error

    async def open(self, collection: str) -> None:
        """Make the collection, unless it is there."""
        made = await self._send("POST", "", {"name": collection, "get_or_create": True, "configuration": _INDEX})
        self._ids[collection] = made["id"]

    async def count(self, collection: str) -> int:
        """How many vectors it holds; 0 where there is no such collection."""
        try:
            return await self._of(collection, "GET", "count")
        except Missing:
            return 0

    async def put(self, collection: str, ids: Sequence[str], vectors: "Sequence[array[float]]") -> None:
        """Add vectors, or replace those of the same ids. Raises Missing.

        Args:
            collection: Its name.
            ids: One of each vector.
            vectors: Of 4-byte floats.
        """
        sent = [base64.b64encode(_little_endian(one)).decode() for one in vectors]
        await self._of(collection, "POST", "upsert", {"ids": ids, "embeddings": sent})

    async def take(self, collection: str, ids: Sequence[str]) -> None:
        """Take vectors away, where they are there."""
        try:
            await self._of(collection, "POST", "delete", {"ids": ids})
        except Missing:
            return

    async def drop(self, collection: str) -> None:
        """Take the whole collection away, where it is there."""
        try:
            await self._send("DELETE", f"/{collection}")
        except Missing:
            return
        finally:
            self._ids.pop(collection, None)

    async def nearest(
        self, collection: str, vector: Sequence[float], limit: int, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """The ids of the nearest vectors with their cosine similarities, the nearest first.

        Args:
            collection: Its name.
            vector: Where to look from.
            limit: How many at most.
            among: Look at these ids alone. One that is not there is passed over.

        Raises:
            Missing: There is no such collection.
            ChromaAway: It cannot be asked now.
        """
        asked: dict[str, Any] = {"query_embeddings": [list(vector)], "n_results": limit, "include": ["distances"]}
        if among is not None:
            asked["ids"] = list(among)
        found = await self._of(collection, "POST", "query", asked)
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return sorted(((one, 1 - distance) for one, distance in pairs), key=lambda one: -one[1])

    async def _of(self, collection: str, method: str, what: str, body: object = None) -> Any:
        if known := self._ids.pop(collection, None):
            try:
                found = await self._send(method, f"/{known}/{what}", body)
            except Missing:  # made anew by another, or gone: looked up below
                pass
            else:
                self._ids[collection] = known
                return found
        known = (await self._send("GET", f"/{collection}"))["id"]
        found = await self._send(method, f"/{known}/{what}", body)
        self._ids[collection] = known
        return found

    async def _send(self, method: str, path: str, body: object = None) -> Any:
        address = self.url.rstrip("/") + _COLLECTIONS + path
        try:
            answer = await self.http.request(method, address, json=body, timeout=_SECONDS)
        except httpx.HTTPError as error:
            raise ChromaAway(f"Chroma does not answer ({type(error).__name__}).", hint=_HINT) from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise Missing(answer.text[:200])
        try:
            if answer.is_success:
                return answer.json()
        except ValueError as error:
            raise ChromaAway("Chroma's answer is no JSON.", hint=_HINT) from error
        raise ChromaAway(f"Chroma answers {answer.status_code}: {answer.text[:200]}", hint=_HINT)


class Missing(Exception):
    """There is no such collection."""


_HINT = (
    "Is CHROMA_URL a Chroma server of version 1, and does it run? Where it is unset, a restart with VECTOR_STORE=chroma"
    " runs one of our own."
)


def _little_endian(vector: "array[float]") -> bytes:
    if array("H", [1]).tobytes()[0] != 1:
        vector = array("f", vector)
        vector.byteswap()
    return vector.tobytes()
