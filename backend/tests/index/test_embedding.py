import asyncio
import math
from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from extrophi_backend.collectors.models import Collected
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links
from extrophi_backend.index import embedding, service, sql
from extrophi_backend.index.embedding import embed_pending, keep_embedding, tidy
from extrophi_backend.index.endpoint import EndpointAway
from extrophi_backend.settings import Settings
from tests.embeddings_endpoint import EmbeddingsEndpoint, serving


@pytest.fixture
def settings(settings: Settings, endpoint: EmbeddingsEndpoint) -> Settings:
    chosen = {"embeddings_url": HttpUrl(endpoint.url), "embeddings_model": "m", "embeddings_api_key": SecretStr("key")}
    return settings.model_copy(update=chosen)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield client


async def save(pool: Pool, *texts: str, prefix: str = "") -> None:
    """One document per text, whose external id is its place."""
    found = [Collected("files", f"{prefix}{number}", text) for number, text in enumerate(texts)]
    prepared = await documents.prepare(pool, None, found)
    async with pool.acquire() as conn, conn.transaction():
        await documents.write(conn, prepared, Links())


async def states(conn: Connection) -> dict[str, int]:
    embedded = await conn.fetchval("SELECT count(*) FROM embeddings")
    rows = await conn.fetch("SELECT state, count(*) AS n FROM embedding_queue GROUP BY 1")
    return {"embedded": embedded} | {row["state"]: row["n"] for row in rows}


async def test_the_first_indexing_chooses_the_model_and_embeds_what_was_there(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    assert await embed_pending(pool, client, settings) == 0
    assert await sql.models_in_use(conn) == []  # nothing to embed, nothing chosen
    await save(pool, *(f"text {number}" for number in range(300)), "text 1")
    assert await embed_pending(pool, client, settings) == 300  # equal texts share one
    (model,) = await sql.models_in_use(conn)
    assert (model.name, model.dimensions, model.endpoint, model.state) == ("m", 8, endpoint.url, "active")
    assert await states(conn) == {"embedded": 300}
    stored = await conn.fetchval("SELECT vector::text FROM embeddings WHERE hash = $1", sha256(b"text 7").digest())
    vector = [float(number) for number in stored.strip("[]").split(",")]
    wanted = endpoint.vector("text 7")
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)
    assert vector == pytest.approx([number / math.hypot(*wanted) for number in wanted], abs=1e-3)
    assert set(endpoint.keys) == {"Bearer key"}


async def test_a_model_has_an_index_that_queries_use(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings
) -> None:
    await save(pool, "one", "two")
    await embed_pending(pool, client, settings)
    await conn.execute("SET enable_seqscan = off")
    await conn.execute("SET enable_sort = off")
    plan = await conn.fetch(
        """EXPLAIN SELECT hash FROM read_v1.embeddings WHERE model_id = 1
            ORDER BY vector::halfvec(8) <=> '[1,0,0,0,0,0,0,0]'::halfvec(8) LIMIT 5"""
    )
    assert "embeddings_hnsw_1" in "\n".join(row[0] for row in plan)


async def test_long_texts_go_together(
    pool: Pool, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, *("word " * (number % 90 + 1) + str(number) for number in range(200)))
    await embed_pending(pool, client, settings)
    batches = [[len(text) for text in request["input"]] for request in endpoint.requests[1:]]
    assert all(len(batch) <= embedding.BATCH for batch in batches)
    assert sum(max(batch) - min(batch) for batch in batches) <= 90 * 5 + 10 * len(batches)


