"""Embedding what waits: claimed in batches, sorted by length, several requests on the way at once."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import cast

import httpx

from extrophi_backend.db import DATABASE_AWAY, Pool, is_away
from extrophi_backend.index import service, sql
from extrophi_backend.index.endpoint import EndpointAway, TextsRefused, embed, first_choice, resolve
from extrophi_backend.index.models import EmbeddingModel, Endpoint, Pending
from extrophi_backend.log import event
from extrophi_backend.settings import Settings
from extrophi_backend.vectors import halves

_log = logging.getLogger(__name__)

CLAIM = 1024
"""Texts claimed at once: enough that sorting them by length leaves little padding."""
BATCH = 64
IN_FLIGHT = 2
"""While one answer is being stored, the model works on the next."""
LEASE = timedelta(seconds=30)
"""Renewed while the work goes on: what a killed worker had claimed is another's after this time."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
ATTEMPTS = 3
"""After so many that came to nothing, a text may be what its endpoint breaks over."""


async def embed_pending(pool: Pool, client: httpx.AsyncClient, settings: Settings) -> int:
    """Embed until nothing is due. The first model is chosen when there is something to embed.

    Returns:
        How many vectors were stored.

    Raises:
        EndpointAway: Nothing can be embedded now; what was claimed is given back, to be tried again later. One
            model's endpoint does not hold up the other's.
    """
    stored = 0
    away: EndpointAway | None = None
    for model in await _models(pool, client, settings):
        try:
            stored += await _embed_for(pool, client, settings, model)
        except EndpointAway as error:
            away = error
    if away:
        raise away
    return stored


async def _models(pool: Pool, client: httpx.AsyncClient, settings: Settings) -> list[EmbeddingModel]:
    """Those that texts are embedded for; the first is chosen when there is something to embed. Raises EndpointAway."""
    async with pool.acquire() as conn:
        models = await sql.models_in_use(conn)
        if models or not await sql.has_chunks(conn):
            return models
    return await _choose(pool, client, settings)


async def _choose(pool: Pool, client: httpx.AsyncClient, settings: Settings) -> list[EmbeddingModel]:
    """Record the first model. It is asked for one vector, to know its length."""
    name, endpoint = first_choice(settings)
    try:
        size = await service.dimensions(client, settings, name, endpoint)
    except TextsRefused as error:
        raise EndpointAway(str(error)) from error
    if size > sql.MAX_DIMENSIONS:
        raise EndpointAway(f"{name} has {size} dimensions; an index holds up to {sql.MAX_DIMENSIONS}.")
    model = await service.record(pool, name, size, endpoint, beside=False)
    if model is not None:
        _log.info(event("embeddings.chosen", model=name, dimensions=size, endpoint=endpoint))
        service.tell_if_text_leaves(settings, endpoint)
    async with pool.acquire() as conn:
        return await sql.models_in_use(conn)


async def _embed_for(pool: Pool, client: httpx.AsyncClient, settings: Settings, model: EmbeddingModel) -> int:
    stored = 0
    endpoint = resolve(model.endpoint, settings)
    while True:
        async with pool.acquire() as conn:
            claimed = await sql.claim(conn, model.id, CLAIM, LEASE)
        unneeded = [one.hash for one in claimed if one.text is None]
        if unneeded:
            async with pool.acquire() as conn, conn.transaction():
                await sql.own_vectors(conn)
                await sql.drop_unneeded(conn, unneeded)
        if not claimed:
            break
        stored += await _embed_claimed(pool, client, endpoint, model, [one for one in claimed if one.text is not None])
    if model.state == "building":
        async with pool.acquire() as conn, conn.transaction():
            await sql.lock_models(conn)
            if await sql.state_of(conn, model.id) == "building" and await sql.activate_if_whole(conn, model.id):
                _log.info(event("embeddings.activated", model=model.name))
    return stored


async def _embed_claimed(
    pool: Pool, client: httpx.AsyncClient, endpoint: Endpoint, model: EmbeddingModel, claimed: Sequence[Pending]
) -> int:
    longest_first = sorted(claimed, key=lambda one: len(_text(one)), reverse=True)
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
                new = await _embed_batch(pool, client, endpoint, model, batch)
            except EndpointAway as error:
                away.append(error)
                await _give_back(pool, model, batch, error)
            else:
                stored += new

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(*DATABASE_AWAY):
                async with pool.acquire() as conn:
                    await sql.renew(conn, model.id, [one.hash for one in claimed], LEASE)

    renewing = asyncio.create_task(renew())
    try:
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    finally:
        renewing.cancel()
    if away:
        raise away[0]
    return stored


