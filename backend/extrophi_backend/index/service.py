"""The story of embedding models: one is active, another may be built beside it, and takes over once it is whole."""

import logging
from collections.abc import Sequence

import httpx

from extrophi_backend.db import Connection, Pool
from extrophi_backend.errors import Conflict, InvalidInput, NotFound
from extrophi_backend.index import sql
from extrophi_backend.index.endpoint import EndpointAway, TextsRefused, embed, resolve
from extrophi_backend.index.models import EmbeddingModel, Progress
from extrophi_backend.log import event
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)

PROBE = "The heron eats at dawn."
"""What a model is asked first: how long its vectors are, and whether it takes any text at all."""


async def share_vectors(conn: Connection) -> None:
    """For who writes chunks: until the end of the transaction, nobody deletes a vector that they may need."""
    await sql.share_vectors(conn)


async def own_vectors(conn: Connection) -> None:
    """For who deletes chunks: until the end of the transaction, nobody writes one."""
    await sql.own_vectors(conn)


async def queue(conn: Connection, hashes: Sequence[bytes]) -> None:
    """Ask for the embeddings of texts, where there are none yet. In a transaction that has `share_vectors`."""
    await sql.queue(conn, hashes)


async def dimensions(client: httpx.AsyncClient, settings: Settings, name: str, endpoint: str) -> int:
    """How long the model's vectors are. Raises EndpointAway, TextsRefused."""
    (vector,) = await embed(client, resolve(endpoint, settings), name, [PROBE])
    return len(vector)


def tell_if_text_leaves(settings: Settings, endpoint: str) -> None:
    """Say so where the texts of a model's documents go to another machine. Once, as the model is recorded."""
    address = resolve(endpoint, settings).url
    if endpoint != "local" and httpx.URL(address).host not in {"localhost", "127.0.0.1", "::1"}:
        _log.warning(event("embeddings.text_leaves_this_machine", to=address))


async def record(pool: Pool, name: str, size: int, endpoint: str, *, beside: bool) -> EmbeddingModel | None:
    """Record a model and ask for all its embeddings. The first becomes active, one `beside` it is built.

    None where there is one already: two workers that start at once choose one model.
    """
    async with pool.acquire() as conn, conn.transaction():
        await sql.lock_models(conn)
        models = await sql.models_in_use(conn)
        if models and not beside:
            return None
        known = await sql.find(conn, name, endpoint)
        if known is not None:  # recorded since we looked
            await _refill(conn, known)
            return known
        _refuse_second(models, name, endpoint)
        model = await sql.add_model(conn, name, size, endpoint, "building" if models else "active")
        await sql.queue_everything(conn, model.id)
    return model


async def build(pool: Pool, settings: Settings, name: str, endpoint: str) -> Progress:
    """Build a model beside the active one. One that is there already gets what it lacks, failed texts again too.

    Raises:
        Conflict: Another is being built.
        InvalidInput: The endpoint does not answer, or knows no such model: it is the request that names both.
    """
    async with pool.acquire() as conn, conn.transaction():
        known = await sql.find(conn, name, endpoint)
        if known is not None:
            await _refill(conn, known)
            return await sql.progress_of(conn, known.id)
    try:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            size = await dimensions(client, settings, name, endpoint)
    except EndpointAway as error:
        raise InvalidInput(
            f"The endpoint {endpoint} does not give embeddings: {error}",
            field="endpoint",
            hint="Check its address, its key, and the model's name.",
        ) from error
    except TextsRefused as error:
        raise InvalidInput(
            f"model: {endpoint} refuses {name}: {error}", field="model", hint="Ask the endpoint for its models."
        ) from error
    if size > sql.MAX_DIMENSIONS:
        raise InvalidInput(
            f"model: {name} has {size} dimensions; an index holds up to {sql.MAX_DIMENSIONS}.",
            field="model",
            hint="Choose a model with shorter vectors.",
        )
    model = await record(pool, name, size, endpoint, beside=True)
    assert model is not None
    tell_if_text_leaves(settings, endpoint)
    async with pool.acquire() as conn:
        return await sql.progress_of(conn, model.id)


async def activate(pool: Pool, name: str, endpoint: str | None) -> Progress:
    """Search with this model from now on. Raises Conflict while it is not whole, NotFound."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.lock_models(conn)
        model = await sql.find(conn, name, endpoint)
        if model is None:
            raise NotFound(
                f"There is no model {name}.", hint="POST /embeddings builds one; GET /embeddings lists them."
            )
        if model.state == "retired":
            await _refill(conn, model)
        if model.state != "active" and not await sql.activate_if_whole(conn, model.id):
            raise Conflict(
                f"{name} still lacks embeddings.", hint="It becomes active by itself once it has all of them."
            )
        return await sql.progress_of(conn, model.id)


async def forget(pool: Pool, model_id: int) -> None:
    """Drop a model's vectors and its index. Raises Conflict for the active one, NotFound."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.lock_models(conn)
        state = await sql.state_of(conn, model_id)
        if state is None:
            raise NotFound(f"There is no model {model_id}.", hint="GET /embeddings lists them.")
        if state == "active":
            raise Conflict("Search uses this model.", hint="Activate another first.")
        await sql.drop_model(conn, model_id)


async def progress(conn: Connection, *, before: int | None, limit: int) -> list[Progress]:
    """Models and how far they are, the newest first."""
    return await sql.progress(conn, before=before, limit=limit)


async def _refill(conn: Connection, model: EmbeddingModel) -> None:
    """Ask again for what a model lacks; one that was retired is built again."""
    await sql.lock_models(conn)
    if model.state == "retired":
        _refuse_second(await sql.models_in_use(conn), model.name, model.endpoint)
        await sql.build_again(conn, model.id)
    await sql.queue_everything(conn, model.id)
    await sql.retry_failed(conn, model.id)


def _refuse_second(models: Sequence[EmbeddingModel], name: str, endpoint: str) -> None:
    other = next((one for one in models if one.state == "building"), None)
    if other is not None and (other.name, other.endpoint) != (name, endpoint):
        raise Conflict(
            f"{other.name} is being built.", hint="Wait until it is whole, or DELETE /embeddings/{id} to give it up."
        )
