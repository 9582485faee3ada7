"""Search as clients see it, over a real database."""

import asyncio
import json
import shutil
import threading
import time
import uuid
from datetime import UTC, datetime

import asyncpg

from extrophi_research.embeddings.local import DIMENSIONS
from extrophi_research.search.service import search
from tests.embeddings_endpoint import serving

PHONES = "Long articles are read less on phones. Screens are small, and people stop at the first heading."
BREAD = "Sourdough bread needs a starter. Flour and water ferment for a week before the first loaf."
HERONS = "Herons stand in the shallows at dawn. They wait for fish, and strike once."


async def test_a_document_is_found_by_word_after_its_commit(library, research):
    await library.add(BREAD, title="bread")
    assert await research.finds("starter", lambda found: found == ["bread"]) == ["bread"]


async def test_a_deleted_document_is_found_no_more(library, research):
    one = await library.add(BREAD, title="bread")
    await research.finds("starter", bool)
    await library.delete(one)
    assert await research.titles("starter") == []


async def test_a_transaction_that_commits_late_is_not_missed(library, research, database):
    """Its row in the change log is older than one that was read before it."""
    late = await asyncpg.connect(database)
    transaction = late.transaction()
    await transaction.start()
    await type(library)(late).add(HERONS, title="late")
    await library.add(BREAD, title="early")
    await research.finds("starter", bool)
    await transaction.commit()
    await late.close()
    assert await research.finds("herons", bool) == ["late"]


async def test_more_changes_than_a_batch_behind_an_open_transaction_are_all_found(library, research, database):
    holder = await asyncpg.connect(database)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT pg_current_xact_id()")
    await library.conn.execute(
        "INSERT INTO changes (document_id) SELECT gen_random_uuid() FROM generate_series(1, 5000)"
    )
    await library.add(BREAD, title="bread")
    found = await research.finds("starter", bool)
    await transaction.rollback()
    await holder.close()
    assert found == ["bread"]


async def test_an_index_made_from_another_database_is_built_anew(library, database, start_research, tmp_path):
    only_there = await library.add(BREAD, title="theirs")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["theirs"]
    await library.conn.execute("DELETE FROM documents WHERE id = $1", only_there)
    await library.conn.execute("DELETE FROM changes")
    await library.add(BREAD, title="ours")
    saved = tmp_path / "keywords" / "position.json"
    kept = json.loads(saved.read_text())
    saved.write_text(json.dumps(kept | {"database": "another", "txid": kept["txid"] + 100_000}))
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["ours"]


async def test_a_restart_goes_on_with_the_index_it_has(library, database, start_research, tmp_path):
    await library.add(BREAD, title="bread")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["bread"]
    await library.add(HERONS, title="herons")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("herons", bool) == ["herons"]
        assert await research.titles("starter", mode="keyword") == ["bread"]


async def test_without_a_model_search_runs_by_word_and_says_so(library, research):
    await library.add(BREAD, title="bread")
    await research.finds("starter", bool)
    answer = await research.search("starter")
    assert answer["degraded"]
    assert [item["citation"]["title"] for item in answer["items"]] == ["bread"]


async def test_an_endpoint_that_is_away_leaves_search_by_word(library, research):
    await library.add(BREAD, title="bread")
    await library.make_model("http://127.0.0.1:9/v1")
    await research.finds("starter", bool)
    answer = await research.search("starter")
    assert "endpoint" in answer["degraded"]
    assert answer["items"]


async def test_nothing_embedded_yet_is_said(library, research):
    await library.add(BREAD, title="bread")
    await library.make_model()
    await research.finds("starter", bool)
    assert (await research.search("starter"))["degraded"]


async def test_meaning_finds_what_shares_no_word(library, research):
    for text, title in ((PHONES, "phones"), (BREAD, "bread"), (HERONS, "herons")):
        await library.add(text, title=title)
    await library.embed()
    found = await research.titles("a bird hunting in water", mode="vector")
    assert found[0] == "herons"
    assert (await research.search("a bird hunting in water"))["degraded"] is None


async def test_a_citation_is_its_span_of_the_document(library, research):
    text = "# A title\n\n" + PHONES + "\n\n" + BREAD
    await library.add(text, title="t", chunks=[(11, 11 + len(PHONES)), (13 + len(PHONES), len(text))])
    await research.finds("screens small", bool)
    item = (await research.search("screens small"))["items"][0]
    quote = item["citation"]
    assert text[quote["quote_start"] : quote["quote_end"]] == quote["quote"]
    assert quote["quote"].startswith("Screens are small")
    assert text[item["start"] : item["end"]] == item["text"]