async def _embed_batch(
    pool: Pool, client: httpx.AsyncClient, endpoint: Endpoint, model: EmbeddingModel, batch: Sequence[Pending]
) -> int:
    """Embed and store a batch. One that is refused is halved until only the texts at fault are left."""
    try:
        vectors = await embed(client, endpoint, model.name, [_text(one) for one in batch])
    except (TextsRefused, EndpointAway) as error:
        if isinstance(error, EndpointAway) and not (
            error.broke and max(one.attempts for one in batch) >= ATTEMPTS and await _answers(client, endpoint, model)
        ):
            raise
        if len(batch) == 1:
            await _fail(pool, client, endpoint, model, batch[0], error)
            return 0
        half = len(batch) // 2
        first = await _embed_batch(pool, client, endpoint, model, batch[:half])
        return first + await _embed_batch(pool, client, endpoint, model, batch[half:])
    if len(vectors[0]) != model.dimensions:
        raise EndpointAway(f"{model.name} gives {len(vectors[0])} dimensions, not {model.dimensions} as before.")
    async with pool.acquire() as conn, conn.transaction():
        await sql.store(conn, model.id, [one.hash for one in batch], [halves.pack(vector) for vector in vectors])
    return len(batch)


async def _answers(client: httpx.AsyncClient, endpoint: Endpoint, model: EmbeddingModel) -> bool:
    """Whether the endpoint takes any text at all."""
    try:
        await embed(client, endpoint, model.name, [service.PROBE])
    except (TextsRefused, EndpointAway):
        return False
    return True


async def _fail(
    pool: Pool,
    client: httpx.AsyncClient,
    endpoint: Endpoint,
    model: EmbeddingModel,
    one: Pending,
    error: TextsRefused | EndpointAway,
) -> None:
    """Set a text aside for good, once it is clear that it is at fault and not the request (a renamed model, say)."""
    if not await _answers(client, endpoint, model):
        raise EndpointAway(f"It refuses every text: {error}") from error
    async with pool.acquire() as conn:
        await sql.fail(conn, model.id, [one.hash], str(error))
    _log.warning(event("embeddings.refused", model=model.name, characters=len(_text(one))))


async def _give_back(pool: Pool, model: EmbeddingModel, batch: Sequence[Pending], error: EndpointAway) -> None:
    async with pool.acquire() as conn:
        # The caller waits between its tries, longer each time; a text itself is due again at once.
        await sql.give_back(conn, model.id, [one.hash for one in batch], timedelta(), str(error))


async def tidy(pool: Pool) -> int:
    """Delete vectors whose text no chunk has any more. Returns how many texts were looked at again."""
    async with pool.acquire() as conn:
        hashes = await sql.orphans(conn)
    if hashes:
        async with pool.acquire() as conn, conn.transaction():
            await sql.own_vectors(conn)
            await sql.drop_orphans(conn, hashes)
    return len(hashes)


async def keep_embedding(
    pool: Pool, client: httpx.AsyncClient, settings: Settings, wake: asyncio.Event, *, idle_seconds: float = 1.0
) -> None:
    """Embed for ever: at once when woken, else every `idle_seconds`.

    Each model has turns of its own: an endpoint that is away, or slow, holds up no other.
    """
    turns: dict[int, asyncio.Task[None]] = {}
    waits: defaultdict[int, _Wait] = defaultdict(_Wait)
    try:
        while True:
            wake.clear()
            models: list[EmbeddingModel] = []
            with _waiting(waits[_CHOICE]):
                if waits[_CHOICE].is_over():
                    models = await _models(pool, client, settings)
            for model in models:
                idle = model.id not in turns or turns[model.id].done()
                if idle and waits[model.id].is_over():
                    turns[model.id] = asyncio.create_task(_turn(pool, client, settings, model, waits[model.id]))
            with suppress(TimeoutError):
                async with asyncio.timeout(idle_seconds):
                    await wake.wait()
    finally:
        for turn in turns.values():
            turn.cancel()
        if turns:
            await asyncio.wait(turns.values())


_CHOICE = 0
"""No model's id: what waits while none can be chosen."""


class _Wait:
    """How long to leave an endpoint alone: longer each time that it is away."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._until = 0.0

    def is_over(self) -> bool:
        return monotonic() >= self._until

    def end(self) -> None:
        self._seconds = 0.0

    def begin(self, asked: float | None) -> float:
        self._seconds = min(asked or max(self._seconds * 2, FIRST_WAIT), LONGEST_WAIT)
        self._until = monotonic() + self._seconds * random.uniform(0.8, 1.2)  # noqa: S311  jitter
        return self._seconds


@contextmanager
def _waiting(wait: _Wait) -> Generator[None]:
    """The edge: whatever it was, documents go on being embedded after a wait."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  as it says
        seconds = wait.begin(error.retry_after if isinstance(error, EndpointAway) else None)
        unexpected = None if isinstance(error, EndpointAway) or is_away(error) else error
        _log.warning(event("embeddings.waits", seconds=round(seconds), error=error), exc_info=unexpected)


async def _turn(pool: Pool, client: httpx.AsyncClient, settings: Settings, model: EmbeddingModel, wait: _Wait) -> None:
    with _waiting(wait):
        await _embed_for(pool, client, settings, model)
        wait.end()


def _text(one: Pending) -> str:
    return cast("str", one.text)
