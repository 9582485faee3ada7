"""Search by meaning, the same on pgvector and on ChromaDB: what is asserted here holds for both."""

import asyncio
import shutil
import signal
import time
from contextlib import asynccontextmanager

import asyncpg
import httpx
import numpy as np
import pytest
from pydantic import HttpUrl, SecretStr

from extrophi_backend.app import create_app
from extrophi_backend.db import make_pool
from extrophi_backend.settings import Settings
from extrophi_backend.vectors import sql
from extrophi_backend.vectors.chroma import Chroma
from extrophi_backend.vectors.moving import keep_moving
from extrophi_backend.vectors.outbox import keep_telling
from extrophi_cli.embedded.services import free_ports
from extrophi_research.embeddings.local import DIMENSIONS
from extrophi_research.search.models import Filters
from extrophi_research.search.vectors import Asked
from tests.app_server import serving
from tests.servers import chroma_server

BOTH = pytest.mark.parametrize("store", ["pgvector", "chroma"])
NEAR = [1.0] + [0.0] * (DIMENSIONS - 1)


class Backend:
    """Its API, and its worker's part in vectors."""

    def __init__(self, api: httpx.AsyncClient, library) -> None:
        self.api = api
        self.library = library

    async def settled(self) -> None:
        """Until the store has been told of all vectors, and nothing is being moved."""
        deadline = time.monotonic() + 60
        while True:
            waits = await self.library.conn.fetchval("SELECT count(*) FROM vector_outbox")
            moving = await self.library.conn.fetchval("SELECT moving_to IS NOT NULL AND NOT paused FROM vector_store")
            if not waits and not moving:
                return
            assert time.monotonic() < deadline, (waits, moving)
            await asyncio.sleep(0.05)


@pytest.fixture
def open_backend(library, database, tmp_path):
    @asynccontextmanager
    async def opened(chroma: str):
        ours = {
            "database_url": SecretStr(database),
            "data": tmp_path,
            "chroma_url": HttpUrl(chroma),
        }
        settings = Settings.model_construct().model_copy(update=ours)
        pool = await make_pool(database, name="test")
        with serving(create_app(settings)) as url:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
                telling = asyncio.create_task(keep_telling(pool, Chroma(client, chroma)))
                moving = asyncio.create_task(keep_moving(pool))
                yield Backend(client, library)
                telling.cancel()
                moving.cancel()
                await asyncio.wait({telling, moving})
        await pool.close()

    return opened


@pytest.fixture
async def backend(open_backend, chroma):
    async with open_backend(chroma) as opened:
        yield opened


@pytest.fixture
async def searching(store, library, backend, database, tmp_path, start_research):
    """Research over a store."""
    await library.conn.execute("UPDATE vector_store SET name = $1", store)
    async with start_research(database, tmp_path / "research", BACKEND_URL=str(backend.api.base_url)) as research:
        yield research


TEXTS = {
    "heron": "The grey heron stands in shallow water and waits for fish.",
    "bridge": "The suspension bridge carries four lanes of traffic over the strait.",
    "bread": "Sourdough bread rises slowly, and its crust is thick and dark.",
    "stork": "White storks nest on chimneys and hunt frogs in wet meadows.",
}


@BOTH
async def test_the_nearest_come_first_with_their_cosines(searching, backend, library, store):
    for title, text in TEXTS.items():
        await library.add(text, title=title)
    await library.embed()
    await backend.settled()
    state = searching.app.state.extrophi
    found = await searching.search("a wading bird looks for food", mode="vector", group="none")
    assert found["degraded"] is None
    assert [item["citation"]["title"] for item in found["items"]][:2] == ["heron", "stork"]

    asked = np.array(state.model.embed_whole("a wading bird looks for food"))
    model = await state.embedder.active_model(state.pool)
    assert model.store == store
    looked = await state.vectors.nearest(Asked(model, asked.tolist()), Filters(), 10)
    near = looked.near
    exact = {text: float(state.model.embed([text])[0][0] @ asked) for text in TEXTS.values()}
    texts = dict(await library.conn.fetch("SELECT id, text FROM chunks"))
    assert (looked.is_all, looked.behind) == (True, False)
    assert [texts[one.chunk_id] for one in near] == sorted(exact, key=lambda text: -exact[text])
    for one in near:
        assert abs(one.similarity - exact[texts[one.chunk_id]]) < 0.002  # they are kept as halves
    again = await state.vectors.similarities(Asked(model, asked.tolist()), [one.chunk_id for one in near])
    assert {one.chunk_id: pytest.approx(one.similarity, abs=1e-5) for one in near} == {
        one.chunk_id: one.similarity for one in again
    }


