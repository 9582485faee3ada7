"""Another embedding model beside the first, over HTTP."""

import asyncio

import httpx
import pytest
from pydantic import HttpUrl

from extrophi_backend.db import Pool
from extrophi_backend.index.embedding import embed_pending
from extrophi_backend.settings import Settings
from tests.embeddings_endpoint import EmbeddingsEndpoint


@pytest.fixture
def settings(settings: Settings, endpoint: EmbeddingsEndpoint) -> Settings:
    return settings.model_copy(update={"embeddings_url": HttpUrl(endpoint.url), "embeddings_model": "first"})


async def push(api: httpx.AsyncClient, *texts: str) -> None:
    documents = [{"platform": "files", "external_id": text, "text": text} for text in texts]
    assert (await api.post("/documents", json={"documents": documents})).status_code == 200


async def embed(pool: Pool, settings: Settings) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await embed_pending(pool, client, settings)


async def models(api: httpx.AsyncClient) -> dict[str, tuple[str, int, int]]:
    items = (await api.get("/embeddings")).json()["items"]
    return {item["model"]: (item["state"], item["embedded"], item["pending"]) for item in items}


async def test_search_keeps_the_old_model_until_the_new_one_is_whole(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    assert (await api.get("/embeddings")).json()["items"] == []
    await push(api, "one", "two")
    await embed(pool, settings)
    assert await models(api) == {"first": ("active", 2, 0)}

    endpoint.dimensions = 16
    built = await api.post("/embeddings", json={"model": "second", "endpoint": endpoint.url})
    assert (built.status_code, built.json()["dimensions"]) == (202, 16)
    assert await models(api) == {"first": ("active", 2, 0), "second": ("building", 0, 2)}
    too_early = await api.post("/embeddings/activate", json={"model": "second"})
    assert (too_early.status_code, too_early.json()["code"]) == (409, "conflict")
    third = await api.post("/embeddings", json={"model": "third", "endpoint": endpoint.url})
    assert third.status_code == 409

    def vectors_of_both(request: dict) -> None:
        endpoint.dimensions = 16 if request["model"] == "second" else 8

    endpoint.refuse = vectors_of_both
    await push(api, "three")
    await embed(pool, settings)
    assert await models(api) == {"first": ("retired", 3, 0), "second": ("active", 3, 0)}


async def test_a_retired_model_can_be_gone_back_to_or_dropped(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await push(api, "one")
    await embed(pool, settings)
    await api.post("/embeddings", json={"model": "second", "endpoint": endpoint.url})
    await embed(pool, settings)
    await push(api, "two")
    await embed(pool, settings)
    back = await api.post("/embeddings/activate", json={"model": "first"})
    assert back.status_code == 409  # it lacks what came since
    assert (await api.post("/embeddings", json={"model": "first", "endpoint": endpoint.url})).status_code == 202
    await embed(pool, settings)
    assert await models(api) == {"first": ("active", 2, 0), "second": ("retired", 2, 0)}
    assert (await api.post("/embeddings/activate", json={"model": "second"})).status_code == 200

    ids = {item["model"]: item["id"] for item in (await api.get("/embeddings")).json()["items"]}
    assert (await api.delete(f"/embeddings/{ids['second']}")).status_code == 409
    assert (await api.delete(f"/embeddings/{ids['first']}")).status_code == 204
    assert (await api.delete(f"/embeddings/{ids['first']}")).status_code == 404
    assert await models(api) == {"second": ("active", 2, 0)}


async def test_two_who_build_the_same_model_at_once_build_one(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await push(api, "one")
    await embed(pool, settings)
    body = {"model": "second", "endpoint": endpoint.url}
    answers = await asyncio.gather(*(api.post("/embeddings", json=body) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    first = (await api.get("/embeddings", params={"limit": 1})).json()
    rest = (await api.get("/embeddings", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [page["items"][0]["model"] for page in (first, rest)] == ["second", "first"]
    assert rest["next_cursor"] is None


async def test_building_a_model_again_tries_failed_texts_again(
    api: httpx.AsyncClient, pool: Pool, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    endpoint.refuse = lambda request: (400, {}, {}) if "bad" in request["input"] else None
    await push(api, "good", "bad")
    await embed(pool, settings)
    assert (await api.get("/stats")).json()["failed"] == 1
    endpoint.refuse = lambda _: None
    again = await api.post("/embeddings", json={"model": "first", "endpoint": endpoint.url})
    assert (again.json()["pending"], again.json()["failed"]) == (1, 0)
    await embed(pool, settings)
    stats = (await api.get("/stats")).json()
    assert (stats["embedded"], stats["failed"], stats["pending"]) == (2, 0, 0)


async def test_a_model_that_is_not_there_is_a_problem_and_nothing_is_recorded(
    api: httpx.AsyncClient, endpoint: EmbeddingsEndpoint
) -> None:
    endpoint.refuse = lambda _: (400, {}, {"error": "no such model"})
    refused = await api.post("/embeddings", json={"model": "x", "endpoint": endpoint.url})
    assert (refused.status_code, refused.json()["field"]) == (422, "model")
    away = await api.post("/embeddings", json={"model": "x", "endpoint": "http://127.0.0.1:9/v1"})
    assert (away.status_code, away.json()["code"]) == (422, "invalid_input")
    assert (await api.post("/embeddings", json={"model": "x", "endpoint": "ftp://x"})).status_code == 422
    assert (await api.post("/embeddings/activate", json={"model": "x"})).status_code == 404
    assert (await api.get("/embeddings")).json()["items"] == []