async def test_one_hit_a_document_unless_asked_for_all(library, research):
    text = "Bread rises. " * 5 + "Bread falls. " * 5
    await library.add(text, title="bread", chunks=[(0, 65), (65, 130)])
    await research.finds("bread", bool)
    assert await research.titles("bread") == ["bread"]
    assert await research.titles("bread", group="none") == ["bread", "bread"]


async def test_the_same_text_on_two_sites_is_one_hit_with_two_sources(library, research):
    await library.add(BREAD, title="first", url="https://a.example/bread")
    await library.add(BREAD.replace(". ", ".\n"), title="second", url="https://b.example/bread")
    await library.add(HERONS + " No starter.", title="other")
    deadline = time.monotonic() + 30
    while True:  # each of the three is found a moment after its own commit
        items = (await research.search("sourdough starter"))["items"]
        sources = [{one["citation"]["title"], *(twin["title"] for twin in one["also"])} for one in items]
        if sources == [{"first", "second"}, {"other"}] or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.05)
    assert sources == [{"first", "second"}, {"other"}]


async def test_a_quoted_phrase_comes_first_and_then_the_rest(library, research):
    await library.add("A week before, the loaf was first. " * 3, title="scattered")
    await library.add("It was here before the first loaf came.", title="phrase")
    await research.finds("loaf", lambda found: len(found) == 2)
    answer = await research.search('"before the first loaf"')
    assert [item["citation"]["title"] for item in answer["items"]] == ["phrase", "scattered"]
    assert answer["relaxed"] is True
    assert (await research.search("loaf"))["relaxed"] is False


async def test_a_minus_excludes_by_word_and_by_meaning(library, research):
    await library.add(BREAD, title="sourdough")
    await library.add("Bread from yeast is quick to bake.", title="yeast")
    await library.embed()
    await research.finds("bread", lambda found: len(found) == 2, mode="keyword")
    for mode in ("hybrid", "keyword", "vector"):
        assert await research.titles("bread -sourdough", mode=mode) == ["yeast"], mode