@BOTH
async def test_filters_hold(searching, backend, library, store):
    for n in range(40):
        await library.add(f"The grey heron waits for fish, {n}.", title=f"web {n}")
    await library.add(TEXTS["bread"], title="far", platform="reddit", author="Ann")
    await library.embed()
    await backend.settled()
    assert await searching.titles("heron", mode="vector", filters={"platforms": ["reddit"]}) == ["far"]
    assert await searching.titles("heron", mode="vector", filters={"authors": ["ann"]}) == ["far"]
    assert await searching.titles("heron", mode="vector", filters={"authors": ["Bob"]}) == []


@BOTH
async def test_what_passes_is_found_behind_thousands_that_do_not(searching, backend, library, store):
    model = await library.make_model()
    await fill(library, model)
    await backend.settled()
    state = searching.app.state.extrophi
    await state.embedder.active_model(state.pool)
    found = await searching.search("heron", mode="vector", limit=30, filters={"platforms": ["files"]})
    assert [item["citation"]["platform"] for item in found["items"]] == ["files"] * 30
    assert found["degraded"] is None


async def fill(library, model):
    """5,000 documents near to one place, of 'web'; 2,500 far from it, of 'files'; each with a vector of its own."""
    state = np.random.default_rng(7)
    rows = state.normal(size=(7_500, DIMENSIONS)) * 0.02
    near, far = library._model.embed(["heron", "tax return"])[0]
    rows[:5000] += near
    rows[5000:] += far
    await library.conn.execute(
        """INSERT INTO documents (id, platform, external_id, title, content_hash)
           SELECT gen_random_uuid(), CASE WHEN n > 5000 THEN 'files' ELSE 'web' END, n::text, '',
                  sha256(n::text::bytea) FROM generate_series(1, 7500) AS n"""
    )
    await library.conn.execute(
        """INSERT INTO document_versions (document_id, version, text, title, content_hash)
           SELECT id, 1, external_id, title, content_hash FROM documents"""
    )
    await library.conn.execute(
        """INSERT INTO chunks (id, document_id, version, ordinal, start_offset, end_offset, text, embedding_hash)
           SELECT gen_random_uuid(), id, 1, 0, 0, 1, external_id, content_hash FROM documents"""
    )
    await library.conn.execute(
        """INSERT INTO embeddings
           SELECT $1, d.content_hash, l2_normalize(v.vector::halfvec)
             FROM unnest($2::text[]) WITH ORDINALITY AS v (vector, n)
             JOIN documents d ON d.external_id = v.n::text""",
        model,
        ["[" + ",".join(map("{:.5f}".format, row)) + "]" for row in rows.tolist()],
    )
    await library.conn.execute("ANALYZE")


@BOTH
async def test_what_was_deleted_is_found_no_more(searching, backend, library, chroma, store):
    ids = {title: await library.add(text, title=title) for title, text in TEXTS.items()}
    await library.embed()
    await backend.settled()
    assert (await backend.api.delete(f"/documents/{ids['heron']}")).status_code == 204
    await backend.settled()
    assert "heron" not in await searching.titles("grey heron", mode="vector")
    if store == "chroma":
        assert await held(backend, chroma) == 3


