"""The vector of a query: of all of it, of unit length, or a reason why there is none."""

import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import httpx
import numpy as np
import pytest

from extrophi_research.embeddings import local
from extrophi_research.embeddings.local import DIMENSIONS, LocalModel
from extrophi_research.embeddings.models import ActiveModel
from extrophi_research.embeddings.service import Embedder, EndpointAway
from extrophi_research.settings import Settings
from tests.embeddings_endpoint import serving


@pytest.fixture(scope="module")
def model():
    return LocalModel()


@pytest.fixture
async def asking(model):
    """An embedder, a model at an endpoint, and the endpoint."""
    with serving() as endpoint:
        async with httpx.AsyncClient(trust_env=False) as client:
            yield Embedder(Settings(), model, client), ActiveModel(1, "m", 8, endpoint.url, "pgvector"), endpoint


def reply(vector):
    return 200, {}, {"data": [{"index": 0, "embedding": vector}]}


async def test_a_remote_vector_is_made_of_unit_length(asking):
    embedder, at, endpoint = asking
    for vector in ([3.0] * 8, [1e300] * 8, [1e-30] * 8):
        endpoint.refuse = lambda _, vector=vector: reply(vector)
        found = await embedder.embed(at, str(vector))
        assert math.hypot(*found) == pytest.approx(1)


@pytest.mark.parametrize(
    "vector",
    [[0.0] * 8, [math.nan] * 8, [math.inf] * 8, [], [[1.0] * 8], None, {"a": 1}, "AAA=", ["x"] * 8, [10**400] * 8],
)
async def test_what_is_no_vector_is_refused_in_words_and_the_next_text_asked_for(asking, vector):
    embedder, at, endpoint = asking
    endpoint.refuse = lambda _: reply(vector)
    with pytest.raises(EndpointAway):
        await embedder.embed(at, "one")
    endpoint.refuse = lambda _: None
    assert len(await embedder.embed(at, "two")) == 8


@pytest.mark.parametrize(
    ("status", "rests"), [(400, False), (413, False), (422, False), (401, True), (429, True), (503, True)]
)
async def test_an_endpoint_rests_after_what_the_next_text_would_meet_too(asking, status, rests):
    embedder, at, endpoint = asking
    endpoint.refuse = lambda _: (status, {}, {})
    with pytest.raises(EndpointAway, match=str(status)):
        await embedder.embed(at, "one")
    endpoint.refuse = lambda _: None
    if rests:
        with pytest.raises(EndpointAway, match="a moment ago"):
            await embedder.embed(at, "two")
    else:
        assert await embedder.embed(at, "two")


def test_a_long_query_is_embedded_to_its_end(model):
    background = "The committee met on Tuesday and talked about the budget of the town. " * 40
    question = "Which fish do herons eat in the shallows at dawn?"
    plain = np.array(model.embed_whole(background))
    whole = np.array(model.embed_whole(background + (question + " ") * 20))
    asked = np.array(model.embed_whole(question))
    assert asked @ whole > asked @ plain + 0.1
    assert np.linalg.norm(whole) == pytest.approx(1, abs=1e-6)
    assert np.allclose(asked, model.embed([question])[0][0], atol=1e-6)


def test_who_asks_at_the_same_time_gets_the_vectors_of_their_own_texts(model):
    texts = [
        [f"Heron {n} stands in the shallows. " * (1 + n % 7) for n in range(at, at + 12)] for at in range(0, 72, 12)
    ]
    alone = [model.embed(some)[0] for some in texts]
    with ThreadPoolExecutor(len(texts)) as threads:
        together = [vectors for vectors, _ in threads.map(model.embed, texts)]
    assert all(np.allclose(one, other, atol=1e-6) for one, other in zip(alone, together, strict=True))
    assert not np.allclose(alone[0], alone[1], atol=1e-3)


def test_a_query_waits_for_no_turn_and_all_else_does(model):
    held = ExitStack()
    while model._turns.acquire(blocking=False):
        held.callback(model._turns.release)
    with held:
        others = model.for_batches.submit(model.embed, ["Herons stand in the shallows."])
        model.for_queries.submit(model.embed_whole, "what do herons eat").result(20)
        assert not others.done()
    assert len(others.result(20)[0]) == 1


def test_a_text_of_megabytes_is_not_read_to_its_end(model):
    began = time.perf_counter()
    model.embed(["x y z. " * 3_000_000])
    assert time.perf_counter() - began < 3


async def test_embedding_for_others_holds_up_no_search(library, research):
    await library.add("Bread needs a starter.", title="bread")
    await library.embed()
    await research.finds("starter", bool, mode="keyword")
    await research.settled()  # found a moment before the index says that it is whole
    model: LocalModel = research.app.state.extrophi.model
    model.embed(["loaded"])
    held = threading.Event()

    def hold(*_):
        held.wait(30)
        return np.zeros((1, DIMENSIONS), np.float32), 1

    for _ in range(12):
        model.for_batches.submit(hold)
    try:
        began = time.perf_counter()
        assert await research.titles("starter", mode="keyword") == ["bread"]
        answer = await research.search("sourdough")
        await library.add("Herons stand in the shallows.", title="herons")
        assert await research.finds("herons", lambda found: "herons" in found, mode="keyword")
        assert answer["degraded"] is None
        assert time.perf_counter() - began < 10
    finally:
        held.set()


def test_the_local_model_leaves_nothing_behind(tmp_path):
    """onnxruntime would make a device's id at home, and keep events there to send to Microsoft."""
    asks = "from extrophi_research.embeddings.local import LocalModel; print(len(LocalModel().embed_whole('a heron')))"
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run([sys.executable, "-c", asks], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == f"{DIMENSIONS}\n"
    assert not [*tmp_path.rglob("*")]


@pytest.mark.parametrize(
    ("limit", "fits"), [("max", True), (str(2**63 - 4096), True), (str(512 * 2**20), True), (str(256 * 2**20), False)]
)
async def test_where_it_would_be_killed_as_it_loads_it_says_so(tmp_path, monkeypatch, limit: str, *, fits: bool):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(local, "no_memory", partial(local.no_memory, [tmp_path / "none", tmp_path / "memory.max"]))
    model = LocalModel()
    async with httpx.AsyncClient() as client:
        embedding = Embedder(Settings(), model, client).embed(
            ActiveModel(1, "m", DIMENSIONS, "local", "pgvector"), "heron"
        )
        if fits:
            assert len(await embedding) == DIMENSIONS
            return
        with pytest.raises(EndpointAway, match="needs 320 MiB of memory, and the container is limited to 256 MiB"):
            await embedding
