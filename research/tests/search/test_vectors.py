"""Search by meaning finds what is there, however little of the library passes, and says where it cannot."""

import json
import uuid

import pytest

from extrophi_research.db import make_pool
from extrophi_research.embeddings.local import DIMENSIONS
from extrophi_research.embeddings.sql import active_model
from extrophi_research.search import sql
from extrophi_research.search.models import Filters

MANY = 8_000
NEAR, FAR = "[1" + ",0" * (DIMENSIONS - 1) + "]", "[0.1,1" + ",0" * (DIMENSIONS - 2) + "]"


async def fill(library, model):
    """Many documents near to a query, of 'web'; 2,500 far from it, of 'files'."""
    await library.conn.execute(
        """INSERT INTO documents (id, platform, external_id, title, content_hash)
           SELECT gen_random_uuid(), CASE WHEN n > $1 THEN 'files' ELSE 'web' END, n::text, '',
                  decode(md5(n::text), 'hex')
             FROM generate_series(1, $1 + 2500) AS n""",
        MANY,
    )
    await library.conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, external_id, title, content_hash FROM documents"""
    )
    await library.conn.execute(
        """INSERT INTO chunks (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)
           SELECT gen_random_uuid(), id, 1, 0, 0, 1, external_id, content_hash FROM documents"""
    )
    # Cheap to index: of each vector only a few components differ from those of its place.
    await library.conn.execute(
        f"""INSERT INTO embeddings
            SELECT $1, content_hash, (
                   CASE WHEN platform = 'web' THEN '[1,0,' ELSE '[0.1,1,' END
                   || (external_id::int % 97) / 1000.0 || ',' || (external_id::int % 89) / 1000.0
                   || ',' || (external_id::int % 83) / 1000.0 || repeat(',0', {DIMENSIONS - 5}) || ']')::halfvec
              FROM documents""",
        model,
    )
    await library.conn.execute("ANALYZE")


@pytest.mark.parametrize("limit", [60, 200])
async def test_a_filter_that_leaves_many_far_from_the_query_still_finds_them(library, database, limit):
    number = await library.make_model()
    await fill(library, number)
    model = await active_model(library.conn)
    assert model is not None
    async with await make_pool(database, name="test") as pool, pool.acquire() as conn:
        await conn.execute(
            "SET work_mem = '256kB'; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_sort = off"
        )
        near, _ = await sql.nearest(conn, model, NEAR, Filters(platforms=["files"]), limit)
        assert len(near) == limit
        assert [one.similarity for one in near] == sorted((one.similarity for one in near), reverse=True)
        assert await conn.fetchval("SHOW hnsw.ef_search") == "60"


async def test_vectors_of_no_chunk_take_no_ones_place(library, research):
    await library.add("Herons stand in the shallows.", title="herons")
    await library.embed()
    await library.conn.execute(
        """INSERT INTO embeddings SELECT e.model_id, decode(md5(n::text), 'hex'), e.vector
             FROM embeddings e, generate_series(1, 400) AS n"""
    )
    assert await research.titles("Herons stand in the shallows.", mode="vector") == ["herons"]


async def test_one_long_document_hides_no_other(library, research):
    text = "Herons stand in the shallows at dawn. " * 150
    spans = [(at, at + 37 + at // 38 % 300) for at in range(0, len(text) - 400, 38)]
    await library.add(text, title="long", chunks=spans)
    for n in range(9):
        await library.add(f"Bread number {'abcdefghi'[n]} rises in the oven.", title=str(n))
    await library.embed()
    found = await research.titles("Herons stand in the shallows at dawn.", mode="vector", limit=10)
    assert (found[0], len(found)) == ("long", 10)


async def test_one_text_in_many_places_hides_no_other(library, research):
    for n in range(120):
        await library.add("Herons stand in the shallows at dawn and wait for fish to come.", title=f"copy {n}")
    for n in range(3):
        await library.add(f"Bread number {'abc'[n]} rises in the oven all night long.", title=str(n))
    await library.embed()
    found = await research.titles("herons in the shallows", mode="vector", limit=4)
    assert len(found) == 4


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
async def test_what_waits_to_be_embedded_is_told_and_found_by_word(library, research, mode):
    await library.add("Bread needs a starter.", title="bread")
    await library.embed()
    fresh = await library.add("A starter takes a week.", title="fresh", author="Ann")
    model = await library.conn.fetchval("SELECT id FROM embedding_models")
    await library.conn.execute(
        "INSERT INTO embedding_queue (model_id, hash) SELECT $1, embedding_hash FROM chunks WHERE document_id = $2",
        model,
        fresh,
    )
    await research.finds("starter", lambda found: len(found) == 2, mode="keyword")
    answer = await research.search("starter", mode=mode, filters={"authors": ["Ann"]})
    assert [item["citation"]["title"] for item in answer["items"]] == ["fresh"]
    assert "not embedded yet" in answer["degraded"]
    assert (await research.search("starter", mode=mode))["degraded"] is None


async def test_without_vectors_search_by_meaning_is_search_by_word(library, research):
    await library.add("Bread needs a starter.", title="bread")
    await research.finds("starter", bool)
    answer = await research.search("starter", mode="vector")
    assert [item["citation"]["title"] for item in answer["items"]] == ["bread"]
    assert "by word only" in answer["degraded"]
    await library.make_model()
    answer = await research.search("starter", mode="vector")
    assert [item["citation"]["title"] for item in answer["items"]] == ["bread"]


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
async def test_an_exclusion_that_most_meet_leaves_the_rest(library, research, mode):
    await library.conn.execute(
        """INSERT INTO documents (id, platform, external_id, title, content_hash)
           SELECT gen_random_uuid(), 'web', n::text, 'loaf', decode(md5(n::text), 'hex')
             FROM generate_series(1, 6500) AS n"""
    )
    await library.conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, 'loaf bread', title, content_hash FROM documents"""
    )
    await library.conn.execute(
        """INSERT INTO chunks (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)
           SELECT gen_random_uuid(), id, 1, 0, 0, 10, 'loaf bread', content_hash FROM documents"""
    )
    await library.conn.execute("INSERT INTO changes (document_id) SELECT id FROM documents")
    await library.add("A long text in which a loaf is one word of very many that stand here.", title="the one")
    await research.finds("many that stand", lambda found: "the one" in found, mode="keyword")
    assert await research.titles("loaf -bread", mode=mode) == ["the one"]