@BOTH
async def test_search_changes_over_to_another_model(searching, backend, library, chroma, store):
    await library.add(TEXTS["heron"], title="heron")
    await library.add(TEXTS["bread"], title="bread")
    await library.embed()
    await backend.settled()
    assert (await searching.titles("heron", mode="vector"))[0] == "heron"
    # By the second, the heron's text has the vector of bread, and the other way round.
    first = await library.conn.fetchval("SELECT id FROM embedding_models")
    await library.conn.execute("UPDATE embedding_models SET state = 'retired', name = 'first'")
    second = await library.make_model()
    await library.conn.execute(
        """INSERT INTO embeddings SELECT $2, o.hash, e.vector FROM embeddings e
             JOIN embeddings o ON o.hash <> e.hash WHERE e.model_id = $1 AND o.model_id = $1""",
        first,
        second,
    )
    await backend.settled()
    assert (await searching.finds("heron", lambda found: found[:1] == ["bread"], mode="vector"))[0] == "bread"
    assert (await backend.api.delete(f"/embeddings/{first}")).status_code == 204
    await backend.settled()
    if store == "chroma":
        assert await held(backend, chroma, first) == 0
        assert await held(backend, chroma, second) == 2


async def test_vectors_are_moved_there_and_back_and_nothing_is_embedded_anew(
    backend, library, chroma, database, tmp_path, start_research
):
    for title, text in TEXTS.items():
        await library.add(text, title=title)
    await library.embed()
    url = str(backend.api.base_url)
    async with start_research(database, tmp_path / "research", BACKEND_URL=url) as research:
        before = await research.search("a wading bird", mode="vector")
        assert (await moved(backend, "chroma"))["store"] == "chroma"
        assert await held(backend, chroma) == 4
        async with asyncio.timeout(30):
            while not await library.conn.fetchval("SELECT to_regclass('embeddings_hnsw_1') IS NULL"):
                await asyncio.sleep(0.05)
        await library.add("An egret wades in the reeds.", title="egret")
        await library.embed()
        await backend.settled()
        assert "egret" in await research.finds("a wading bird", lambda found: "egret" in found, mode="vector")
        assert (await moved(backend, "pgvector"))["store"] == "pgvector"
        assert await sql.models_without_index(library.conn) == {}
        await backend.settled()
        assert await held(backend, chroma) == 0
        after = await research.search("a wading bird", mode="vector")
    texts = {one["text"]: one["score"] for one in after["items"]}
    assert {one["text"]: pytest.approx(one["score"], abs=0.01) for one in before["items"]}.items() <= texts.items()
    assert await library.conn.fetchval("SELECT count(*) FROM embedding_queue") == 0


@pytest.fixture
def own_chroma(tmp_path):
    """A folder and a port for a Chroma server that may be killed."""
    return tmp_path / "chroma", free_ports(1)[0]


async def test_while_chroma_is_away_search_goes_on_by_word_and_what_it_lost_is_told_again(
    own_chroma, open_backend, library, database, tmp_path, start_research
):
    folder, port = own_chroma
    await library.conn.execute("UPDATE vector_store SET name = 'chroma'")
    async with open_backend(f"http://127.0.0.1:{port}") as backend:
        url = str(backend.api.base_url)
        async with start_research(database, tmp_path / "research", BACKEND_URL=url) as research:
            with chroma_server(folder, port):
                for title in ("heron", "stork"):
                    await library.add(TEXTS[title], title=title)
                await library.embed()
                await backend.settled()
                assert set(await research.titles("wading bird", mode="vector")) == {"heron", "stork"}
            await library.add(TEXTS["bread"], title="bread")
            await library.embed()
            assert await research.finds("sourdough", lambda found: "bread" in found)
            away = await research.search("sourdough")
            assert away["degraded"] == "Searched by word only: backend cannot look into ChromaDB (503)."
            health = (await backend.api.get("/health")).json()
            assert health["dependencies"]["vectors"] == "Chroma does not answer (ConnectError)."
            with chroma_server(folder, port):
                await backend.settled()
                assert set(await research.titles("wading bird", mode="vector")) == {"heron", "stork", "bread"}
            shutil.rmtree(folder)
            await library.add(TEXTS["bridge"], title="bridge")
            await library.embed()
            with chroma_server(folder, port):
                found = await research.finds("wading bird", lambda found: len(found) == len(TEXTS), mode="vector")
                assert set(found) == set(TEXTS)


