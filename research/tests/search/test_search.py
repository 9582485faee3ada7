"""Search as clients see it, over a real database."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import asyncpg

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


async def test_a_damaged_index_is_built_anew(library, database, start_research, tmp_path):
    await library.add(BREAD, title="bread")
    async with start_research(database, tmp_path) as research:
        await research.finds("starter", bool)
    for file in (tmp_path / "keywords").iterdir():
        if file.name == "meta.json":
            file.write_text("{")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["bread"]


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
    await research.finds("starter", lambda found: len(found) == 2)
    bread = (await research.search("sourdough starter"))["items"][0]
    assert {bread["citation"]["title"], *(one["title"] for one in bread["also"])} == {"first", "second"}


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
