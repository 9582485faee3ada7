"""The vector of a query, under the model that search uses now."""

import asyncio
import base64
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
import numpy as np

from extrophi_research.db import Pool
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.embeddings.models import ActiveModel
from extrophi_research.embeddings.sql import active_model
from extrophi_research.errors import NoMemory
from extrophi_research.settings import Settings

_CACHED = 512
_SECONDS = 5.0
_MODEL_SECONDS = 1.0
_REST_SECONDS = 5.0
"""An endpoint that just failed is not asked again for this long: search by word is better than a wait."""
_OF_THE_ENDPOINT = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Refusals that the next text would meet, too; another 4xx is about this one (too long, say)."""


class EndpointAway(Exception):
    """The model cannot be asked now; the text says why."""


@dataclass(slots=True)
class Embedder:
    """Embeds queries, and remembers the last of them."""

    settings: Settings
    model: LocalModel
    client: httpx.AsyncClient
    _cache: "OrderedDict[tuple[int, str], list[float]]" = field(default_factory=OrderedDict)
    _rests_until: float = 0.0
    _active: ActiveModel | None = None
    _active_until: float = 0.0

    async def active_model(self, pool: Pool) -> ActiveModel | None:
        """The model that search uses; what was true a moment ago will do, since a retired model keeps its vectors."""
        if self._active is None or time.monotonic() > self._active_until:
            async with pool.acquire() as conn:
                self._active = await active_model(conn)
            self._active_until = time.monotonic() + _MODEL_SECONDS
        return self._active

    async def embed(self, model: ActiveModel, text: str) -> list[float]:
        """The vector of `text`, of unit length. Raises EndpointAway."""
        key = (model.id, text)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if model.endpoint == "local":
            loop = asyncio.get_running_loop()
            try:
                vector = await loop.run_in_executor(self.model.for_queries, self.model.embed_whole, text)
            except NoMemory as error:
                raise EndpointAway(error.detail) from error
        else:
            vector = await self._remote(model, text)
        self._cache[key] = vector
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return vector

    def forget(self) -> None:
        """Remember no query any more."""
        self._cache.clear()

    async def _remote(self, model: ActiveModel, text: str) -> list[float]:
        if time.monotonic() < self._rests_until:
            raise EndpointAway("the embeddings endpoint did not answer a moment ago")
        url, key = self._address(model.endpoint)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"model": model.name, "input": [text], "encoding_format": "base64"}
        try:
            answer = await self.client.post(f"{url}/embeddings", json=body, headers=headers, timeout=_SECONDS)
        except httpx.HTTPError as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            raise EndpointAway(f"the embeddings endpoint does not answer ({type(error).__name__})") from error
        if not answer.is_success:
            if answer.is_server_error or answer.status_code in _OF_THE_ENDPOINT:
                self._rests_until = time.monotonic() + _REST_SECONDS
            raise EndpointAway(f"the embeddings endpoint refuses ({answer.status_code})")
        try:
            vector = _vector(answer.json()["data"][0]["embedding"])
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise EndpointAway(f"the embeddings endpoint gives no vector ({type(error).__name__})") from error
        if len(vector) != model.dimensions:
            raise EndpointAway(f"the embeddings endpoint gives {len(vector)} dimensions, not {model.dimensions}")
        return vector

    def _address(self, endpoint: str) -> tuple[str, str | None]:
        """A key goes to the address it was given for, and to no other."""
        settings = self.settings
        if endpoint == "openai":
            key = settings.openai_api_key
            return str(settings.openai_base_url).rstrip("/"), key.get_secret_value() if key else None
        key = settings.embeddings_api_key
        ours = settings.embeddings_url is not None and str(settings.embeddings_url).rstrip("/") == endpoint
        return endpoint, key.get_secret_value() if key and ours else None


def _vector(sent: Any) -> list[float]:
    """Of unit length, as those it is compared with. Raises ValueError where that cannot be."""
    if isinstance(sent, str):
        given = np.frombuffer(base64.b64decode(sent), "<f4").astype(np.float64)
    else:
        given = np.array(sent, np.float64)
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise ValueError("it is no list of numbers")
    largest = np.abs(given).max()
    if largest == 0:
        raise ValueError("it points nowhere")
    given = given / largest  # the squares of huge numbers are infinite
    return (given / np.linalg.norm(given)).tolist()