async def test_a_move_can_be_stopped_and_gone_on_with(own_chroma, open_backend, library):
    folder, port = own_chroma
    for title, text in TEXTS.items():
        await library.add(text, title=title)
    await library.embed()
    async with open_backend(f"http://127.0.0.1:{port}") as backend:
        assert (await backend.api.post("/vectors/stop")).status_code == 409
        nowhere = await backend.api.post("/vectors/migrate", json={"to": "chroma"})
        assert (nowhere.status_code, nowhere.json()["code"]) == (503, "unavailable")
        with chroma_server(folder, port) as server:
            server.send_signal(signal.SIGSTOP)  # so that it cannot be done before it is stopped
            asking = asyncio.create_task(backend.api.post("/vectors/migrate", json={"to": "chroma"}))
            await asyncio.sleep(0.2)
            server.send_signal(signal.SIGCONT)
            assert (await asking).status_code == 202
            server.send_signal(signal.SIGSTOP)
            stopped = await backend.api.post("/vectors/stop")
            server.send_signal(signal.SIGCONT)
            if stopped.status_code == 200:  # else it was done already
                await asyncio.sleep(1)
                assert (await backend.api.get("/vectors")).json()["store"] == "pgvector"
                assert (await moved(backend, "chroma"))["store"] == "chroma"
        assert (await backend.api.get("/vectors")).json() == {
            "store": "chroma", "moving_to": None, "paused": False, "done": 4, "total": 4,
        }  # fmt: skip


async def test_a_move_can_be_given_up(own_chroma, open_backend, library):
    folder, port = own_chroma
    await library.add(TEXTS["heron"], title="heron")
    await library.embed()
    async with open_backend(f"http://127.0.0.1:{port}") as backend:
        with chroma_server(folder, port):
            await library.conn.execute("UPDATE vector_store SET moving_to = 'chroma', paused = true")
            assert (await moved(backend, "pgvector"))["moving_to"] is None
            assert await held(backend, f"http://127.0.0.1:{port}") == 0
        await library.add(TEXTS["bread"], title="bread")
        await library.embed()
        assert await library.conn.fetchval("SELECT count(*) FROM vector_outbox") == 0


async def test_one_that_was_given_up_can_be_begun_again_at_once(backend, library, chroma):
    """What is to be dropped of the first is told together with what is put there by the second."""
    for title, text in TEXTS.items():
        await library.add(text, title=title)
    await library.embed()
    assert (await moved(backend, "chroma"))["store"] == "chroma"
    assert (await moved(backend, "pgvector"))["store"] == "pgvector"
    for to in ("chroma", "pgvector", "chroma"):
        assert (await backend.api.post("/vectors/migrate", json={"to": to})).status_code == 202
    await backend.settled()
    assert (await backend.api.get("/vectors")).json()["store"] == "chroma"
    assert await held(backend, chroma) == 4


async def test_many_who_ask_at_once_are_answered(backend):
    answers = await asyncio.gather(*(backend.api.get("/vectors") for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}


async def test_while_an_index_is_made_writing_goes_on_and_models_are_refused_in_words(
    backend, library, database, monkeypatch
):
    await library.add(TEXTS["heron"], title="heron")
    await library.embed()
    monkeypatch.setattr(sql, "_PATIENCE", "200ms")
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.execute("LOCK TABLE embeddings IN SHARE UPDATE EXCLUSIVE MODE")  # as CREATE INDEX CONCURRENTLY does
        refused = await backend.api.post("/vectors/migrate", json={"to": "chroma"})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        await library.add(TEXTS["stork"], title="stork")
        async with asyncio.timeout(10):
            await library.embed()
    await other.close()


async def moved(backend: Backend, to: str) -> dict:
    answer = await backend.api.post("/vectors/migrate", json={"to": to})
    assert answer.status_code == 202, answer.text
    await backend.settled()
    return (await backend.api.get("/vectors")).json()


async def held(backend: Backend, chroma: str, model: int = 1) -> int:
    store = await sql.store(backend.library.conn)
    async with httpx.AsyncClient(trust_env=False) as client:
        return await Chroma(client, chroma).count(store.collection(model))
