"""The keyword index is a cache: whatever happens to its files, it is told, and built again."""

import json
import shutil
from uuid import uuid4

import pytest

from extrophi_research.search import follow
from extrophi_research.search.keyword import IndexBroken, IndexedChunk, KeywordIndex
from extrophi_research.search.query import parse

BREAD = "Sourdough bread needs a starter. Flour and water ferment for a week before the first loaf."
HERONS = "Herons stand in the shallows at dawn. They wait for fish, and strike once."


async def ready(research):
    answer = await research.client.get("/ready")
    return answer.status_code, answer.json()["missing"].get("keyword_index", "")


async def test_an_index_deleted_while_it_is_in_use_is_built_again(library, research, tmp_path):
    await library.add(BREAD, title="bread")
    assert await research.finds("starter", bool) == ["bread"]
    shutil.rmtree(tmp_path / "keywords")
    await library.add(HERONS, title="herons")
    assert await research.finds("herons", bool) == ["herons"]
    assert await research.finds("starter", bool) == ["bread"]
    await research.settled()
    assert json.loads((tmp_path / "keywords" / "position.json").read_text())["format"]


@pytest.mark.parametrize("ending", ["store", "pos", "term", "idx"])
async def test_a_damaged_file_is_noticed_by_a_search_and_the_index_built_again(
    library, database, start_research, tmp_path, ending
):
    for n in range(50):
        await library.add(f"{BREAD} Loaf number {n}.", title="bread", notify=False)
    await library.embed()
    async with start_research(database, tmp_path) as research:
        await research.finds("starter", bool, mode="keyword")
    for file in (tmp_path / "keywords").rglob(f"*.{ending}"):
        held = file.read_bytes()
        file.write_bytes(bytes(255 - byte for byte in held[:-200]) + held[-200:])
    async with start_research(database, tmp_path) as research:
        answer = await research.search('starter "the first loaf"')
        assert answer["items"]  # by meaning, where words fail
        await research.search('starter "the first loaf"', mode="keyword")
        assert await research.finds('starter "the first loaf"', bool, mode="keyword")
        await research.settled()
        assert (await research.search('"the first loaf"'))["degraded"] is None


@pytest.mark.parametrize("damaged", ["chunks/meta.json", "documents/meta.json", "position.json"])
async def test_a_damaged_index_is_built_anew(library, database, start_research, tmp_path, damaged):
    await library.add(BREAD, title="bread")
    async with start_research(database, tmp_path) as research:
        await research.finds("starter", bool)
    (tmp_path / "keywords" / damaged).write_text("{")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["bread"]


async def test_a_folder_in_use_is_left_alone_and_ready_says_so(library, database, start_research, tmp_path):
    await library.add(BREAD, title="bread")
    async with start_research(database, tmp_path) as first:
        await first.finds("starter", bool)
        (tmp_path / "keywords" / "position.json").write_text("{}")  # as one of another format
        async with start_research(database, tmp_path) as second:
            answer = await second.search("starter", mode="keyword")
            assert answer["items"] == []
            assert "keyword index" in answer["degraded"]
            status, missing = await ready(second)
            assert status == 503
            assert "EXTROPHI_DATA" in missing
        assert await first.titles("starter", mode="keyword") == ["bread"]


async def test_a_fault_that_does_not_pass_is_told_by_ready_and_ends_when_it_does(library, research, tmp_path):
    await library.add(BREAD, title="bread")
    await research.finds("starter", bool)
    await library.conn.execute("ALTER VIEW read_v1.changes RENAME COLUMN document_id TO another")
    await library.conn.execute("NOTIFY extrophi_changes")
    status, missing = await research.settled(status=503)
    assert (status, "UndefinedColumn" in missing) == (503, True)
    assert await research.titles("starter") == ["bread"]
    await library.conn.execute("ALTER VIEW read_v1.changes RENAME COLUMN another TO document_id")
    assert (await research.settled())[0] == 200