async def test_a_text_that_is_refused_holds_up_no_other(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    endpoint.refuse = lambda request: (400, {}, {"error": "too long"}) if "text 42" in request["input"] else None
    await save(pool, *(f"text {number}" for number in range(100)))
    assert await embed_pending(pool, client, settings) == 99
    assert await states(conn) == {"embedded": 99, "failed": 1}
    assert "too long" in await conn.fetchval("SELECT error FROM embedding_queue")


async def test_an_endpoint_that_refuses_everything_fails_no_text(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, "one", "two")
    await embed_pending(pool, client, settings)
    endpoint.refuse = lambda _: (400, {}, {"error": "no such model"})
    await save(pool, "three", prefix="more")
    with pytest.raises(EndpointAway):
        await embed_pending(pool, client, settings)
    assert await states(conn) == {"embedded": 2, "pending": 1}


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
async def test_what_an_endpoint_cannot_do_now_waits(
    pool: Pool,
    conn: Connection,
    client: httpx.AsyncClient,
    settings: Settings,
    endpoint: EmbeddingsEndpoint,
    status: int,
) -> None:
    await save(pool, "one")
    await embed_pending(pool, client, settings)
    endpoint.refuse = lambda _: (status, {"Retry-After": "7"}, {})
    await save(pool, "two", prefix="more")
    with pytest.raises(EndpointAway) as raised:
        await embed_pending(pool, client, settings)
    assert raised.value.retry_after == 7
    assert await states(conn) == {"embedded": 1, "pending": 1}
    endpoint.refuse = lambda _: None
    assert await embed_pending(pool, client, settings) == 1


async def test_an_answer_that_makes_no_sense_stores_nothing(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, "one", "two")
    await embed_pending(pool, client, settings)
    await save(pool, "three", "four", prefix="more")
    one = {"index": 0, "embedding": [1.0] * 8}
    for data in (
        [],
        [one],
        [one, one],
        [one, {"index": 1, "embedding": [1.0] * 7}],
        [one | {"embedding": [1.0] * 9}, {"index": 1, "embedding": [1.0] * 9}],
        [one, {"index": 1, "embedding": [float("nan")] * 8}],
        [one, {"index": 1, "embedding": [0.0] * 8}],
        [one, {"index": 1, "embedding": "!"}],
        [one, {"index": 1, "embedding": None}],
        [1, 2],
        None,
    ):
        endpoint.refuse = lambda _, data=data: (200, {}, {"data": data})
        with pytest.raises(EndpointAway):
            await embed_pending(pool, client, settings)
        assert await states(conn) == {"embedded": 2, "pending": 2}


async def test_numbers_instead_of_base64_are_taken_and_huge_ones_too(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    endpoint.refuse = lambda request: (
        200,
        {},
        {"data": [{"index": i, "embedding": [1e200] * 8} for i, _ in enumerate(request["input"])]},
    )
    await save(pool, "one", "two")
    assert await embed_pending(pool, client, settings) == 2
    assert await conn.fetchval("SELECT bool_and(abs(l2_norm(vector) - 1) < 0.01) FROM embeddings")


async def test_what_a_dead_worker_had_claimed_is_embedded_after_its_lease(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings
) -> None:
    await save(pool, "one")
    await embed_pending(pool, client, settings)
    await save(pool, "two", "three", prefix="more")
    (model,) = await sql.models_in_use(conn)
    assert len(await sql.claim(conn, model.id, 10, embedding.LEASE)) == 2
    assert await embed_pending(pool, client, settings) == 0  # another's, while the lease runs
    await conn.execute("UPDATE embedding_queue SET claimed_until = now() - interval '1 second'")
    assert await embed_pending(pool, client, settings) == 2


async def test_several_workers_share_the_work(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, *(f"text {number}" for number in range(3000)))
    stored = await asyncio.gather(*(embed_pending(pool, client, settings) for _ in range(3)))
    assert sum(stored) == 3000
    assert await states(conn) == {"embedded": 3000}
    assert len([text for text in endpoint.texts() if text.startswith("text ")]) == 3000
    assert await conn.fetchval("SELECT count(*) FROM embedding_models") == 1


async def test_documents_written_while_the_first_model_is_chosen_are_embedded(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings
) -> None:
    await save(pool, "zero")
    prepared = await documents.prepare(pool, None, [Collected("files", "late", "a late commit")])
    async with pool.acquire() as writer:
        transaction = writer.transaction()
        await transaction.start()
        await documents.write(writer, prepared, Links())  # has not heard of any model
        choosing = asyncio.create_task(embed_pending(pool, client, settings))
        done, _ = await asyncio.wait({choosing}, timeout=0.5)
        assert not done  # it waits for us, so as to see what we wrote
        await transaction.commit()
        await choosing
    await embed_pending(pool, client, settings)
    assert await states(conn) == {"embedded": 2}


async def test_a_changed_document_embeds_only_what_changed(
    pool: Pool, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint, conn: Connection
) -> None:
    sections = [f"# Heading {number}\n\nParagraph {number}." for number in range(5)]
    async with pool.acquire() as writer:
        for third in ("", " Changed."):
            text = "\n\n".join([*sections[:3], sections[3] + third, sections[4]])
            prepared = await documents.prepare(pool, None, [Collected("files", "x", text, "markdown")])
            async with writer.transaction():
                await documents.write(writer, prepared, Links())
            before = len(endpoint.texts())
            await embed_pending(pool, client, settings)
            embedded = endpoint.texts()[before:]
    assert embedded == ["# Heading 3\n\nParagraph 3. Changed."]
    assert await tidy(pool) == 1  # the old third paragraph's vector
    assert await states(conn) == {"embedded": 5}


async def test_work_goes_on_when_the_endpoint_is_back(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    endpoint.refuse = lambda _: (503, {}, {}) if len(endpoint.requests) < 3 else None
    await save(pool, "one")
    keeping = asyncio.create_task(keep_embedding(pool, client, settings, asyncio.Event(), idle_seconds=0.05))
    try:
        async with asyncio.timeout(20):
            while await states(conn) != {"embedded": 1}:
                await asyncio.sleep(0.05)
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})


async def test_text_of_a_deleted_document_is_not_sent(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, "one", "two")
    await embed_pending(pool, client, settings)
    await save(pool, "secret", prefix="more")
    await conn.execute("DELETE FROM chunks WHERE text = 'secret'")
    await embed_pending(pool, client, settings)
    assert "secret" not in endpoint.texts()
    assert await states(conn) == {"embedded": 2}


async def test_an_endpoint_that_hangs_holds_up_no_other_model(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings
) -> None:
    await save(pool, "one")
    await embed_pending(pool, client, settings)
    with serving() as stuck:
        stuck.hanging.clear()
        await service.record(pool, "other", 8, stuck.url, beside=True)
        wake = asyncio.Event()
        keeping = asyncio.create_task(keep_embedding(pool, client, settings, wake, idle_seconds=0.05))
        try:
            async with asyncio.timeout(15):
                while not stuck.requests:
                    await asyncio.sleep(0.02)
                await save(pool, "two", prefix="more")
                wake.set()
                while await conn.fetchval("SELECT count(*) FROM embeddings") < 2:
                    await asyncio.sleep(0.02)
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


async def test_a_text_that_breaks_its_endpoint_is_set_aside_in_the_end(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, "one")
    await embed_pending(pool, client, settings)
    bad = "the longest of them all, at which it stumbles"
    endpoint.refuse = lambda request: (500, {}, {"error": "oh"}) if bad in request["input"] else None
    await save(pool, *(f"text {number}" for number in range(150)), bad, prefix="more")
    for _ in range(embedding.ATTEMPTS):
        with pytest.raises(EndpointAway):
            await embed_pending(pool, client, settings)
        assert "failed" not in await states(conn)
    await embed_pending(pool, client, settings)
    assert await states(conn) == {"embedded": 151, "failed": 1}


async def test_an_endpoint_that_breaks_over_everything_fails_no_text(
    pool: Pool, conn: Connection, client: httpx.AsyncClient, settings: Settings, endpoint: EmbeddingsEndpoint
) -> None:
    await save(pool, "one")
    await embed_pending(pool, client, settings)
    endpoint.refuse = lambda _: (500, {}, {})
    await save(pool, "two", "three", prefix="more")
    for _ in range(embedding.ATTEMPTS + 3):
        with pytest.raises(EndpointAway):
            await embed_pending(pool, client, settings)
    assert await states(conn) == {"embedded": 1, "pending": 2}


def test_it_is_said_where_text_leaves_this_machine(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    service.tell_if_text_leaves(settings, "local")
    service.tell_if_text_leaves(settings, "http://127.0.0.1:9/v1")
    assert not caplog.messages
    service.tell_if_text_leaves(settings, "https://far.example/v1")
    assert caplog.messages == ["embeddings.text_leaves_this_machine to=https://far.example/v1"]
