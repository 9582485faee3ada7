import random
from hashlib import sha256

from extrophi_research.embeddings.local import DIMENSIONS
from extrophi_research.embeddings.sql import active_model
from extrophi_research.search import sql
from extrophi_research.search.models import Filters


async def test_vector_search_uses_the_models_index(library):
    model_id = await library.make_model()
    chosen = random.Random(7)
    rows = [
        (
            model_id,
            sha256(str(n).encode()).digest(),
            "[" + ",".join(str(chosen.gauss()) for _ in range(DIMENSIONS)) + "]",
        )
        for n in range(1500)
    ]
    await library.conn.execute(
        """INSERT INTO embeddings
           SELECT $1, hash, vector::halfvec FROM unnest($2::bytea[], $3::text[]) AS given (hash, vector)""",
        model_id,
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    for n in range(20):
        await library.add(str(n))
    await library.conn.execute("ANALYZE")
    model = await active_model(library.conn)
    assert model is not None
    async with library.conn.transaction():
        # Fifteen hundred rows are read faster as they lie; the question here is whether the index serves at all.
        await library.conn.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        near, _ = await sql.nearest(library.conn, model, str([0.1] * DIMENSIONS), Filters(), 10)
    assert len(near) <= 10
    await library.conn.execute("SELECT pg_stat_force_next_flush()")
    used = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1"
    assert await library.conn.fetchval(used, f"embeddings_hnsw_{model_id}") > 0