async def test_languages_and_authors_are_compared_as_people_mean_them(library, research):
    await library.add("A loaf of bread.", title="us", language="en-US", author="İlkay")
    await library.add("A loaf of rye.", title="de", language="de")
    await research.finds("loaf", lambda found: len(found) == 2)
    for tag in ("en", "EN", "en-GB", "en_US"):
        assert await research.titles("loaf", filters={"languages": [tag]}) == ["us"], tag
    assert await research.titles("loaf", filters={"authors": ["İlkay"]}) == ["us"]


async def test_a_document_is_found_by_the_stems_of_its_own_language(library, research):
    await library.add("Das Haus am See ist alt.", title="said", language="de")
    await library.add("Das Haus steht an der Straße, und es ist nicht neu.", title="unsaid")
    await research.finds("see", bool, mode="keyword")
    await research.finds("strasse", bool, mode="keyword")
    assert set(await research.titles("Wo stehen die Häuser?", mode="keyword")) == {"said", "unsaid"}
    assert await research.titles("Häuser", mode="keyword", filters={"languages": ["de"]}) == ["said"]


async def test_only_the_anchors_around_a_chunk_are_read(library):
    one = await library.add(
        "abcdefghij" * 4, anchors=[(n, {"seconds": n}) for n in range(0, 40, 5)], chunks=[(0, 12), (12, 26), (26, 40)]
    )
    ids = await library.conn.fetch("SELECT id FROM chunks WHERE document_id = $1 ORDER BY ordinal", one)
    read = await sql.chunks(library.conn, [row["id"] for row in ids])
    anchors = [[place for place, _ in json.loads(str(read[row["id"]].anchors))] for row in ids]
    assert anchors == [[0, 5, 10], [10, 15, 20, 25], [25, 30, 35]]
    assert await sql.chunks(library.conn, [uuid.uuid4()]) == {}
