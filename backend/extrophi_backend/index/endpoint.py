"""OpenAI's embeddings API, as a client: https://platform.openai.com/docs/api-reference/embeddings."""

import base64
import math
import struct
from collections.abc import Sequence
from typing import Any

import httpx

from extrophi_backend.index.models import Endpoint
from extrophi_backend.settings import Settings

OPENAI_MODEL = "text-embedding-3-small"
LOCAL_MODEL = "all-MiniLM-L6-v2"


class EndpointAway(Exception):
    """It did not answer, or told us to come back later: nothing is wrong with the texts.

    Unless it `broke` over them, again and again: an answer of 500 and above is the endpoint's fault, and still may be
    given for one text only.
    """

    def __init__(self, detail: str, retry_after: float | None = None, *, broke: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.broke = broke


class TextsRefused(Exception):
    """It answered with a 4xx: at least one of the texts is at fault."""


def first_choice(settings: Settings) -> tuple[str, str]:
    """Model and endpoint of a library that has none yet, by the settings."""
    if settings.embeddings_url and settings.embeddings_model:
        return settings.embeddings_model, str(settings.embeddings_url).rstrip("/")
    if settings.openai_api_key and not settings.local:
        return settings.embeddings_model or OPENAI_MODEL, "openai"
    return LOCAL_MODEL, "local"


def resolve(endpoint: str, settings: Settings) -> Endpoint:
    """Where to ask, and with which key. A key goes to the address it was given for, and to no other."""
    if endpoint == "local":
        key = settings.service_key
        return Endpoint(str(settings.research_url).rstrip("/") + "/v1", key.get_secret_value() if key else None)
    if endpoint == "openai":
        key = settings.openai_api_key
        return Endpoint(str(settings.openai_base_url).rstrip("/"), key.get_secret_value() if key else None)
    key = settings.embeddings_api_key
    ours = settings.embeddings_url is not None and str(settings.embeddings_url).rstrip("/") == endpoint
    return Endpoint(endpoint, key.get_secret_value() if key and ours else None)


async def embed(client: httpx.AsyncClient, endpoint: Endpoint, model: str, texts: Sequence[str]) -> list[list[float]]:
    """One vector per text, in order, none of them empty, infinite or without length.

    Raises:
        EndpointAway: Try again later.
        TextsRefused: Try fewer of them.
    """
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    body = {"model": model, "input": list(texts), "encoding_format": "base64"}
    try:
        answer = await client.post(f"{endpoint.url}/embeddings", json=body, headers=headers)
    except httpx.HTTPError as error:
        raise EndpointAway(f"{type(error).__name__}: {error}") from error
    if answer.status_code in {401, 403, 404, 408, 409, 429} or answer.status_code >= 500:
        wait = answer.headers.get("retry-after", "")
        detail = f"{answer.status_code}: {answer.text[:300]}"
        after = float(wait) if wait.isascii() and wait.isdigit() else None
        raise EndpointAway(detail, after, broke=answer.status_code >= 500)
    if answer.status_code >= 400:
        raise TextsRefused(f"{answer.status_code}: {answer.text[:300]}")
    try:
        vectors = _vectors(answer.json(), len(texts))
    except (ValueError, KeyError, TypeError, OverflowError, struct.error) as error:
        raise EndpointAway(f"Its answer is none of OpenAI's shape: {error}") from error
    return vectors


def _vectors(answer: Any, count: int) -> list[list[float]]:
    data = sorted(answer["data"], key=lambda one: one["index"])
    if [one["index"] for one in data] != list(range(count)):
        raise ValueError(f"{count} texts were sent, {len(data)} vectors came back")
    vectors = [_vector(one["embedding"]) for one in data]
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("the vectors are of different lengths")
    return vectors


def _vector(sent: str | list[float]) -> list[float]:
    """Base64 of little-endian floats, or plain numbers from an endpoint that knows no base64."""
    if isinstance(sent, str):
        packed = base64.b64decode(sent, validate=True)
        vector = list(struct.unpack(f"<{len(packed) // 4}f", packed))
    else:
        vector = [float(number) for number in sent]
    if not vector or not all(map(math.isfinite, vector)) or not any(vector):
        raise ValueError("a vector is empty, zero, or not of finite numbers")
    return vector
