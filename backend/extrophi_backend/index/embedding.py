"""Embedding what waits: claimed in batches, sorted by length, several requests on the way at once."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import timedelta

import httpx

from extrophi_backend.db import Pool
from extrophi_backend.index import sql
from extrophi_backend.index.endpoint import EndpointAway, TextsRefused, embed, first_choice, resolve
from extrophi_backend.index.models import EmbeddingModel, Endpoint, Pending
from extrophi_backend.log import event
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)

CLAIM = 1024
"""Texts claimed at once: enough that sorting them by length leaves little padding."""
BATCH = 64
IN_FLIGHT = 2
"""While one answer is being stored, the model works on the next."""
LEASE = timedelta(minutes=5)
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


async def embed_pending(pool: Pool, client: httpx.AsyncClient, settings: Settings) -> int:
    """Embed until nothing is due. The first model is chosen when there is something to embed.

    Returns:
        How many vectors were stored.

    Raises:
        EndpointAway: Nothing can be embedded now; what was claimed is given back, to be tried again later.
    """
    stored = 0
    async with pool.acquire() as conn:
        models = await sql.models_in_use(conn)
        empty = not models and not await sql.has_chunks(conn)
    if empty:
        return 0
    for model in models or [await _choose(pool, client, settings)]:
        endpoint = resolve(model.endpoint, settings)
        while True:
            async with pool.acquire() as conn:
                claimed = await sql.claim(conn, model.id, CLAIM, LEASE)
            if not claimed:
                break
            stored += await _embed_claimed(pool, client, endpoint, model, claimed)
        if model.state == "building":
            async with pool.acquire() as conn, conn.transaction():
                if await sql.activate_if_whole(conn, model.id):
                    _log.info(event("embeddings.activated", model=model.name))
    return stored


async def _choose(pool: Pool, client: httpx.AsyncClient, settings: Settings) -> EmbeddingModel:
    """Record the first model. It is asked for one vector, to know its length."""
    name, endpoint = first_choice(settings)
    address = resolve(endpoint, settings)
    try:
        (probe,) = await embed(client, address, name, ["dimensions"])
    except TextsRefused as error:
        raise EndpointAway(str(error)) from error
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE embedding_models IN EXCLUSIVE MODE")  # two workers choose one model
        models = await sql.models_in_use(conn)
        if models:
            return models[0]
        model = await sql.add_model(conn, name, len(probe), endpoint, "active")
        await sql.queue_everything(conn, model.id)
    _log.info(event("embeddings.chosen", model=name, dimensions=len(probe), endpoint=endpoint))
    if endpoint != "local":
        _log.warning(event("embeddings.leave_this_machine", to=address.url))
    return model


async def _embed_claimed(
    pool: Pool, client: httpx.AsyncClient, endpoint: Endpoint, model: EmbeddingModel, claimed: Sequence[Pending]
) -> int:
    longest_first = sorted(claimed, key=lambda one: len(one.text), reverse=True)
    batches = iter([longest_first[at : at + BATCH] for at in range(0, len(longest_first), BATCH)])
    away: list[EndpointAway] = []
    stored = 0

    async def work() -> None:
        nonlocal stored
        for batch in batches:
            if away:
                await _give_back(pool, model, batch, away[0])
                continue
            try:
                stored += await _embed_batch(pool, client, endpoint, model, batch)
            except EndpointAway as error:
                away.append(error)
                await _give_back(pool, model, batch, error)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    if away:
        raise away[0]
    return stored


async def _embed_batch(
    pool: Pool, client: httpx.AsyncClient, endpoint: Endpoint, model: EmbeddingModel, batch: Sequence[Pending]
) -> int:
    """Embed and store a batch. One that is refused is halved until only the texts at fault are left."""
    try:
        vectors = await embed(client, endpoint, model.name, [one.text for one in batch])
    except TextsRefused as error:
        if len(batch) == 1:
            async with pool.acquire() as conn:
                await sql.fail(conn, model.id, [batch[0].hash], str(error))
            _log.warning(event("embeddings.refused", model=model.name, characters=len(batch[0].text)))
            return 0
        half = len(batch) // 2
        first = await _embed_batch(pool, client, endpoint, model, batch[:half])
        return first + await _embed_batch(pool, client, endpoint, model, batch[half:])
    if len(vectors[0]) != model.dimensions:
        raise EndpointAway(f"{model.name} gives {len(vectors[0])} dimensions, not {model.dimensions} as before.")
    written = [f"[{','.join(map(repr, vector))}]" for vector in vectors]
    async with pool.acquire() as conn, conn.transaction():
        await sql.store(conn, model.id, [one.hash for one in batch], written)
    return len(batch)


async def _give_back(pool: Pool, model: EmbeddingModel, batch: Sequence[Pending], error: EndpointAway) -> None:
    async with pool.acquire() as conn:
        # The caller waits between its tries, longer each time; a text itself is due again at once.
        await sql.give_back(conn, model.id, [one.hash for one in batch], timedelta(), str(error))


async def keep_embedding(
    pool: Pool, client: httpx.AsyncClient, settings: Settings, wake: asyncio.Event, *, idle_seconds: float = 1.0
) -> None:
    """Embed for ever: at once when woken, else every `idle_seconds`; with backoff while the endpoint is away."""
    wait = 0.0
    while True:
        try:
            await embed_pending(pool, client, settings)
            wait = 0.0
        except EndpointAway as error:
            wait = min(max(wait * 2, FIRST_WAIT), LONGEST_WAIT)
            wait = min(error.retry_after or wait, LONGEST_WAIT)
            _log.warning(event("embeddings.waits", seconds=round(wait), error=error))
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  jitter
            continue
        wake.clear()
        try:
            async with asyncio.timeout(idle_seconds):
                await wake.wait()
        except TimeoutError:
            pass