async def test_filters_keep_what_they_name(library, research):
    await library.add("A loaf, in English.", title="a", author="Ann", language="en", platform="web",
                      published_at=datetime(2025, 1, 1, tzinfo=UTC), collections=["kitchen"])  # fmt: skip
    two = await library.add("Ein Brot, a loaf auf Deutsch.", title="b", author="Bob", language="de",
                            platform="files", published_at=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
    job = uuid.uuid4()
    await library.conn.execute(
        """INSERT INTO jobs (id, target, typed, platform, collection_id, document_limit)
           SELECT $1, 't', 't', 'web', id, 1 FROM collections WHERE name = 'default'""", job,
    )  # fmt: skip
    await library.conn.execute("INSERT INTO job_documents VALUES ($1, $2)", job, two)
    await library.embed()
    await research.finds("loaf", lambda found: len(found) == 2, mode="keyword")
    for filters, wanted in (
        ({"platforms": ["files"]}, ["b"]),
        ({"collections": ["kitchen"]}, ["a"]),
        ({"authors": ["ann"]}, ["a"]),
        ({"languages": ["de"]}, ["b"]),
        ({"published_after": "2025-06-01T00:00:00Z"}, ["b"]),
        ({"published_before": "2025-06-01T00:00:00Z"}, ["a"]),
        ({"job_ids": [str(job)]}, ["b"]),
        ({"source_ids": [str(uuid.uuid4())]}, []),
    ):
        for mode in ("hybrid", "keyword", "vector"):
            assert await research.titles("loaf", mode=mode, filters=filters) == wanted, (filters, mode)


async def test_chinese_japanese_korean_and_thai_are_found_by_word(library, research):
    for text in ("我们在北京大学学习。", "東京都に住んでいます。", "서울에서 공부합니다.", "ภาษาไทยสวยงาม"):
        await library.add(text, title=text)
    await research.finds("北京", bool)
    for word, wanted in (("大学", "我们"), ("東京", "東京"), ("住", "東京"), ("서울", "서울"), ("ไทย", "ภาษา")):
        found = await research.finds(word, bool)
        assert found[:1], word
        assert found[0].startswith(wanted)


async def test_stop_words_alone_are_searched_all_the_same(library, research):
    await library.add("To be or not to be.", title="hamlet")
    assert await research.finds("to be or not to be", bool) == ["hamlet"]


async def test_many_searches_at_once_are_served(library, research):
    await library.add(BREAD, title="bread")
    await library.embed()
    await research.finds("starter", bool)
    answers = await asyncio.gather(*(research.search(f"starter {n}") for n in range(40)))
    assert all(answer["items"] for answer in answers)


async def test_a_phrase_is_found_however_many_hold_its_words_apart(library, research):
    for n in range(150):
        await library.add(f"Loaf first, first loaf {n}, loaf first.", title=f"scattered {n}", notify=False)
    await library.add(
        "Of all that he had baked in a long life in that town it was the plainest first plain loaf.", title="x"
    )
    await library.add("Nothing here is said about bread but this: the first plain loaf was eaten. " * 3, title="phrase")
    await research.finds("eaten", bool, mode="keyword")
    for mode in ("keyword", "hybrid"):
        answer = await research.search('first loaf "the first plain loaf"', mode=mode)
        assert answer["items"][0]["citation"]["title"] == "phrase"
        assert answer["relaxed"] is True
    assert await research.titles('"loaf baking"') == await research.titles("loaf baking")


async def test_a_phrase_is_word_for_word(library, research):
    await library.add("The readers of phones read on.", title="plural")
    await library.add("A reader of phones reads on, and reads, and reads of phones.", title="singular")
    await research.finds("phones", lambda found: len(found) == 2)
    answer = await research.search('"reader of phones"')
    assert [item["citation"]["title"] for item in answer["items"]] == ["singular", "plural"]


async def test_every_hit_holds_the_phrase_and_nothing_is_relaxed(library, research):
    await library.add("Bread needs a rye starter.", title="rye")
    await research.finds("starter", bool)
    answer = await research.search('"rye starter"')
    assert (len(answer["items"]), answer["relaxed"]) == (1, False)


async def test_a_minus_excludes_the_whole_document(library, research):
    text = "Bread rises slowly in the cold. " * 3 + "Yeast is quick, and bread made with it is light. " * 3
    await library.add(text, title="both", chunks=[(0, 95), (96, len(text))])
    await library.add("Bread from rye rises slowly.", title="rye")
    await library.embed()
    await research.finds("bread", lambda found: set(found) == {"both", "rye"}, mode="keyword")
    for mode in ("hybrid", "keyword", "vector"):
        assert await research.titles("bread -yeasts", mode=mode) == ["rye"], mode
        assert await research.titles('bread -"made with it"', mode=mode) == ["rye"], mode
        assert set(await research.titles('bread -"with it made"', mode=mode)) == {"both", "rye"}, mode


async def test_a_filter_finds_the_one_of_many_that_passes(library, research):
    """The one is the worst of all that match: no number of candidates asked for beforehand would hold it."""
    await library.conn.execute(
        """INSERT INTO documents (id, platform, external_id, title, content_hash)
           SELECT gen_random_uuid(), 'files', n::text, 'loaf', decode(md5(n::text), 'hex')
             FROM generate_series(1, 20000) AS n"""
    )
    await library.conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, 'loaf ' || external_id, title, content_hash FROM documents"""
    )
    await library.conn.execute(
        """INSERT INTO chunks (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)
           SELECT gen_random_uuid(), id, 1, 0, 0, length(external_id) + 5, 'loaf ' || external_id, content_hash
             FROM documents"""
    )
    await library.conn.execute("INSERT INTO changes (document_id) SELECT id FROM documents")
    await library.add("Among very many other words there is a loaf. " + HERONS * 5, title="the one", author="Ann")
    await research.finds("among many others", lambda found: "the one" in found, mode="keyword")
    assert await research.titles("loaf", mode="keyword", filters={"authors": ["ann"]}) == ["the one"]
    by_date = {"published_before": "2030-01-01T00:00:00Z"}
    assert await research.titles("loaf", mode="keyword", filters=by_date) == []
    assert len(await research.titles("loaf", mode="keyword", filters={"platforms": ["files"]}, limit=50)) == 50


async def test_an_article_on_two_sites_is_one_hit_and_its_template_makes_no_twin(library, research):
    article = (
        "Grey herons stand in the shallows long before the sun is up. They hardly move for an hour, and what looks "
        "like patience is arithmetic: a strike that fails costs more than the fish would have given. In winter the "
        "birds walk the furrows of ploughed fields instead, and live on voles. The count of last January was the "
        "highest in the valley since the war, and nobody quite knows why."
    )
    report = (
        "Counts of grey herons at {}. On the day of the count {} herons were seen in the shallows, most of them on "
        "the {} bank. As in every year the count began at sunrise and ended at noon, and the sheets were sent to the "
        "office in the county town, where anybody may see them on any weekday from nine to five."
    )
    await library.add("By Ann Example\n\n" + article, title="first", url="https://a.example/herons")
    await library.add("Valley Post\n" + article.replace(":", " -") + "\nSubscribe!", title="second")
    await library.add(report.format("Oslo", 4, "eastern"), title="oslo")
    await library.add(report.format("Bergen", 9, "western"), title="bergen")
    await library.embed()
    await research.finds("herons", lambda found: len(found) == 3, mode="keyword")
    for mode in ("keyword", "vector", "hybrid"):
        items = (await research.search("grey herons in the shallows", mode=mode))["items"]
        titles = [(item["citation"]["title"], [one["title"] for one in item["also"]]) for item in items]
        assert sorted(titles)[:1] == [("bergen", [])]
        assert ("oslo", []) in titles
        assert ("first", ["second"]) in titles or ("second", ["first"]) in titles
        assert len(titles) == 3


async def test_two_replicas_find_the_same_and_a_deleted_index_is_built_again(
    library, database, start_research, tmp_path
):
    await library.add(BREAD, title="bread")
    async with (
        start_research(database, tmp_path / "one") as one,
        start_research(database, tmp_path / "two") as two,
    ):
        assert await one.finds("starter", bool) == await two.finds("starter", bool) == ["bread"]
        await library.add(HERONS, title="herons")
        assert await one.finds("herons", bool) == await two.finds("herons", bool) == ["herons"]
    shutil.rmtree(tmp_path / "one" / "keywords")
    async with start_research(database, tmp_path / "one") as again:
        assert await again.finds("starter", bool) == ["bread"]
        assert await again.finds("herons", bool) == ["herons"]


async def test_embedding_a_query_holds_no_connection(library, database, start_research, tmp_path):
    with serving() as endpoint:
        endpoint.dimensions = DIMENSIONS
        await library.make_model(endpoint.url)
        await library.add(BREAD, title="bread")
        async with start_research(database, tmp_path) as research:
            await research.finds("starter", bool, mode="keyword")
            endpoint.hanging.clear()
            waiting = [asyncio.create_task(research.search(f"starter {n}")) for n in range(30)]
            assert await research.titles("starter", mode="keyword") == ["bread"]
            endpoint.hanging.set()
            assert all(answer["items"] for answer in await asyncio.gather(*waiting))


async def test_a_building_model_is_not_searched_until_it_takes_over(library, database, start_research, tmp_path):
    """The new one has vectors of another length, and some of them already."""
    with serving() as endpoint:
        await library.add(BREAD, title="bread")
        old = await add_model(library.conn, "old", 8, endpoint, "active")
        await add_model(library.conn, "new", 16, endpoint, "building")
        endpoint.refuse = lambda request: setattr(endpoint, "dimensions", 8 if request["model"] == "old" else 16)
        async with start_research(database, tmp_path) as research:
            await research.finds("starter", bool, mode="keyword")
            assert (await research.search("first question", mode="vector"))["items"]
            assert {request["model"] for request in endpoint.requests} == {"old"}
            async with library.conn.transaction():
                await library.conn.execute("UPDATE embedding_models SET state = 'retired' WHERE id = $1", old)
                await library.conn.execute("UPDATE embedding_models SET state = 'active' WHERE id <> $1", old)
            deadline = time.monotonic() + 10
            while endpoint.requests[-1]["model"] == "old" and time.monotonic() < deadline:
                answer = await research.search(f"another question {len(endpoint.requests)}", mode="vector")
                assert (answer["degraded"], len(answer["items"])) == (None, 1)
            assert endpoint.requests[-1]["model"] == "new"


async def add_model(conn, name, dimensions, endpoint, state):
    """A model with a vector for every chunk."""
    model = await conn.fetchval(
        "INSERT INTO embedding_models (name, dimensions, endpoint, state) VALUES ($1, $2, $3, $4) RETURNING id",
        name,
        dimensions,
        endpoint.url,
        state,
    )
    await conn.execute(
        f"CREATE INDEX embeddings_hnsw_{model} ON embeddings USING hnsw"
        f" ((vector::halfvec({dimensions})) halfvec_cosine_ops) WHERE model_id = {model}"
    )
    await conn.execute(
        "INSERT INTO embeddings SELECT $1, embedding_hash, $2::text::halfvec FROM chunks",
        model,
        str([0.5] * dimensions),
    )
    return model


async def test_of_a_search_that_fails_or_is_given_up_nothing_goes_on(library, research, monkeypatch):
    await library.add(BREAD, title="bread")
    await library.embed()
    await research.finds("starter", bool)
    state = research.app.state.extrophi
    away, held = asyncio.Event(), threading.Event()

    async def embed(*_):
        await away.wait()

    def hold(*_):
        held.wait(20)
        return {}

    def fail(*_):
        raise RuntimeError("by word")

    monkeypatch.setattr(type(state.embedder), "embed", embed)
    monkeypatch.setattr(state.index, "documents", hold)
    before = asyncio.all_tasks()
    searching = asyncio.create_task(search(state, "starter"))
    await asyncio.sleep(0.2)
    searching.cancel()
    await asyncio.wait({searching}, timeout=5)
    assert searching.cancelled()
    held.set()
    monkeypatch.setattr(state.index, "documents", fail)
    searching = asyncio.create_task(search(state, "starter"))
    await asyncio.wait({searching}, timeout=5)
    assert str(searching.exception()) == "by word"
    assert asyncio.all_tasks() == before