async def test_it_follows_a_restored_database_whose_log_is_of_later_transactions(
    library, database, start_research, tmp_path
):
    await library.add(BREAD, title="bread")
    await library.conn.execute("INSERT INTO changes (txid, document_id) SELECT '9000000000'::xid8, id FROM documents")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["bread"]
        await library.add(HERONS, title="herons")
        assert await research.finds("herons", bool) == ["herons"]
        await research.settled()
        assert research.app.state.extrophi.index.position[0] < 9_000_000_000
    async with start_research(database, tmp_path) as research:
        assert await research.finds("herons", bool) == ["herons"]


async def test_an_index_that_missed_changes_no_longer_kept_is_built_anew(library, database, start_research, tmp_path):
    await library.add(BREAD, title="bread")
    async with start_research(database, tmp_path) as research:
        await research.finds("starter", bool)
        await research.settled()
    await library.add(HERONS, title="herons")
    await library.add("Larks rise.", title="larks")
    await library.conn.execute("DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("larks", bool) == ["larks"]
        assert await research.finds("herons", bool) == ["herons"]


async def test_what_an_index_is_built_from_is_the_documents_there_are(library, database, start_research, tmp_path):
    await library.add(BREAD, title="bread")
    await library.conn.execute("DELETE FROM changes")
    async with start_research(database, tmp_path) as research:
        assert await research.finds("starter", bool) == ["bread"]


async def test_long_documents_are_read_a_few_at_once(library, database, start_research, tmp_path, monkeypatch):
    monkeypatch.setattr(follow, "_BATCH_BYTES", 300)
    read = []
    took = KeywordIndex.apply

    def apply(index, documents, chunks):
        read.append(sum(len(chunk.text) for chunk in chunks))
        took(index, documents, chunks)

    monkeypatch.setattr(KeywordIndex, "apply", apply)
    for n in range(12):
        await library.add(f"{HERONS} {n}", title=str(n), notify=False)
    async with start_research(database, tmp_path) as research:
        await research.finds("herons", lambda found: len(found) == 10)
    assert max(read) <= 300
    assert sum(read) >= 12 * len(HERONS)


@pytest.mark.parametrize("half", ["chunks", "documents"])
def test_a_commit_of_which_one_half_fails_moves_no_position(tmp_path, half):
    index = KeywordIndex(tmp_path / "keywords")
    index.open()
    try:
        herons = IndexedChunk(uuid4(), uuid4(), "", HERONS)
        index.apply([herons.document_id], [herons])
        index.commit((1, 1))
        index.apply([herons.document_id], [herons])
        (tmp_path / "keywords" / half).rename(tmp_path / "away")
        with pytest.raises(IndexBroken):
            index.commit((2, 2))
        assert (index.position, index.broken) == ((1, 1), True)
        assert json.loads((tmp_path / "keywords" / "position.json").read_text())["txid"] == 1
    finally:
        index.close()


def test_a_title_is_found_where_the_first_chunk_holds_no_word(tmp_path):
    index = KeywordIndex(tmp_path / "keywords")
    index.open()
    try:
        document = uuid4()
        chunks = [
            IndexedChunk(uuid4(), document, "Heron tides", text) for text in ("…!", "", "The ferry leaves at nine.")
        ]
        index.apply([document], chunks)
        index.commit((1, 1))
        assert {one.chunk_id for one in index.chunks(parse("tides"), 10)} == {one.id for one in chunks}
        assert [one.chunk_id for one in index.chunks(parse("ferry"), 10)] == [chunks[2].id]
        assert list(index.holding_phrases(parse('"heron tides" "leaves at nine"'), 10)) == [document]
        assert not index.holding_phrases(parse('"heron tides heron tides"'), 10)
    finally:
        index.close()


def test_nothing_is_asked_of_an_index_that_is_not_open(tmp_path):
    index = KeywordIndex(tmp_path / "keywords")
    with pytest.raises(IndexBroken):
        index.commit((1, 1))
